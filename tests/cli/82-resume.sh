#!/bin/bash
# kill -9 during a collection, then --resume, at a few points; a collection
# whose calls fail; what --resume must refuse, and what exhibit-collect does.
# `make check-long` has many points and faults.
. tests/cli/lib.sh
check "killed and resumed at a few points" bash tests/long/resume_collect.sh 10
check "a few faults" bash tests/long/fault_collect.sh 24

EXHIBIT=$BUILD/testing/exhibit
C=$T/case
B=$C/bundles

member()
{
	tar xOf "$1" "$(basename "$1" .tar)/$2"
}

# A collection that is killed at its N-th read of a.bin.
killed_at()
{
	{
		strace -f -qq -o /dev/null -P "$T/src/a.bin" -e trace=pread64 \
		    -e "inject=pread64:signal=SIGKILL:when=$1" "${@:2}"
	} >/dev/null 2>&1
}

check "case" make_case TEST
mkdir "$T/src"
openssl enc -aes-128-ctr -pass pass:1 -nosalt -pbkdf2 -in /dev/zero \
    2>/dev/null | head -c 6000000 >"$T/src/a.bin"
echo b >"$T/src/b"
killed_at 15 "$EXHIBIT" collect --case "$C" --weights "$T/src"
if [ ! -e "$B/TEST-E01.journal" ]; then
	echo "SKIP: strace cannot trace here"
	finish
fi
exits 64 "other sources than then" "$EXHIBIT" collect --case "$C" --resume \
    --weights "$T/keys"
exits 64 "another digest than then" "$EXHIBIT" collect --case "$C" --resume \
    --digest sha256,sha512
exits 64 "not with --dry-run" "$EXHIBIT" collect --case "$C" --resume --dry-run
exits 2 "no such exhibit" "$EXHIBIT" collect --case "$C" --resume TEST-E09

# The journal of another request, examiner or bundle.
cp "$B/TEST-E01.journal" "$T/journal"
cp "$B/TEST-E01.tar.partial" "$T/partial"
sed 's/"sha256":"[0-9a-f]*"}$/"sha256":""}/' "$T/journal" >"$B/TEST-E01.journal"
exits 2 "nothing of the journal holds" "$EXHIBIT" collect --case "$C" --resume
cp "$T/journal" "$B/TEST-E01.journal"
printf x | dd of="$B/TEST-E01.tar.partial" bs=1 seek=600 conv=notrunc 2>/dev/null
exits 2 "the partial of something else" "$EXHIBIT" collect --case "$C" --resume
check "is not touched" cmp -n 600 "$T/partial" "$B/TEST-E01.tar.partial"

# A changed byte in the middle: gone back to before it, said.
cp "$T/partial" "$B/TEST-E01.tar.partial"
printf x | dd of="$B/TEST-E01.tar.partial" bs=1 seek=1500000 conv=notrunc \
    2>/dev/null
exits 0 "an altered partial" "$EXHIBIT" collect --case "$C" --resume TEST-E01
check "verifies" "$EXHIBIT" verify -q --case "$C" "$B/TEST-E01.tar"
member "$B/TEST-E01.tar" metadata/completion.json >"$T/c"
check "and says so" grep -q '"redone": *"' "$T/c"
exits 2 "nothing more to resume" "$EXHIBIT" collect --case "$C" --resume

# A file that was changed while nobody read it: in its middle, and finished.
killed_at 15 "$EXHIBIT" collect --case "$C" --weights "$T/src"
printf x | dd of="$T/src/a.bin" bs=1 seek=10 conv=notrunc 2>/dev/null
exits 0 "the cut file was changed" "$EXHIBIT" collect --case "$C" --resume
member "$B/TEST-E02.tar" data/weights"$T"/src/a.bin >"$T/a"
check "it is as it is now" cmp "$T/a" "$T/src/a.bin"
member "$B/TEST-E02.tar" metadata/completion.json >"$T/c"
check "begun again, and said" grep -q "a.bin' is begun again: it was changed" \
    "$T/c"

# Reads and writes that are interrupted and short are no failures.
check "the shim is there" test -e "$BUILD/testing/short.so"
exits 0 "short reads and writes" env LD_PRELOAD="$BUILD/testing/short.so" \
    "$EXHIBIT" collect --case "$C" --weights "$T/src"
check "verifies" "$EXHIBIT" verify -q --case "$C" "$B/TEST-E03.tar"
member "$B/TEST-E02.tar" manifest-sha256.txt >"$T/m2"
member "$B/TEST-E03.tar" manifest-sha256.txt >"$T/m3"
check "and is the same" cmp "$T/m2" "$T/m3"

# A disk that is full, and has room again.
if mkdir "$T/small" && mount -t tmpfs -o size=4m none "$T/small" 2>/dev/null
then
	exits 2 "a full disk" "$EXHIBIT" collect --case "$C" \
	    --weights "$T/src" -o "$T/small/x.tar"
	check "says how to go on" grep -q -- "--resume TEST-E04" "$T/.err"
	mount -o remount,size=40m "$T/small"
	exits 0 "room again" "$EXHIBIT" collect --case "$C" --resume TEST-E04 \
	    -o "$T/small/x.tar" --weights "$T/src"
	check "verifies" "$EXHIBIT" verify -q --case "$C" "$T/small/x.tar"
	tar xOf "$T/small/x.tar" TEST-E04/metadata/completion.json >"$T/c"
	check "says that it was full" grep -q 'it stopped: .*No space left' \
	    "$T/c"
	umount "$T/small"
else
	echo "SKIP: no tmpfs can be mounted here: a full disk"
fi

# exhibit-collect, with a path relative to where it was begun.
HOST=$BUILD/testing/exhibit-collect
(cd "$T" && killed_at 15 "$HOST" --keys keys --weights src \
    --name HOST -o host.tar)
exits 0 "on a host" "$HOST" -o "$T/host.tar" --resume
check "verifies" "$VERIFY" --trust "$T/keys/examiner.pem" \
    --tsa-trust "$T/keys/tsa.pem" "$T/host.tar"
check "the name is kept" tar tf "$T/host.tar" HOST/bagit.txt
check "nothing is left" test ! -e "$T/host.journal"
exits 64 "a stream is not resumed" "$HOST" --keys "$T/keys" -o - --resume
finish
