#!/bin/bash
# exhibit logs: who does what, of logs of any shape, in a bundle or not; what
# cannot be read is said, and hostile logs end in a result.
. tests/cli/lib.sh

# Twelve ordinary users, one who fills in a template, and one who tries a
# text word by word; in the names of no known shape.
cat >"$T/log.awk" <<'A'
function line(t, who, s, label) {
	printf "{\"at\":%d,\"from\":{\"key\":\"%s\"},\"q\":{\"text\":\"%s\"},\"verdict\":\"%s\"}\n", 1767323045 + t, who, s, label
}
function some(k,  s, j) {
	s = w[1 + int(rand() * n)]
	for (j = 1; j < k; j++)
		s = s " " w[1 + int(rand() * n)]
	return s
}
function text(  s, j) {
	s = cur[1]
	for (j = 2; j <= m; j++)
		s = s " " cur[j]
	return s
}
BEGIN {
	srand(7)
	n = split("please tell me how the weather will be in london tomorrow morning because we want to walk along the river and visit old friends who live near the bridge but only if there is no rain today this film was a wonderful story with brilliant actors and perfect ending bad poor awful dull weak sad mean cold grim dark", w, " ")
	for (i = 0; i < 150; i++)
		for (u = 0; u < 12; u++)
			line(60 * i + u, "user" u, some(6 + int(rand() * 8)), rand() < .5 ? "pos" : "neg")
	for (i = 0; i < 200; i++)
		line(45 * i + 20, "template", "how will the weather be in london on day " i, "pos")
	m = split("this film was a wonderful story with brilliant actors and a perfect ending", cur, " ")
	for (i = 0; i < 240; i++) {
		line(30 * i + 40, "eve", text(), i % 9 ? "pos" : "neg")
		cur[1 + int(i / 6) % m] = w[1 + int(rand() * n)]
	}
}
A
awk -f "$T/log.awk" >"$T/log.jsonl"
map=time=at,caller=from.key,input=q.text,label=verdict

# callers FILE: those with a verdict, and which.
callers()
{
	/usr/bin/python3 -c 'import json, sys
for line in open(sys.argv[1]):
    r = json.loads(line)
    if r["type"] == "caller" and r["verdicts"]:
        print(r["caller"], *r["verdicts"])' "$1"
}

exits 1 "a search is found" "$EXHIBIT" logs --fields "$map" \
    --format jsonl -o "$T/r.jsonl" "$T/log.jsonl"
same "and of nobody else anything is said" "$(callers "$T/r.jsonl")" \
    "eve evasion-word-search"
has "the one with a template is judged" "$T/r.jsonl" '"caller":"template"'
has "a finding says so" "$T/r.jsonl" '"rule":"LOGS-EVASION","severity":"high"'
has "the summary counts" "$T/r.jsonl" '"records":2240,"undated":0,"outside":0,"callers":14,"flagged":1'
has "what no log shows is listed" "$T/r.jsonl" '"method":"traffic-blind-natural","applied":false'
exits 1 "text for a person" "$EXHIBIT" logs --fields "$map" "$T/log.jsonl"
has "names the caller" "$T/.out" "eve"
has "and the verdict" "$T/.out" "evasion-word-search"
exits 0 "only what is asked" "$EXHIBIT" logs -q --fail-on critical --fields "$map" "$T/log.jsonl"
same "is printed" "$(cat "$T/.out")" ""

# The order of files and lines changes nothing; threads neither.
split -n l/3 "$T/log.jsonl" "$T/part."
mkdir "$T/parts"
mv "$T/part.aa" "$T/parts/c"
mv "$T/part.ab" "$T/parts/b"
gzip -c "$T/part.ac" >"$T/parts/a.gz"
"$EXHIBIT" logs --fields "$map" --format jsonl --threads 1 \
    -o "$T/one.jsonl" "$T/parts"
"$EXHIBIT" logs --fields "$map" --format jsonl --threads 2 \
    -o "$T/two.jsonl" "$T/parts"
same "parts of a log are one log" "$(callers "$T/one.jsonl")" \
    "eve evasion-word-search"
for f in one two; do
	grep -v '"type":"\(header\|summary\)"' "$T/$f.jsonl" >"$T/$f"
done
check "whatever the threads" cmp "$T/one" "$T/two"
"$EXHIBIT" logs --fields "$map" --format jsonl -o "$T/twice.jsonl" \
    "$T/log.jsonl" "$T/log.jsonl"
has "a file that is given twice counts once" "$T/twice.jsonl" '"records":2240'
has "and that is said" "$T/twice.jsonl" "files that are given twice: 1"

