#!/bin/bash
# What goes to a production host needs nothing there: static, below 6 MiB,
# and it runs where there is nothing but itself.
. tests/cli/lib.sh
check "keys" "$EXHIBIT" keygen "$T/keys" --name "Test Examiner"
for program in "$COLLECT" "$VERIFY"; do
	checks=$((checks + 1))
	if readelf -d "$program" | grep -q NEEDED; then
		failures=$((failures + 1))
		echo "FAILED: ${program##*/} needs a library"
	fi
done
size=$(stat -c %s "$COLLECT")
checks=$((checks + 1))
[ "$size" -lt 6291456 ] || {
	failures=$((failures + 1))
	echo "FAILED: exhibit-collect has $size bytes"
}
if [ "$(id -u)" -ne 0 ]; then
	echo "SKIP: only root can change the root"
	finish
fi
mkdir -p "$T/root/src" "$T/root/out"
cp "$COLLECT" "$VERIFY" "$T/root"
cp -R "$T/keys" "$T/root/keys"
printf 'weights\n' >"$T/root/src/model.bin"
# No /proc, no /dev, no /etc, no /tmp.
exits 2 "without a place for records it says so" \
    chroot "$T/root" /exhibit-collect --keys /keys -o /out/x.tar --weights /src
mkdir "$T/root/tmp"
check "with /tmp it goes on" \
    chroot "$T/root" /exhibit-collect --keys /keys -o /out/x.tar --resume
check "and verifies there" chroot "$T/root" /exhibit-verify \
    --trust /keys/examiner.pem --tsa-trust /keys/tsa.pem /out/x.tar
check "and here" "$VERIFY" --trust "$T/keys/examiner.pem" \
    --tsa-trust "$T/keys/tsa.pem" "$T/root/out/x.tar"
rmdir "$T/root/tmp"
check "a body needs not even that" bash -c \
    "chroot '$T/root' /exhibit-collect --body -o - --weights /src >'$T/body'"
has "it is whole" "$T/body" body-end.txt
same "and the root is as it was" "$(cd "$T/root" && find . | sort | tr '\n' ' ')" \
    ". ./exhibit-collect ./exhibit-verify ./keys ./keys/examiner.key ./keys/examiner.pem ./keys/tsa.key ./keys/tsa.pem ./out ./out/x.tar ./out/x.tar.sha256 ./src ./src/model.bin "
finish
