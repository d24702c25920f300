#!/usr/bin/env bash
# check_format.sh CLANG-FORMAT: every C file is as clang-format of the fixed version writes it.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
while IFS= read -r -d '' file; do
	if ! "$1" --dry-run -Werror "$file" 2>/dev/null; then
		echo "$file: not as clang-format writes it (make format)"
		bad=1
	fi
done < <(git ls-files -z 'src/*.[ch]' 'tests/*.[ch]')
exit $bad
