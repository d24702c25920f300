#!/usr/bin/env bash
# bench.sh: prints what the release build takes. TIMES=N repeats the longer ones N times.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
[ -z "$(find tests/bench -name '*.c' -print -quit)" ] || ninja -C "$build/release" --quiet
"$build/venv/bin/python3" tests/bench/bench.py "$build/release/src/app/cordon"
"$build/venv/bin/python3" tests/bench/bench_aws.py "$build/release/tests/bench"
for program in "$build"/release/tests/bench/bench_*; do
	[ -x "$program" ] && [ -f "$program" ] || continue
	"$program"
done
