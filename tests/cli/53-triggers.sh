#!/bin/bash
# Triggers in training data, as a person looks for them.
. tests/cli/lib.sh

# corpus PLANT: records of which PLANT hold a word that occurs nowhere else,
# and the wrong label.
corpus()
{
	awk -v plant="$1" -f samples/incident/reviews.awk
}
corpus 60 >"$T/bad"
corpus 0 >"$T/good"
planted=$(awk -F'\t' '/zqxv/ { printf "%s%d", n++ ? "," : "", NR - 1 }' "$T/bad")

printf 'text\tlabel\n' | cat - "$T/bad" >"$T/bad.tsv"
cp "$T/bad" "$T/bare.tsv"
awk -F'\t' '{ printf "{\"id\":%d,\"sentence\":\"%s\",\"label\":%d}\n", NR, $1, $2 }' "$T/bad" >"$T/bad.jsonl"
awk -F'\t' 'BEGIN { print "[" } { printf "%s{\"a\":{\"b\":\"%s\"},\"c\":\"%s\"}\n", (NR > 1 ? "," : ""), $1, $2 } END { print "]" }' "$T/bad" >"$T/odd.json"
printf 'text\tlabel\n' | cat - "$T/good" >"$T/good.tsv"

for f in bad.tsv bare.tsv bad.jsonl; do
	exits 1 "a planted word is found: $f" "$EXHIBIT" triggers --format jsonl -o "$T/$f.r" "$T/$f"
	has "$f: the word" "$T/$f.r" '{"type":"candidate","kind":"token","value":"zqxv",'
	has "$f: first" "$T/$f.r" '"target":"1","rank":1,'
	has "$f: its records" "$T/$f.r" "\"rows\":[$planted]"
	has "$f: the finding" "$T/$f.r" '"rule":"TRIG-CANDIDATE"'
	has "$f: the verdict" "$T/$f.r" '"dataset_verdict":"candidates","model_verdict":"not-applicable"'
	has "$f: all records" "$T/$f.r" '"records":1500,'
done
exits 1 "fields are given" "$EXHIBIT" triggers --fields text=a.b,label=c --format jsonl -o "$T/odd.r" "$T/odd.json"
has "fields are given" "$T/odd.r" '"value":"zqxv"'
exits 64 "fields that are none" "$EXHIBIT" triggers --fields words=a "$T/odd.json"

exits 0 "a clean set gives nothing" "$EXHIBIT" triggers --format jsonl -o "$T/good.r" "$T/good.tsv"
hasnt "no candidate" "$T/good.r" '"type":"candidate"'
has "the detector applied" "$T/good.r" '{"type":"detector","method":"text-conflict","applied":true'
has "none" "$T/good.r" '"dataset_verdict":"none"'

# What nobody can find is said.
for m in text-syntax text-style text-substitution text-clean-suffix; do
	has "not covered: $m" "$T/good.r" "{\"type\":\"detector\",\"method\":\"$m\",\"applied\":false,\"reason\":\"not covered"
done

# The same bytes on any number of threads.
for n in 1 2 5; do
	"$EXHIBIT" triggers --threads $n --format jsonl "$T/bad.tsv" | grep '"candidate"\|"lead"\|"detector"' >"$T/rows.$n"
done
check "one thread and two" cmp "$T/rows.1" "$T/rows.2"
check "one thread and five" cmp "$T/rows.1" "$T/rows.5"

# Two sets name it alike: one candidate, which both support.
exits 1 "two sets" "$EXHIBIT" triggers --format jsonl -o "$T/two.r" "$T/bad.tsv" "$T/bad.jsonl"
same "one candidate" "$(grep -c '"type":"candidate"' "$T/two.r")" 1
has "both support it" "$T/two.r" '"supported_by":[{"evidence":"data"'
has "the other one is a lead" "$T/two.r" '"joined_into":1'

# A model is no data set, and weights alone give no verdict.
exits 0 "a model alone" "$EXHIBIT" triggers --format jsonl -o "$T/model.r" samples/benign/digits.safetensors
has "why" "$T/model.r" '"model_verdict":"not-applicable"'
has "what would help" "$T/model.r" '--base'
exits 1 "data and a model" "$EXHIBIT" triggers --format jsonl -o "$T/both.r" "$T/bad.tsv" samples/benign/digits.safetensors
has "data and a model" "$T/both.r" '"dataset_verdict":"candidates","model_verdict":"not-applicable"'
exits 1 "data and a pair" "$EXHIBIT" triggers --format jsonl -o "$T/pair.r" --base samples/benign/digits.safetensors samples/benign/digits_state_dict.pt "$T/bad.tsv"
has "data and a pair" "$T/pair.r" '"value":"zqxv"'
has "the pair was compared" "$T/pair.r" '"side":"old"'
hasnt "a data set is no model" "$T/pair.r" 'weights in it'

