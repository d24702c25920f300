#!/usr/bin/env bash
# bench.sh: prints what the release build takes. TIMES=N repeats the longer ones N times;
# SIZE=quick|full|big is how much is analysed.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
ninja -C "$build/release" --quiet all tests/bench/make_trail tests/bench/unpack
"$build/venv/bin/python3" tests/bench/scan_bench.py "$build/release/src/app/cordon" "$build/release/tests/bench"
"$build/venv/bin/python3" tests/bench/bench.py "$build/release/src/app/cordon"
"$build/venv/bin/python3" tests/bench/bench_aws.py "$build/release/tests/bench"
for program in "$build"/release/tests/bench/bench_*; do
	[ -x "$program" ] && [ -f "$program" ] || continue
	"$program"
done
