# Loam's build.  `make help` lists the targets.
#
# Everything lands in build/.  A variant (release, debug, asan) has a directory of its own, and so has each
# of them under clang, so that they lie side by side:
#
#   build/release/  build/debug/  build/asan/  build/clang-release/ ...
#     obj/<layer>/<file>.o   libloam.a   libloam.so.1   tests/<kind>/<name>
#     compat/libgc.so.1      compat/libgccpp.so.1  .a   compat/libgctba.so.1  .a
#   build/libloam.a  build/libloam.so.1  build/compat/libgc.so.1 ...   links to the variant just built
#   build/examples/  build/bench/                                  programs of `make demo` and `make bench`

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

VERSION   := 0.1.0
SONAME    := libloam.so.1

# ---- What a caller may set ----

BUILD      ?= build
VARIANT    ?=
VALGRIND   ?=
PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR    ?=
BENCH_ARGS ?=
DEMO_ARGS  ?=
PYTHON     ?= python3
TEST_JOBS  ?= $(shell nproc)
TESTS      ?=
LONG_SECONDS ?= 600
LOAM_TEST_SECONDS ?= 3
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := ar
endif
# The C++ compiler beside it: g++ for gcc, clang++-14 for clang-14, c++ for cc.
ifeq ($(origin CXX),default)
CXX := $(patsubst cc,c++,$(subst gcc,g++,$(subst clang,clang++,$(CC))))
endif

VARIANTS := release debug asan
ifneq ($(filter-out $(VARIANTS),$(VARIANT)),)
$(error VARIANT=$(VARIANT): choose one of $(VARIANTS))
endif
ALL_VARIANT  := $(or $(VARIANT),release)
TEST_VARIANT := $(or $(VARIANT),debug)

# ---- Compiler and flags ----

COMPILER    := $(if $(findstring clang,$(notdir $(CC))),clang-)
variant_dir  = $(BUILD)/$(COMPILER)$(1)

# Evaluated when first used, that is, after .ci/deps had its chance to install the header.
HAVE_VALGRIND = $(or $(VALGRIND),$(eval VALGRIND := $(shell echo '\#include <valgrind/memcheck.h>' | \
                  $(CC) -E -x c - >/dev/null 2>&1 && echo 1 || echo 0))$(VALGRIND))

# Empty, so that a file's own `#define _GNU_SOURCE` is no redefinition.
GNU      := -D_GNU_SOURCE=
WARN     := -Wall -Wextra -Wundef -Werror
WARN_SRC := $(WARN) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla

OPT_release    := -O2 -g
OPT_debug      := -O1 -g
OPT_asan       := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CHECKS_release := 0
CHECKS_debug   := 1
CHECKS_asan    := 1

common_flags = -std=gnu11 $(OPT_$(1)) $(GNU) -DGC_DEBUG_CHECKS=$(CHECKS_$(1)) \
               -DGC_HAVE_VALGRIND=$(HAVE_VALGRIND) -Isrc -I. -pthread $(CFLAGS)
src_flags    = $(common_flags) $(WARN_SRC) -DGC_BUILD -fPIC -fvisibility=hidden -ftls-model=initial-exec
cxx_flags    = -std=gnu++14 $(OPT_$(1)) $(WARN) -Isrc -I. -fPIC -pthread $(CXXFLAGS)
test_flags   = $(common_flags) $(WARN) -DTEST_BUILD_DIR='"$(call variant_dir,$(1))/tests"'

# Bound at load time and never unloaded: a symbol looked up lazily while the world is stopped could wait for
# a lock of the dynamic linker that a stopped thread holds, and threads and signal handlers outlive a
# dlclose.
SHARED_FLAGS := -shared -pthread -Wl,-z,now -Wl,-z,nodelete
DEFS_release := -Wl,-z,defs
DEFS_debug   := -Wl,-z,defs
LIBS         := -pthread -ldl -lm

# `make V=1` shows the commands themselves.
run = $(if $(V),,@echo '  $(1)  $@';)

link_shared = $(CC) $(OPT_$(1)) $(SHARED_FLAGS) $(DEFS_$(1)) -Wl,-soname,$(@F) $(filter %.o,$^) \
              $(LDFLAGS) $(LIBS) -o $@

