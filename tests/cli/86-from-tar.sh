#!/bin/bash
# Evidence out of a foreign tar: what each writer writes, what cannot be
# extracted, and what was made to deceive.  Nothing of it is lost in silence.
. tests/cli/lib.sh

make_case
make_tree
mkdir -p "$T/src/deep/$(printf 'd%.0s' $(seq 1 100))/$(printf 'e%.0s' $(seq 1 100))"
echo deep >"$T/src/deep/$(printf 'd%.0s' $(seq 1 100))/$(printf 'e%.0s' $(seq 1 100))/f"

# from EXIT NAME FILE [OPTION...]: take it in; the bundle is in $F.
from()
{
	local want=$1 name=$2 file=$3
	shift 3
	exits "$want" "$name" "$EXHIBIT" collect --case "$T/case" \
	    --from-tar "$file" "$@"
	F=$(cat "$T/.out")
}

# rows FILTER: of files.jsonl of $F, with python where it is there.
row()
{
	"$EXHIBIT" cat "$F" metadata/files.jsonl | grep -F "\"path\":\"$1\""
}
errors()
{
	"$EXHIBIT" cat "$F" metadata/errors.jsonl
}

# --- the same members as a local collection -----------------------------------------
local=$("$EXHIBIT" collect --case "$T/case" --weights "$T/src" 2>/dev/null)
"$EXHIBIT" cat "$local" manifest-sha256.txt | LC_ALL=C sort >"$T/want"
# Hard links have no content of their own in a tar.
grep -v "/src/hard$" "$T/want" >"$T/want.tar"

equal()
{
	"$EXHIBIT" cat "$F" manifest-sha256.txt | LC_ALL=C sort >"$T/got"
	sed "s|/src/hard$|/src/model.bin|" "$T/got" | LC_ALL=C sort >"$T/got.1"
	check "$1: members are equal" cmp "$T/want.tar" "$T/got.1"
	check "$1: it verifies" "$EXHIBIT" verify --case "$T/case" "$F"
	check "$1: stock tools agree" tools/verify_stock.sh "$F" \
	    "$T/keys/examiner.pem" "$T/keys/tsa.pem"
	same "$1: no error" "$(errors)" ""
}

for format in gnu pax; do
	tar --format=$format -C / -cf "$T/$format.tar" "${T#/}/src"
	from 0 "GNU tar, $format" "$T/$format.tar"
	equal "GNU tar, $format"
	tar --format=$format --sparse -C / -cf "$T/$format.tar" "${T#/}/src"
	from 0 "GNU tar, $format, sparse" "$T/$format.tar"
	equal "GNU tar, $format, sparse"
	check "holes are said" sh -c "$(declare -f row); EXHIBIT='$EXHIBIT' F='$F'
	    row '$T/src/sparse' | grep -q 'data_ranges'"
done
for version in 0.0 0.1; do
	tar --format=pax --sparse --sparse-version=$version -C / \
	    -cf "$T/sparse.tar" "${T#/}/src"
	from 0 "sparse $version" "$T/sparse.tar"
	equal "sparse $version"
done
tar -P -cf "$T/absolute.tar" "$T/src"
from 0 "absolute names" "$T/absolute.tar"
equal "absolute names"
check "are said" sh -c "'$EXHIBIT' cat '$F' metadata/files.jsonl |
    grep -q 'absolute name'"
tar -C / -cf - "${T#/}/src" >"$T/pipe.tar"
from 0 "standard input" - <"$T/pipe.tar"
equal "standard input"
sum=$(sha256sum "$T/pipe.tar" | cut -c1-64)
check "the tar's own digest is said" sh -c \
    "'$EXHIBIT' cat '$F' metadata/transport.json | grep -q '$sum'"
size=$(stat -c %s "$T/pipe.tar")
check "and its size" sh -c "'$EXHIBIT' cat '$F' metadata/transport.json |
    grep -q '\"stream_size\": $size,'"
