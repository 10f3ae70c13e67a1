#!/bin/bash
# Speed and memory of diff (docs/DIFF.md): the first pass against reading and
# against numpy; then whole runs over two models of 1.1 B parameters, 4.1 GiB
# each: of a model with itself, and with a dense update of all its matrices.
# BENCH_DIR chooses the disk, BENCH_DIFF_MIB the size of the files of the
# first part (512), BENCH_DIFF_LAYERS the layers of the models (22; 0 leaves
# them out).  Exits 1 where docs/DIFF.md promises more.
set -eu
BUILD=${BUILD:-build}
build=$(cd "$BUILD" && pwd)
size=${BENCH_DIFF_MIB:-512}
layers=${BENCH_DIFF_LAYERS:-22}
dir=$(mktemp -d "${BENCH_DIR:-$build}/bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failed=0

"$build/bench/diff" "$dir" "$size" || failed=1

# The same sums with numpy, tensor by tensor; crc32 stands in for the digest,
# which numpy has not.
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
	/usr/bin/python3 - "$dir" <<'PY'
import sys, time, zlib
import numpy as np

def widen(x):
    if x.dtype == np.uint16:
        return (x.astype(np.uint32) << 16).view(np.float32)
    return x.astype(np.float32, copy=False)

def one(a, b):
    bits = np.uint32 if a.dtype.itemsize == 4 else np.uint16
    x, y = widen(a), widen(b)
    d = y - x
    raw = a.view(bits) ^ b.view(bits)
    changed = np.flatnonzero(raw)
    return (np.dot(x, x), np.dot(y, y), np.dot(x, y), np.dot(d, d),
            np.abs(d).max(), changed.size, changed[:1], changed[-1:],
            np.bitwise_or.reduce(raw), (~np.isfinite(x)).sum(),
            (~np.isfinite(y)).sum(), zlib.crc32(a), zlib.crc32(b))

for name, t in (('F32', np.float32), ('BF16', np.uint16),
                ('F16', np.float16)):
    best = cpu = 1e9
    for _ in range(3):
        start, busy = time.monotonic(), time.process_time()
        a = np.memmap(f'{sys.argv[1]}/{name}.old', t, 'r')
        b = np.memmap(f'{sys.argv[1]}/{name}.new', t, 'r')
        n = (16 << 20) // a.itemsize
        for at in range(0, a.size, n):
            one(a[at:at + n], b[at:at + n])
        best = min(best, time.monotonic() - start)
        cpu = min(cpu, time.process_time() - busy)
    size = 2e-9 * a.nbytes
    print(f'{name:4} numpy                    {size / best:6.2f} GB/s       '
          f' by CPU time {size / cpu:6.2f} GB/s')
PY
else
	echo "numpy: skipped, /usr/bin/python3 has it not"
fi
rm -f "$dir"/*.old "$dir"/*.new

[ "$layers" -gt 0 ] || exit $failed

# children PID: it and all below it.
children()
{
	local p
	echo "$1"
	for p in $(pgrep -P "$1" || true); do children "$p"; done
}

# watched NAME SECONDS COMMAND...: how long it takes, and the most anonymous
# memory that its processes had together, seen fifty times a second.  On a
# machine that does other things too, half of the CPU time of two threads says
# more than the clock.
watched()
{
	local name=$1 allowed=$2 start end most=0 sum kib pid p status=0 cpu
	shift 2
	start=$(date +%s%N)
	/usr/bin/time -o "$dir/time" -f "%U %S" "$@" >"$dir/out" \
	    2>"$dir/err" &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		sum=0
		for p in $(children $pid); do
			kib=$(awk '/^RssAnon:/ { print $2 }' \
			    "/proc/$p/status" 2>/dev/null || true)
			sum=$((sum + ${kib:-0}))
		done
		[ $sum -le $most ] || most=$sum
		sleep 0.02
	done
	wait $pid || status=$?
	end=$(date +%s%N)
	cpu=$(tail -1 "$dir/time" | awk '{ print int($1 + $2) }')
	awk -v n="$name" -v ms=$(((end - start) / 1000000)) -v c="$cpu" \
	    -v k=$most 'BEGIN { printf "%-24s %7.1f s, %d s of CPU time, " \
	    "at most %.0f MiB of anonymous memory\n", n, ms / 1000, c,
	    k / 1024 }'
	if [ $status -gt 1 ]; then
		echo "$name: FAILED ($status): $(tail -1 "$dir/err")"
		failed=1
	fi
	[ $most -lt $((256 * 1024)) ] || { echo "$name: MISSED: 256 MiB"
		failed=1; }
	[ $(((end - start) / 1000000000)) -lt "$allowed" ] ||
		[ $((cpu / 2)) -lt "$allowed" ] ||
		{ echo "$name: MISSED: $allowed s"; failed=1; }
}

"$build/bench/diffmodel" "$dir" "$layers"
cat "$dir/old.safetensors" "$dir/new.safetensors" >/dev/null
watched "a model and itself" 120 "$build/exhibit" diff --format jsonl \
    "$dir/old.safetensors" "$dir/old.safetensors"
watched "a model and its update" 120 "$build/exhibit" diff --format jsonl \
    "$dir/old.safetensors" "$dir/new.safetensors"
echo "matrices with a rank analysis: $(grep -c '"stable_rank":' \
    "$dir/out" || true)"
exit $failed