# $(1) the variant, $(2) what the library needs
link_shared_cxx = $(CXX) $(OPT_$(1)) $(SHARED_FLAGS) $(DEFS_$(1)) -Wl,-soname,$(@F) $(filter %.o,$^) \
                  $(LDFLAGS) $(2) -o $@

depend = -MMD -MP -MF $(@:.o=).d -MT $@

# ---- Sources: a file that names a machine or a system is built only there ----

PLATFORM  := $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null))
KNOWN     := x86_64 aarch64 linux freebsd darwin
ELSEWHERE := $(filter-out $(PLATFORM),$(KNOWN))
SOURCES   := $(filter-out $(foreach p,$(ELSEWHERE),%_$(p).c %_$(p).S),$(sort $(wildcard src/*/*.c src/*/*.S)))
STAND_IN  := $(sort $(wildcard src/compat/stand_in/*.c)) # for compat/libgc.so.1 only
HEADERS   := $(filter-out $(foreach p,$(ELSEWHERE),%_$(p).h %_$(p)_inl.h),$(sort $(wildcard gc.h src/*/*.h)))

# What takes the place of libgc's libraries; those for C++ only where there is a compiler for it.
HAVE_CXX   := $(shell command -v $(firstword $(CXX)) 2>/dev/null)
COMPAT_CXX := $(if $(HAVE_CXX),libgccpp.so.1 libgccpp.a libgctba.so.1 libgctba.a)
COMPAT     := libgc.so.1 $(COMPAT_CXX)

# ---- Dependencies: installed where allowed, named where not ----

DEPS_GROUPS := build test demo bench tidy
.PHONY: $(DEPS_GROUPS:%=deps-%)
$(DEPS_GROUPS:%=deps-%): deps-%:
	@CC='$(CC)' CXX='$(CXX)' bash .ci/deps $*

# A stamp changes when its text does: objects follow their flags, libraries their list of objects.
.PHONY: FORCE
FORCE:
stamp  = @mkdir -p $(@D); text=$(call quoted,$(1)); echo "$$text" | cmp -s - $@ || echo "$$text" >$@
quoted = '$(subst ','\'',$(1))'

# ---- The library, per variant ----

define variant_rules
$(1)_DIR  := $(call variant_dir,$(1))
$(1)_OBJS := $(patsubst src/%,$(call variant_dir,$(1))/obj/%.o,$(basename $(SOURCES)))
$(1)_LIBS := $(addprefix $(call variant_dir,$(1))/,libloam.a $(SONAME) libloam.so $(COMPAT:%=compat/%))
$(1)_CXX_OBJS := $(addprefix $(call variant_dir,$(1))/obj/compat/,gccpp.o gctba.o)
$(1)_STAND_IN_OBJS := $(patsubst src/%.c,$(call variant_dir,$(1))/obj/%.o,$(STAND_IN))

$$($(1)_DIR)/flags: FORCE | deps-build
	$$(call stamp,$$(CC) $$(call src_flags,$(1)))

$$($(1)_DIR)/objects: FORCE | deps-build
	$$(call stamp,$$($(1)_OBJS) $$($(1)_STAND_IN_OBJS))

$$($(1)_DIR)/obj/%.o: src/%.c $$($(1)_DIR)/flags
	@mkdir -p $$(@D)
	$$(call run,CC)$$(CC) $$(call src_flags,$(1)) $$(depend) -c $$< -o $$@

$$($(1)_DIR)/obj/%.o: src/%.S $$($(1)_DIR)/flags
	@mkdir -p $$(@D)
	$$(call run,CC)$$(CC) $$(call src_flags,$(1)) $$(depend) -c $$< -o $$@

$$($(1)_DIR)/libloam.a: $$($(1)_OBJS) $$($(1)_DIR)/objects
	@rm -f $$@
	$$(call run,AR)$$(AR) rcsD $$@ $$($(1)_OBJS)

$$($(1)_DIR)/$(SONAME): $$($(1)_OBJS) $$($(1)_DIR)/objects
	$$(call run,LD)$$(call link_shared,$(1))

$$($(1)_DIR)/libloam.so: $$($(1)_DIR)/$(SONAME)
	@ln -sf $$(<F) $$@

