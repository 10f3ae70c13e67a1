#!/bin/bash
# Plans: what the schema takes the tool takes, the dry run touches nothing,
# a proposal is a plan, flags win and that is recorded, scope and rate hold.
. tests/cli/lib.sh
check "case" make_case
make_tree
rm "$T/src/fifo"
for f in schemas/examples/plan/valid/*.json; do
	# What the plan names is not here; the plan itself is fine.
	exits 2 "taken: $f" "$EXHIBIT" collect --dry-run "$f"
	same "looked for: $f" "$(tail -n 1 "$T/.out" | cut -d: -f1)" "in all"
done
for f in schemas/examples/plan/invalid/*.json; do
	exits 64 "refused: $f" "$EXHIBIT" collect --dry-run "$f"
	check "with its place: $f" grep -qE "json:[0-9]+:[0-9]+: " "$T/.err"
done
printf 'souces: []\n' >"$T/p.yaml"
exits 64 "an unknown key" "$EXHIBIT" collect --dry-run "$T/p.yaml"
exits 64 "neither plan nor source" "$EXHIBIT" collect --case "$T/case"
exits 64 "two plans" "$EXHIBIT" collect --case "$T/case" a b
exits 2 "a plan that is not there" "$EXHIBIT" collect --dry-run "$T/none"

# The dry run counts what the collection takes, without a key or a case.
member()
{
	tar -xOf "$1" "$(tar -tf "$1" | grep "/$2\$")"
}
field()
{
	/usr/bin/python3 -c 'import json, sys
v = json.load(sys.stdin)
for k in sys.argv[1:]:
    v = v[int(k) if k.isdigit() else k]
print(json.dumps(v, separators=(",", ":")))' "$@"
}
"$EXHIBIT" collect --dry-run --weights "$T/src" --exclude '*.bin' \
    --format jsonl >"$T/dry.jsonl"
same "a dry run is clean" "$?" 0
"$EXHIBIT" collect --dry-run --weights "$T/src" --format json |
    field 1 type >"$T/dry.out"
same "in one array" "$(cat "$T/dry.out")" '"summary"'
/usr/bin/python3 - "$T/dry.jsonl" <<'P' >"$T/schema.out" 2>&1
import json, sys
import jsonschema
v = jsonschema.Draft202012Validator(json.load(open("schemas/plan-survey.schema.json")))
rows = [json.loads(l) for l in open(sys.argv[1])]
assert [r["type"] for r in rows] == ["source", "summary"], rows
for r in rows:
    v.validate(r)
P
same "rows fit their schema ($(tail -n 1 "$T/schema.out"))" "$?" 0
same "nothing was written" "$(ls -A "$T/case/bundles")" ""

# A plan, with flags that win.
echo '{"a":1}' >"$T/slice.jsonl"
cat >"$T/plan.yaml" <<Y
case: TEST
exhibit: server 12
authority: order 4711
purpose: of the plan
examiner: Test Examiner
scope:
  exclude: ["*.bin"]
limits: {rate: 900M, nice: 5}
sources:
- {class: weights, path: "$T/src"}
- {class: training, path: "$T/slice.jsonl", slice: "rows=0..1"}
Y
b=$("$EXHIBIT" collect --case "$T/case" "$T/plan.yaml" --purpose 'of the flag' \
    --exclude 'a=b' --api-logs "$T/src/hard" --since 2026-01-01 2>"$T/err")
same "collect by plan" "$?" 0
check "verified" "$EXHIBIT" verify --case "$T/case" "$b"
member "$b" metadata/plan.yaml >"$T/plan.out"
check "the plan's bytes" cmp "$T/plan.out" "$T/plan.yaml"
member "$b" metadata/acquisition.json >"$T/acq"
same "its digest" "$(field plan sha256 <"$T/acq")" \
    "\"$(sha256sum <"$T/plan.yaml" | cut -d' ' -f1)\""
same "the flag won" "$(field purpose <"$T/acq")" '"of the flag"'
same "and that is said" "$(field plan replaced_by_flags <"$T/acq")" '["purpose"]'
same "so is what was added" "$(field plan added_by_flags <"$T/acq")" \
    '["sources","scope.exclude"]'
same "authority" "$(field authority <"$T/acq")" '"order 4711"'
same "exhibit" "$(field exhibit <"$T/acq")" '"server 12"'
same "scope" "$(field scope exclude <"$T/acq")" '["*.bin","a=b"]'
same "rate" "$(field limits rate <"$T/acq")" 943718400
same "nice" "$(field limits nice <"$T/acq")" 5
same "slice" "$(field sources 1 slice <"$T/acq")" '"rows=0..1"'
same "since" "$(field sources 2 since <"$T/acq")" '"2026-01-01T00:00:00.000000000Z"'
same "no model was taken" "$(tar -tf "$b" | grep -c 'model\.bin')" 0
member "$b" metadata/completion.json >"$T/done"
same "coverage" "$(field coverage asked 0 visited <"$T/done")" true
same "excluded" "$(field coverage excluded <"$T/done")" 3
n=$(LC_ALL=C find "$T/src" ! -name '*.bin' ! -name 'a=b' -printf x | wc -c)
same "objects" "$(field coverage asked 0 objects <"$T/done")" $((n + 3))

# The wrong case, the wrong examiner.
sed 's/case: TEST/case: OTHER/' "$T/plan.yaml" >"$T/p2.yaml"
exits 64 "another case's plan" "$EXHIBIT" collect --case "$T/case" "$T/p2.yaml"
sed 's/Test Examiner/Somebody/' "$T/plan.yaml" >"$T/p2.yaml"
exits 64 "another examiner's" "$EXHIBIT" collect --case "$T/case" "$T/p2.yaml"
same "no number was taken" "$("$EXHIBIT" custody log --case "$T/case" \
    --format jsonl | grep -c '"acquire"')" 1

# A proposal is a plan that can be followed.
mkdir -p "$T/host/mlruns/0" "$T/host/data"
echo x >"$T/host/mlruns/0/meta.yaml"
echo x >"$T/host/data/train.parquet"
echo x >"$T/host/$(printf 'm\377.safetensors')"
"$EXHIBIT" collect --discover "$T/host" -o "$T/found.yaml"
same "discover" "$?" 0
b=$("$EXHIBIT" collect --case "$T/case" "$T/found.yaml" 2>"$T/err")
same "its proposal is collected" "$?" 0
same "three sources" "$(member "$b" metadata/completion.json |
    field coverage sources)" 3
same "of their classes" "$(tar -tf "$b" | grep /data/ | grep -v keep |
    cut -d/ -f3 | sort | tr '\n' ' ')" "registry training weights "
mkdir "$T/bare"
exits 2 "nothing found" "$EXHIBIT" collect --discover "$T/bare"

# A rate holds: 1 MiB at 2 MiB a second, read twice.
head -c 1048576 /dev/urandom >"$T/rate"
from=$(date +%s%N)
b=$("$EXHIBIT" collect --case "$T/case" --weights "$T/rate" --double-read \
    --limit-rate 2M 2>"$T/err")
took=$((($(date +%s%N) - from) / 1000000))
checks=$((checks + 1))
if [ "$took" -lt 800 ]; then
	echo "FAILED: 2 MiB at 2 MiB a second took $took ms"
	failures=$((failures + 1))
fi
for flag in '--limit-rate 0' '--limit-rate fast' '--nice 20' '--nice -1' \
    '--since yesterday' '--follow-mounts some' '--max-bytes 0' \
    '--one-file-system --follow-mounts all' '--exclude [a'; do
	# shellcheck disable=SC2086 # words
	exits 64 "$flag" "$EXHIBIT" collect --dry-run --weights "$T/src" $flag
done
exits 64 "an unknown kind" "$EXHIBIT" collect --dry-run --registry pip:/x
exits 0 "a kind" "$EXHIBIT" collect --dry-run --registry "mlflow:$T/host/mlruns"
exits 0 "a slice" "$EXHIBIT" collect --dry-run --training "$T/src/empty:rows=0..1"
same "its path" "$(cut -d: -f1 "$T/.out" | head -n 1)" "training a slice of $T/src/empty"
exits 0 "exhibit-collect --dry-run" "$COLLECT" --dry-run --weights "$T/src"
exits 2 "a limit of bytes" "$EXHIBIT" collect --dry-run --weights "$T/src" \
    --max-bytes 10
finish
