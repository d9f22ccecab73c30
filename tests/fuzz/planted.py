#!/usr/bin/python3
"""planted.py [TARGET...] - shows that each fuzz target can fail.

For each target a bug is planted in a copy of the tree (a check dropped, a bound off by one); the bounded run of `make
check` must find it. Prints a line each and a last one; run from the top folder, after `make fuzz-check`."""
import os
import re
import shutil
import subprocess
import sys

# target: (file, what stands there, what is planted)
PLANTED = {
    "agent": ("agent/cluster/follow.c", "        policy_db_op(input, output, DB_OP_FENCE);\n        output->db_reason = \"this node does not lead\";",
              "        policy_db_op(input, output, DB_OP_OPEN);"),
    "cluster": ("agent/cluster/codec_parts.c", "|| message->n_members > CLUSTER_SYNC_MAX", ""),
    "config": ("common/base/config.c", "if (strlen(text) >= size) {", "if (strlen(text) > size) {"),
    "dbworker": ("agent/db/dbworker.c", "    waiting->id = 0;\n", ""),
    "frames": ("common/net/frames.c", "length == 0 || length > frame_max", "length > frame_max"),
    "membership": ("common/replica/membership.c", "if (replica_membership_by_id(membership, member->id))", "if (0)"),
    "peer": ("common/replica/wire.c", "if (message->n_entries > RAFT_APPEND_ENTRIES_MAX)", "if (0)"),
    "position": ("agent/cluster/position_gtid_list.c", "if (position->count == POSITION_ITEMS_MAX)", "if (0)"),
    "raft": ("common/raft/append.c", "commit = message->commit < match ? message->commit : match", "commit = message->commit"),
    "rebuild": ("agent/rebuild/chunks.c", "    if (length == FAILED)\n        return read_failure(stream, err);\n    if (length > size || length > CHUNK_BYTES_MAX)", "    if (length > size || length > CHUNK_BYTES_MAX)\n        return ERR_OK;\n    if (0)"),
    "reply": ("client/status_facts.c", "DOMAINS_SHOWN_MAX * DOMAIN_END_BYTES", "DOMAINS_SHOWN_MAX * 48"),
    "sealed": ("common/store/fileio.c", "if (le32toh(crc) != sealed_crc(bytes, whole - SEALED_HEADER_BYTES))", "if (0)"),
    "tls": ("common/net/net.c", "if (strlen(group->cluster) == size &&", "if (strlen(group->cluster) <= size &&"),
    "vip": ("agent/vip/vip.c", "if (strcmp(message->address, vip->address) != 0)", "if (0)"),
    "vipd": ("vipd/lease.c", "if (epoch == 0 || epoch < lease->epoch)", "if (epoch == 0)"),
    "wal": ("common/store/recover.c", "if (i > 0 && entry.index != message->entries[i - 1]->index + 1)", "if (0)"),
    "worker": ("agent/db/worker/worker_request.c", "    if (operation->kind == MHA__DB_REQUEST__BODY_OPEN &&\n        !lease_lives", "    if (0 && !lease_lives"),
}


def call(folder, *command):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def main():
    top = os.getcwd()
    folder = os.path.abspath("build/planted")
    shutil.rmtree(folder, ignore_errors=True)
    listed = call(top, "git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.split()
    for path in filter(os.path.exists, listed):
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        shutil.copy2(path, os.path.join(folder, path), follow_symlinks=False)
    # objects are taken over: make finds them up to date by their times
    shutil.copytree("build/fuzz", os.path.join(folder, "build/fuzz"), ignore=shutil.ignore_patterns("found", "failed", "log"))
    found = 0
    chosen = sys.argv[1:] or sorted(PLANTED)
    for target in chosen:
        name, before, after = PLANTED[target]
        path = os.path.join(folder, name)
        shutil.copy2(os.path.join(top, name), path)
        text = open(path).read()
        if before not in text:
            print("  PLANT %-11s %s has changed: the bug cannot be planted" % (target, name))
            continue
        open(path, "w").write(text.replace(before, after, 1))
        made = call(folder, "make", "-j2", "VARIANT=fuzz", "TARGET=" + target, "fuzz-programs",
                    "CFLAGS=-Wno-error -Wno-unused")
        if made.returncode != 0:
            print("  PLANT %-11s does not compile: %s" % (target, made.stderr.strip()[-300:]))
        run = call(folder, "sh", "tests/fuzz/run.sh", "check", target)
        why = re.search(r"property broken: .*|runtime error: .*|ERROR: \w+Sanitizer: [-\w]+", run.stdout)
        if made.returncode == 0 and run.returncode != 0:
            found += 1
            print("  PLANT %-11s found: %s" % (target, why.group(0) if why else "see build/planted"))
        else:
            print("  PLANT %-11s NOT FOUND" % target)
        shutil.copy(os.path.join(top, name), path)  # with a new time: it is compiled again
    shutil.rmtree(folder, ignore_errors=True)
    print("planted: bugs=%d found=%d" % (len(chosen), found))
    return 0 if found == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
