#!/bin/bash
# kill -9 at any moment of a collection, then --resume: resume_collect.sh
# [POINTS]
#
# Points as kill_collect.sh draws them, by time and by call; every fifth
# resumption is killed too, and resumed again.  The program is that of
# build/testing: the release objects, with a commit of the journal for each
# object and a checkpoint for each MiB.
#
# After every point: --resume exits 0 and prints the path; the bundle
# verifies; its manifest is byte for byte that of an undisturbed run (the same
# members, digests and order), and so are the lines of files.jsonl and
# errors.jsonl, times apart; every byte that the journal had committed was
# kept; the ledger has the exhibit as sealed; the journal is gone; the source
# is as it was.  Where the kill came before the journal, that is said.
. tests/cli/lib.sh
points=${1:-300}
seed=${KILL_SEED:-11}
RANDOM=$seed
EXHIBIT=$BUILD/testing/exhibit
C=$T/case
B=$C/bundles

fail()
{
	failures=$((failures + 1))
	echo "FAILED: point $point ($how): $*"
}

now_us()
{
	echo "${EPOCHREALTIME/[.,]/}"
}

member()
{
	tar xOf "$1" "$(basename "$1" .tar)/$2"
}

# What must be equal: members in order, and what was said of each object.
contents()
{
	member "$1" manifest-sha256.txt
	member "$1" metadata/files.jsonl | sed -E \
	    -e 's/"(header_offset|data_offset|read_ns)":[0-9]+,?//g' \
	    -e 's/"atime":"[^"]*",?//g' -e 's/"mount_id":[0-9]+,?//g' | sort
	member "$1" metadata/errors.jsonl | sed -E 's/"time":"[^"]*",//'
	member "$1" metadata/log.jsonl | grep -o '"what":"source".*'
}

source_state()
{
	find "$T/src" -printf '%p %y %s %m %T@ %C@ %i %n\n' | sort
	find "$T/src" -type f -print0 | sort -z | xargs -0 sha256sum
}

# run SECONDS|CALL N ARG...: a collection that a signal may end; sets rc.
run_killed()
{
	local pid delay=$1 call=$2 n=$3
	shift 3
	if [ -n "$delay" ]; then
		"$EXHIBIT" collect --case "$C" "$@" >"$T/out" 2>"$T/err" &
		pid=$!
		sleep "$delay"
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		rc=$?
		return
	fi
	{
		strace -o /dev/null -e "trace=$call" \
		    -e "inject=$call:signal=SIGKILL:when=$n" \
		    "$EXHIBIT" collect --case "$C" "$@" >"$T/out" 2>"$T/err"
		rc=$?
	} 2>/dev/null
}

# The end that the journal's last commit promises, or nothing.
committed()
{
	[ -e "$1" ] && grep -a '^{"j":"commit".*}$' "$1" | tail -n 1 |
	    sed -E 's/.*"end":([0-9]+).*/\1/'
}

last_exhibit()
{
	local f
	"$EXHIBIT" custody log --case "$C" 2>"$T/log.err" |
	    sed -n '/^$/,$p' | awk 'NF { n = $1 } END { print n }'
}

# The exhibit $1 after a kill: resumed, and equal.
judge()
{
	local x=$1 promised rc_resume kept
	promised=$(committed "$B/$x.journal")
	if [ -z "$promised" ]; then
		if [ "$rc" -eq 0 ]; then
			finished=$((finished + 1))
			clean "$x"
			return
		fi
		# Killed between the number and the journal, or behind it all.
		"$EXHIBIT" collect --case "$C" --resume "$x" >"$T/out" \
		    2>"$T/err"
		rc_resume=$?
		if [ -e "$B/$x.tar" ]; then
			after=$((after + 1))
		else
			[ "$rc_resume" -eq 2 ] && [ -s "$T/err" ] ||
			    fail "no journal, and --resume exits $rc_resume"
			early=$((early + 1))
		fi
		clean "$x"
		return
	fi
	resumed=$((resumed + 1))
	if [ $((point % 5)) -eq 0 ]; then
		run_killed "0.$(printf '%03d' $((RANDOM % 300)))" '' '' \
		    --resume "$x"
		[ "$rc" -eq 137 ] && twice=$((twice + 1))
		promised=$(committed "$B/$x.journal")
		[ -n "$promised" ] || promised=gone
	fi
	"$EXHIBIT" collect --case "$C" --resume "$x" >"$T/out" 2>"$T/err"
	rc_resume=$?
	if [ "$promised" != gone ]; then
		[ "$rc_resume" -eq "$EXPECT" ] || {
			fail "--resume $x exits $rc_resume"
			cat "$T/err"
		}
		[ "$(cat "$T/out")" = "$B/$x.tar" ] || fail "path: $(cat "$T/out")"
	fi
	"$EXHIBIT" verify -q --case "$C" "$B/$x.tar" >"$T/v.out" 2>&1 || {
		fail "$x does not verify"
		cat "$T/v.out"
	}
	contents "$B/$x.tar" | sed "s/$x/EXHIBIT/g" >"$T/now"
	cmp -s "$T/then" "$T/now" || {
		fail "$x is not what an undisturbed run gives"
		diff "$T/then" "$T/now" | head -n 5
	}
	kept=$(member "$B/$x.tar" metadata/log.jsonl | grep '"what":"resumed"' |
	    tail -n 1 | sed -E 's/.*"kept_bytes":([0-9]+).*/\1/')
	if [ "$promised" = gone ]; then
		:
	elif [ "$promised" -eq "$(stat -c %s "$B/$x.tar")" ]; then
		sealed=$((sealed + 1))
	else
		[ "$kept" = "$promised" ] ||
		    fail "kept $kept bytes of $promised that were journalled"
	fi
	member "$B/$x.tar" metadata/log.jsonl | grep -q '"redone":"' &&
	    fail "something journalled was taken again"
	[ -e "$B/$x.journal" ] && fail "the journal is still there"
	[ -e "$B/$x.tar.partial" ] && fail "the partial is still there"
	(cd "$B" && sha256sum --quiet -c "$x.tar.sha256") || fail "sidecar"
	"$EXHIBIT" custody log --case "$C" 2>/dev/null | sed -n '/^$/,$p' |
	    grep -q "^$x  *sealed" || fail "$x is not sealed in the ledger"
	clean "$x"
}

