#!/bin/bash
# Unreadable, vanished, shared names: recorded, exit 2, sealed.
. tests/cli/lib.sh
check "case" make_case
mkdir -p "$T/a/m" "$T/b/m" "$T/a/locked"
echo one >"$T/a/m/w.bin"
echo two >"$T/b/m/w.bin"
echo secret >"$T/a/locked/x"
echo secret >"$T/a/unreadable"
chmod 000 "$T/a/locked" "$T/a/unreadable"
if [ "$(id -u)" -eq 0 ]; then
	# Permissions mean nothing to root: be somebody.
	chmod 755 "$T"
	chown -R nobody "$T/a" "$T/b" "$T/case" "$T/keys"
	as="setpriv --reuid=nobody --clear-groups"
else
	as=
fi
# shellcheck disable=SC2086
$as "$EXHIBIT" collect --case "$T/case" --weights "$T/a" --weights "$T/b" \
    --training "$T/none" >"$T/out" 2>"$T/err"
same "unread objects: exit 2" "$?" 2
bundle=$(cat "$T/out")
check "the bundle is there all the same" test -f "$bundle"
check "and verifies" "$VERIFY" --trust "$T/keys/examiner.pem" \
    --tsa-trust "$T/keys/tsa.pem" "$bundle"
tar -xf "$bundle" -C "$T" --one-top-level=x --strip-components=1
check "both files of one name" test -f "$T/x/data/weights/${T#/}/a/m/w.bin" \
    -a -f "$T/x/data/weights/${T#/}/b/m/w.bin"
for what in locked unreadable none; do
	checks=$((checks + 1))
	grep -q "$what" "$T/x/metadata/errors.jsonl" || {
		echo "FAILED: $what is not in errors.jsonl"
		failures=$((failures + 1))
	}
done
chmod 755 "$T/a/locked"
finish