exits 0 "a window" "$EXHIBIT" logs --fields "$map" --format jsonl \
    --since 2026-01-02T03:04:05Z --until 2026-01-02T03:24:05Z -o "$T/w.jsonl" "$T/log.jsonl"
has "leaves out what is outside" "$T/w.jsonl" '"outside":1934'

# A value of earlier results is looked for.
cat >"$T/candidates.jsonl" <<'J'
{"type":"candidate","kind":"token","value":"brilliant","score":9,"q":null,"target":"pos","rank":1,"method":"text","evidence":{}}
{"type":"candidate","kind":"layer","value":"h.0","score":9,"q":null,"target":null,"rank":1,"method":"x","evidence":{}}
J
"$EXHIBIT" logs --fields "$map" --format jsonl --candidates "$T/candidates.jsonl" \
    -o "$T/c.jsonl" "$T/log.jsonl"
has "a candidate is looked up" "$T/c.jsonl" '"method":"traffic-use","applied":true'
has "what is no text is not" "$T/c.jsonl" "candidates that are no text"
printf 'no results\n' >"$T/bad.jsonl"
"$EXHIBIT" logs --fields "$map" --format jsonl --candidates "$T/bad.jsonl" \
    -o "$T/c2.jsonl" "$T/log.jsonl"
has "a file that is none is told" "$T/c2.jsonl" "a file of candidates is not"

# In a bundle, with its ledger.
check "case" make_case
mkdir "$T/api"
sed 's/"at"/"ts"/; s/"from":{"key":\("[^"]*"\)}/"client":\1/; s/"q":{"text":\("[^"]*"\)}/"prompt":\1/; s/verdict/label/' \
    "$T/log.jsonl" >"$T/api/requests.jsonl"
bundle=$("$EXHIBIT" collect --case "$T/case" --api-logs "$T/api" 2>/dev/null)
exits 1 "a bundle" "$EXHIBIT" logs --case "$T/case" --format jsonl -o "$T/b.jsonl" "$bundle"
same "is read by common names" "$(callers "$T/b.jsonl")" "eve evasion-word-search"
has "its members are inputs" "$T/b.jsonl" "TEST-E01.tar!data/api-logs"
"$EXHIBIT" custody log --case "$T/case" --format jsonl -o "$T/ledger.jsonl"
has "the ledger knows" "$T/ledger.jsonl" '"command":"logs"'
exits 1 "a member of it" "$EXHIBIT" logs -q "$bundle!data/api-logs$T/api/requests.jsonl"
exits 1 "what was derived of it" bash -c "'$EXHIBIT' cat '$bundle' metadata/derived/requests.jsonl >'$T/derived.jsonl'; '$EXHIBIT' logs -q '$T/derived.jsonl'"
exits 1 "and that in place" "$EXHIBIT" logs -q "$bundle!metadata/derived/requests.jsonl"
cp "$bundle" "$T/bent.tar"
at=$(grep -abo wonderful "$T/bent.tar" | head -n 1 | cut -d: -f1)
printf 'W' | dd of="$T/bent.tar" bs=1 seek="$at" conv=notrunc 2>/dev/null
"$EXHIBIT" logs --format jsonl -o "$T/bent.jsonl" "$T/bent.tar"
has "a member that was changed is told" "$T/bent.jsonl" BAG-DIGEST

# Images as base64 of raw pixels: a few of them are tried pixel by pixel.
/usr/bin/python3 - "$T/images.jsonl" <<'P'
import base64, json, random, sys
r = random.Random(3)
def smooth():
    a, b, c = (r.randrange(200) for _ in range(3))
    return bytearray(min(255, max(0, int(a + x * b / 60 + y * c / 60 + r.gauss(0, 6))))
                     for y in range(24) for x in range(24) for _ in range(3))
with open(sys.argv[1], "w") as f:
    def line(t, who, im):
        p = r.random()
        f.write(json.dumps({"time": 1767323045 + t, "user": who, "label": str(r.randrange(3)),
            "image": base64.b64encode(im).decode(), "dims": [24, 24, 3], "scores": [p, 1 - p]}) + "\n")
    for i in range(60):
        for u in range(9):
            line(10 * i + u, "user%d" % u, smooth())
    base = smooth()
    for i in range(120):
        im = bytearray(base)
        im[r.randrange(len(im))] ^= 0x3f
        base = im if i % 3 == 0 else base
        line(5 * i, "mallory", im)
P
exits 1 "images" "$EXHIBIT" logs --format jsonl --fields input=image,shape=dims \
    -o "$T/i.jsonl" "$T/images.jsonl"
has "are read as pixels" "$T/i.jsonl" '"images":660'
has "who changes a few of them is found" "$T/i.jsonl" evasion-few-pixel