$$($(1)_DIR)/compat/libgc.so.1: $$($(1)_OBJS) $$($(1)_STAND_IN_OBJS) $$($(1)_DIR)/objects
	@mkdir -p $$(@D)
	$$(call run,LD)$$(call link_shared,$(1))

$$($(1)_DIR)/cxxflags: FORCE | deps-build
	$$(call stamp,$$(CXX) $$(call cxx_flags,$(1)))

$$($(1)_CXX_OBJS): $$($(1)_DIR)/obj/%.o: src/%.cc $$($(1)_DIR)/cxxflags
	@mkdir -p $$(@D)
	$$(call run,CXX)$$(CXX) $$(call cxx_flags,$(1)) $$(depend) -c $$< -o $$@

$$($(1)_DIR)/compat/libgccpp.a: $$($(1)_CXX_OBJS)
$$($(1)_DIR)/compat/libgctba.a: $$($(1)_DIR)/obj/compat/gctba.o
$$($(1)_DIR)/compat/%.a:
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call run,AR)$$(AR) rcsD $$@ $$^

$$($(1)_DIR)/compat/libgccpp.so.1: $$($(1)_CXX_OBJS) $$($(1)_DIR)/compat/libgc.so.1
	$$(call run,LD)$$(call link_shared_cxx,$(1),$$($(1)_DIR)/compat/libgc.so.1)

$$($(1)_DIR)/compat/libgctba.so.1: $$($(1)_DIR)/obj/compat/gctba.o
	@mkdir -p $$(@D)
	$$(call run,LD)$$(call link_shared_cxx,$(1))

-include $$($(1)_OBJS:.o=.d) $$($(1)_STAND_IN_OBJS:.o=.d) $$($(1)_CXX_OBJS:.o=.d)
endef
$(foreach v,$(VARIANTS),$(eval $(call variant_rules,$(v))))

# Where build/'s links point.
LINKED := $(notdir $(call variant_dir,$(ALL_VARIANT)))

.PHONY: all
all: $($(ALL_VARIANT)_LIBS) ## build the libraries (VARIANT=release|debug|asan, CC=gcc|clang, VALGRIND=0, V=1)
	@mkdir -p $(BUILD)/compat
	@ln -sf $(LINKED)/libloam.a $(BUILD)/libloam.a
	@ln -sf $(LINKED)/$(SONAME) $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $(BUILD)/libloam.so
	@for name in $(COMPAT); do ln -sf ../$(LINKED)/compat/$$name $(BUILD)/compat/$$name; done
	$(if $(HAVE_CXX),,@echo 'loam: no C++ compiler (CXX=$(CXX)): libgccpp and libgctba are not built')

# ---- Programs of several sources ----
#
# $(1) the program, $(2) its sources, $(3) flags, $(4) libraries, $(5) prerequisites.

define program_rules
$(1).flags: FORCE | deps-build
	$$(call stamp,$$(CC) $(3) $(4) $(2))

$(patsubst %.c,$(1).obj/%.o,$(2)): $(1).obj/%.o: %.c $(1).flags $(5)
	@mkdir -p $$(@D)
	$$(call run,CC)$$(CC) $(3) $$(depend) -c $$< -o $$@

$(1): $(patsubst %.c,$(1).obj/%.o,$(2)) $(filter %.a,$(5))
	$$(call run,LD)$$(CC) $(3) $$(filter %.o,$$^) $$(LDFLAGS) $(4) -o $$@

-include $(patsubst %.c,$(1).obj/%.d,$(2))
endef

# ---- Examples and demo ----

