#!/bin/bash
# kill -9 at any moment of a collection: kill_collect.sh [POINTS]
#
# Two kinds of points.  By time: the delay is drawn from equal slices of the
# duration of one whole run, so the points cover it.  By call: strace sends
# the signal as the main thread enters its N-th write, pwrite64, fsync,
# rename, unlink ...; among them are the publication of the bundle and of its
# digest, and the last call of all.
#
# After every point: what has a final name verifies, the ledger opens, the
# next command that opens the case says what became of the exhibit, what was
# acknowledged is in the ledger, and no process is left.
. tests/cli/lib.sh
points=${1:-200}
seed=${KILL_SEED:-7}
RANDOM=$seed
C=$T/case
B=$C/bundles

fail()
{
	failures=$((failures + 1))
	echo "FAILED: point $point ($how): $*"
}

now_us()
{
	local t=${EPOCHREALTIME/[.,]/}
	echo "$t"
}

# The state of an exhibit in a log, or nothing.
state_of()
{
	sed -n '/^$/,$p' "$2" | awk -v x="$1" '$1 == x { print $2 }' |
	    tr -d ,
}

# Processes that have the case on their command line: ours, and only ours.
leftover()
{
	local f pid
	for f in /proc/[0-9]*/cmdline; do
		pid=${f#/proc/}
		pid=${pid%/cmdline}
		[ "$pid" != "$$" ] && grep -qazF -- "$C" "$f" 2>/dev/null &&
		    echo "$pid"
	done
}

no_leftover()
{
	local try left
	for try in $(seq 20); do
		left=$(leftover)
		[ -z "$left" ] && return
		sleep 0.1
	done
	fail "left running after $try tries: $left"
	for try in $left; do
		kill -KILL "$try" 2>/dev/null
	done
}

# verify_new: every bundle under a final name that was not verified yet.
declare -A verified
sealed=(KILL-E01)
verify_new()
{
	local tar
	for tar in "$B"/*.tar; do
		[ -e "$tar" ] || continue
		[ -n "${verified[$tar]:-}" ] && continue
		"$EXHIBIT" verify -q --case "$C" "$tar" >"$T/v.out" 2>&1 || {
			fail "${tar##*/} has its name and does not verify"
			cat "$T/v.out"
		}
		verified[$tar]=1
		nverified=$((nverified + 1))
	done
	for tar in "$B"/*.tar.sha256; do
		[ -e "$tar" ] || continue
		(cd "$B" && sha256sum --quiet -c "${tar##*/}") >"$T/v.out" 2>&1 ||
		    fail "${tar##*/} is not the digest of its bundle"
		rm -f "$tar"
	done
}

# One collection that a signal may end: start_and_kill DELAY_SECONDS, or
# start_in_strace CALL N.  Both set rc.
start_and_kill()
{
	local pid
	"$EXHIBIT" collect --case "$C" --weights "$T/src" >"$T/out" \
	    2>"$T/err" &
	pid=$!
	sleep "$1"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	rc=$?
}

start_in_strace()
{
	# strace ends itself by the same signal, and the shell would say so.
	{
		strace -o /dev/null -e "trace=$1" \
		    -e "inject=$1:signal=SIGKILL:when=$2" \
		    "$EXHIBIT" collect --case "$C" --weights "$T/src" \
		    >"$T/out" 2>"$T/err"
		rc=$?
	} 2>/dev/null
}

