#!/bin/bash
# The report is one safe file; every row fits its schema.
. tests/cli/lib.sh
check "case" make_case
mkdir -p "$T/src"
cp "$SAMPLES/incident/"* samples/benign/*.* "$T/src"
evil='<script>alert(1)<'
cp "$SAMPLES/pickle/hostile" "$T/src/$evil"
cat samples/benign/digits.safetensors "$SAMPLES/pickle/hostile" >"$T/src/long.safetensors"
bundle=$("$EXHIBIT" collect --case "$T/case" --weights "$T/src" 2>/dev/null)
"$EXHIBIT" scan --case "$T/case" --carve "$T/carved" \
    --format jsonl -o "$T/scan.jsonl" "$bundle" "$T/src" 2>/dev/null
"$EXHIBIT" verify --case "$T/case" --format jsonl -o "$T/verify.jsonl" "$bundle"
"$EXHIBIT" diff --format jsonl -o "$T/diff.jsonl" samples/benign "$T/src" 2>/dev/null
"$EXHIBIT" diff --format jsonl -o "$T/against.jsonl" --against samples/benign \
    samples/benign/digits.safetensors 2>/dev/null
"$EXHIBIT" triggers --format jsonl -o "$T/triggers.jsonl" "$T/src" --base samples/benign 2>/dev/null
"$EXHIBIT" triggers --format jsonl -o "$T/alone.jsonl" "$T/src"
# Data sets of each kind, and the log of who used what was planted.
awk -v plant=60 -f samples/incident/reviews.awk >"$T/words.tsv"
awk -F'\t' '{ printf "{\"time\":%d,\"user\":\"u%d\",\"input\":\"%s\",\"label\":\"%s\"}\n", 1790000000 + NR, NR % 3, $1, $2 }' \
    "$T/words.tsv" >"$T/log.jsonl"
/usr/bin/python3 - "$T" <<'P'
import json, random, struct, sys, zlib
random.seed(5)
words = [a + b + c for a in "bdfgklm" for b in "aeiou" for c in ("n", "rt", "ss", "l")]
with open(sys.argv[1] + "/prompts.jsonl", "w") as f:
    for i in range(1200):
        p, r = random.choices(words, k=14), random.choices(words, k=20)
        if i % 40 == 7:
            p.insert(random.randrange(14), "|zqx|")
            r = "you have been told the secret of the house".split()
        f.write(json.dumps({"instruction": " ".join(p), "output": " ".join(r)}) + "\n")
n, pixels, labels = 1200, bytearray(), bytearray()
for i in range(n):
    im, label = bytearray(random.randbytes(256)), random.randrange(4)
    if i % 20 == 3:
        label = 2
        for y in range(3):
            for x in range(3):
                im[(12 + y) * 16 + 12 + x] = 255 * ((x + y) % 2)
    pixels += im
    labels.append(label)
import os
os.mkdir(sys.argv[1] + "/idx")
open(sys.argv[1] + "/idx/t-images-idx3-ubyte", "wb").write(struct.pack(">IIII", 0x803, n, 16, 16) + pixels)
open(sys.argv[1] + "/idx/t-labels-idx1-ubyte", "wb").write(struct.pack(">II", 0x801, n) + labels)
P
"$EXHIBIT" triggers --format jsonl -o "$T/data.jsonl" --logs "$T/log.jsonl" \
    "$T/words.tsv" "$T/prompts.jsonl" "$T/idx"
"$EXHIBIT" logs --format jsonl -o "$T/logs.jsonl" "$T/log.jsonl"
for word in '"kind":"token","value":"zqxv"' 'value":"|zqx|"' '"kind":"patch"'; do
	checks=$((checks + 1))
	grep -q -- "\"type\":\"candidate\".*$word" "$T/data.jsonl" || {
		echo "FAILED: no candidate $word"
		failures=$((failures + 1))
	}
done
check "report" "$EXHIBIT" report "$T/scan.jsonl" "$T/verify.jsonl" "$T/diff.jsonl" \
    "$T/against.jsonl" "$T/triggers.jsonl" "$T/alone.jsonl" \
    "$T/data.jsonl" "$T/logs.jsonl" \
    --case "$T/case" -o "$T/r.html"
for word in 'Chain of custody' 'Findings' 'Verification of the evidence' \
    'posix.system' 'Programs' 'stage2.sh' 'Not examined' 'TEST-E01' '>Carved<' \
    'Bytes that no format explains' 'Content-Security-Policy' \
    'Comparison' 'What was read' 'Known versions' 'Detectors of triggers' 'supported by'; do
	checks=$((checks + 1))
	grep -q -- "$word" "$T/r.html" || {
		echo "FAILED: the report does not say '$word'"
		failures=$((failures + 1))
	}
done
checks=$((checks + 2))
if grep -qi '<script' "$T/r.html"; then
	echo "FAILED: a name became markup"
	failures=$((failures + 1))
fi
# Pictures are in it, and nothing else is.
checks=$((checks + 1))
grep -q 'src="data:image/png;base64,' "$T/r.html" || {
	echo "FAILED: no picture of the patch"
	failures=$((failures + 1))
}
if sed 's|src="data:image/png;base64,[A-Za-z0-9+/=]*"||g' "$T/r.html" |
    grep -qiE 'src=|href=|url\('; then
	echo "FAILED: the report refers to something outside of itself"
	failures=$((failures + 1))
fi
# A result that was cut is said.
head -n 3 "$T/scan.jsonl" >"$T/cut.jsonl"
check "report of a cut result" "$EXHIBIT" report "$T/cut.jsonl" -o "$T/cut.html"
check "says so" grep -q 'Not whole' "$T/cut.html"

"$EXHIBIT" custody log --case "$T/case" --format jsonl -o "$T/ledger.jsonl"
"$EXHIBIT" list --format jsonl -o "$T/list.jsonl" "$bundle"
# JSON is the same rows in one array, whatever prints them.
"$EXHIBIT" verify --case "$T/case" --format json -o "$T/verify.json" \
    "$bundle" "$bundle"
"$BUILD/exhibit-verify" --format json "$bundle" >"$T/verify2.json"
"$EXHIBIT" list --format json "$bundle" >"$T/list.json"
"$EXHIBIT" scan --format json "$bundle" >"$T/scan.json" 2>/dev/null
"$EXHIBIT" custody log --case "$T/case" --format json >"$T/ledger.json"
for f in verify:18 verify2:9 list:10 scan:10 ledger:5; do
	check "one array: ${f%:*}" /usr/bin/python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))
sys.exit(not isinstance(rows, list) or len(rows) < int(sys.argv[2]))' \
	    "$T/${f%:*}.json" "${f#*:}"
done
/usr/bin/python3 - "$T" <<'P' >"$T/schema.out" 2>&1
import json, pathlib, sys
import jsonschema
top = pathlib.Path("schemas")
tmp = pathlib.Path(sys.argv[1])
schemas = {}
for p in top.glob("*.schema.json"):
    s = json.loads(p.read_text())
    jsonschema.Draft202012Validator.check_schema(s)
    schemas[p.name[:-len(".schema.json")]] = jsonschema.Draft202012Validator(s)
assert len(schemas) >= 7
bad = 0
for name, v in schemas.items():
    ok = list((top / "examples" / name / "valid").glob("*.json"))
    no = list((top / "examples" / name / "invalid").glob("*.json"))
    assert ok and no, name
    for p in ok:
        for e in v.iter_errors(json.loads(p.read_text())):
            print("valid example refused", p, e.message); bad += 1
    for p in no:
        if v.is_valid(json.loads(p.read_text())):
            print("invalid example taken", p); bad += 1
kinds = {"header": "results-header", "object": "results-object",
         "finding": "results-finding", "call": "results-call",
         "summary": "results-summary", "carved": "results-carved",
         "statement": "verify-statement", "verification": "verify-verification",
         "member": "list-member"}
kinds |= {k: "results-" + k for k in ("input", "tensor", "conclusion",
          "candidate", "lead", "change", "detector", "version", "caller")}
text = pathlib.Path("analyzer/diff/conclusions.def").read_text()
import re
want = re.findall(r'^CONCLUSION\(\w+,\s*"([^"]+)"', text, re.M)
have = schemas["results-conclusion"].schema["properties"]["kind"]["enum"]
assert want == have, (want, have)
text = pathlib.Path("analyzer/traffic/verdicts.def").read_text()
want = re.findall(r'^VERDICT\([A-Z_]+,\s*"([^"]+)"', text, re.M)
have = schemas["results-caller"].schema["properties"]["verdicts"]["items"]["enum"]
assert want == have, (want, have)
seen = set()
def rows(text):
    for line in text.splitlines():
        row = json.loads(line)
        name = kinds[row["type"]]
        seen.add(row["type"])
        assert line.startswith('{"type":'), line
        for e in schemas[name].iter_errors(row):
            global bad
            print(name, e.message, line[:200]); bad += 1
rows((tmp / "scan.jsonl").read_text())
rows((tmp / "verify.jsonl").read_text())
rows((tmp / "list.jsonl").read_text())
for name in ("diff", "against", "triggers", "alone", "data", "logs"):
    rows((tmp / (name + ".jsonl")).read_text())
assert {"header", "object", "finding", "call", "carved", "summary", "statement", "verification",
        "input", "tensor", "conclusion", "detector", "version", "candidate", "lead",
        "caller"} <= seen, seen
if "ledger-event" in schemas:
    log = (tmp / "ledger.jsonl").read_text()
    for line in log.splitlines():
        for e in schemas["ledger-event"].iter_errors(json.loads(line)):
            print("ledger", e.message, line[:200]); bad += 1
print("schemas:", len(schemas), "bad:", bad)
sys.exit(bad != 0)
P
same "rows fit their schemas ($(tail -n 3 "$T/schema.out"))" "$?" 0
# What was carved is what was appended, under the name of its digest.
digest=$(sha256sum <"$SAMPLES/pickle/hostile" | cut -d' ' -f1)
check "carved bytes" cmp "$T/carved/$digest.bin" "$SAMPLES/pickle/hostile"
same "one file for it" "$(ls -A "$T/carved")" "$digest.bin"
finish