EXAMPLES_DIR   := $(BUILD)/examples
EXAMPLE_FLAGS   = -std=gnu11 -O2 -g $(GNU) $(WARN) -pthread $(CFLAGS)
SCHEME_SOURCES := $(sort $(wildcard examples/scheme/*.c))
SCHEME_NAMES   := $(addprefix $(EXAMPLES_DIR)/scheme-,loam libgc malloc)
SCHEMES        := $(if $(SCHEME_SOURCES),$(SCHEME_NAMES))
EXAMPLES       := $(patsubst examples/%.c,$(EXAMPLES_DIR)/%,$(sort $(wildcard examples/*.c)))
TEST_SCHEME    := $($(TEST_VARIANT)_DIR)/examples/scheme-loam
TEST_LIB       := $($(TEST_VARIANT)_DIR)/libloam.a

# Only Loam's programs see the top directory: libgc's must find the system's <gc.h>.
SCHEME_LOAM   = $(EXAMPLE_FLAGS) -DSCHEME_ALLOC_LOAM -I.
SCHEME_LIBGC  = $(EXAMPLE_FLAGS) -DSCHEME_ALLOC_LIBGC
SCHEME_MALLOC = $(EXAMPLE_FLAGS) -DSCHEME_ALLOC_MALLOC

# $(1) the program, $(2) flags, $(3) the collector's library, $(4) the group of dependencies
scheme_rules = $(call program_rules,$(1),$(SCHEME_SOURCES),$(2),$(3) -lgmp $(LIBS),$\
                 $(filter %.a,$(3)) | deps-$(4))

$(eval $(call scheme_rules,$(EXAMPLES_DIR)/scheme-loam,$$(SCHEME_LOAM),$(release_DIR)/libloam.a,demo))
$(eval $(call scheme_rules,$(EXAMPLES_DIR)/scheme-libgc,$$(SCHEME_LIBGC),-lgc,demo))
$(eval $(call scheme_rules,$(EXAMPLES_DIR)/scheme-malloc,$$(SCHEME_MALLOC),,demo))
$(eval $(call scheme_rules,$(TEST_SCHEME),$$(SCHEME_LOAM) $(OPT_$(TEST_VARIANT)),$(TEST_LIB),test))

$(EXAMPLES_DIR)/flags: FORCE | deps-build
	$(call stamp,$(CC) $(EXAMPLE_FLAGS))

$(EXAMPLES): $(EXAMPLES_DIR)/%: examples/%.c $(release_DIR)/libloam.a $(EXAMPLES_DIR)/flags
	$(call run,LD)$(CC) $(EXAMPLE_FLAGS) -I. $(depend) $< $(release_DIR)/libloam.a $(LDFLAGS) $(LIBS) -o $@
-include $(EXAMPLES:=.d)

.PHONY: examples demo
examples: $(EXAMPLES) $(if $(SCHEME_SOURCES),$(EXAMPLES_DIR)/scheme-loam) ## build the examples against Loam

demo: all $(EXAMPLES) $(SCHEMES) | deps-demo ## run the Scheme interpreter on Loam, libgc, malloc; compare
	$(PYTHON) bench/demo.py $(DEMO_ARGS)

# ---- Benches: every workload with every contender, from the same sources ----

BENCH_DIR    := $(BUILD)/bench
CONTENDERS   := loam libgc malloc mimalloc
BENCH_FLAGS   = -std=gnu11 -O2 -g $(GNU) $(WARN) -pthread $(CFLAGS)
WORKLOADS    := $(patsubst bench/%.c,%,$(filter-out bench/harness.c,$(sort $(wildcard bench/*.c))))
BENCHES      := $(foreach c,$(CONTENDERS),$(WORKLOADS:%=$(BENCH_DIR)/%-$(c)))

BENCH_FLAGS_loam     := -DBENCH_LOAM -I.
BENCH_FLAGS_libgc    := -DBENCH_LIBGC
BENCH_FLAGS_malloc   := -DBENCH_MALLOC
BENCH_FLAGS_mimalloc := -DBENCH_MIMALLOC
BENCH_LIBS_loam      := $(release_DIR)/libloam.a
BENCH_LIBS_libgc     := -lgc
BENCH_LIBS_mimalloc  := -lmimalloc

define bench_rules
$(BENCH_DIR)/$(1).flags: FORCE | deps-bench
	$$(call stamp,$$(CC) $$(BENCH_FLAGS) $(BENCH_FLAGS_$(1)))

$(BENCH_DIR)/obj/harness-$(1).o: bench/harness.c $(BENCH_DIR)/$(1).flags
	@mkdir -p $$(@D)
	$$(call run,CC)$$(CC) $$(BENCH_FLAGS) $(BENCH_FLAGS_$(1)) $$(depend) -c $$< -o $$@

$(WORKLOADS:%=$(BENCH_DIR)/%-$(1)): $(BENCH_DIR)/%-$(1): bench/%.c $(BENCH_DIR)/obj/harness-$(1).o \
                                    $(filter %.a,$(BENCH_LIBS_$(1)))
	$$(call run,LD)$$(CC) $$(BENCH_FLAGS) $(BENCH_FLAGS_$(1)) $$(depend) $$(filter %.c %.o,$$^) \
	  $$(LDFLAGS) $(BENCH_LIBS_$(1)) $(LIBS) -o $$@

-include $(BENCH_DIR)/obj/harness-$(1).d $(WORKLOADS:%=$(BENCH_DIR)/%-$(1).d)
endef
$(foreach c,$(CONTENDERS),$(eval $(call bench_rules,$(c))))

.PHONY: bench bench-build
bench-build: all $(BENCHES) | deps-bench ## build the benches without running them
bench: bench-build ## run the benches, all contenders interleaved (BENCH_ARGS="...")
	$(PYTHON) bench/run.py $(BENCH_ARGS)

.PHONY: bench-clients
bench-clients: $(release_LIBS) | deps-test deps-bench ## run guile, ecl, w3m and others on Loam and libgc (BENCH_ARGS="...")
	$(PYTHON) bench/clients.py $(BENCH_ARGS)

# ---- Tests: every program and script speaks TAP, prove runs them ----

TEST_DIR       := $(call variant_dir,$(TEST_VARIANT))/tests
TEST_SHARED_C  := $(sort $(wildcard tests/*/lib*.c))
TEST_SOURCES   := $(sort $(wildcard tests/unit/*_test.c) $(filter-out $(TEST_SHARED_C),\
                    $(wildcard $(foreach kind,model death stress regress compat,tests/$(kind)/*.c))))
TEST_PROGRAMS  := $(TEST_SOURCES:tests/%.c=$(TEST_DIR)/%)
TEST_SHARED    := $(TEST_SHARED_C:tests/%.c=$(TEST_DIR)/%.so)
TEST_SCRIPTS   := $(sort $(wildcard tests/*/*.sh $(if $(SCHEME_SOURCES),examples/scheme/tests/run.sh)))
TEST_CHECKS    := .ci/check-headers .ci/check-symbols .ci/check-libgc
TEST_ALL       := $(TEST_CHECKS) $(TEST_PROGRAMS) $(TEST_SCRIPTS)
# TESTS="unit/tunables death" chooses by parts of names.
chosen          = $(if $(strip $(foreach part,$(TESTS),$(findstring $(part),$(1)))),$(1))
TEST_CHOSEN    := $(if $(TESTS),$(foreach test,$(TEST_ALL),$(call chosen,$(test))),$(TEST_ALL))
TEST_LONG      := $(filter $(TEST_DIR)/model/% $(TEST_DIR)/stress/%,$(TEST_CHOSEN))
TEST_MODEL     := $(filter $(TEST_DIR)/model/%,$(TEST_CHOSEN))
TEST_MORE_LIBS  = $(if $(filter $(TEST_DIR)/unit/%,$@),-lcmocka) $(if $(filter %/writes_test,$@),-luring)