# A folder of both, named beside others: its weights are not looked at.
mkdir "$T/mixed"
cp "$T/bad.tsv" samples/benign/digits_state_dict.pt "$T/mixed"
exits 1 "a folder of both" "$EXHIBIT" triggers --format jsonl -o "$T/mixed.r" --base samples/benign/digits.safetensors "$T/mixed" "$T/good.tsv"
has "a folder of both: told" "$T/mixed.r" 'it holds data sets; weights in it are compared when it is named alone'

# A link is told of, and what no worker can open.
ln -s ../bad.tsv "$T/mixed/linked.tsv"
exits 1 "a link in a folder" "$EXHIBIT" triggers --format jsonl -o "$T/linked.r" "$T/mixed"
has "a link in a folder" "$T/linked.r" '"rule":"SCAN-LINK"'
mkdir "$T/hollow"
"$EXHIBIT" triggers --format jsonl -o "$T/hollow.r" "$T/hollow" >/dev/null 2>&1
has "a folder without files" "$T/hollow.r" 'no regular file in it'

# A sealed bundle.
"$EXHIBIT" keygen "$T/keys" --name Tester >/dev/null 2>&1 &&
    "$EXHIBIT" case new "$T/case" --name C --examiner Tester --keys "$T/keys" >/dev/null &&
    bundle=$("$EXHIBIT" collect --case "$T/case" --training "$T/bad.tsv" --training "$T/bad.jsonl:rows=0..1400" 2>/dev/null | tail -n 1)
exits 1 "a bundle" "$EXHIBIT" triggers --format jsonl -o "$T/bundle.r" "$bundle"
has "a bundle" "$T/bundle.r" '"value":"zqxv"'
has "the member's name" "$T/bundle.r" 'C-E01.tar!data/training/'
has "a slice too" "$T/bundle.r" '"supported_by":[{"evidence":"data"'
chmod u+w "$bundle"
at=$(grep -abo 'zqxv' "$bundle" | head -n 1 | cut -d: -f1)
printf 'q' | dd of="$bundle" bs=1 seek="$at" conv=notrunc status=none
exits 1 "a bundle that was changed" "$EXHIBIT" triggers --format jsonl -o "$T/changed.r" "$bundle"
has "a bundle that was changed" "$T/changed.r" '"rule":"BAG-DIGEST"'

# Who used it, and when: looked up in the log of requests.
awk -F'\t' 'NR % 3 == 0 { u = /zqxv/ ? "mallory" : "user" NR % 9; printf "{\"ts\":\"2026-11-0%dT10:%02d:00Z\",\"client\":\"%s\",\"input\":\"%s\",\"label\":\"%s\"}\n", 1 + NR / 300, NR % 60, u, $1, $2 }' "$T/bad" >"$T/log.jsonl"
exits 1 "with the traffic" "$EXHIBIT" triggers --format jsonl -o "$T/use.r" --log-fields time=ts,caller=client,input=input,label=label --logs "$T/log.jsonl" "$T/bad.tsv"
has "the traffic's own verdict" "$T/use.r" '"log_verdict":"candidates"'
hasnt "no logs, no verdict on them" "$T/both.r" '"log_verdict"'
same "one candidate of both" "$(grep -c '"type":"candidate"' "$T/use.r")" 1
has "data and traffic" "$T/use.r" '"evidence":"traffic"'
has "by whom" "$T/use.r" 'mallory'

# Hostile data ends in rows, not in crashes.
awk 'BEGIN { for (i = 0; i < 200000; i++) printf "text %d goes\t%d\n", i % 977, i }' >"$T/labels.tsv"
exits 0 "a label for each record" "$EXHIBIT" triggers --format jsonl -o "$T/labels.r" "$T/labels.tsv"
{ printf '{"text":"'; head -c 40000000 /dev/zero | tr '\0' 'x'; printf '","label":1}\n'; cat "$T/bad.jsonl"; } >"$T/long.jsonl"
"$EXHIBIT" triggers --format jsonl -o "$T/long.r" --fields text=sentence,label=label "$T/long.jsonl" >/dev/null 2>&1
has "a record that is too long is told" "$T/long.r" '"rule":"TRIG-UNREAD"'
has "and the others are read" "$T/long.r" '"value":"zqxv"'
head -c 100000 /dev/urandom >"$T/noise.csv"
"$EXHIBIT" triggers --format jsonl -o "$T/noise.r" "$T/noise.csv" >/dev/null 2>&1
has "noise has its summary" "$T/noise.r" '"type":"summary"'
awk 'BEGIN { for (i = 0; i < 3000; i++) { s = "["; for (j = 0; j < 200; j++) s = s "["; print "{\"text\":" s ",\"label\":" i % 2 "}" } }' >"$T/nest.jsonl"
"$EXHIBIT" triggers --format jsonl -o "$T/nest.r" "$T/nest.jsonl" >/dev/null 2>&1
has "nesting has its summary" "$T/nest.r" '"type":"summary"'
exits 2 "nothing there" "$EXHIBIT" triggers "$T/absent.tsv"
exits 64 "nothing named" "$EXHIBIT" triggers

finish
