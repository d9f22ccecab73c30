# Formatting and static checks of everything that git tracks. Quick: it belongs before every commit.

C_TRACKED = $(shell git ls-files '*.c' '*.h')
C_SOURCES = $(shell git ls-files '*.c')
SHELL_TRACKED = $(shell git ls-files '*.sh' packaging/systemd/mariadb-follow packaging/libexec/\* packaging/deb/\*inst packaging/deb/\*rm)
MAN_PAGES = $(wildcard man/*.[1-8])

.PHONY: lint-format lint-c lint-shell lint-man lint-manual

lint: lint-format lint-c lint-shell lint-man lint-manual ## formatting, cppcheck, shellcheck, man pages

format: ## bring all C files into the repository's format
	clang-format -i $(C_TRACKED)

lint-format:
	@echo "  LINT  clang-format"
	$(Q)clang-format --dry-run -Werror $(C_TRACKED)

# The generated headers tell nothing that the compiler has not checked; -j 2 needs no unusedFunction.
lint-c:
	@echo "  LINT  cppcheck"
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --language=c -j 2 -D_GNU_SOURCE '-DMHA_VERSION=""' \
		--enable=warning,performance,portability --suppressions-list=packaging/cppcheck.txt -I. $(C_SOURCES)

lint-shell:
	@echo "  LINT  shellcheck"
	$(Q)shellcheck $(SHELL_TRACKED)

lint-man:
	@echo "  LINT  mandoc"
	$(Q)mandoc -Tlint -W warning $(MAN_PAGES)

lint-manual:
	@echo "  LINT  the manual against the code's tables"
	$(Q)python3 packaging/check-manual.py
