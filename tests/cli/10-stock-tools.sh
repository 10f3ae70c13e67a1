#!/bin/bash
# A bundle is checked and extracted by stock tools alone.
. tests/cli/lib.sh
check "case" make_case
make_tree
bundle=$("$EXHIBIT" collect --case "$T/case" --weights "$T/src" 2>"$T/err")
rc=$?
same "a tree with a link and a FIFO seals; nothing was unread" "$rc" 0
same "the sealed file's name" "$(basename "$bundle")" TEST-E01.tar
same "stdout is the path alone" "$bundle" "$(cd "$T/case/bundles" && pwd)/TEST-E01.tar"

check "tar lists it" tar -tvf "$bundle"
mkdir "$T/gnu" "$T/bsd" "$T/py" "$T/busy"
check "tar extracts it" tar -xf "$bundle" -C "$T/gnu"
check "bsdtar extracts it" bsdtar -xf "$bundle" -C "$T/bsd"
check "python extracts it" /usr/bin/python3 -c '
import sys, tarfile
tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$bundle" "$T/py"
check "busybox extracts it" busybox tar -xf "$bundle" -C "$T/busy"
for other in bsd py busy; do
	check "$other gave the same bytes as tar" diff -r "$T/gnu" "$T/$other"
done

bag=$T/gnu/TEST-E01
cd "$bag" || exit 1
check "payload manifest" sha256sum -c --strict --quiet manifest-sha256.txt
check "tag manifest" sha256sum -c --strict --quiet tagmanifest-sha256.txt
check "seal" sha256sum -c --strict --quiet seal/seal.txt
check "time stamp" openssl ts -verify -data seal/seal.txt.p7s \
    -in seal/seal.txt.p7s.tsr -CAfile "$T/keys/tsa.pem"
at=$(date -u -d "$(openssl ts -reply -in seal/seal.txt.p7s.tsr -text 2>/dev/null |
    sed -n 's/^Time stamp: //p')" +%s)
check "signature" openssl cms -verify -cades -binary -inform DER \
    -in seal/seal.txt.p7s -content seal/seal.txt \
    -CAfile "$T/keys/examiner.pem" -no-CApath -no-CAstore -attime "$at" \
    -out /dev/null
check "HOW-TO-VERIFY is there" test -s metadata/HOW-TO-VERIFY.txt
cd "$TOP" || exit 1

# The payload is what was on the source, byte for byte.
w=$bag/data/weights/${T#/}/src
check "content" cmp "$w/model.bin" "$T/src/model.bin"
check "sparse content" cmp "$w/sparse" "$T/src/sparse"
check "escaped name" cmp "$w/dir=20with=20space/=C3=BC/a=25b.txt" \
    "$T/src/dir with space/ü/a%b.txt"
check "name with bytes" test -f "$w/bad=FF=FE.bin"
check "name with a line feed" test -f "$w/nl=0Aname"
check "the link is described, not stored" test ! -e "$w/link"
check "the link is in files.jsonl" grep -q '"type":"symlink"' "$bag/metadata/files.jsonl"
check "the FIFO is in files.jsonl" grep -q '"type":"fifo"' "$bag/metadata/files.jsonl"

check "the shell verifier" sh tools/verify_stock.sh "$bundle" \
    "$T/keys/examiner.pem" "$T/keys/tsa.pem"
check "exhibit verify" "$EXHIBIT" verify --case "$T/case" "$bundle"
check "exhibit-verify" "$VERIFY" --trust "$T/keys/examiner.pem" \
    --tsa-trust "$T/keys/tsa.pem" "$bundle"
exits 2 "without pinned trust: not checked" "$VERIFY" "$bundle"

# Another's certificate is not accepted, by nobody.
"$EXHIBIT" keygen "$T/other" 2>/dev/null
exits 3 "a foreign certificate" "$VERIFY" --trust "$T/other/examiner.pem" \
    --tsa-trust "$T/keys/tsa.pem" "$bundle"
checks=$((checks + 1))
if sh tools/verify_stock.sh "$bundle" "$T/other/examiner.pem" \
    "$T/keys/tsa.pem" >/dev/null 2>&1; then
	echo "FAILED: the shell verifier took a foreign certificate"
	failures=$((failures + 1))
fi

# Sampled flips: the shell verifier and ours refuse.  (All: check-long.)
size=$(stat -c %s "$bundle")
for i in 1 2 3 4 5 6 7 8; do
	off=$((size * i / 9))
	cp "$bundle" "$T/flipped.tar"
	chmod u+w "$T/flipped.tar"
	byte=$(od -An -tu1 -j "$off" -N 1 "$bundle" | tr -d ' ')
	printf "\\x$(printf %02x $((byte ^ 1)))" |
	    dd of="$T/flipped.tar" bs=1 seek="$off" conv=notrunc 2>/dev/null
	checks=$((checks + 1))
	if cmp -s "$bundle" "$T/flipped.tar"; then
		echo "FAILED: byte $off did not change"
		failures=$((failures + 1))
	fi
	exits 3 "a flipped bit at $off" "$VERIFY" -q \
	    --trust "$T/keys/examiner.pem" --tsa-trust "$T/keys/tsa.pem" \
	    "$T/flipped.tar"
done
# Both digests on demand.
b512=$("$EXHIBIT" collect --case "$T/case" --digest sha256,sha512 \
    --weights "$T/src/model.bin" 2>/dev/null)
check "verify with SHA-512" "$EXHIBIT" verify --case "$T/case" "$b512"
check "stock verifier with SHA-512" sh tools/verify_stock.sh "$b512" \
    "$T/keys/examiner.pem" "$T/keys/tsa.pem"
checks=$((checks + 1))
tar -tf "$b512" | grep -q '/manifest-sha512.txt$' || {
	echo "FAILED: no second manifest"
	failures=$((failures + 1))
}
finish