$(TEST_DIR)/flags: FORCE | deps-build deps-test
	$(call stamp,$(CC) $(call test_flags,$(TEST_VARIANT)))

$(TEST_PROGRAMS): $(TEST_DIR)/%: tests/%.c $(TEST_LIB) $(TEST_DIR)/flags
	@mkdir -p $(@D)
	$(call run,LD)$(CC) $(call test_flags,$(TEST_VARIANT)) $(depend) $< $(TEST_LIB) $(LDFLAGS) \
	  $(TEST_MORE_LIBS) $(LIBS) -o $@

$(TEST_SHARED): $(TEST_DIR)/%.so: tests/%.c $(TEST_DIR)/flags
	@mkdir -p $(@D)
	$(call run,LD)$(CC) $(call test_flags,$(TEST_VARIANT)) $(depend) -fPIC -shared $< \
	  -Wl,-soname,$(@F) $(LDFLAGS) -pthread -o $@
-include $(TEST_PROGRAMS:=.d) $(TEST_SHARED:=.d)

# What tests find in their environment; .ci/run-test adds the time limit.
TEST_ENV = CMOCKA_MESSAGE_OUTPUT=TAP \
           LOAM_TEST_SECONDS='$(TEST_SECONDS)' LOAM_TEST_VARIANT='$(TEST_VARIANT)' \
           LOAM_TEST_UNDER='$(TEST_UNDER)' \
           LOAM_TEST_DIR='$(abspath $(TEST_DIR))' LOAM_LIB_DIR='$(abspath $($(TEST_VARIANT)_DIR))' \
           LOAM_SCHEME='$(abspath $(TEST_SCHEME))' \
           LOAM_TEST_CC='$(CC)' LOAM_TEST_CXX='$(CXX)' \
           LOAM_TEST_CFLAGS='-std=gnu11 $(OPT_$(TEST_VARIANT))' \
           LOAM_TEST_CXXFLAGS='$(OPT_$(TEST_VARIANT))' \
           LOAM_TEST_HEADERS='$(HEADERS)' LOAM_TEST_HEADER_FLAGS='$(call src_flags,$(TEST_VARIANT))'
