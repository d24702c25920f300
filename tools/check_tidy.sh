#!/usr/bin/env bash
# check_tidy.sh BUILD-FOLDER [FILE...]: clang-tidy (.clang-tidy) over the sources, two at a time.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift
if [ $# -gt 0 ]; then
	files=("$@")
else
	mapfile -t files < <(git ls-files 'src/*.c')
fi
printf '%s\0' "${files[@]}" | xargs -0 -P 2 -n 1 clang-tidy --quiet -p "$folder" \
	--extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*' 2>/dev/null
