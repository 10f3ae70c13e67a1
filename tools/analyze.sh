#!/bin/bash
# Static analysis: gcc -fanalyzer, clang-tidy (one file a run), cppcheck and
# the shell linter.  First argument: compiler flags; then the files.
set -u
flags=$1
shift
bad=0
for f in "$@"; do
	# shellcheck disable=SC2086 # flags are a list
	gcc $flags -O2 -fanalyzer -MMD -MF /dev/null -c -o /dev/null "$f" ||
	    bad=$((bad + 1))
	if command -v clang-tidy >/dev/null 2>&1; then
		# shellcheck disable=SC2086
		clang-tidy --quiet "$f" -- $flags 2>/dev/null |
		    grep -E 'warning:|error:' && bad=$((bad + 1))
	fi
done
if command -v cppcheck >/dev/null 2>&1; then
	cppcheck --quiet --std=c17 --enable=warning,portability --inline-suppr \
	    --suppress=missingIncludeSystem -I. --error-exitcode=1 "$@" ||
	    bad=$((bad + 1))
fi
shellcheck tools/*.sh samples/*.sh .ci/run || bad=$((bad + 1))
echo "analyze: $bad files with warnings"
[ "$bad" -eq 0 ]
