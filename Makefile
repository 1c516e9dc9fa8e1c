# cowspy: which pages of a private mapping were really copied, and whose first write copied them.
#
#   make            libcowspy.so and cowspy, optimised         make help    every target
#   make debug      the same with -O0                          make CC=clang
#
# Objects lie in build/ (build/debug with DEBUG=1); the results are linked into the top folder.

VERSION := 0.1.0
ARCH ?= $(shell uname -m)
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=

ifeq ($(origin CC),default)
CC := gcc
endif

ifdef DEBUG
BUILD ?= build/debug
OPTIMISE := -O0
else
BUILD ?= build
OPTIMISE := -O2
endif

# ---- flags ---------------------------------------------------------------------------------

LANGUAGE := -std=gnu11 -D_GNU_SOURCE -g -DCOWSPY_VERSION='"$(VERSION)"'
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes
INCLUDES := -Ipreload -Iinclude
DEPENDENCIES = -MMD -MP

# The preload runs inside a signal handler on another program's stack: it saves no vector
# registers, so it must not use any.
PRELOAD_FLAGS := $(LANGUAGE) $(OPTIMISE) -fPIC -fvisibility=hidden -mgeneral-regs-only \
	-fno-stack-protector -ftls-model=initial-exec $(WARNINGS) $(INCLUDES)
PRELOAD_LINK := -shared -Wl,-z,now -Wl,-z,relro -Wl,-z,defs -Wl,-z,text -Wl,-z,nodelete \
	-Wl,--build-id -Wl,-soname,libcowspy.so
TOOLS_FLAGS := $(LANGUAGE) $(OPTIMISE) $(WARNINGS) $(INCLUDES)
TOOLS_LIBS ?= -ljson-c -ldw -lelf -lz -lprotobuf-c -lncursesw

# Functions of the test programs keep their frames and names: reports are judged by them.
PROGRAM_FLAGS := $(LANGUAGE) -O1 -fno-inline -fno-optimize-sibling-calls -pthread $(WARNINGS) \
	-Iinclude
BENCH_FLAGS := $(LANGUAGE) -O2 -fno-omit-frame-pointer -fno-optimize-sibling-calls -pthread \
	$(WARNINGS) -Iinclude
UNIT_FLAGS := $(LANGUAGE) -O1 -fno-omit-frame-pointer -pthread $(WARNINGS) $(INCLUDES)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

# ---- files ---------------------------------------------------------------------------------

# Files named by another architecture are left out.
OTHER_ARCH := $(filter-out $(ARCH),x86_64 aarch64)
ours = $(filter-out $(foreach a,$(OTHER_ARCH),%_$(a).c %_$(a).S),$(1))

