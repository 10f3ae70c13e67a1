#!/bin/bash
# Exit codes and help of every command.
. tests/cli/lib.sh
for c in keygen case collect verify list cat scan diff triggers report custody rules; do
	exits 0 "$c --help" "$EXHIBIT" "$c" --help
	exits 64 "$c --no-such-option" "$EXHIBIT" "$c" --no-such-option
done
exits 64 "no command" "$EXHIBIT"
exits 64 "an unknown command" "$EXHIBIT" triage
exits 64 "a comparison with one side" "$EXHIBIT" diff "$T"
exits 64 "against and two sides" "$EXHIBIT" diff --against "$T" a b
exits 64 "no threads" "$EXHIBIT" diff --threads 0 a b
exits 64 "programs of a comparison" "$EXHIBIT" diff --format program a b
exits 64 "triggers of nothing" "$EXHIBIT" triggers
exits 2 "a side that is not there" "$EXHIBIT" diff "$T/none" "$T/none"
exits 0 "--help" "$EXHIBIT" --help
exits 0 "--version" "$EXHIBIT" --version
exits 0 "exhibit-verify --help" "$VERIFY" --help
exits 0 "exhibit-collect --help" "$COLLECT" --help
exits 64 "scan of nothing" "$EXHIBIT" scan
exits 64 "ed25519 is refused" "$EXHIBIT" keygen "$T/k" --algorithm ed25519
exits 64 "a format that is not there" "$EXHIBIT" scan --format yaml "$T"
exits 64 "a severity that is not there" "$EXHIBIT" scan --fail-on grave "$T"
for a in p256 p384 p521 rsa3072 rsa-pss; do
	exits 0 "keygen $a" "$EXHIBIT" keygen "$T/k-$a" --algorithm "$a"
	same "$a keys are private" \
	    "$(stat -c %a "$T/k-$a/examiner.key" "$T/k-$a/tsa.key" | tr '\n' ' ')" "600 600 "
	exits 2 "keygen never replaces" "$EXHIBIT" keygen "$T/k-$a"
	"$EXHIBIT" case new "$T/c-$a" --name "C-$a" --examiner x --keys "$T/k-$a"
	echo data >"$T/data"
	b=$("$EXHIBIT" collect --case "$T/c-$a" --weights "$T/data" 2>"$T/err")
	check "a bundle signed with $a" "$EXHIBIT" verify --case "$T/c-$a" "$b"
	check "$a by stock tools" sh tools/verify_stock.sh "$b" \
	    "$T/k-$a/examiner.pem" "$T/k-$a/tsa.pem"
done
exits 0 "rules" "$EXHIBIT" rules
exits 0 "one rule" "$EXHIBIT" rules PKL-CALL-DANGEROUS
exits 64 "no such rule" "$EXHIBIT" rules NONE-1
# Options may follow operands; -- ends them.
echo '{"a": 1}' >"$T/--odd"
(cd "$T" && exits 0 "an operand that looks like an option" "$EXHIBIT" scan -q -- --odd)
exits 0 "options after operands" "$EXHIBIT" scan "$T/--odd" -q
finish
