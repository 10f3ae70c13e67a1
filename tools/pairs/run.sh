#!/bin/bash
# Trains a set of pairs and scores build/exhibit on it (docs/DIFF.md,
# Measured).  Needs python3-torch and python3-numpy; takes about half an hour,
# and three gigabytes below PAIRS_DIR (build/pairs).
#
#	tools/pairs/run.sh [--set A|B|NAME] [--seed N] [--quick] [--half]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=${PAIRS_DIR:-build/pairs}
exhibit=${EXHIBIT:-build/exhibit}
python=${PYTHON:-/usr/bin/python3}
set=A
args=()
while [ $# -gt 0 ]; do
	case $1 in
	--set)
		set=$2
		shift 2
		;;
	--seed)
		args+=("$1" "$2")
		shift 2
		;;
	--quick | --half)
		args+=("$1")
		shift
		;;
	*)
		sed -n 's/^#\t/usage: /p' "$0" >&2
		exit 64
		;;
	esac
done
export OMP_NUM_THREADS=1
nice -n 15 "$python" "$here/generate.py" --root "$root" --set "$set" \
    "${args[@]}"
exec "$python" "$here/score.py" --root "$root" --set "$set" \
    --exhibit "$exhibit"
