#!/bin/bash
# Every call of a collection fails once: fault_collect.sh [FAULTS]
#
# strace makes the N-th read, write, open, sync, rename ... of each process
# fail with EIO, ENOSPC, EDQUOT, EINTR, EACCES or ENOMEM, for every call and
# every N in turn; or say that it did what it did not do (a write that is
# lost, a sync that is none).  Then, without faults, the collection is resumed
# where that is possible.
#
# After every fault: exit 0 only with a bundle that verifies and holds what an
# undisturbed run holds; exit 2 with a path only with one that verifies and
# says what is missing; a final name only on what verifies; no signal, no BUG;
# --resume gives a verified bundle; the source is as it was.
. tests/cli/lib.sh
faults=${1:-1000}
EXHIBIT=$BUILD/testing/exhibit
C=$T/case
B=$C/bundles
how=none

fail()
{
	failures=$((failures + 1))
	echo "FAILED: $how: $*"
	head -n 3 "$T/err" | sed 's/^/  | /'
}

member()
{
	tar xOf "$1" "$(basename "$1" .tar)/$2"
}

source_state()
{
	find "$T/src" -printf '%p %y %s %m %T@ %C@ %i %n\n' | sort
	find "$T/src" -type f -print0 | sort -z | xargs -0 sha256sum
}

# A case of its own for each hundred: a ledger is checked whole when opened.
fresh_case()
{
	chmod -Rf u+w "$C" 2>/dev/null
	rm -rf "$C"
	"$REAL" case new "$C" --name F --examiner "Test Examiner" \
	    --keys "$T/keys" || fail "no case"
	number=0
}

verifies()
{
	"$EXHIBIT" verify -q --trust "$T/keys/examiner.pem" \
	    --tsa-trust "$T/keys/tsa.pem" "$1" >"$T/v.out" 2>&1
}

whole()
{
	member "$1" manifest-sha256.txt | cmp -s - "$T/then"
}

# Errors are said: $1 has them in its record.
said()
{
	[ -n "$(member "$1" metadata/errors.jsonl)" ]
}

judge_bundle()
{
	local tar=$1 code=$2
	verifies "$tar" || { fail "exit $code: $tar does not verify"; return; }
	if [ "$code" -eq 0 ]; then
		whole "$tar" || fail "exit 0, and something is missing"
		said "$tar" && fail "exit 0, and errors"
	else
		said "$tar" || whole "$tar" ||
		    fail "exit $code: something is missing and is not said"
	fi
}

