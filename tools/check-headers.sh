#!/bin/bash
# Every header compiles alone.  The compiler flags are the arguments.
set -u
CC=${CC:-gcc}
bad=0
n=0
for h in base/*.h formats/*.h formats/*/*.h custody/*.h collector/*.h analyzer/*.h analyzer/*/*.h cli/*.h; do
	n=$((n + 1))
	printf '#include "%s"\ntypedef int not_empty;\n' "$h" |
	    "$CC" "${@}" -MMD -MF /dev/null -x c -fsyntax-only - || {
		echo "check-headers: $h does not compile alone"
		bad=$((bad + 1))
	}
done
echo "check-headers: $n headers, $bad bad"
[ "$bad" -eq 0 ]