if command -v bsdtar >/dev/null; then
	for format in pax gnutar; do
		bsdtar --format=$format -C / -cf "$T/bsd.tar" "${T#/}/src"
		from 0 "bsdtar, $format" "$T/bsd.tar"
		equal "bsdtar, $format"
	done
else
	echo "SKIP: no bsdtar"
fi
if command -v busybox >/dev/null; then
	(cd / && busybox tar -cf "$T/busybox.tar" "${T#/}/src" 2>/dev/null)
	from 0 "busybox tar" "$T/busybox.tar"
	equal "busybox tar"
else
	echo "SKIP: no busybox"
fi
if command -v python3 >/dev/null; then
	for format in GNU PAX; do
		python3 -c "import sys,tarfile
t=tarfile.open(sys.argv[1],'w',format=tarfile.${format}_FORMAT)
t.add(sys.argv[2],sys.argv[2][1:])
t.close()" "$T/python.tar" "$T/src"
		from 0 "python, $format" "$T/python.tar"
		equal "python, $format"
	done
else
	echo "SKIP: no python3"
fi

# --- what has no content ---------------------------------------------------------------
from 0 "class" "$T/gnu.tar" --class api-logs
check "is the folder's" sh -c "'$EXHIBIT' cat '$F' manifest-sha256.txt |
    grep -q ' data/api-logs/'"
for what in '"type":"symlink"' '"type":"fifo"' '"type":"hard-link"' \
    '"type":"directory"' '"link_target":"model.bin"'; do
	check "recorded: $what" sh -c \
	    "'$EXHIBIT' cat '$F' metadata/files.jsonl | grep -qF '$what'"
done
check "with guarantee" sh -c "'$EXHIBIT' cat '$F' metadata/files.jsonl |
    grep -qF '\"guarantee\":\"foreign tar\"'"

# --- names that deceive -------------------------------------------------------------------
mkdir "$T/x"
echo first >"$T/x/a"
tar -C "$T/x" -cf "$T/bad.tar" a
echo second >"$T/x/a"
tar -C "$T/x" -rf "$T/bad.tar" a
rm "$T/x/a"
mkdir "$T/x/a"
echo below >"$T/x/a/b"
tar -C "$T/x" -rf "$T/bad.tar" a/b
tar -C "$T/x/a" -P --transform 's,^b$,../../etc/passwd,' -rf "$T/bad.tar" b
from 0 "names twice, files as folders, and upwards" "$T/bad.tar"
same "all are stored" "$("$EXHIBIT" cat "$F" manifest-sha256.txt | cut -c67- |
    sed 's|exhibit-tar/[0-9]*|exhibit-tar/N|')" "data/weights/a
data/weights/exhibit-tar/N
data/weights/exhibit-tar/N
data/weights/=2E=2E/=2E=2E/etc/passwd"
check "with their true names" sh -c \
    "'$EXHIBIT' cat '$F' metadata/files.jsonl | grep -q '\"path\":\"/a/b\"'"
check "upwards is said" sh -c "'$EXHIBIT' cat '$F' metadata/files.jsonl |
    grep -q 'name with \.\.'"
check "it verifies with stock tools" tools/verify_stock.sh "$F" \
    "$T/keys/examiner.pem" "$T/keys/tsa.pem"

# --- what is damaged ------------------------------------------------------------------------
echo one >"$T/x/one"
echo two >"$T/x/two"
echo three >"$T/x/three"
tar -b1 -C "$T/x" -cf "$T/ok.tar" one two three
cp "$T/ok.tar" "$T/damaged.tar"
printf 'X' | dd of="$T/damaged.tar" bs=1 seek=1030 conv=notrunc 2>/dev/null
from 2 "a damaged header" "$T/damaged.tar"
same "is stored as bytes" "$("$EXHIBIT" cat "$F" manifest-sha256.txt |
    cut -c67-)" "data/weights/one
data/weights/exhibit-tar/1024
data/weights/three"
same "all of them" "$("$EXHIBIT" cat "$F" data/weights/exhibit-tar/1024 |
    sha256sum)" "$(tail -c +1025 "$T/damaged.tar" | head -c 1024 | sha256sum)"
