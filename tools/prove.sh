#!/bin/bash
# Discharge every goal of the proved files with Frama-C's WP plug-in, run-time
# errors (wrapping of unsigned numbers included) among them.
#
#   tools/prove.sh            the proof
#   tools/prove.sh --smoke    and look for contracts that contradict themselves
#
# What is proved is what is compiled.  Exits 0 only when every goal of every
# file is discharged, every function of the file had goals, there are at least
# as many goals as the floor says, nothing in the sources switches a check
# off, and a broken copy of a file is NOT proved.  2: a program is missing.
set -u

# File, and the least number of goals: a proof of nothing must not pass.
FILES='base/ckd.h 38
base/cursor.c 600
base/text_printable.c 430
base/frame_check.c 60
custody/tarhdr.c 500'

TIMEOUT=${PROVE_TIMEOUT:-60}
smoke=
[ "${1:-}" = --smoke ] && smoke='-wp-smoke-tests -wp-smoke-timeout 5'

for p in frama-c why3 z3; do
	command -v "$p" >/dev/null 2>&1 || {
		echo "prove: $p is missing; apt-get install" \
		    "--no-install-recommends frama-c-base why3 z3" >&2
		exit 2
	}
done

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

# The prover's own choice of tactics loses itself in the memory model's
# axioms; without it the slowest goal takes seconds.  Fixed seeds: the same
# proof on every machine.
z3=$(command -v z3)
tactics='sat.random_seed=42 nlsat.randomize=false smt.random_seed=42'
tactics="$tactics smt.auto_config=false"
version=$(z3 --version | sed -n 's/^Z3 version \([0-9.]*\).*/\1/p')
cat >"$tmp/why3.conf" <<EOF
[main]
magic = 14
memlimit = 2000
running_provers_max = 2
timelimit = $TIMEOUT

[prover]
name = "Z3"
version = "$version"
alternative = ""
command = "$z3 -smt2 -T:%t $tactics -st %f"
driver = "z3_471"
editor = ""
in_place = false
interactive = false

[shortcut]
name = "Z3"
version = "$version"
alternative = ""
shortcut = "z3"
EOF
export WHY3CONFIG="$tmp/why3.conf"

# wp FILE SECONDS: its whole output.
wp()
{
	# shellcheck disable=SC2086 # a list of options
	frama-c -c11 -cpp-extra-args=-I. -wp -wp-rte -warn-unsigned-overflow \
	    -wp-prover z3 -wp-timeout "$2" -wp-par 2 -wp-cache none \
	    $smoke "$1" 2>&1
}

# Goals and how many of them are discharged, from the output of wp.
counts()
{
	sed -n 's/^\[wp\] Proved goals: *\([0-9]*\) \/ \([0-9]*\).*/\2 \1/p'
}

# The names of the functions that a file defines (house style: the name
# begins a line, the type stands before it).
functions()
{
	sed -n 's/^\([a-z_][a-z0-9_]*\)(.*/\1/p' "$1" | sort -u
}

bad=0
fail()
{
	echo "prove: $1"
	bad=1
}

# What is assumed instead of proved, and what would make the prover see
# another body than the compiler.
while read -r file _; do
	echo "$file"
done <<<"$FILES" >"$tmp/files"
printf '%s\n' base/cursor.h base/text.h base/frame.h custody/tarhdr.h \
    base/limits.h >>"$tmp/files"
xargs grep -nE '\<(admit|axiomatic|axiom|lemma|__FRAMAC__)\>|wp-skip' \
    <"$tmp/files" && fail "a proof must not rest on this"

total=0 total_done=0 total_s=0
while read -r file floor; do
	loops=$(grep -cE '^[[:space:]]+(for|while) \(' "$file")
	variants=$(grep -c '@ loop variant ' "$file")
	[ "$loops" = "$variants" ] ||
	    fail "$file: $loops loops, $variants of them with a variant"
	unit=$file
	if [ "${file%.h}" != "$file" ]; then
		unit=$tmp/header.c
		echo "#include \"$file\"" >"$unit"
	fi
	start=$SECONDS
	wp "$unit" "$TIMEOUT" >"$tmp/log"
	s=$((SECONDS - start))
	line=$(counts <"$tmp/log")
	read -r n discharged <<<"${line:-0 0}"
	echo "$file: goals $n, discharged $discharged, seconds $s"
	if [ "$n" -ne "$discharged" ] || [ "$n" -lt "$floor" ]; then
		fail "$file: not proved (at least $floor goals are expected)"
	fi
	for f in $(functions "$file"); do
		grep -qE "Goal typed_${f}_[a-z].*: (Valid|Passed)" "$tmp/log" ||
		    fail "$file: $f has no goal"
	done
	grep -E 'Goal .*: ' "$tmp/log" | grep -vE ': (Valid|Passed)'
	grep -E -A3 'rror:|Warning' "$tmp/log" && fail "$file: see above"
	total=$((total + n))
	total_done=$((total_done + discharged))
	total_s=$((total_s + s))
done <<<"$FILES"

# A gate that says yes one byte too early must not be provable.
sed 's/n - off < FRAME_FIELD)/n - off < FRAME_FIELD - 1)/' \
    base/frame_check.c >"$tmp/broken.c"
cmp -s base/frame_check.c "$tmp/broken.c" && fail "nothing was broken"
smoke=
line=$(wp "$tmp/broken.c" 5 | counts)
read -r n discharged <<<"${line:-0 0}"
echo "broken copy of base/frame_check.c: goals $n, discharged $discharged"
[ "$n" -gt "$discharged" ] || fail "a wrong function was proved"

echo "prove: goals $total, discharged $total_done, seconds $total_s"
[ "$bad" -eq 0 ]
