#!/bin/bash
# Fuzz each target for FUZZ_SECONDS: first argument the folder of the
# targets, then their names.
set -u
dir=$1
shift
bad=0
for n in "$@"; do
	corpus=tests/fuzz/corpus/${n#fuzz_}
	work=$dir/corpus-$n
	mkdir -p "$work"
	dict=
	[ -f "tests/fuzz/${n#fuzz_}.dict" ] && dict=-dict=tests/fuzz/${n#fuzz_}.dict
	seeds=
	[ -d "$corpus" ] && seeds=$corpus
	# shellcheck disable=SC2086 # empty when there is none
	if "$dir/$n" -max_total_time="${FUZZ_SECONDS:-60}" -rss_limit_mb=4096 \
	    -timeout=20 -max_len=65536 -print_final_stats=1 $dict \
	    -artifact_prefix="$dir/crash-$n-" "$work" $seeds >"$dir/$n.log" 2>&1; then
		printf 'ok    %-24s %s\n' "$n" \
		    "$(grep -a 'stat::number_of_executed_units' "$dir/$n.log")"
	else
		printf 'FAIL  %-24s\n' "$n"
		tail -n 20 "$dir/$n.log"
		bad=$((bad + 1))
	fi
done
echo "fuzz: $# targets, $bad with findings"
[ "$bad" -eq 0 ]
