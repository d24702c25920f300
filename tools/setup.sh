#!/usr/bin/env bash
# setup.sh build|check: everything that building (and running the drill) or checking needs that is not here yet.
# What is there already is found by looking for the thing itself, not for a package, so nothing
# is installed and nothing asks the network once all is in place. BUILD names the build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
purpose=${1:-build}

missing=() # Debian package names
need() { # need PACKAGE COMMAND...: PACKAGE is missing unless COMMAND succeeds
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || missing+=("$package")
}
has() { command -v "$1"; }
compiles() { # compiles COMPILER FLAG...
	local compiler=$1 dir status=0
	shift
	dir=$(mktemp -d)
	printf 'int main(void) { return 0; }\n' >"$dir/a.c"
	"$compiler" "$@" -o "$dir/a" "$dir/a.c" || status=1
	rm -rf "$dir"
	return "$status"
}
fuzzer_compiles() {
	local dir status=0
	dir=$(mktemp -d)
	printf 'int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n < 0; }\n' >"$dir/a.c"
	clang -fsanitize=fuzzer,address -o "$dir/a" "$dir/a.c" || status=1
	rm -rf "$dir"
	return "$status"
}

look_for_build() {
	need gcc has gcc
	need libc6-dev compiles gcc
	need pkg-config has pkg-config
	need meson has meson
	need ninja-build has ninja
	need python3 has python3
	need python3-venv python3 -c 'import ensurepip, venv'
	need libcurl4-openssl-dev pkg-config --exists libcurl
	need libmicrohttpd-dev pkg-config --exists libmicrohttpd
	need libssl-dev pkg-config --exists libcrypto
	need libjansson-dev pkg-config --exists jansson
	need libsqlite3-dev pkg-config --exists sqlite3
	need libexpat1-dev pkg-config --exists expat
	need libyaml-dev pkg-config --exists yaml-0.1
	need libpcre2-dev pkg-config --exists libpcre2-8
	need libdeflate-dev pkg-config --exists libdeflate
	need zlib1g-dev pkg-config --exists zlib
}
look_for_check() {
	need libcmocka-dev pkg-config --exists cmocka
	need clang has clang
	need clang-tidy has clang-tidy
	need libclang-rt-dev fuzzer_compiles
	need nftables has_sbin nft
	need iptables has_sbin iptables
	need iproute2 has_sbin ip
	need openssl has openssl # moto_proxy makes its certificates with it
	need valgrind has valgrind
	need sleuthkit has mactime # reads our body files
	need git has git
	need default-jre-headless has java
	need maven has mvn
	# the scanner for ARM, and what runs it here
	need gcc-aarch64-linux-gnu has aarch64-linux-gnu-gcc
	need libc6-dev-arm64-cross compiles aarch64-linux-gnu-gcc
	need qemu-user has qemu-aarch64
}
has_sbin() { PATH=$PATH:/usr/sbin:/sbin command -v "$1"; }

install_missing() {
	[ ${#missing[@]} -gt 0 ] || return 0
	local as_root=()
	if ! has apt-get >/dev/null; then
		echo "cordon needs what these Debian packages hold; install their like and run this again:" >&2
		echo "  ${missing[*]}" >&2
		exit 3
	fi
	if [ "$(id -u)" != 0 ]; then
		if ! has sudo >/dev/null; then
			echo "cordon needs some packages and this user may not install them. As root, once:" >&2
			echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
			exit 3
		fi
		as_root=(sudo)
	fi
	echo "Installing ${missing[*]}"
	local log
	log=$(mktemp)
	if ! { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		tail -20 "$log" >&2
		rm -f "$log"
		echo "These packages could not be installed (see above): ${missing[*]}" >&2
		exit 3
	fi
	rm -f "$log"
}

# install_once FILE: what a requirements file lists, into the environment; a stamp names what is in it.
install_once() {
	local file=$1 venv=$build/venv stamp
	stamp=$venv/.of-$(sha256sum "$file" | cut -c1-16)
	[ -e "$stamp" ] && return 0
	if ! "$venv/bin/pip" install -q --disable-pip-version-check --no-deps -r "$file"; then
		echo "The Python packages of $file could not be installed (see above)." >&2
		echo "The network is needed for this once; run the same command again when it is there." >&2
		rm -rf "$venv"
		exit 3
	fi
	touch "$stamp"
}

# The emulator, its clients and, for check, the test tools: an environment made anew when the emulator's list changes.
python_environment() {
	local venv=$build/venv base
	base=$venv/.of-$(sha256sum tools/requirements.txt | cut -c1-16)
	if [ ! -e "$base" ] || [ ! -x "$venv/bin/python3" ]; then
		echo "Preparing the Python environment in $venv (once; a minute or two)"
		rm -rf "$venv"
		mkdir -p "$build"
		python3 -m venv "$venv"
	fi
	install_once tools/requirements.txt
	[ "$purpose" != check ] || install_once tools/requirements-check.txt
}

case $purpose in
build) look_for_build ;;
check) look_for_build && look_for_check ;;
*)
	echo "usage: tools/setup.sh build|check" >&2
	exit 2
	;;
esac
install_missing
python_environment
[ "$purpose" != check ] || tools/peers.sh
