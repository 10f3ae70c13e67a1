#!/bin/bash
# Two versions of a model, as a person compares them.
. tests/cli/lib.sh
D=samples/benign
# What stands in the jsonl of the last comparison.
has()
{
	checks=$((checks + 1))
	grep -q -- "$2" "$T/d.jsonl" || {
		echo "FAILED: $1: no $2"
		head -c 2000 "$T/d.jsonl"
		failures=$((failures + 1))
	}
}
hasnt()
{
	checks=$((checks + 1))
	if grep -q -- "$2" "$T/d.jsonl"; then
		echo "FAILED: $1: $2"
		failures=$((failures + 1))
	fi
}
diff_of()
{
	local want=$1 name=$2
	shift 2
	exits "$want" "$name" "$EXHIBIT" diff --format jsonl -o "$T/d.jsonl" "$@"
}

diff_of 0 "the same file" $D/digits.safetensors $D/digits.safetensors
has "the same file" '"kind":"identical"'
hasnt "nothing changed" '"status":"changed"'
has "summary" '"type":"summary","inputs":2,"tensors":{"identical":9,'

diff_of 0 "across formats" $D/digits_state_dict.pt $D/digits.safetensors
has "across formats" '"tensors":{"identical":9,'
has "both are named" '"old":"samples/benign/digits_state_dict.pt"'
diff_of 0 "with digests" --sha256 $D/digits_state_dict_legacy.pt $D/digits.safetensors
has "digests of tensors" '"sha256":"[0-9a-f]\{64\}"'

# One byte of one tensor.
mkdir -p "$T/new" "$T/known/v1" "$T/known/v2"
cp $D/digits.safetensors "$T/known/v1/model.safetensors"
cp $D/digits.safetensors "$T/new/model.safetensors"
echo '{"a": 1}' >"$T/known/v1/config.json"
echo '{"a": 2}' >"$T/new/config.json"
printf '\101' | dd of="$T/new/model.safetensors" bs=1 seek=803 conv=notrunc status=none
cp "$T/new/model.safetensors" "$T/known/v2/other.safetensors"
printf '\101' | dd of="$T/known/v2/other.safetensors" bs=1 seek=3000 conv=notrunc status=none
"$EXHIBIT" diff --fail-on critical --format jsonl -o "$T/d.jsonl" "$T/known/v1" "$T/new"
same "a changed byte is compared to its end" "$?" 0
has "one tensor changed" '"status":"changed"'
has "the configuration changed" '"type":"change","area":"config"'
has "and how" '"old":"1","new":"2"'
check "text" "$EXHIBIT" diff --fail-on critical "$T/known/v1" "$T/new"
"$EXHIBIT" diff -v --fail-on critical "$T/known/v1" "$T/new" >"$T/text"
same "every tensor under -v" "$(grep -c '^  identical ' "$T/text")" 8

# The same bytes whatever ran beside what.
for n in 1 2 7; do
	"$EXHIBIT" diff --threads $n --format jsonl "$T/known/v1" "$T/new" |
	    sed 's/"started":"[^"]*"//; s/"seconds":[^,]*//' >"$T/threads-$n"
done
check "two threads" cmp "$T/threads-1" "$T/threads-2"
check "seven threads" cmp "$T/threads-1" "$T/threads-7"

head -c 500 $D/digits.safetensors >"$T/cut.safetensors"

# Lineage: v2 has what was changed in NEW, and a little more.
diff_of 0 "against" --fail-on critical --against "$T/known" "$T/new/model.safetensors"
has "the closest" '"type":"version","path":"[^"]*/v2","rank":1,'
has "the other one" '"path":"[^"]*/v1","rank":2,.*"parent":false,"rollback":false'
diff_of 2 "of a file that was cut off" --fail-on critical --against "$T/known" "$T/cut.safetensors"
has "not a version that was not compared" '"rule":"DIFF-UNREAD"'
ln -s v1 "$T/known/latest"
diff_of 0 "a link to a version" --fail-on critical --against "$T/known" "$T/new/model.safetensors"
has "is left out, and that is said" 'a symbolic link is not followed'
rm "$T/known/latest"
exits 2 "no known version" "$EXHIBIT" diff --against "$T/new/none" "$T/new"

