#!/bin/bash
# What a registry says is written down beside the bytes, and held against
# them.
. tests/cli/lib.sh
check "case" make_case
hub=$T/hub/models--acme--tiny
commit=2439f60ef33a0d46d85da5001d52aeda5b00ce9f
mkdir -p "$hub/blobs" "$hub/refs" "$hub/snapshots/$commit"
head -c 4096 /dev/zero | tr '\0' w >"$T/weights"
sha=$(sha256sum <"$T/weights" | cut -c1-64)
cp "$T/weights" "$hub/blobs/$sha"
ln -s "../../blobs/$sha" "$hub/snapshots/$commit/model.safetensors"
printf %s "$commit" >"$hub/refs/main"

# collect NAME: $T/NAME.jsonl has the rows, $T/NAME.found the findings.
take()
{
	"$EXHIBIT" collect --case "$T/case" --registry "$T/hub" >"$T/path" \
	    2>"$T/err" || return 1
	"$EXHIBIT" cat "$(cat "$T/path")" metadata/derived/registry.jsonl \
	    >"$T/$1.jsonl" || return 1
	"$EXHIBIT" cat "$(cat "$T/path")" metadata/derived/findings.jsonl \
	    >"$T/$1.found" 2>/dev/null
	"$EXHIBIT" verify -q --case "$T/case" "$(cat "$T/path")"
}
check "a cache is collected" take good
has "the branch is a row" "$T/good.jsonl" \
    "\"version\":\"$commit\",\"alias\":\"main\""
has "the blob agrees with its name" "$T/good.jsonl" \
    "\"recomputed\":\"$sha\",\"agrees\":true"
hasnt "nothing disagrees" "$T/good.found" REG-DIGEST
printf x | dd of="$hub/blobs/$sha" bs=1 seek=100 conv=notrunc 2>/dev/null
check "the same with one other byte" take bad
has "the blob does not agree" "$T/bad.jsonl" '"agrees":false'
has "that is a finding" "$T/bad.found" \
    '"rule":"REG-DIGEST","severity":"high"'
has "about the source's path" "$T/bad.found" "\"path\":\"$hub/blobs/$sha\""
/usr/bin/python3 - "$T" <<'P' >"$T/schema.out" 2>&1
import json, pathlib, sys
import jsonschema
t = pathlib.Path(sys.argv[1])
def check(name, text):
    s = json.loads(pathlib.Path("schemas", name + ".schema.json").read_text())
    v = jsonschema.Draft202012Validator(s)
    n = 0
    for line in text.splitlines():
        v.validate(json.loads(line)); n += 1
    assert n > 0, name
for name in ("good", "bad"):
    check("registry-row", (t / (name + ".jsonl")).read_text())
check("results-finding", (t / "bad.found").read_text())
P
same "rows fit their schemas ($(tail -n 2 "$T/schema.out"))" "$?" 0
# Other classes are read too: weights are fetched through such a cache.
check "as weights" "$EXHIBIT" collect --case "$T/case" --weights "$T/hub" \
    -o "$T/w.tar"
"$EXHIBIT" cat "$T/w.tar" metadata/derived/findings.jsonl >"$T/w.found"
has "weights are held against their registry" "$T/w.found" REG-DIGEST
# A stream cannot be read while it is written, and says so.
check "a stream" bash -c "'$EXHIBIT' collect --case '$T/case' \
    --registry '$T/hub' -o - >'$T/s.tar'"
"$EXHIBIT" cat "$T/s.tar" metadata/completion.json >"$T/s.json"
has "left to its reader" "$T/s.json" "it was a stream"
finish
