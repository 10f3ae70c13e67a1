#!/bin/bash
# Run everything that `make check` promises, print one line for each program
# and a count at the end: N passed, N failed, N skipped.
set -u
BUILD=${BUILD:-build}
export BUILD
passed=0 failed=0 skipped=0
log=$BUILD/test-logs
mkdir -p "$log"

run()
{
	local name=$1
	shift
	local out=$log/$name.log start=$SECONDS rc
	"$@" >"$out" 2>&1
	rc=$?
	case $rc in
	0)
		passed=$((passed + 1))
		printf 'ok    %-28s %3d s\n' "$name" $((SECONDS - start))
		;;
	77)
		skipped=$((skipped + 1))
		printf 'SKIP  %-28s %s\n' "$name" "$(tail -n 1 "$out")"
		;;
	*)
		failed=$((failed + 1))
		printf 'FAIL  %-28s exit %d\n' "$name" "$rc"
		tail -n 40 "$out" | sed 's/^/      | /'
		;;
	esac
	# A feature that the kernel lacks is a printed skip inside a program.
	grep -h '^SKIP: ' "$out" | sed 's/^/      /'
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1
for t in tests/unit/test_*.c; do
	n=$(basename "$t" .c)
	run "$n" "$BUILD/asan/$n"
done
for t in tests/release/test_*.c; do
	n=$(basename "$t" .c)
	run "release-$n" "$BUILD/release/$n"
done
for t in tests/fuzz/fuzz_*.c; do
	n=$(basename "$t" .c)
	[ "$n" = fuzz_common ] && continue
	run "replay-$n" "$BUILD/asan/replay_$n" "$BUILD/samples" samples/benign
done
for t in tests/cli/[0-9]*.sh; do
	run "cli-$(basename "$t" .sh)" bash "$t"
done
run check-layers tools/check-layers.sh
run check-catalogue tools/check-catalogue.sh

echo
echo "$passed passed, $failed failed, $skipped skipped" |
    tee "$BUILD/test-summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
