# mha4rdb. `make help` lists the targets; CONTRIBUTING.md says more.

VERSION := 0.1.0
# Texts for people are cut to fit by design (error.h): no warning for that.
# release: what is packaged. san: AddressSanitizer and UBSan, what the tests run.
VARIANT ?= release
# V=1 shows the commands.
Q := $(if $(V),,@)
BUILD := build/$(VARIANT)

CC := gcc
PKG_CONFIG ?= pkg-config
CFLAGS_COMMON := -std=gnu11 -O2 -g -fno-omit-frame-pointer -fPIE -D_GNU_SOURCE -DMHA_VERSION='"$(VERSION)"' \
	-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith -Wwrite-strings -Wno-format-truncation
ifeq ($(VARIANT),san)
CFLAGS_VARIANT := -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_VARIANT := -fsanitize=address,undefined -pie
else
CFLAGS_VARIANT := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
LDFLAGS_VARIANT := -pie -Wl,-z,relro,-z,now
endif
INCLUDES := -I. -I$(BUILD) -I$(BUILD)/proto
ALL_CFLAGS = $(CFLAGS_COMMON) $(CFLAGS_VARIANT) $(INCLUDES) $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_VARIANT) -Wl,--as-needed $(LDFLAGS)

PROTO_LIBS := -lprotobuf-c
EVENT_LIBS := -levent_core -levent_extra
TLS_LIBS := -levent_openssl -lssl -lcrypto
CONFIG_LIBS := -lconfig
NL_CFLAGS := $(shell $(PKG_CONFIG) --cflags libnl-route-3.0 2>/dev/null)
NL_LIBS := -lnl-route-3 -lnl-3
# MariaDB's Connector/C or MySQL's own libmysqlclient, whichever the machine has; both of these variables on make's
# command line choose another one (tests/servers.mk does).
MYSQL_CFLAGS := $(shell $(PKG_CONFIG) --cflags mysqlclient 2>/dev/null || mysql_config --cflags 2>/dev/null)
MYSQL_LIBS := $(shell $(PKG_CONFIG) --libs mysqlclient 2>/dev/null || mysql_config --libs 2>/dev/null)

# ---- sources, by folder; each folder's *.c is one part of one program or library ----

