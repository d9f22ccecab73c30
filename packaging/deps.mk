# What the build, the tests and the demo need from the distribution: packaging/build-packages.txt names it.

PACKAGES = $(shell sed 's/\#.*//' packaging/build-packages.txt)
# Without -s dpkg-query also says yes to packages that were removed and left their configuration behind.
PACKAGES_MISSING = $(shell for p in $(PACKAGES); do \
	[ "$$(dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || echo $$p; done)

# The -core packages of the server bring no service: nothing starts by being installed.
deps: ## install what is missing of packaging/build-packages.txt (Debian, as root)
	@missing="$(PACKAGES_MISSING)"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	echo "missing packages: $$missing"; \
	if [ "$$(id -u)" != 0 ]; then echo "deps: root is needed to install them: sudo make deps" >&2; exit 1; fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -q && apt-get install -q -y --no-install-recommends $$missing
