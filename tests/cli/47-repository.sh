#!/bin/bash
# A folder of model files is examined as one object, on disk and in a bundle.
. tests/cli/lib.sh
check "case" make_case
R="$T/src/org/model é"
mkdir -p "$R/sub" "$T/src/other"
cp samples/benign/digits.safetensors "$R/model-00001-of-00002.safetensors"
cp samples/benign/digits.safetensors "$R/sub/model.safetensors"
printf '%s' '{"auto_map":{"AutoModel":"modeling_x.X"}}' >"$R/config.json"
printf 'import os\n' >"$R/modeling_x.py"
printf '%s' '{"weight_map":{"conv.weight":"model-00001-of-00002.safetensors",' \
    '"gone":"model-00002-of-00002.safetensors"}}' >"$R/model.safetensors.index.json"
printf '%s' '{"chat_template":"{{ messages }}"}' >"$R/tokenizer_config.json"
printf '%s' '{{ something_else }}' >"$R/chat_template.jinja"
printf 'no repository\n' >"$T/src/other/notes.txt"
ln -s ../model-00001-of-00002.safetensors "$R/sub/link.safetensors"

rows()
{
	grep -h '"rule":"REPO-' "$1" |
	    sed 's/.*"rule":"\([A-Z-]*\)".*"evidence":\({[^}]*}\).*/\1 \2/' | sort
}

"$EXHIBIT" scan --format jsonl "$T/src" >"$T/dir.jsonl" 2>/dev/null
bundle=$("$EXHIBIT" collect --case "$T/case" --weights "$T/src" 2>/dev/null)
"$EXHIBIT" scan --format jsonl "$bundle" >"$T/bundle.jsonl" 2>/dev/null
tar -C "$T/src" -cf "$T/plain.tar" org other
"$EXHIBIT" scan --format jsonl "$T/plain.tar" >"$T/tar.jsonl" 2>/dev/null
for rule in REPO-CODE REPO-SHARD-MISSING REPO-TEMPLATE-DIFFERS REPO-INDEX-DIFFERS; do
	same "$rule is said" "$(rows "$T/dir.jsonl" | grep -c "^$rule ")" \
	    "$(rows "$T/tar.jsonl" | grep -c "^$rule ")"
	check "$rule is there" grep -q "\"rule\":\"$rule\"" "$T/dir.jsonl"
done
same "a bundle shows what the folder shows" "$(rows "$T/bundle.jsonl")" \
    "$(rows "$T/dir.jsonl")"
same "a tar shows it too" "$(rows "$T/tar.jsonl")" "$(rows "$T/dir.jsonl")"
same "one repository" "$(grep -c '"format":"repository"' "$T/dir.jsonl")" 1
same "one repository in the bundle" \
    "$(grep -c '"format":"repository"' "$T/bundle.jsonl")" 1
check "its path is the folder" grep -q \
    '"path":"[^"]*/src/org/model é","depth":0,"sha256":null,"size":0,"format":"repository"' \
    "$T/dir.jsonl"
# One file that is given by itself is no repository.
"$EXHIBIT" scan --format jsonl "$R/config.json" >"$T/one.jsonl" 2>/dev/null
same "a file is a file" "$(grep -c '"format":"repository"' "$T/one.jsonl")" 0
finish
