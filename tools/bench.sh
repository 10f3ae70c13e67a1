#!/bin/bash
# Speed as a ratio against stock tools in the same run.  BENCH_DIR chooses
# the disk, BENCH_MIB the size (2048).
set -eu
BUILD=${BUILD:-build}
build=$(cd "$BUILD" && pwd)
size=${BENCH_MIB:-2048}
dir=$(mktemp -d "${BENCH_DIR:-$build}/bench-XXXXXX")
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT

now() { date +%s.%N; }
took() { echo "$(now) $1" | awk '{ printf "%.2f", $1 - $2 }'; }
rate() { awk -v m="$size" -v s="$1" 'BEGIN { printf "%.0f MiB/s", m / s }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

echo "making $size MiB of model"
mkdir "$dir/src"
openssl enc -aes-128-ctr -K 00 -iv 00 -in /dev/zero 2>/dev/null |
    head -c "$size"M >"$dir/src/model.bin"
cat "$dir/src/model.bin" >/dev/null
"$build/exhibit" keygen "$dir/keys" 2>/dev/null
"$build/exhibit" case new "$dir/case" --name BENCH --examiner bench \
    --keys "$dir/keys"

t=$(now); openssl dgst -sha256 "$dir/src/model.bin" >/dev/null; sha=$(took "$t")
echo "openssl dgst -sha256            $sha s  $(rate "$sha")"
speed=$(openssl speed -bytes 262144 -seconds 2 -evp sha256 2>/dev/null |
    awk 'END { printf "%.0f", $2 * 1000 / 1048576 }')
echo "SHA-256 in memory, one core             $speed MiB/s"

t=$(now)
tar cf - -C "$dir" src | tee >(sha256sum >/dev/null) >"$dir/stock.tar"
sync "$dir/stock.tar"
stock=$(took "$t")
echo "tar | tee >(sha256sum), sync    $stock s  $(rate "$stock")"
rm "$dir/stock.tar"

"$build/exhibit" collect -v --case "$dir/case" --weights "$dir/src" \
    >"$dir/path" 2>"$dir/log"
grep -a 'seconds' "$dir/log" || true
copy=$(sed -n 's/.*copied and synced in \([0-9.]*\) seconds.*/\1/p' "$dir/log")
echo "collect to disk                 $copy s  $(rate "$copy")  ratio to tar $(ratio "$stock" "$copy")"

t=$(now)
"$build/exhibit" collect --case "$dir/case" --weights "$dir/src" -o - >/dev/null
null=$(took "$t")
echo "collect -o - >/dev/null         $null s  $(rate "$null")  ratio to openssl dgst $(ratio "$sha" "$null")," \
    "to SHA-256 in memory $(awk -v m="$size" -v s="$null" -v r="$speed" \
    'BEGIN { printf "%.2f", m / s / r }')"
/usr/bin/time -f "collect: at most %M KiB of memory" "$build/exhibit" collect \
    --case "$dir/case" --weights "$dir/src" -o - 2>&1 >/dev/null | tail -n 1

/usr/bin/python3 - "$dir/model.pt" "$dir/src/model.bin" <<'P' 2>/dev/null || true
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_STORED)
z.writestr("archive/data.pkl", open("samples/benign/digits/data.pkl", "rb").read())
z.write(sys.argv[2], "archive/data/0")
z.writestr("archive/version", "3\n")
z.close()
P
if [ -f "$dir/model.pt" ]; then
	( time "$build/exhibit" scan --no-hash --no-deep -q "$dir/model.pt" ) 2>&1 |
	    awk '/user|sys/ { print "scan --no-hash --no-deep of the zip:", $0 }'
fi