clean()
{
	chmod -f u+w "$B/$1".* 
	rm -f "$B/$1".*
}

make_source()
{
	local i
	mkdir -p "$T/src/small/deep" "$T/src/links"
	for i in 1 2 3; do
		openssl enc -aes-128-ctr -pass "pass:$i" -nosalt -pbkdf2 \
		    -in /dev/zero 2>/dev/null |
		    head -c $((i * 2 * 1024 * 1024 + i)) >"$T/src/m$i.bin"
	done
	for i in $(seq 60); do
		echo "$i" >"$T/src/small/f$i"
		echo "$i $i" >"$T/src/small/deep/g$i"
	done
	: >"$T/src/empty"
	printf odd >"$T/src/$(printf 'bad\377\nname')"
	ln "$T/src/m1.bin" "$T/src/small/hard"
	ln -s ../m1.bin "$T/src/links/l"
	mkfifo "$T/src/links/fifo"
	# A file whose member's name is too long: an error, each time the same.
	(cd "$T/src" && for i in $(seq 20); do
		d=$(printf '\377%.0s' $(seq 70)); mkdir "$d" && cd "$d" || exit
	done; echo deep >file)
	chmod 0500 "$T/src/links"
}

check "case" make_case KILL
make_source
source_state >"$T/source.then"
resumed=0 finished=0 early=0 none=0 twice=0 sealed=0 after=0
how="whole run" point=0
began=$(now_us)
"$EXHIBIT" collect --case "$C" --weights "$T/src" >"$T/out" 2>"$T/err"
same "an undisturbed run, with an error in it" $? 2
whole=$(($(now_us) - began))
EXPECT=2
x=KILL-E01
contents "$B/$x.tar" | sed "s/$x/EXHIBIT/g" >"$T/then"
previous=KILL-E01

calls="write fsync fdatasync renameat2 unlink unlinkat openat pread64
    ftruncate fchmod exit_group"
declare -A count
by_call=0
if strace -o "$T/trace" -e "trace=$(echo $calls | tr ' ' ,)" \
    "$EXHIBIT" collect --case "$C" --weights "$T/src" >/dev/null 2>&1
    [ -s "$T/trace" ]; then
	for call in $calls; do
		count[$call]=$(grep -c "^$call(" "$T/trace")
	done
	by_call=$((points * 2 / 3))
else
	echo "SKIP: strace cannot trace here: points by time only"
fi
previous=$(last_exhibit)

for ((point = 1; point <= points; point++)); do
	if [ "$point" -le $((points - by_call)) ]; then
		slice=$((whole * 12 / 10 / (points - by_call)))
		us=$(((point - 1) * slice + slice * RANDOM / 32768))
		how="after $us us"
		run_killed "$(printf '%d.%06d' $((us / 1000000)) \
		    $((us % 1000000)))" '' '' --weights "$T/src"
	else
		set -- write write write openat pread64 fsync fdatasync \
		    renameat2 unlink unlinkat fchmod exit_group
		shift $((point % $#))
		call=$1
		n=${count[$call]}
		[ "$n" -gt 0 ] || { call=write; n=${count[write]}; }
		n=$((1 + (RANDOM * 32768 + RANDOM) % n))
		how="$call $n of ${count[$call]}"
		run_killed '' "$call" "$n" --weights "$T/src"
	fi
	checks=$((checks + 1))
	[ "$rc" -eq 2 ] && rc=0
	x=$(last_exhibit)
	# A hot journal of the ledger: the next writer recovers it.
	[ -n "$x" ] || { "$EXHIBIT" collect --case "$C" --resume NONE \
	    >/dev/null 2>&1; x=$(last_exhibit); }
	if [ "$x" = "$previous" ]; then
		none=$((none + 1))
		continue
	fi
	previous=$x
	judge "$x"
done
source_state >"$T/source.now"
check "the source is as it was" cmp "$T/source.then" "$T/source.now"
echo "points $points (by call $by_call), seed $seed, whole run" \
    "$((whole / 1000)) ms"
echo "resumed $resumed ($twice of them killed again and resumed again," \
    "$sealed when already sealed), finished first $finished, before the" \
    "number $none, before the journal $early, behind everything $after"
[ "$resumed" -gt $((points / 3)) ] || fail "too few points hit a collection"
finish
