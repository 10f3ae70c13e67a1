#!/bin/sh
# verify_stock.sh BUNDLE EXAMINER.pem TSA.pem
#
# Verify an evidence bundle (docs/FORMAT.md) with GNU tar, coreutils and
# openssl alone; no program of this project is used.  The two certificates
# are the only ones trusted.  Prints "VERIFIED: ..." last and exits 0; else a
# reason on stderr and exit 1.
#
# No step relies on set -e: it does nothing behind "!", in conditions and in
# pipelines.  Each step says what it wants and fails by name.
set -u
LC_ALL=C
export LC_ALL

fail()
{
	echo "NOT VERIFIED: $*" >&2
	exit 1
}

[ $# -eq 3 ] || {
	echo "usage: verify_stock.sh BUNDLE EXAMINER.pem TSA.pem" >&2
	exit 64
}
for f in "$@"; do
	if [ ! -f "$f" ] || [ ! -r "$f" ]; then
		fail "cannot read $f"
	fi
done
bundle=$(realpath -- "$1") || fail "cannot resolve $1"
examiner=$(realpath -- "$2") || fail "cannot resolve $2"
tsa=$(realpath -- "$3") || fail "cannot resolve $3"

D=$(mktemp -d) || fail "cannot create a temporary folder"
trap 'chmod -R u+w "$D" 2>/dev/null; rm -rf "$D"' EXIT
trap 'exit 1' HUP INT TERM

# 1. Structure: tar reads it to the end without a word, the end is two zero
# blocks, nothing follows.  Only plain files.
tar -tRf "$bundle" >"$D/blocks" 2>"$D/err" || fail "tar cannot list it"
[ ! -s "$D/err" ] || fail "tar complains: $(head -n 1 "$D/err")"
eof=$(sed -n 's/^block \([0-9]*\): \*\* Block of NULs \*\*$/\1/p' "$D/blocks")
case $eof in
'' | *[!0-9]*) fail "no end of archive, or more than one" ;;
esac
size=$(stat -c %s -- "$bundle") || fail "cannot measure the bundle"
[ "$size" -eq $(((eof + 2) * 512)) ] || fail "bytes behind the end"
tail -c 1024 -- "$bundle" | cmp -s -n 1024 - /dev/zero ||
	fail "the end is not two zero blocks"
tar -tvf "$bundle" >"$D/long" 2>"$D/err" || fail "tar cannot list it"
if grep -qv '^-r--r--r-- 0/0 ' "$D/long"; then
	fail "something other than plain read-only files"
fi
tar -tf "$bundle" >"$D/names" 2>"$D/err" || fail "tar cannot list it"
bag=$(sed -n '1s/^\([A-Za-z0-9._-]\{1,64\}\)\/bagit\.txt$/\1/p' "$D/names")
case $bag in
'' | . | ..) fail "the first member is not BAG/bagit.txt" ;;
esac
pattern=$(echo "$bag" | sed 's/\./\\./g')
if grep -qvE "^$pattern/[A-Za-z0-9._@+,=~/-]+\$" "$D/names"; then
	fail "a member is not below $bag/ or its name is not escaped"
fi
if grep -qE '(^|/)\.{0,2}(/|$)' "$D/names"; then
	fail "a member's name has an empty or a dotted component"
fi
[ -z "$(sort "$D/names" | uniq -d)" ] || fail "a name occurs twice"
cut -d/ -f2- "$D/names" >"$D/members"

# 2. Extract, with names and rights that can do no harm (step 1).
mkdir "$D/x" || fail "cannot create a folder"
tar -xf "$bundle" -C "$D/x" --no-same-owner 2>"$D/err" ||
	fail "tar cannot extract it: $(head -n 1 "$D/err")"
cd "$D/x/$bag" || fail "no folder $bag"

# 3. What container.json says: one key a line, " " before, ": " between.
json=metadata/container.json
[ -f "$json" ] || fail "no $json"
number()
{
	sed -n 's/^ "'"$1"'": \([0-9][0-9]*\),*$/\1/p' "$json"
}
text()
{
	sed -n 's/^ "'"$1"'": "\([A-Za-z0-9._/-]*\)",*$/\1/p' "$json"
}
list()
{
	sed -n '/^ "'"$1"'": \[$/,/^ \],*$/s/^  "\([A-Za-z0-9._/-]*\)",*$/\1/p' \
		"$json"
}
[ "$(text format)" = evidence-bag/1 ] || fail "not evidence-bag/1"
[ "$(number version)" = 1 ] || fail "not version 1"
[ "$(text bag)" = "$bag" ] || fail "container.json names another bag"
prefix_len=$(number prefix_len)
prefix_sha256=$(text prefix_sha256)
mtime=$(number header_mtime)
for value in "$prefix_len" "$prefix_sha256" "$mtime"; do
	[ -n "$value" ] || fail "container.json lacks a value"
done
manifests=$(list manifests)
trailer=$(list trailer)
both='manifest-sha256.txt
manifest-sha512.txt'
tags=tagmanifest-sha256.txt
case $manifests in
manifest-sha256.txt) ;;
"$both") tags="$tags tagmanifest-sha512.txt" ;;
*) fail "container.json names no manifests that are known" ;;
esac