PROVE     = $(TEST_ENV) prove -j$(TEST_JOBS) --failures --exec 'bash .ci/run-test'
TEST_SECONDS = $(LOAM_TEST_SECONDS)
TEST_UNDER   =

.PHONY: test test-build test-long test-valgrind
test-build: $($(TEST_VARIANT)_LIBS) $(TEST_SHARED) $(filter $(TEST_CHOSEN),$(TEST_PROGRAMS)) \
            $(if $(filter %/tests/run.sh,$(TEST_CHOSEN)),$(TEST_SCHEME)) | deps-test

# TESTS="unit stress/threads" runs what is named so; VARIANT and CC as in `make all`.
test: test-build ## run the tests in the debug variant (TESTS="part of a name ...", LOAM_TEST_SECONDS=3)
	@$(PROVE) $(TEST_CHOSEN)

test-long: TEST_SECONDS = $(LONG_SECONDS)
test-long: test-build ## run the model and stress tests for long (LONG_SECONDS=600 each)
	@$(if $(TEST_LONG),$(PROVE) $(TEST_LONG),echo 'no model or stress tests')

test-valgrind: TEST_UNDER = valgrind --quiet --error-exitcode=99
test-valgrind: test-build ## run the model test under Valgrind for a short time
	@$(if $(TEST_MODEL),$(PROVE) $(TEST_MODEL),echo 'no model tests')

# ---- What a script can check, a script checks ----

TUNABLES_DOC := $(BUILD)/tunables-doc

$(TUNABLES_DOC): .ci/tunables_doc.c src/base/tunables.c $(release_DIR)/flags
	@mkdir -p $(@D)
	$(call run,LD)$(CC) $(call common_flags,release) $(WARN) -MMD -MP -MF $@.d -MT $@ $(filter %.c,$^) -o $@
-include $(TUNABLES_DOC).d

.PHONY: tidy format docs symbols
tidy: $(release_LIBS) $(TUNABLES_DOC) | deps-tidy ## check layers, format, lint, headers, symbols, documents
	@TUNABLES_DOC='$(TUNABLES_DOC)' LOAM_LIB_DIR='$(release_DIR)' LOAM_TEST_CC='$(CC)' \
	  LOAM_TEST_HEADERS='$(HEADERS)' LOAM_TEST_HEADER_FLAGS='$(call src_flags,release)' \
	  TIDY_SOURCES='$(filter %.c,$(SOURCES) $(STAND_IN))' TIDY_FLAGS='$(filter-out -Werror,$(call src_flags,release))' \
	  bash .ci/tidy