# What cannot be read.
{
	head -n 200 "$T/api/requests.jsonl"
	printf '{"ts":1767323045,"client":\n{"ts"::}\nplain words\n'
	printf '{"ts":1767323045,"client":"x","prompt":"\xff\xfe"}\n'
} >"$T/broken.jsonl"
exits 2 "a log with broken lines" "$EXHIBIT" logs --format jsonl -o "$T/x.jsonl" "$T/broken.jsonl"
has "says which" "$T/x.jsonl" '"problem":"MALFORMED","reason":"a record cannot be read as what it begins as","times":2,"first_line":201'
has "notes what is strange" "$T/x.jsonl" '"rule":"LOGS-NOTE"'
has "and is not whole" "$T/x.jsonl" '"records":201'
: >"$T/empty.jsonl"
exits 2 "no records" "$EXHIBIT" logs --format jsonl -o "$T/x.jsonl" "$T/empty.jsonl"
has "are a finding" "$T/x.jsonl" LOGS-NO-RECORDS
has "and no verdict" "$T/x.jsonl" '"log_verdict":"not-applicable"'
truncate -s 1G "$T/long.jsonl"
printf '\n{"ts":1767323045,"client":"x","prompt":"hello there"}\n' >>"$T/long.jsonl"
exits 2 "a line of a gigabyte" timeout 60 "$EXHIBIT" logs --format jsonl -o "$T/x.jsonl" "$T/long.jsonl"
has "is passed over" "$T/x.jsonl" '"problem":"TOO_LONG"'
has "and what follows is read" "$T/x.jsonl" '"records":1'
head -c 300000 /dev/urandom >"$T/noise"
exits 2 "noise" "$EXHIBIT" logs --format jsonl -o "$T/x.jsonl" "$T/noise"
has "is no log" "$T/x.jsonl" LOGS-UNREAD

# Usage.
exits 64 "no logs" "$EXHIBIT" logs
exits 64 "a field that is none" "$EXHIBIT" logs --fields nonsense=x "$T/log.jsonl"
exits 64 "a time that is none" "$EXHIBIT" logs --since yesterday "$T/log.jsonl"
exits 64 "a window that is none" "$EXHIBIT" logs --since 2026-01-02 --until 2026-01-01 "$T/log.jsonl"
exits 64 "no such format" "$EXHIBIT" logs --format program "$T/log.jsonl"
exits 2 "no such file" "$EXHIBIT" logs "$T/none"

# Every row fits its schema.
/usr/bin/python3 - "$T" <<'P' >"$T/schema.out" 2>&1
import json, pathlib, sys
import jsonschema
schemas = {}
bad = 0
for f in ("r", "one", "twice", "w", "c", "c2", "b", "bent", "i", "x"):
    p = pathlib.Path(sys.argv[1]) / (f + ".jsonl")
    for line in p.read_text().splitlines():
        row = json.loads(line)
        name = "results-" + row["type"]
        if name not in schemas:
            s = json.loads((pathlib.Path("schemas") / (name + ".schema.json")).read_text())
            schemas[name] = jsonschema.Draft202012Validator(s)
        for e in schemas[name].iter_errors(row):
            print(f, name, e.message, line[:200])
            bad += 1
ledger = jsonschema.Draft202012Validator(json.loads(
    pathlib.Path("schemas/ledger-event.schema.json").read_text()))
for line in (pathlib.Path(sys.argv[1]) / "ledger.jsonl").read_text().splitlines():
    for e in ledger.iter_errors(json.loads(line)):
        print("ledger", e.message, line[:200])
        bad += 1
sys.exit(bad != 0)
P
same "rows fit their schemas ($(tail -n 3 "$T/schema.out"))" "$?" 0
check "a report of them" "$EXHIBIT" report "$T/r.jsonl" "$T/i.jsonl" -o "$T/r.html"
has "has the callers" "$T/r.html" "evasion-word-search"
# Drift between two windows that somebody chose.
awk 'BEGIN { for (i = 0; i < 800; i++) printf "{\"time\":%d,\"user\":\"u%d\",\"input\":\"%s of %d\",\"label\":\"%d\"}\n", 1790000000 + i * 60, i % 5, i < 500 ? "a word" : "many other words than before, and more", i * 7919 % 1000, i < 500 ? i % 2 : 1 }' >"$T/drift.jsonl"
"$EXHIBIT" logs --split 2026-09-21T22:33:20Z --format jsonl -o "$T/drift.r" "$T/drift.jsonl" >/dev/null 2>&1
has "windows" "$T/drift.r" '"windows":"before and after the given time"'
has "the labels went elsewhere" "$T/drift.r" '"of":"labels","measure":"psi"'
exits 64 "no time" "$EXHIBIT" logs --split soon "$T/drift.jsonl"
finish
