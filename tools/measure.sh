#!/bin/bash
# How often triggers and callers are found, and how often nothing is: sets made
# here by tests/triggers, read by the program as anybody would.  First
# argument: the seed (1); second: a folder of more corpora as TSV (sentence,
# label), used as they are and never kept.  Takes an hour; MEASURE="text log"
# does a part.  Needs Debian's python3-numpy and python3-sklearn.
set -u
BUILD=${BUILD:-build}
seed=${1:-1}
sets=$BUILD/sets/$seed
mkdir -p "$sets"
for family in ${MEASURE:-text prompt image log}; do
	dir=$sets/$family
	echo "== $family, seed $seed"
	case $family in
	text)
		[ -d "$dir" ] || /usr/bin/python3 tests/triggers/text_sets.py "$dir" \
		    --seed "$seed" ${2:+--folder "$2"} || exit 1
		;;
	prompt)
		[ -d "$dir" ] || /usr/bin/python3 tests/triggers/prompt_sets.py "$dir" \
		    --family "$(printf %b "\\$(printf %o $((64 + seed)))")" || exit 1
		;;
	image)
		[ -d "$dir" ] || /usr/bin/python3 tests/triggers/image_sets.py "$dir" \
		    --family "$(printf %b "\\$(printf %o $((64 + seed)))")" || exit 1
		;;
	log)
		[ -d "$dir" ] || /usr/bin/python3 tests/triggers/log_sets.py "$dir" \
		    "$seed" || exit 1
		/usr/bin/python3 tests/triggers/log_measure.py "$BUILD/exhibit" "$dir"
		continue
		;;
	esac
	/usr/bin/python3 tests/triggers/measure.py --exhibit "$BUILD/exhibit" "$dir"
done