check "and said" sh -c "'$EXHIBIT' cat '$F' metadata/errors.jsonl |
    grep -q 'should have a header'"
check "it verifies" "$EXHIBIT" verify --case "$T/case" "$F"
for n in 1 511 513 1027 1030 1536 2000 2559; do
	head -c $n "$T/ok.tar" >"$T/cut.tar"
	if [ $n -lt 512 ]; then
		from 2 "cut at $n" "$T/cut.tar"
		same "is no tar" "$F" ""
		continue
	fi
	from 2 "cut at $n" "$T/cut.tar"
	check "cut at $n: said" sh -c \
	    "'$EXHIBIT' cat '$F' metadata/errors.jsonl | grep -qE 'cut|no end'"
	check "cut at $n: verifies" "$EXHIBIT" verify --case "$T/case" "$F"
done
head -c 3072 "$T/ok.tar" >"$T/cut.tar"
from 2 "without an end" "$T/cut.tar"
check "said" sh -c "'$EXHIBIT' cat '$F' metadata/errors.jsonl |
    grep -q 'has no end'"
{ cat "$T/ok.tar"; tar -b1 -C "$T/x" --transform 's,^,hidden-,' -cf - one; } \
    >"$T/behind.tar"
from 0 "members behind the end" "$T/behind.tar"
check "are taken and said" sh -c "'$EXHIBIT' cat '$F' metadata/files.jsonl |
    grep hidden-one | grep -q 'behind the end'"
{ cat "$T/ok.tar"; echo secret; } >"$T/behind.tar"
from 2 "bytes behind the end" "$T/behind.tar"
check "are stored" sh -c "'$EXHIBIT' cat '$F' manifest-sha256.txt |
    cut -c67- | grep -q exhibit-tar"
gzip -k "$T/ok.tar"
before=$(find "$T/case/bundles" -name '*.tar' | wc -l)
from 2 "a compressed tar" "$T/ok.tar.gz"
check "is refused with a word" grep -q "compressed" "$T/.err"
: >"$T/empty.tar"
from 2 "an empty file" "$T/empty.tar"
exits 2 "a file that is not there" "$EXHIBIT" collect --case "$T/case" \
    --from-tar "$T/none.tar"
exits 64 "a source beside it" "$EXHIBIT" collect --case "$T/case" \
    --from-tar "$T/ok.tar" --weights "$T/src"
exits 64 "a class that is none" "$EXHIBIT" collect --case "$T/case" \
    --from-tar "$T/ok.tar" --class nothing
exits 64 "a class of nothing" "$EXHIBIT" collect --case "$T/case" \
    --class weights --weights "$T/src"
exits 64 "what a tar has no use for" "$EXHIBIT" collect --case "$T/case" \
    --from-tar "$T/ok.tar" --exclude '*.bin'
# A header of 512 bytes that promises a petabyte, and then nothing.
/usr/bin/python3 - "$T/huge.tar" <<'P'
import sys, tarfile
t = tarfile.TarInfo("a.bin")
t.size = 1 << 50
open(sys.argv[1], "wb").write(t.tobuf(tarfile.GNU_FORMAT) + b"x" * 1000)
P
# shellcheck disable=SC2016 # for the other shell
exits 2 "what is missing is not made up" \
    bash -c 'ulimit -f 200000; exec "$@"' - \
    "$EXHIBIT" collect --case "$T/case" --from-tar "$T/huge.tar"
check "and that is said" grep -q "1125899906841624 bytes that it promises" \
    "$T/.err"
head -c 10240 /dev/zero >"$T/zero.tar"
from 0 "an empty tar" "$T/zero.tar"
check "is an empty bundle" "$EXHIBIT" verify --case "$T/case" "$F"
same "the refused ones sealed nothing" \
    "$(find "$T/case/bundles" -name '*.tar' | wc -l)" $((before + 1))

finish
