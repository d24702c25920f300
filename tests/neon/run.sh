#!/usr/bin/env bash
# run.sh SOURCE TRANSLATIONS.c: the scanner built for ARM, and its NEON variant compared with the scalar one in an emulator.
# Exit 77 (skipped, with the reason) where the compiler for ARM or the emulator is missing.
set -eu
source=$1 translations=$2
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
	if ! command -v $tool >/dev/null; then
		echo "skipped: there is no $tool; tools/setup.sh check installs it"
		exit 77
	fi
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
a=$source/src/analysis
aarch64-linux-gnu-gcc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -ffunction-sections -Wl,--gc-sections -I"$source/src" \
	-o "$dir/variants" "$source/tests/neon/variants.c" \
	"$a/skim.c" "$a/skim_neon.c" "$a/scan.c" "$a/scan_read.c" "$a/scan_lazy.c" "$a/scan_simd.c" "$source/src/base/"{str,err,i18n}.c "$translations"
find "$source/tests/fuzz/analysis/corpus/scan" "$source/tests/fuzz/analysis/corpus/reader" -type f -print0 | LC_ALL=C sort -z |
	xargs -0 qemu-aarch64 "$dir/variants" neon
