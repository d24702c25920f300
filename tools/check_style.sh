#!/usr/bin/env bash
# check_style.sh: the house rules that a search can hold (CONTRIBUTING.md). Prints FILE:LINE of each breach.
set -uo pipefail
cd "$(dirname "$0")/.."
bad=0
# forbid WHY PATTERN [EXEMPT-FILE]: no C source line may match, comments and strings aside.
forbid() {
	local why=$1 pattern=$2 exempt=${3:-/} hits
	hits=$(git ls-files 'src/*.c' 'src/*.h' | grep -vxF "$exempt" | xargs -r grep -nP "$pattern" /dev/null |
		grep -vP ':\d+:\s*(/?\*|//)' | sed 's/"\([^"\\]\|\\.\)*"/""/g' | grep -P "$pattern")
	if [ -n "$hits" ]; then
		echo "$hits" | sed "s|\$|    <- $why|"
		bad=1
	fi
}
forbid "unbounded or locale-bound copy" '\b(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok)\s*\('
forbid "use base/utc.h" '\b(gmtime|localtime|mktime|strftime|asctime|ctime)(_r)?\s*\('
forbid "use str_to_i64" '\b(atoi|atol|atoll|atof)\s*\('
forbid "use env_random" '(?<![>.\w])(rand|srand|random|srandom|drand48)\s*\('
forbid "no stack of unknown size" '\balloca\s*\('
forbid "no shell" '\b(system|popen)\s*\('
forbid "variables come through struct env" '(?<![_\w])(secure_)?getenv\s*\(' src/base/env.c
forbid "time comes through struct env" '(?<![_\w>.])(time|clock_gettime|gettimeofday)\s*\(' src/base/env.c
forbid "one spelling of a guard" '#\s*pragma\s+once'

# cmocka's own skip() is counted as a failure by meson; unit.h has one that is not.
while IFS= read -r file; do
	if ! grep -qE 'unit\.h"|routing\.h"' "$file"; then
		echo "$file: skip() without tests/unit/unit.h"
		bad=1
	fi
done < <(git grep -l 'skip()' -- 'tests/unit/*/test_*.c')

# What the build looks for, the set-up of a build installs: a machine that has run the tests would not show it.
build_needs=$(sed -n '/^look_for_build/,/^}/p' tools/setup.sh)
while IFS= read -r library; do
	if ! grep -qw -- "--exists $library" <<<"$build_needs"; then
		echo "tools/setup.sh: look_for_build does not look for $library, which meson.build wants"
		bad=1
	fi
done < <(grep -v get_option meson.build | grep -oP "dependency\('\K[^']+" | grep -vx threads)

while IFS= read -r file; do
	lines=$(wc -l <"$file")
	if [ "$lines" -gt 600 ]; then
		echo "$file: $lines lines (600 at most)"
		bad=1
	fi
done < <(git ls-files 'src/*.c' 'src/*.h' | grep -v '_table\.[ch]$\|model_data')
exit $bad