# A member of a bundle, and the ledger.
check "case" make_case
bundle=$("$EXHIBIT" collect --case "$T/case" --weights "$T/new" 2>/dev/null)
diff_of 0 "a member of a bundle" --case "$T/case" --fail-on critical \
    "$T/new/model.safetensors" "$bundle!data/weights$T/new/model.safetensors"
has "the same as the file" '"tensors":{"identical":9,'
"$EXHIBIT" custody log --case "$T/case" --format jsonl >"$T/log"
check "the ledger notes it" grep -q '"command":"diff"' "$T/log"
diff_of 0 "a whole bundle" --fail-on critical "$T/new" "$bundle"
has "members have paths" '"path":"[^"]*\.tar!data/weights'

# A tokenizer that is given names tokens; NEW's own is compared all the same.
printf '%s\n' a b c d >"$T/known/v1/vocab.txt"
printf '%s\n' a c b d >"$T/new/vocab.txt"
cp "$T/known/v1/vocab.txt" "$T/given.txt"
"$EXHIBIT" diff --format jsonl -o "$T/d.jsonl" --tokenizer "$T/given.txt" "$T/known/v1" "$T/new"
same "ids that moved" "$?" 1
has "beside a tokenizer that is given" '"rule":"DIFF-VOCABULARY"'
head -c 100 /dev/zero >"$T/given.txt"
diff_of 2 "a tokenizer that is none" --fail-on critical --tokenizer "$T/given.txt" "$T/known/v1" "$T/new"
has "that it was not read" '--tokenizer is no vocabulary'
rm "$T/known/v1/vocab.txt" "$T/new/vocab.txt"

# Triggers.
exits 0 "triggers alone" "$EXHIBIT" triggers --format jsonl -o "$T/d.jsonl" "$T/new"
has "no verdict from weights alone" '"model_verdict":"not-applicable"'
has "and why" '"applied":false,"reason":"no older version'
"$EXHIBIT" triggers --format jsonl -o "$T/d.jsonl" "$T/new" --base "$T/known/v1"
hasnt "no tensors there" '"type":"tensor"'
for method in embedding-rows head-rows edit-reading; do
	has "$method says what it did" "\"type\":\"detector\",\"method\":\"$method\""
done

# What is no model, and what is hostile.
exits 2 "a cut file" "$EXHIBIT" diff -q --fail-on critical "$T/cut.safetensors" $D/digits.safetensors
# A file that shrinks while it is compared; when it is cut is a matter of luck.
sparse()
{
	local h='{"w":{"dtype":"F32","shape":[134217728],"data_offsets":[0,536870912]}}'
	printf "\\x$(printf %x ${#h})\\0\\0\\0\\0\\0\\0\\0%s" "$h" >"$1"
	truncate -s $((8 + ${#h} + 536870912)) "$1"
}
sparse "$T/large.safetensors"
shrank=0
for delay in 0.1 0.2 0.05 0.3 0.15 0.5 0.02; do
	sparse "$T/shrinks.safetensors"
	{ sleep $delay; truncate -s 4096 "$T/shrinks.safetensors"; } &
	"$EXHIBIT" diff --sha256 --format jsonl -o "$T/d.jsonl" \
	    "$T/large.safetensors" "$T/shrinks.safetensors"
	code=$?
	wait
	grep -q '"DIFF-SHRANK"' "$T/d.jsonl" && shrank=$code && break
done
same "a file that shrinks is a finding" "$shrank" 2
rm -f "$T/large.safetensors" "$T/shrinks.safetensors"
mkfifo "$T/pipe"
exits 2 "a pipe" "$EXHIBIT" diff "$T/pipe" $D/digits.safetensors
finish