FORMATTED = $(filter-out %/loam.h,$(wildcard gc.h $(foreach d,src/* src/compat/include src/compat/include/gc \
              tests tests/* tests/*/* examples examples/* bench .ci,$(d)/*.[ch] $(d)/*.cc)))
format: | deps-tidy ## rewrite the sources in the project's format (FILES="..." for some only)
	clang-format -i $(or $(FILES),$(FORMATTED))

docs: $(TUNABLES_DOC) ## regenerate docs/TUNABLES.md
	@mkdir -p docs
	$(TUNABLES_DOC) >docs/TUNABLES.md

symbols: $(release_LIBS) ## regenerate src/loam.symbols from what the library exports
	LOAM_LIB_DIR='$(release_DIR)' bash .ci/check-symbols --list >src/loam.symbols

# ---- Install ----
#
# `install` puts nothing where it could be taken for libgc: its headers are in include/loam and its libraries
# in lib/loam.  `install-libgc` puts them where libgc's would be.

LIBGC_HEADERS := $(patsubst src/compat/include/%,%,$(wildcard $(addprefix src/compat/include/,*.h gc/*.h)))
LIBGC_VERSION  = $(subst $() ,.,$(strip $(shell sed -n 's/^#define GC_VERSION_M[A-Z]* //p' gc.h)))
LIBGC_STATIC  := $(filter %.a,$(COMPAT))
LIBGC_SHARED  := $(filter %.so.1,$(COMPAT))

INSTALLED       = $(addprefix $(INCLUDEDIR)/loam/,gc.h $(LIBGC_HEADERS)) $(LIBGC_SHARED:%=$(LIBDIR)/loam/%) \
                  $(LIBDIR)/pkgconfig/loam.pc $(addprefix $(LIBDIR)/,libloam.a $(SONAME) libloam.so)
INSTALLED_LIBGC = $(addprefix $(INCLUDEDIR)/,$(LIBGC_HEADERS)) $(LIBDIR)/pkgconfig/bdw-gc.pc \
                  $(addprefix $(LIBDIR)/,libgc.a $(LIBGC_STATIC) $(LIBGC_SHARED) $(LIBGC_SHARED:%.1=%))

# $(1) the template, $(2) the version
install_pc   = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
                 -e 's|@VERSION@|$(2)|' $(1) >$(DESTDIR)$(LIBDIR)/pkgconfig/$(notdir $(1:.in=))
# $(1) files, $(2) directories that go if they are empty then
uninstall    = rm -f $(addprefix $(DESTDIR),$(1)); rmdir $(addprefix $(DESTDIR),$(2)) 2>/dev/null || true

.PHONY: install install-libgc uninstall uninstall-libgc clean help
install: $(release_LIBS) ## install to PREFIX (/usr/local), below DESTDIR; the libgc stand-in goes to lib/loam
	install -d $(addprefix $(DESTDIR),$(INCLUDEDIR)/loam/gc $(LIBDIR)/pkgconfig $(LIBDIR)/loam)
	for name in $(filter-out gc.h,$(LIBGC_HEADERS)); do \
	  install -m 644 src/compat/include/$$name $(DESTDIR)$(INCLUDEDIR)/loam/$$name || exit; done
	install -m 644 gc.h $(DESTDIR)$(INCLUDEDIR)/loam/gc.h
	install -m 644 $(release_DIR)/libloam.a $(DESTDIR)$(LIBDIR)/libloam.a
	install -m 755 $(release_DIR)/$(SONAME) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libloam.so
	install -m 755 $(LIBGC_SHARED:%=$(release_DIR)/compat/%) $(DESTDIR)$(LIBDIR)/loam
	$(call install_pc,src/loam.pc.in,$(VERSION))

install-libgc: $(release_LIBS) ## install by libgc's names: headers, libraries, bdw-gc.pc
	install -d $(addprefix $(DESTDIR),$(INCLUDEDIR)/gc $(LIBDIR)/pkgconfig)
	for name in $(LIBGC_HEADERS); do \
	  install -m 644 src/compat/include/$$name $(DESTDIR)$(INCLUDEDIR)/$$name || exit; done
	install -m 644 $(release_DIR)/libloam.a $(DESTDIR)$(LIBDIR)/libgc.a
	$(if $(LIBGC_STATIC),install -m 644 $(LIBGC_STATIC:%=$(release_DIR)/compat/%) $(DESTDIR)$(LIBDIR))
	install -m 755 $(LIBGC_SHARED:%=$(release_DIR)/compat/%) $(DESTDIR)$(LIBDIR)
	for name in $(LIBGC_SHARED:.1=); do ln -sf $$name.1 $(DESTDIR)$(LIBDIR)/$$name; done
	$(call install_pc,src/compat/bdw-gc.pc.in,$(LIBGC_VERSION))

uninstall: ## remove what install put there
	$(call uninstall,$(INSTALLED),$(INCLUDEDIR)/loam/gc $(INCLUDEDIR)/loam $(LIBDIR)/loam)

uninstall-libgc: ## remove what install-libgc put there
	$(call uninstall,$(INSTALLED_LIBGC),$(INCLUDEDIR)/gc)

clean: ## remove build/
	rm -rf $(BUILD)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