# What the ledger and bundles/ say of the exhibit $1 of this point.
judge_exhibit()
{
	local x=$1 state found
	state=$(state_of "$x" "$T/log.after")
	if [ -s "$T/out" ] && [ "$state" != sealed ]; then
		fail "$x was acknowledged, and the ledger has it as $state"
	fi
	[ "$rc" -ne 0 ] || [ "$(cat "$T/out")" = "$B/$x.tar" ] ||
	    fail "exit 0 without a path"
	case $state in
	sealed)
		[ -e "$B/$x.tar" ] || fail "$x is sealed and not there"
		sealed+=("$x")
		[ "$rc" -eq 0 ] || after=$((after + 1))
		;;
	incident)
		[ "$rc" -ne 0 ] || fail "exit 0, and an incident"
		if [ -e "$B/$x.tar" ]; then
			found="final file $x.tar of"
			while_sealing=$((while_sealing + 1))
		elif [ -e "$B/$x.tar.partial" ]; then
			found="partial file $x.tar.partial of"
			# The trailer begins with the seal.
			if grep -qaF "$x/seal/seal.txt" "$B/$x.tar.partial"
			then
				while_sealing=$((while_sealing + 1))
			else
				before=$((before + 1))
			fi
		else
			found="in bundles/: nothing"
			before=$((before + 1))
		fi
		grep -F " $x " "$T/log.after" | grep -F incident |
		    grep -qF "$found" || fail "$x: the log does not say '$found'"
		;;
	*) fail "$x is '$state' after the case was opened" ;;
	esac
	verify_new
	# They were judged; they would only fill the disk.
	rm -f "$B"/*.partial "$B"/*.journal
	[ -e "$B/$x.tar" ] && [ "$x" != KILL-E01 ] && [ "$state" != sealed ] &&
	    rm -f "$B/$x.tar"
}

# After every point: the ledger opens, and knows what happened.
judge()
{
	local log rc_log last x
	checks=$((checks + 1))
	case $rc in
	0) finished=$((finished + 1)) ;;
	137) killed=$((killed + 1)) ;;
	*)
		fail "collect exits $rc"
		cat "$T/err"
		;;
	esac
	no_leftover
	# Reading recovers nothing: refused, and said, while a journal waits.
	log=$T/log.before
	"$EXHIBIT" custody log --case "$C" >"$log" 2>"$T/log.err"
	rc_log=$?
	if [ "$rc_log" -eq 2 ] && [ -e "$C/case.db-journal" ]; then
		hot=$((hot + 1))
		grep -q journal "$T/log.err" || fail "custody log: journal?"
	elif [ "$rc_log" -ne 0 ]; then
		fail "custody log exits $rc_log: $(cat "$T/log.err")"
	fi
	# The next command that opens the case.
	"$EXHIBIT" verify -q --case "$C" "$B/KILL-E01.tar" >"$T/v.out" 2>&1 ||
	    fail "verify of the first exhibit: $(cat "$T/v.out")"
	log=$T/log.after
	"$EXHIBIT" custody log --case "$C" >"$log" 2>"$T/log.err" ||
	    fail "custody log after it: $(cat "$T/log.err")"
	last=$(sed -n '/^$/,$p' "$log" | awk 'NF { n = $1 } END { print n }')
	if [ "$last" = "$previous" ]; then
		# Killed before a number was taken: nothing happened.
		none=$((none + 1))
		[ "$rc" -ne 0 ] || fail "exit 0, and no exhibit"
		return
	fi
	x=$(printf 'KILL-E%02d' $((10#${previous#KILL-E} + 1)))
	[ "$last" = "$x" ] || fail "the number after $previous is $last"
	previous=$last
	judge_exhibit "$last"
}

check "case" make_case KILL
mkdir "$T/small" "$T/src"
echo small >"$T/small/one"
check "a first exhibit" "$EXHIBIT" collect --case "$C" --weights "$T/small"
# Real bytes, the same each time.
for i in 1 2 3; do
	openssl enc -aes-128-ctr -pass "pass:$i" -nosalt -pbkdf2 -in /dev/zero \
	    2>/dev/null | head -c $((i * 4 * 1024 * 1024 + i)) >"$T/src/m$i.bin"
done
killed=0 finished=0 none=0 before=0 while_sealing=0 after=0 hot=0 nverified=0
by_call=0
how="whole run" point=0
began=$(now_us)
check "one whole run" "$EXHIBIT" collect --case "$C" --weights "$T/src"
whole=$(($(now_us) - began))
previous=KILL-E02
verify_new

# How often the main thread makes each call.
calls="write pwrite64 fsync renameat2 unlink openat exit_group"
declare -A count
if strace -o "$T/trace" -e "trace=${calls// /,}" \
    "$EXHIBIT" collect --case "$C" --weights "$T/src" >/dev/null 2>&1; then
	for call in $calls; do
		count[$call]=$(grep -c "^$call(" "$T/trace")
	done
	previous=KILL-E03
	by_call=$((points * 2 / 5))
	verify_new
else
	echo "SKIP: strace cannot trace here: points by time only"
	previous=$("$EXHIBIT" custody log --case "$C" | awk 'NF { n = $1 }
	    END { print n }')
fi

for ((point = 1; point <= points - by_call; point++)); do
	slice=$((whole * 13 / 10 / (points - by_call)))
	us=$(((point - 1) * slice + slice * RANDOM / 32768))
	how="after $us us"
	start_and_kill "$(printf '%d.%06d' $((us / 1000000)) \
	    $((us % 1000000)))"
	judge
done
by_time_killed=$killed

# First the single ones that matter most, then spread over the rest.
k=0
for ((; point <= points; point++)); do
	case $k in
	0) call=renameat2 n=1 ;;
	1) call=renameat2 n=2 ;;
	2) call=exit_group n=1 ;;
	3) call=unlink n=${count[unlink]} ;;
	4) call=fsync n=${count[fsync]} ;;
	*)
		set -- write pwrite64 fsync openat unlink
		shift $((k % 5))
		call=$1
		n=$((1 + RANDOM % (count[$call] > 0 ? count[$call] : 1)))
		;;
	esac
	k=$((k + 1))
	how="$call $n of ${count[$call]}"
	start_in_strace "$call" "$n"
	judge
done

how=undisturbed
check "an undisturbed collection" "$EXHIBIT" collect --case "$C" \
    --weights "$T/src"
verify_new
check "the ledger opens" "$EXHIBIT" custody log --case "$C" -o "$T/log.end"
how="at the end"
for x in "${sealed[@]}"; do
	[ "$(state_of "$x" "$T/log.end")" = sealed ] ||
	    fail "$x was sealed and is no longer"
done
echo "points $points (by time $((points - by_call)), by call $by_call), seed" \
    "$seed, whole run $((whole / 1000)) ms"
echo "killed $killed: before a number was taken $((none)), before the seal" \
    "$before, while sealing $while_sealing, after the seal $after;" \
    "finished first: $finished"
echo "hot journals $hot, bundles verified $nverified"
[ "$by_time_killed" -gt 0 ] || fail "no kill by time hit a running process"
[ "$before" -gt 0 ] || fail "no kill hit before the seal"
if [ "$by_call" -gt 0 ]; then
	[ "$killed" -gt "$by_time_killed" ] || fail "no kill by call hit"
	[ "$while_sealing" -gt 0 ] || fail "no kill hit while sealing"
	[ "$after" -gt 0 ] || fail "no kill hit after the seal"
fi
finish
