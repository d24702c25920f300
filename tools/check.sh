#!/usr/bin/env bash
# check.sh: every check, one after another; a failed one does not hide the next. Ends in
# "N passed, N failed, N skipped" and exits 1 when anything failed. `make check` calls it after
# the set-up; results are left in BUILD/check.
set -uo pipefail
cd "$(dirname "$0")/.."
build=$(realpath -m "${BUILD:-build}")
out=$build/check
rm -rf "$out"
mkdir -p "$out"
export PATH=$PATH:/usr/sbin:/sbin

step() { # step NAME COMMAND...: runs it quietly, prints its end when it fails
	local name=$1 begin=$SECONDS log status
	shift
	log=$out/${name// /-}.log
	"$@" >"$log" 2>&1
	status=$?
	if [ $status = 0 ]; then
		printf 'ok      %-34s %4d s\n' "$name" $((SECONDS - begin))
		echo "pass $name" >>"$out/steps.txt"
	elif [ $status = 77 ]; then
		printf 'skipped %-34s %s\n' "$name" "$(tail -1 "$log")"
		echo "skip $name" >>"$out/steps.txt"
	else
		printf 'FAILED  %-34s (%s)\n' "$name" "$log"
		tail -40 "$log" | sed 's/^/        /'
		echo "fail $name" >>"$out/steps.txt"
	fi
	return $status
}
configured() { # configured FOLDER MESON-OPTION...: the build folder, made once
	local dir=$1
	shift
	[ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"
}
build_debug() {
	configured "$build/debug" -Dbuildtype=debug -Db_sanitize=address,undefined && ninja -C "$build/debug"
}
build_release() {
	configured "$build/release" -Dbuildtype=release -Dtests=false && ninja -C "$build/release"
}
build_clang() { # a second compiler's warnings; no tests, they ran with the first
	CC=clang configured "$build/clang" -Dbuildtype=debugoptimized -Dtests=false && ninja -C "$build/clang"
}
unit_tests() {
	timeout 900 meson test -C "$build/debug" --no-rebuild --suite unit --suite fuzz --print-errorlogs --timeout-multiplier 6
}
# The tests of code that uses threads, again under the thread sanitizer.
thread_tests() {
	configured "$build/tsan" -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false || return 1
	local names=() name
	mapfile -t names < <(grep -lE 'pthread_create|thrd_create|threads *= *[2-9]' -r tests/unit --include='test_*.c' |
		sed 's|.*/test_\(.*\)\.c|\1|')
	if [ ${#names[@]} = 0 ]; then
		echo "no test starts a thread"
		return 77
	fi
	local targets=()
	for name in "${names[@]}"; do
		targets+=("$(cd "$build/tsan" && ninja -t targets all | sed -n "s|^\(tests/unit/[a-z]*/test_$name\):.*|\1|p")")
	done
	ninja -C "$build/tsan" src/app/cordon "${targets[@]}" &&
		timeout 600 meson test -C "$build/tsan" --no-rebuild --print-errorlogs "${names[@]}" &&
		# The daemon with its workers and its listener, as a whole.
		CORDON_BIN=$build/tsan/src/app/cordon timeout 300 "$build/venv/bin/pytest" tests/emulator/test_serve.py \
			tests/emulator/test_approvals.py -k "workers or sigterm or link_shows" -q -p no:cacheprovider \
			--junitxml "$out/threads.xml"
}
# The AWS room under valgrind, which sees what the sanitizers don't: reads of what was never written.
memory_tests() {
	configured "$build/valgrind" -Dbuildtype=debugoptimized || return 1
	local names=() name targets=()
	mapfile -t names < <(basename -s .c -a tests/unit/aws/test_*.c | sed 's/^test_//')
	for name in "${names[@]}"; do
		targets+=("tests/unit/aws/test_$name")
	done
	ninja -C "$build/valgrind" "${targets[@]}" &&
		timeout 900 meson test -C "$build/valgrind" --no-rebuild --setup valgrind --print-errorlogs "${names[@]}"
}
emulator_tests() {
	CORDON_BIN=$build/debug/src/app/cordon timeout 1500 "$build/venv/bin/pytest" tests/emulator -q -n "${JOBS:-2}" \
		--dist loadfile -p no:cacheprovider --timeout 300 --junitxml "$out/emulator.xml" -r s
}

step "python environment" "$build/venv/bin/pip" check
step "layers" python3 tools/check_layers.py
step "style" tools/check_style.sh
step "format" tools/check_format.sh "$build/venv/bin/clang-format"
step "translations" python3 tools/check_po.py
step "folder readmes" python3 tools/check_readmes.py
step "build, gcc, release" build_release
if step "build, gcc, ASan and UBSan" build_debug; then
	step "unit tests and fuzz replay" unit_tests
	step "emulator tests" emulator_tests
fi
step "build, clang" build_clang
step "thread sanitizer" thread_tests
step "valgrind" memory_tests
python3 tools/test_summary --failures "$out/steps.txt" "$build/debug/meson-logs/testlog.junit.xml" \
	"$build"/{debug,tsan,valgrind}/meson-logs/testlog.json "$out"/*.xml
