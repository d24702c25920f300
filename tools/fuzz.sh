#!/usr/bin/env bash
# fuzz.sh SECONDS: builds the fuzz targets with libFuzzer and runs each for so long, from its corpus.
# What is found lies in BUILD/fuzz/found; new corpus entries stay in BUILD/fuzz/corpus.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
build=${BUILD:-build}
dir=$build/fuzz
[ -f "$dir/build.ninja" ] || CC=clang meson setup "$dir" -Dbuildtype=debugoptimized \
	-Db_sanitize=address,undefined -Db_lundef=false -Dtests=false -Dfuzz=true >/dev/null || exit 1
ninja -C "$dir" --quiet || exit 1
mkdir -p "$dir/found"
status=0
for target in "$dir"/tests/fuzz/fuzz_*; do
	[ -x "$target" ] && [ -f "$target" ] || continue
	name=${target##*/fuzz_}
	corpus=$(echo tests/fuzz/*/corpus/"$name")
	mkdir -p "$dir/corpus/$name"
	printf '%-28s ' "$name"
	if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$dir/found/$name-" \
		"$dir/corpus/$name" "$corpus" >"$dir/found/$name.log" 2>&1; then
		grep -o '#[0-9]* *DONE.*' "$dir/found/$name.log" | tail -1
	else
		echo "FOUND SOMETHING: $dir/found/$name.log"
		status=1
	fi
done
exit $status
