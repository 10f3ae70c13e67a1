#!/bin/bash
# Line coverage of the unit tests, by folder.  First argument: the build.
set -u
build=$1
for t in "$build"/asan/test_*; do
	[ -x "$t" ] && [ ! -d "$t" ] && "$t" >/dev/null 2>&1
done
for folder in base formats custody collector analyzer; do
	for f in "$folder"/*.c; do
		gcov -n -o "$build/asan/obj/$folder" "$f" 2>/dev/null |
		    sed -n "/File '${f//\//\\/}'/{n;s/Lines executed:\([0-9.]*\)% of \([0-9]*\)/\1 \2/p;}"
	done | awk -v f="$folder" '{ hit += $1 * $2 / 100; all += $2 }
	    END { if (all) printf "%-10s %5.1f %% of %d lines\n", f, 100 * hit / all, all }'
done