# 4. Exactly the manifests named: form (sha256sum -c also takes A-F), digests.
for m in $manifests $tags seal/seal.txt; do
	[ -f "$m" ] || fail "no $m"
	case $m in
	*sha512.txt) digits=128 sum=sha512sum ;;
	*) digits=64 sum=sha256sum ;;
	esac
	if [ -s "$m" ] && [ -n "$(tail -c 1 "$m")" ]; then
		fail "$m does not end with a line feed"
	fi
	if grep -qvE "^[0-9a-f]{$digits}  [A-Za-z0-9._@+,=~/-]+\$" "$m"; then
		fail "$m has a malformed line"
	fi
	if [ "$(tr -d '\n' <"$m" | tr -d '!-~ ' | wc -c)" -ne 0 ]; then
		fail "$m has bytes that are not printable"
	fi
	"$sum" -c --strict --quiet "$m" >"$D/out" 2>&1 ||
		fail "$m: $(head -n 1 "$D/out")"
done

# 5. The lists name every member once, in the order of the members.
for d in 256:67 512:131; do
	m=manifest-sha${d%:*}.txt
	[ -f "$m" ] || continue
	cut -c"${d#*:}"- "$m" >"$D/payload"
	grep '^data/' "$D/members" | cmp -s - "$D/payload" ||
		fail "$m does not list exactly the members below data/"
	cut -c"${d#*:}"- "tag$m" >"$D/tags"
	grep -v -e '^data/' -e '^tagmanifest-' "$D/members" |
		cmp -s - "$D/tags" ||
		fail "tag$m does not list exactly the tag files"
done
grep '^tagmanifest-' "$D/members" >"$D/have"
for t in $tags; do echo "$t"; done | cmp -s - "$D/have" ||
	fail "other tag manifests than container.json says"
grep -E '^manifest-' "$D/members" >"$D/have"
printf '%s\n' "$manifests" | cmp -s - "$D/have" ||
	fail "other manifests than container.json says"
cut -c67- seal/seal.txt >"$D/sealed"
grep -v -e '^data/' -e '^seal/' -e '^tagmanifest-' "$D/members" |
	cmp -s - "$D/sealed" || fail "seal.txt does not list what it must"
count=$(grep -c '^data/' "$D/members")
bytes=0
while read -r _ _ n _ _ name; do
	case $name in
	"$bag"/data/*) bytes=$((bytes + n)) ;;
	esac
done <"$D/long"
[ "$(number members)" = "$count" ] ||
	fail "container.json counts other members"
[ "$(number payload_bytes)" = "$bytes" ] ||
	fail "container.json counts other bytes"
grep -qx "Payload-Oxum: $bytes.$count" bag-info.txt ||
	fail "bag-info.txt counts other members or bytes"

# 6. Time and signature: only the two certificates given are trusted.
[ -f seal/seal.txt.p7s.tsr ] ||
	fail "sealed without a time stamp, so the signature has no time"
openssl ts -verify -data seal/seal.txt.p7s -in seal/seal.txt.p7s.tsr \
	-CAfile "$tsa" >"$D/out" 2>&1 || {
	# Its certificate may have expired since: at the token's own time.
	at=$(openssl ts -reply -in seal/seal.txt.p7s.tsr -text 2>/dev/null |
		sed -n 's/^Time stamp: //p')
	at=$(date -u -d "$at" +%s 2>/dev/null) || fail "no time stamp"
	openssl ts -verify -data seal/seal.txt.p7s -attime "$at" \
		-in seal/seal.txt.p7s.tsr -CAfile "$tsa" >"$D/out" 2>&1 ||
		fail "the time stamp does not hold"
	echo "note: the authority's certificate is not valid today" >&2
}
at=$(openssl ts -reply -in seal/seal.txt.p7s.tsr -text 2>/dev/null |
	sed -n 's/^Time stamp: //p')
[ -n "$at" ] || fail "the time stamp states no time"
at=$(date -u -d "$at" +%s) || fail "the time stamp's time is unreadable"
openssl cms -verify -cades -binary -inform DER -in seal/seal.txt.p7s \
	-content seal/seal.txt -CAfile "$examiner" -no-CApath -no-CAstore \
	-attime "$at" -out /dev/null >"$D/out" 2>&1 ||
	fail "the signature does not hold"

# 7. Every byte before container.json's header, headers and padding included.
[ "$(head -c "$prefix_len" -- "$bundle" | sha256sum | cut -c1-64)" = \
	"$prefix_sha256" ] || fail "the prefix has another digest"

# 8. GNU tar regenerates the trailer byte for byte.
cd "$D/x" || fail "no folder"
for m in $trailer; do echo "$bag/$m"; done >"$D/list"
tail -n +"$(($(grep -nxF "$bag/metadata/container.json" "$D/names" |
	cut -d: -f1)))" "$D/names" | cmp -s - "$D/list" ||
	fail "the trailer has other members than container.json says"
tar -b1 --format=ustar --owner=0 --group=0 --numeric-owner --mode=0444 \
	--mtime="@$mtime" --no-recursion --verbatim-files-from -cf "$D/trailer" \
	-T "$D/list" 2>"$D/err" || fail "tar cannot write the trailer again"
tail -c +$((prefix_len + 1)) -- "$bundle" | cmp -s - "$D/trailer" ||
	fail "the trailer is not what tar makes of it"

echo "VERIFIED: $bag, $count members, sealed no later than" \
	"$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)"
