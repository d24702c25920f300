# A thin door for people; meson and ninja do the work. `make help` lists what there is.
BUILD ?= build
export BUILD
# One drill: make drill ARGS="--scenario stolen-key --lang es"
ARGS ?=

release := $(BUILD)/release
debug := $(BUILD)/debug
clang := $(BUILD)/clang

all: $(release)/build.ninja
	@out=$$(ninja -C $(release) --quiet) || { echo "$$out"; exit 1; }

help:
	@echo 'make           build $(release)/src/app/cordon'
	@echo 'make drill     play a complete incident on an emulated account; ARGS="--scenario stolen-key --lang es"'
	@echo 'make check     build with sanitizers, run every test and every check'
	@echo 'make quick     build and run the unit tests only'
	@echo 'make bench     start-up time, finding to isolated, AWS calls beside boto3, analysis speed'
	@echo 'make tidy      clang-tidy over the sources'
	@echo 'make fuzz      each fuzz target for SECONDS (10)'
	@echo 'make format    clang-format over the sources'
	@echo 'make install   into DESTDIR and PREFIX (/usr/local)'
	@echo 'make clean     remove $(BUILD)'

drill: all
	@$(release)/src/app/cordon drill $(ARGS)

check:
	@tools/setup.sh check
	@tools/check.sh

quick: $(debug)/build.ninja
	@ninja -C $(debug) --quiet
	@meson test -C $(debug) --no-rebuild --suite unit --suite fuzz

bench: all
	@tools/setup.sh check
	@tools/bench.sh $(ARGS)

tidy: $(clang)/build.ninja
	@ninja -C $(clang) --quiet
	@tools/check_tidy.sh $(clang)

SECONDS ?= 10
fuzz:
	@tools/setup.sh check
	@tools/fuzz.sh $(SECONDS)

format:
	@tools/setup.sh check
	@find src tests -name '*.[ch]' -print0 | xargs -0 $(BUILD)/venv/bin/clang-format -i

PREFIX ?= /usr/local
install: all
	@meson configure $(release) --prefix=$(PREFIX)
	@meson install -C $(release) --quiet

clean:
	rm -rf $(BUILD)

setup:
	@tools/setup.sh build

$(release)/build.ninja: | setup
	@meson setup $(release) -Dbuildtype=release -Dtests=false >/dev/null || { meson setup $(release) -Dbuildtype=release -Dtests=false; exit 1; }

$(debug)/build.ninja:
	@tools/setup.sh check
	@meson setup $(debug) -Dbuildtype=debug -Db_sanitize=address,undefined >/dev/null

# As tools/check.sh makes it: clang-tidy does not know all options of gcc.
$(clang)/build.ninja:
	@tools/setup.sh check
	@CC=clang meson setup $(clang) -Dbuildtype=debugoptimized -Dtests=false >/dev/null

.PHONY: all help drill check quick bench tidy fuzz format install clean setup