inject()
{
	local x tar rc
	how=$1
	checks=$((checks + 1))
	[ "$number" -lt 100 ] || fresh_case
	number=$((number + 1))
	strace -f -qq -o /dev/null --seccomp-bpf -e "trace=${1%%:*}" \
	    -e "inject=$1" "$EXHIBIT" collect --case "$C" \
	    --weights "$T/src" >"$T/out" 2>"$T/err"
	rc=$?
	case $rc in
	0) zero=$((zero + 1)) ;;
	2) two=$((two + 1)) ;;
	127) : ;;	# the program could not even be started
	*) fail "exit $rc" ;;
	esac
	tar=$(cat "$T/out")
	if [ "$rc" -eq 0 ] && [ ! -e "$tar" ]; then
		fail "exit 0 without a bundle"
	elif [ -n "$tar" ]; then
		judge_bundle "$tar" "$rc"
	fi
	[ "$rc" -ne 2 ] || [ -s "$T/err" ] || fail "exit 2 without a word"
	for x in "$B"/*.journal; do
		[ -e "$x" ] || continue
		x=$(basename "$x" .journal)
		"$EXHIBIT" collect --case "$C" --resume "$x" >"$T/out" \
		    2>"$T/err"
		rc=$?
		[ "$rc" -eq 0 ] || [ "$rc" -eq 2 ] || fail "--resume exits $rc"
		if [ -s "$T/out" ]; then
			judge_bundle "$(cat "$T/out")" "$rc"
			resumed=$((resumed + 1))
		elif [ "$lie" = true ] && [ -s "$T/err" ]; then
			# Its journal or its first bytes were never there.
			refused=$((refused + 1))
		else
			fail "--resume $x gives nothing"
		fi
	done
	for tar in "$B"/*.tar; do
		[ -e "$tar" ] || continue
		verifies "$tar" || fail "$tar has its name, does not verify"
	done
	ls "$B"/*.partial >/dev/null 2>&1 && left=$((left + 1))
	chmod -f u+w "$B"/* 2>/dev/null
	rm -f "$B"/*
	find "$T/src" -printf '%p %y %s %m %T@ %C@ %i %n\n' | sort |
	    cmp -s - "$T/stat.then" || fail "the source was changed"
}

"$EXHIBIT" keygen "$T/keys" --name "Test Examiner" 2>/dev/null
REAL=$EXHIBIT
fresh_case
mkdir -p "$T/src/d"
openssl enc -aes-128-ctr -pass pass:1 -nosalt -pbkdf2 -in /dev/zero \
    2>/dev/null | head -c 2500000 >"$T/src/a.bin"
for i in 1 2 3; do
	echo "$i" >"$T/src/d/f$i"
done
ln -s f1 "$T/src/d/link"
source_state >"$T/source.then"
find "$T/src" -printf '%p %y %s %m %T@ %C@ %i %n\n' | sort >"$T/stat.then"

calls="read pread64 write pwrite64 openat openat2 fsync fdatasync renameat2
    ftruncate fchmod unlink unlinkat statx lseek flock getdents64 readlinkat
    fstat newfstatat fcntl"
list=$(echo $calls | tr ' ' ,)
strace -f -qq -o "$T/trace" -e "trace=$list" "$EXHIBIT" collect --case "$C" \
    --weights "$T/src" >"$T/out" 2>"$T/err" || {
	echo "SKIP: strace cannot trace here"
	exit 0
}
x=$(cat "$T/out")
member "$x" manifest-sha256.txt | sed 's/F-E01/F-E01/' >"$T/then"
chmod u+w "$B"/*
rm -f "$B"/*
zero=0 two=0 resumed=0 left=0 refused=0
# Every call with its number in its process, and an errno in turn; first those
# on which most depends.
total=0
errors=(EIO ENOSPC EINTR EDQUOT EACCES ENOMEM)
for call in $calls; do
	max=$(grep -E "^[0-9]+ +$call\(" "$T/trace" | awk '{ n[$1]++ }
	    END { for (p in n) if (n[p] > m) m = n[p]; print m + 0 }')
	for ((n = 1; n <= max; n++)); do
		echo "$call $n"
	done
done >"$T/every"
every=$(wc -l <"$T/every")
lie=true
lies="write:retval=1 pwrite64:retval=1 fsync:retval=0 fdatasync:retval=0
    renameat2:retval=0 ftruncate:retval=0 fchmod:retval=0"
for call in $lies; do
	for n in 1 2 3 5 8 13; do
		[ "$total" -lt $((faults / 10)) ] || break 2
		inject "$call:when=$n"
		total=$((total + 1))
	done
done
lie=false
round=0
while [ "$total" -lt "$faults" ]; do
	step=$(((every + faults - total - 1) / (faults - total)))
	i=$round
	while read -r call n; do
		i=$((i + 1))
		[ $((i % step)) -eq 0 ] || continue
		[ "$total" -lt "$faults" ] || break
		e=${errors[$(((i + round) % 6))]}
		inject "$call:error=$e:when=$n"
		total=$((total + 1))
	done <"$T/every"
	round=$((round + 1))
done
how="at the end"
source_state >"$T/source.now"
check "the source is as it was" cmp "$T/source.then" "$T/source.now"
echo "faults $total over $every different calls: exit 0 $zero, exit 2 $two," \
    "resumed $resumed, refused with words after a lie $refused, partials that cannot be resumed $left"
[ "$resumed" -gt 0 ] || fail "nothing was resumed"
finish
