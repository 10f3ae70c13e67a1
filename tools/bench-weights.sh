#!/bin/bash
# Speed of the deep pass (docs/WEIGHTS.md), and of scans around it.  BENCH_DIR
# chooses the disk, BENCH_WEIGHTS_MIB the size of each file (512).
set -eu
BUILD=${BUILD:-build}
build=$(cd "$BUILD" && pwd)
size=${BENCH_WEIGHTS_MIB:-512}
dir=$(mktemp -d "${BENCH_DIR:-$build}/bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT

"$build/bench/weights" "$dir" "$size"

# safetensors FILE BYTES: one tensor of float32, a hole.
safetensors()
{
	local n=$(($2 / 4)) head
	head=$(printf '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}' \
	    "$n" "$2")
	while [ $(((${#head} + 8) % 8)) -ne 0 ]; do head="$head "; done
	# shellcheck disable=SC2059 # the format is made of octal escapes
	printf "$(printf '\\%03o\\%03o\\000\\000\\000\\000\\000\\000' \
	    $((${#head} % 256)) $((${#head} / 256)))" >"$1"
	printf '%s' "$head" >>"$1"
	truncate -s $((${#head} + 8 + $2)) "$1"
}

safetensors "$dir/large.safetensors" $((10 * 1024 * 1024 * 1024))
best=999
for _ in 1 2 3 4 5 6 7; do
	t=$({ TIMEFORMAT=%R; time "$build/exhibit" scan --no-hash --no-deep \
	    -q "$dir/large.safetensors"; } 2>&1)
	best=$(awk -v a="$best" -v b="$t" 'BEGIN { print a < b ? a : b }')
done
echo "10 GiB safetensors, --no-hash --no-deep  $best s"
safetensors "$dir/zeros.safetensors" $((1024 * 1024 * 1024))
/usr/bin/time -f "1 GiB of zeros, --no-hash              %U + %S s of CPU, at most %M KiB" \
    "$build/exhibit" scan --no-hash -q "$dir/zeros.safetensors"
