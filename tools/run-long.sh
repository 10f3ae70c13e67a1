#!/bin/bash
# The sweeps of tests/long: each argument is a program that prints its counts
# and fails by its exit code.
set -u
bad=0
for p in "$@"; do
	echo "--- $(basename "$p")"
	"$p" || bad=$((bad + 1))
done
for t in tests/long/*.sh; do
	[ -e "$t" ] || continue
	echo "--- $(basename "$t")"
	bash "$t" || bad=$((bad + 1))
done
echo "long: $bad failed"
[ "$bad" -eq 0 ]
