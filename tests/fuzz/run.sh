#!/bin/sh
# run.sh check|merge|SECONDS TARGET... - runs fuzz targets that are built (tests/fuzz.mk), two at a time.
#
# check: the kept corpus and a fixed number of runs from it, from a fixed seed: the same every time.
# SECONDS: so long each, from a new seed; what is found grows build/fuzz/found/TARGET.
# merge: the smallest part of the kept corpus and of what was found that reaches the same becomes the kept corpus.
set -u

build=build/fuzz
mode=$1
shift

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}"

# The number behind $2= in the target's first comment.
setting() {
    sed -n "s/.*fuzz: .*$2=\([0-9]*\).*/\1/p" "tests/fuzz/fuzz_$1.c" | head -1
}

one() {
    target=$1
    corpus=tests/fuzz/corpus/$target
    found=$build/found/$target
    log=$build/log/$target.txt
    mkdir -p "$corpus" "$found" "$build/log" "$build/failed"
    common="-max_len=$(setting "$target" max_len) -timeout=10 -rss_limit_mb=1024 -artifact_prefix=$build/failed/$target- -print_final_stats=1"
    if [ -f "tests/fuzz/$target.dict" ]; then
        common="$common -dict=tests/fuzz/$target.dict"
    fi
    case $mode in
    check)
        scratch=$(mktemp -d)
        # shellcheck disable=SC2086 # options
        "$build/tests/fuzz/fuzz_$target" $common -seed=1 "-runs=$(setting "$target" runs)" "$scratch" "$corpus" >"$log" 2>&1
        result=$?
        rm -rf "$scratch"
        ;;
    merge)
        minimal=$(mktemp -d)
        # shellcheck disable=SC2086 # options
        "$build/tests/fuzz/fuzz_$target" $common -merge=1 "$minimal" "$corpus" "$found" >"$log" 2>&1
        result=$?
        if [ $result -eq 0 ]; then
            find "$corpus" -type f ! -name 'regression-*' ! -name 'seed-*' -delete
            # the small ones first, up to 60 KB and 250 of them
            find "$minimal" -type f -printf '%s %p\n' | sort -n | head -250 |
                awk '{ sum += $1; if (sum <= 60000) print $2 }' | xargs -r cp -t "$corpus"
        fi
        rm -rf "$minimal"
        ;;
    *)
        # shellcheck disable=SC2086 # options
        nice "$build/tests/fuzz/fuzz_$target" $common "-max_total_time=$mode" "$found" "$corpus" >"$log" 2>&1
        result=$?
        ;;
    esac
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    inputs=$(find "$corpus" -type f | wc -l)
    printf '  FUZZ  %-12s inputs=%-5s runs=%s\n' "$target" "$inputs" "${runs:-?}"
    if [ $result -ne 0 ]; then
        echo "fuzz: $target FAILED; the input is in $build/failed/$target-*, the end of $log:"
        grep -E 'property broken|ERROR|runtime error|SUMMARY|/(tests|common|agent|client|vipd|arbiter)/' "$log" | grep -v 'NEW_FUNC\|fuzzer::\|sanitizer_print\|_start' | tail -25
        return 1
    fi
}

failed=0
first=
for target in "$@"; do
    if [ -z "$first" ]; then
        one "$target" &
        first=$!
    else
        one "$target" || failed=$((failed + 1))
        wait "$first" || failed=$((failed + 1))
        first=
    fi
done
if [ -n "$first" ]; then
    wait "$first" || failed=$((failed + 1))
fi
echo "fuzz: targets=$# findings=$failed"
[ "$failed" -eq 0 ]