PRELOAD_SOURCES := $(call ours,$(wildcard preload/*.c preload/*/*.c preload/*.S preload/*/*.S))
PRELOAD_OBJECTS := $(PRELOAD_SOURCES:%=$(BUILD)/%.o)
PRELOAD_MAP := $(wildcard preload/cowspy.map)
TOOLS_SOURCES := $(wildcard tools/*.c tools/*/*.c)
GENERATED := $(BUILD)/generated/profile.pb-c
TOOLS_OBJECTS := $(TOOLS_SOURCES:%=$(BUILD)/%.o) $(GENERATED).o
# The tools read the kernel with the preload's own readers, built as ordinary code.
COMMON_SOURCES := $(filter preload/base/% preload/observe/%,$(PRELOAD_SOURCES))
COMMON_OBJECTS := $(COMMON_SOURCES:%=$(BUILD)/common/%.o)
PROGRAMS := $(patsubst tests/programs/%.c,$(BUILD)/programs/%,$(wildcard tests/programs/*.c))
UNITS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

RESULTS := $(BUILD)/libcowspy.so $(if $(TOOLS_SOURCES),$(BUILD)/cowspy)
LIBRARY := $(abspath $(BUILD)/libcowspy.so)
MAN1 := $(wildcard tools/man/*.1)
MAN3 := $(wildcard tools/man/*.3)
MAN5 := $(wildcard tools/man/*.5)
PKGCONFIG := $(wildcard include/cowspy.pc.in)
BASH_COMPLETIONS := $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS := $(PREFIX)/share/zsh/site-functions

C_FILES := $(wildcard include/*.h include/*/*.h preload/*.[ch] preload/*/*.[ch] tools/*.[ch] \
	tools/*/*.[ch] tests/*.c tests/*/*.[ch])
SHELL_FILES := .ci/run $(wildcard tests/*.sh tests/*/*.sh) tools/completion/cowspy.bash

# ---- build ---------------------------------------------------------------------------------

.PHONY: all
all: $(RESULTS) ## build libcowspy.so and cowspy (DEBUG=1, CC=clang, ARCH=)
# Only the usual folders are linked to the top: a second build elsewhere leaves it alone.
ifneq ($(filter build build/debug,$(BUILD)),)
	@for result in $(RESULTS); do ln -sf $$result ./; done
endif

.PHONY: debug
debug: ## the same, not optimised, in build/debug
	@$(MAKE) --no-print-directory DEBUG=1 all

# The library must not bring others into the program: libc and the dynamic loader only.
$(BUILD)/libcowspy.so: $(PRELOAD_OBJECTS) $(PRELOAD_MAP)
	$(CC) $(PRELOAD_LINK) $(PRELOAD_MAP:%=-Wl,--version-script=%) -o $@.new $(PRELOAD_OBJECTS)
	@if readelf -d $@.new | grep NEEDED | grep -v -e '\[libc\.so\.6\]' -e '\[ld-linux'; then \
		echo 'libcowspy.so may need nothing but libc' >&2; exit 1; fi
	@mv $@.new $@

$(BUILD)/cowspy: $(TOOLS_OBJECTS) $(BUILD)/common.a
	$(CC) -pie -o $@ $^ $(TOOLS_LIBS)

$(BUILD)/common.a: $(COMMON_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/preload/%.o: preload/% Makefile
	@mkdir -p $(@D)
	$(CC) $(PRELOAD_FLAGS) $(CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/tools/%.o: tools/% Makefile
	@mkdir -p $(@D)
	$(CC) $(TOOLS_FLAGS) -fPIE $(CFLAGS) $(DEPENDENCIES) -c -o $@ $<

# The page of `cowspy html`: its script, and D3 where the package is installed (else the verb says so).
D3 ?= $(wildcard /usr/share/nodejs/d3/dist/d3.min.js)
HTML := $(BUILD)/generated/html
HTML_SCRIPTS := $(patsubst %,tools/html/%.js,data view tables processes map flame time main)
HTML_ASSETS := $(HTML)/hashes.h $(HTML)/cow.js $(HTML)/d3.js tools/html/page.html tools/html/cow.css
HTML_FLAGS := -I$(BUILD)/generated -DHTML_FOLDER='"$(HTML)"'
sha256 = $$(sha256sum <$(1) | cut -c 1-64 | tr a-f A-F | basenc --base16 -d | base64)

$(BUILD)/tools/html_assets.c.o: $(HTML_ASSETS)
$(BUILD)/tools/html_assets.c.o: TOOLS_FLAGS += $(HTML_FLAGS)

$(HTML)/cow.js: $(HTML_SCRIPTS) Makefile
	@mkdir -p $(@D)
	cat $(HTML_SCRIPTS) >$@

.PHONY: look-for-d3
$(HTML)/d3.js: look-for-d3
	@mkdir -p $(@D)
	@cat /dev/null $(D3) >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
	@[ -s $@ ] || echo "cowspy html is left out: it needs D3 (Debian package node-d3, or D3=FILE)" >&2

$(HTML)/hashes.h: $(HTML)/cow.js $(HTML)/d3.js tools/html/cow.css
	@{ echo "#define HASH_STYLE \"$(call sha256,tools/html/cow.css)\""; \
	echo "#define HASH_SCRIPT \"$(call sha256,$(HTML)/cow.js)\""; \
	echo "#define HASH_D3 \"$(call sha256,$(HTML)/d3.js)\""; } >$@

$(BUILD)/tools/export_pprof.c.o: $(GENERATED).h
$(BUILD)/tools/export_pprof.c.o: TOOLS_FLAGS += -I$(BUILD)/generated

$(GENERATED).c: tools/profile.proto Makefile
	@mkdir -p $(@D)
	protoc-c --proto_path=tools --c_out=$(@D) $<

$(GENERATED).h: $(GENERATED).c

$(GENERATED).o: $(GENERATED).c
	$(CC) $(LANGUAGE) $(OPTIMISE) -fPIE $(CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/common/%.o: % Makefile
	@mkdir -p $(@D)
	$(CC) $(TOOLS_FLAGS) -fPIE $(CFLAGS) $(DEPENDENCIES) -c -o $@ $<

# ---- tests ---------------------------------------------------------------------------------

.PHONY: tests
tests: $(PROGRAMS) $(UNITS) $(BENCHES) $(BUILD)/fuzz/make_corpus ## build the tests without running them

$(BUILD)/programs/%: tests/programs/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_FLAGS) $(CFLAGS) $(DEPENDENCIES) -MF $@.d -o $@ $<

$(BUILD)/bench/%: tests/bench/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) $(CFLAGS) $(DEPENDENCIES) -MF $@.d -o $@ $<

# A unit test is linked with the sources that its line `/* sources: ... */` names, all of them
# under the sanitizers unless it says `/* sanitize: no */`. Further libraries: `/* libraries: -lX */`.
unit_sources = $(call ours,$(shell sed -n 's|^/\* sources:\(.*\)\*/.*|\1|p' $(1)))
unit_libraries = $(shell sed -n 's|^/\* libraries:\(.*\)\*/.*|\1|p' tests/unit/$(1).c)
unit_kind = $(if $(shell grep -l '^/\* sanitize: no \*/' $(1)),plain,sanitized)

$(BUILD)/unit/sanitized/%.o: % Makefile
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(SANITIZE) $(CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/unit/plain/%.o: % Makefile
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(CFLAGS) $(DEPENDENCIES) -c -o $@ $<

define unit_rule
$(BUILD)/unit/$(1): $(patsubst %,$(BUILD)/unit/$(2)/%.o,tests/unit/$(1).c $(3))
	$$(CC) -pthread $(if $(filter sanitized,$(2)),$(SANITIZE)) -o $$@ $$^ -lcmocka \
		$(call unit_libraries,$(1))
endef
$(foreach unit,$(notdir $(UNITS)),$(eval $(call unit_rule,$(unit),$(call \
	unit_kind,tests/unit/$(unit).c),$(call unit_sources,tests/unit/$(unit).c))))

# Between these two lines README.md holds the table of options that the library prints.
$(BUILD)/options_table: $(BUILD)/common/tests/options_table.c.o $(BUILD)/common.a
	$(CC) -pie -o $@ $^

$(BUILD)/README.md: README.md $(BUILD)/options_table
	@$(BUILD)/options_table >$@.table
	@sed -e '/^<!-- options -->$$/,/^<!-- end of options -->$$/{//!d}' \
		-e '/^<!-- options -->$$/r $@.table' README.md >$@

.PHONY: check
check: ## install what the tests need, build, run all tests (VERBOSE=1 shows their output)
	@tests/install.sh build check
	@$(MAKE) --no-print-directory all tests
	@MAKE='$(MAKE)' BUILD='$(BUILD)' VERBOSE='$(VERBOSE)' tests/run.sh

.PHONY: check-real
check-real: ## only the tests on real programs, the slow ones too
	@tests/install.sh build check
	@$(MAKE) --no-print-directory all tests
	@MAKE='$(MAKE)' BUILD='$(BUILD)' VERBOSE='$(VERBOSE)' tests/run.sh --slow real

# Everything that reads recordings, with clang's fuzzer.
FUZZ_SECONDS ?= 120
FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_FLAGS := $(LANGUAGE) -O1 -fno-omit-frame-pointer $(INCLUDES) $(HTML_FLAGS) \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_SOURCES := tests/fuzz/fuzz_trace.c $(TOOLS_SOURCES) $(filter-out %.S,$(COMMON_SOURCES))
FUZZ_OBJECTS := $(FUZZ_SOURCES:%=$(FUZZ_BUILD)/%.o) $(FUZZ_BUILD)/profile.pb-c.o

$(FUZZ_BUILD)/profile.pb-c.o: $(GENERATED).c
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) $(DEPENDENCIES) -c -o $@ $<

$(FUZZ_BUILD)/tools/cowspy.c.o: FUZZ_FLAGS += -Dmain=cowspy_main

$(FUZZ_BUILD)/%.o: % $(GENERATED).h $(HTML_ASSETS) Makefile
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) $(DEPENDENCIES) -c -o $@ $<

$(FUZZ_BUILD)/fuzz_trace: $(FUZZ_OBJECTS)
	clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(TOOLS_LIBS)

$(FUZZ_BUILD)/make_corpus: tests/fuzz/make_corpus.c Makefile
	@mkdir -p $(@D)
	$(CC) $(LANGUAGE) -O1 $(WARNINGS) $(INCLUDES) $(DEPENDENCIES) -MF $@.d -o $@ $<

.PHONY: fuzz
fuzz: $(FUZZ_BUILD)/fuzz_trace $(FUZZ_BUILD)/make_corpus ## fuzz the trace reader (FUZZ_SECONDS=120)
	@mkdir -p $(FUZZ_BUILD)/corpus $(FUZZ_BUILD)/seeds
	@$(FUZZ_BUILD)/make_corpus $(FUZZ_BUILD)/seeds
	$(FUZZ_BUILD)/fuzz_trace -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
		-malloc_limit_mb=256 -max_len=65536 -print_final_stats=1 \
		-artifact_prefix=$(FUZZ_BUILD)/ $(FUZZ_BUILD)/corpus $(FUZZ_BUILD)/seeds

.PHONY: bench
bench: all $(BENCHES) ## what cowspy costs, as ratios (BENCH="--quick", BENCH="writes", ...)
	@tests/install.sh bench
	@BUILD='$(BUILD)' tests/bench/run.py $(BENCH)

.PHONY: demo
demo: ## install what it needs, build, show the report of a real program
	@tests/install.sh build demo
	@$(MAKE) --no-print-directory all
	@tests/real/demo.sh '$(LIBRARY)'

.PHONY: lint lint-format lint-cppcheck lint-shell lint-readme
lint: lint-format lint-cppcheck lint-shell lint-readme ## formatting, cppcheck, shellcheck, README

lint-format:
	clang-format --dry-run -Werror $(C_FILES)

# cppcheck takes the bounds of a linker section for two objects, and cannot parse __typeof__ of a
# function in a macro.
lint-cppcheck:
	cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 \
		--inline-suppr --suppress=missingIncludeSystem --suppress=comparePointers \
		--suppress=internalAstError -D__$(ARCH)__ -D__linux__ -D_GNU_SOURCE $(INCLUDES) \
		$(wildcard preload tools)

lint-shell:
	shellcheck --severity=warning $(SHELL_FILES)

lint-readme: $(BUILD)/README.md
	diff README.md $< # make readme

.PHONY: readme
readme: $(BUILD)/README.md ## bring the table of options in README.md up to date
	@cmp -s $< README.md || cp $< README.md

.PHONY: format
format: ## let clang-format rewrite the C files
	clang-format -i $(C_FILES)

# ---- install -------------------------------------------------------------------------------

.PHONY: install
install: all ## install under $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PREFIX)/include/cowspy
	install -m 755 $(BUILD)/libcowspy.so $(DESTDIR)$(LIBDIR)/
	$(if $(wildcard include/cowspy.h),install -m 644 include/cowspy.h \
		$(DESTDIR)$(PREFIX)/include/)
	$(if $(wildcard include/cowspy/*.h),install -m 644 $(wildcard include/cowspy/*.h) \
		$(DESTDIR)$(PREFIX)/include/cowspy/)
	$(if $(TOOLS_SOURCES),install -d $(DESTDIR)$(PREFIX)/bin && install -m 755 $(BUILD)/cowspy \
		$(DESTDIR)$(PREFIX)/bin/)
	$(if $(MAN1),install -d $(DESTDIR)$(PREFIX)/share/man/man1 && install -m 644 $(MAN1) \
		$(DESTDIR)$(PREFIX)/share/man/man1/)
	$(if $(MAN3),install -d $(DESTDIR)$(PREFIX)/share/man/man3 && install -m 644 $(MAN3) \
		$(DESTDIR)$(PREFIX)/share/man/man3/)
	$(if $(MAN5),install -d $(DESTDIR)$(PREFIX)/share/man/man5 && install -m 644 $(MAN5) \
		$(DESTDIR)$(PREFIX)/share/man/man5/)
	install -d $(DESTDIR)$(BASH_COMPLETIONS) $(DESTDIR)$(ZSH_COMPLETIONS)
	install -m 644 tools/completion/cowspy.bash $(DESTDIR)$(BASH_COMPLETIONS)/cowspy
	install -m 644 tools/completion/_cowspy $(DESTDIR)$(ZSH_COMPLETIONS)/
	$(if $(PKGCONFIG),install -d $(DESTDIR)$(LIBDIR)/pkgconfig && \
		sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' \
		-e 's|@VERSION@|$(VERSION)|g' $(PKGCONFIG) >$(DESTDIR)$(LIBDIR)/pkgconfig/cowspy.pc)

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(LIBDIR)/libcowspy.so $(DESTDIR)$(PREFIX)/bin/cowspy \
		$(DESTDIR)$(BASH_COMPLETIONS)/cowspy $(DESTDIR)$(ZSH_COMPLETIONS)/_cowspy \
		$(DESTDIR)$(PREFIX)/include/cowspy.h $(DESTDIR)$(LIBDIR)/pkgconfig/cowspy.pc \
		$(MAN1:tools/man/%=$(DESTDIR)$(PREFIX)/share/man/man1/%) \
		$(MAN3:tools/man/%=$(DESTDIR)$(PREFIX)/share/man/man3/%) \
		$(MAN5:tools/man/%=$(DESTDIR)$(PREFIX)/share/man/man5/%)
	rm -rf $(DESTDIR)$(PREFIX)/include/cowspy

# ---- packages ------------------------------------------------------------------------------

DIST := cowspy-$(VERSION)
DEBIAN_BUILD := $(BUILD)/debian

.PHONY: dist
dist: ## build/cowspy-VERSION.tar.xz of what is committed
	@git rev-parse --verify --quiet HEAD >/dev/null || \
		{ echo 'make dist wants a git checkout: it packs what is committed' >&2; exit 1; }
	@mkdir -p $(BUILD)
	git archive --prefix=$(DIST)/ HEAD | xz >$(BUILD)/$(DIST).tar.xz.new
	@mv $(BUILD)/$(DIST).tar.xz.new $(BUILD)/$(DIST).tar.xz

# dpkg-buildpackage wants the folder debian at the top, and the sources without it beside it.
.PHONY: deb
deb: dist ## Debian source and binary packages in build/debian
	@tests/install.sh build package
	@rm -rf $(DEBIAN_BUILD)
	@mkdir -p $(DEBIAN_BUILD)
	@cp $(BUILD)/$(DIST).tar.xz $(DEBIAN_BUILD)/cowspy_$(VERSION).orig.tar.xz
	@tar -xf $(BUILD)/$(DIST).tar.xz -C $(DEBIAN_BUILD)
	@cp -r $(DEBIAN_BUILD)/$(DIST)/tools/debian $(DEBIAN_BUILD)/$(DIST)/
	cd $(DEBIAN_BUILD)/$(DIST) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc
	@ls $(DEBIAN_BUILD)/*.deb $(DEBIAN_BUILD)/*.dsc

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build libcowspy.so cowspy

.PHONY: help
help: ## this text
	@sed -n 's/^\([a-z-]*\):[^#=]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
