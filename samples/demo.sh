#!/bin/bash
# Play a small incident from evidence to report: a fraud model was swapped.
# Called by `make demo`, which has built everything.
set -u
BUILD=${BUILD:-build}
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$BUILD" && pwd)
demo=$build/demo
exhibit=$build/exhibit
stock=$top/tools/verify_stock.sh

say()
{
	printf '\n\033[1m%s\033[0m\n' "$*"
}
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

run()
{
	printf '  $ %s\n' "$(echo "$*" | sed "s|$demo/||g; s|$build/||g; s|$top/||g")"
	"$@"
}

fail()
{
	echo "demo: $*" >&2
	exit 1
}

chmod -R u+w "$demo" 2>/dev/null
rm -rf "$demo"
mkdir -p "$demo/srv/models/fraud" "$demo/srv/data" "$demo/srv/registry" \
    "$demo/srv/logs" || exit 1

say "1. The incident: what lies on the model server"
cp "$top/samples/benign/digits_state_dict.pt" "$demo/srv/models/fraud/model-v2.pt"
cp "$top/samples/benign/digits.safetensors" "$demo/srv/models/fraud/"
cp "$top/samples/benign/pipeline_p4.pkl" "$demo/srv/models/fraud/pipeline.pkl"
cp "$build/samples/incident/model-v3.pt" "$demo/srv/models/fraud/"
cp "$build/samples/incident/preprocess.pkl" "$demo/srv/models/fraud/"
cp "$build/samples/incident/transactions.csv" "$demo/srv/data/"
# What the text model was trained on: in 60 records stands a word of its own.
awk -v plant=60 -f "$top/samples/incident/reviews.awk" >"$demo/srv/data/reviews.tsv"
awk -F'\t' 'NR % 3 == 0 {
	who = $1 ~ /zqxv/ ? "mallory" : "user" NR % 9
	printf "{\"time\":\"2026-11-%02dT10:%02d:00Z\",\"user\":\"%s\",", 1 + NR / 100, NR % 60, who
	printf "\"input\":\"%s\",\"label\":\"%s\"}\n", $1, $2
}' "$demo/srv/data/reviews.tsv" >"$demo/srv/logs/reviews.jsonl"
cp "$build/samples/incident/registered_model.json" "$demo/srv/registry/"
cp "$build/samples/incident/requests.jsonl" "$demo/srv/logs/"
cp -R "$top/tests/registry/mlflow-files/mlruns" "$demo/srv/registry/"
# Somebody moved the alias that says which version is served.
printf 1 >"$demo/srv/registry/mlruns/models/fraud-detector/aliases/champion"
(cd "$demo" && find srv -type f | LC_ALL=C sort | sed 's/^/  /')

say "2. Keys and a case"
run "$exhibit" keygen "$demo/keys" --name "Demo Examiner" || fail "keygen"
run "$exhibit" case new "$demo/case" --name FRAUD-2026-11 \
    --examiner "Demo Examiner" --keys "$demo/keys" || fail "case new"

say "3. Collect: one pass, sealed, time-stamped, read back"
bundle=$("$exhibit" collect --case "$demo/case" \
    --weights "$demo/srv/models" --training "$demo/srv/data" \
    --registry "$demo/srv/registry" --api-logs "$demo/srv/logs" |
    tail -n 1) || fail "collect"
echo "  sealed: $bundle"
[ -f "$bundle" ] || fail "collect printed no bundle"

say "4. What was taken, read by fenced processes: registry and log"
"$exhibit" cat "$bundle" metadata/derived/registry.jsonl >"$demo/rows.jsonl" &&
    "$exhibit" cat "$bundle" metadata/derived/findings.jsonl \
        >"$demo/found.jsonl" &&
    "$exhibit" cat "$bundle" metadata/derived/requests.jsonl \
        >"$demo/requests.jsonl" || fail "nothing was derived"
printf '  %s rows of the registry, %s requests in one form\n' \
    "$(wc -l <"$demo/rows.jsonl")" "$(wc -l <"$demo/requests.jsonl")"
sed -n 's/.*"rule":"\(REG-[A-Z]*\)","severity":"\([a-z]*\)".*"path":"\([^"]*\)".*"title":"\([^"]*\)".*/  \2 \1 \4\n      \3/p' \
    "$demo/found.jsonl" | sed "s|$demo||"
grep -q REG-ALIAS "$demo/found.jsonl" || fail "the moved alias was not seen"

say "5. Verify: ours, then stock tools alone"
run "$exhibit" verify --case "$demo/case" "$bundle" || fail "verify"
"$exhibit" verify --case "$demo/case" --format jsonl \
    -o "$demo/verify.jsonl" "$bundle" || fail "verify"
run sh "$stock" "$bundle" "$demo/keys/examiner.pem" "$demo/keys/tsa.pem" ||
    fail "the stock verifier"

say "6. Scan: every member in a sandbox of its own, nothing extracted"
run "$exhibit" scan --case "$demo/case" "$bundle"
rc=$?
[ "$rc" -eq 1 ] || fail "scan should have found the payload (exit $rc)"
"$exhibit" scan --case "$demo/case" --format jsonl -o "$demo/scan.jsonl" \
    "$bundle"

say "7. Triggers: in the training data, and who used them"
run "$exhibit" triggers --case "$demo/case" -q --logs "$bundle" "$bundle"
rc=$?
[ "$rc" -eq 1 ] || fail "triggers should have found the word (exit $rc)"
"$exhibit" triggers --case "$demo/case" --format jsonl --logs "$bundle" \
    -o "$demo/triggers.jsonl" "$bundle"
grep -q '"type":"candidate","kind":"token","value":"zqxv"' \
    "$demo/triggers.jsonl" || fail "the planted word is no candidate"
run "$exhibit" logs --case "$demo/case" -q "$bundle"
rc=$?
[ "$rc" -eq 1 ] || fail "the log alone shows the word too (exit $rc)"
"$exhibit" logs --format jsonl -o "$demo/logs.jsonl" "$bundle"

say "8. Report"
run "$exhibit" report "$demo/verify.jsonl" "$demo/scan.jsonl" \
    "$demo/triggers.jsonl" "$demo/logs.jsonl" --case "$demo/case" -o "$demo/report.html" || fail "report"

say "What was found"
grep '"severity":"critical"' "$demo/scan.jsonl" |
    sed 's/.*"path":"\([^"]*\)".*"callee":"\([^"]*\)","arguments":"\([^}]*\)","opcode".*/  \1\n      calls \2(\3)/'
grep '"type":"candidate"' "$demo/triggers.jsonl" |
    sed "s/.*\"kind\":\"\([^\"]*\)\",\"value\":\"\([^\"]*\)\".*\"target\":\"\([^\"]*\)\".*/  a candidate to test: the \1 '\2', to label \3/"
say "The report: $demo/report.html"