PROTOS := $(wildcard proto/*.proto)
PROTO_C := $(PROTOS:proto/%.proto=$(BUILD)/proto/%.pb-c.c)
PROTO_O := $(PROTO_C:.c=.o)

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(addsuffix /*.c,$(1))))

COMMON_DIRS := common/base common/raft common/store common/net common/replica
COMMON_LIB := $(BUILD)/libcommon.a
# what the agent's parts share with the tests: all of the agent but its main.c, and the dbworker but its main
AGENT_LIB := $(BUILD)/libagent.a
AGENT_DIRS := agent/cluster agent/db agent/vip agent/api agent
DBWORKER_LIB := $(BUILD)/libdbworker.a
REBUILD_LIB := $(BUILD)/librebuild.a
VIPD_LIB := $(BUILD)/libvipd.a
ARBITER_LIB := $(BUILD)/libarbiter.a
CLIENT_LIB := $(BUILD)/libmha4rdb.a
SIM_LIB := $(BUILD)/libsim.a
LIBS := $(COMMON_LIB) $(AGENT_LIB) $(DBWORKER_LIB) $(REBUILD_LIB) $(VIPD_LIB) $(ARBITER_LIB) $(CLIENT_LIB)

PROGRAMS := mha4rdb-agent mha4rdb-dbworker mha4rdb-rebuild mha4rdb-vipd mha4rdb-arbiter mhactl
BINARIES := $(PROGRAMS:%=$(BUILD)/%)

UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
SIM_TESTS := $(patsubst tests/sim/%.c,$(BUILD)/tests/sim/%,$(wildcard tests/sim/test_*.c))

.PHONY: all help deps check demo lint format unit sim cluster deb rpm install clean programs tests
.DEFAULT_GOAL := all
.SECONDARY:

all: programs ## build the programs (VARIANT=release or san)

programs: $(BINARIES)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 12

$(BUILD)/proto/%.pb-c.c $(BUILD)/proto/%.pb-c.h: proto/%.proto
	@mkdir -p $(@D)
	@echo "  PROTO $<"
	$(Q)cd proto && protoc-c --c_out=$(abspath $(BUILD)/proto) $*.proto

# Generated headers exist before anything is compiled.
PROTO_H := $(PROTOS:proto/%.proto=$(BUILD)/proto/%.pb-c.h)

$(BUILD)/proto/%.o: $(BUILD)/proto/%.c | $(PROTO_H)
	@echo "  CC    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/agent/rebuild/%.o: ALL_CFLAGS += $(MYSQL_CFLAGS) -pthread
$(BUILD)/agent/db/worker/%.o: ALL_CFLAGS += $(MYSQL_CFLAGS) -pthread
$(BUILD)/vipd/%.o: ALL_CFLAGS += $(NL_CFLAGS)
$(BUILD)/tests/unit/%.o: ALL_CFLAGS += $(NL_CFLAGS) $(MYSQL_CFLAGS)

$(BUILD)/%.o: %.c | $(PROTO_H)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(COMMON_LIB): $(call objects,$(COMMON_DIRS)) $(PROTO_O)
$(AGENT_LIB): $(filter-out $(BUILD)/agent/main.o,$(call objects,$(AGENT_DIRS)))
$(DBWORKER_LIB): $(filter-out %/main.o,$(call objects,agent/db/worker))
$(REBUILD_LIB): $(filter-out %/main.o,$(call objects,agent/rebuild))
$(VIPD_LIB): $(filter-out %/main.o,$(call objects,vipd))
$(ARBITER_LIB): $(filter-out %/main.o,$(call objects,arbiter))
$(CLIENT_LIB): $(filter-out %/main.o,$(call objects,client))
$(SIM_LIB): $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/sim/test_%,$(wildcard tests/sim/*.c)) tests/unit/memory_files.c tests/unit/memory_crash.c)
$(BUILD)/lib%.a:
	@mkdir -p $(@D)
	@rm -f $@
	@ar qcs $@ $^  # q: two folders may have a file of the same name

link = @echo "  LINK  $@"; $(if $(V),set -x;) $(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) -o $@

$(BUILD)/mha4rdb-agent: $(BUILD)/agent/main.o $(AGENT_LIB) $(COMMON_LIB)
	$(link) $(PROTO_LIBS) $(EVENT_LIBS) $(TLS_LIBS) $(CONFIG_LIBS) -lz
$(BUILD)/mha4rdb-dbworker: $(BUILD)/agent/db/worker/main.o $(DBWORKER_LIB) $(AGENT_LIB) $(COMMON_LIB)
	$(link) $(PROTO_LIBS) $(EVENT_LIBS) $(CONFIG_LIBS) $(MYSQL_LIBS) -pthread
$(BUILD)/mha4rdb-rebuild: $(BUILD)/agent/rebuild/main.o $(REBUILD_LIB) $(DBWORKER_LIB) $(AGENT_LIB) $(COMMON_LIB)
	$(link) $(PROTO_LIBS) $(EVENT_LIBS) $(TLS_LIBS) $(CONFIG_LIBS) $(MYSQL_LIBS) -lz -pthread
$(BUILD)/mha4rdb-vipd: $(BUILD)/vipd/main.o $(VIPD_LIB) $(COMMON_LIB)
	$(link) $(PROTO_LIBS) $(EVENT_LIBS) $(CONFIG_LIBS) $(NL_LIBS) -lcap-ng
$(BUILD)/mha4rdb-arbiter: $(BUILD)/arbiter/main.o $(ARBITER_LIB) $(COMMON_LIB)
	$(link) $(PROTO_LIBS) $(EVENT_LIBS) $(TLS_LIBS) $(CONFIG_LIBS) -lz
$(BUILD)/mhactl: $(BUILD)/client/main.o $(CLIENT_LIB) $(BUILD)/common/base/clock.o $(BUILD)/common/base/error.o $(PROTO_O)
	$(link) $(PROTO_LIBS) -ljansson

# A unit test links the part that it names and what lies below; the archives give each what it uses.
$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(REBUILD_LIB) $(DBWORKER_LIB) $(VIPD_LIB) $(ARBITER_LIB) $(CLIENT_LIB) $(AGENT_LIB) $(COMMON_LIB)
	$(link) -lcunit $(PROTO_LIBS) $(EVENT_LIBS) $(TLS_LIBS) $(CONFIG_LIBS) $(NL_LIBS) $(MYSQL_LIBS) -lcap-ng -ljansson -lz -pthread
# These need common/ alone.
COMMON_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_net*.c tests/unit/test_replica*.c))
$(COMMON_TESTS:%=$(BUILD)/tests/unit/%): %: %.o $(COMMON_LIB)
	$(link) -lcunit $(PROTO_LIBS) $(EVENT_LIBS) $(TLS_LIBS) $(CONFIG_LIBS) -lz
$(BUILD)/tests/unit/test_net $(BUILD)/tests/unit/test_net_strangers: $(BUILD)/tests/unit/net_fixture.o
# The leases of vipd and the dbworker are pure: the simulator runs them as they are.
$(BUILD)/tests/sim/test_%: $(BUILD)/tests/sim/test_%.o $(BUILD)/vipd/lease.o $(BUILD)/agent/db/worker/lease.o $(SIM_LIB) $(AGENT_LIB) $(COMMON_LIB)
	$(link) -lcunit $(PROTO_LIBS) $(EVENT_LIBS) $(TLS_LIBS) $(CONFIG_LIBS) -lz -Wl,--wrap=getrandom

tests: $(UNIT_TESTS) $(SIM_TESTS)

unit: $(UNIT_TESTS) ## run the unit tests of this VARIANT
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; $$t; done

clean: ## remove everything that was built
	rm -rf build

-include $(wildcard packaging/*.mk tests/*.mk)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
