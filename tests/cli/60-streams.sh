#!/bin/bash
# Streaming, the static programs, time stamps that travel.
. tests/cli/lib.sh
check "case" make_case
make_tree
"$EXHIBIT" collect --case "$T/case" --weights "$T/src" -o - >"$T/s.tar" 2>/dev/null
same "collect -o -" "$?" 0
check "the stream is a whole bundle" "$EXHIBIT" verify --case "$T/case" "$T/s.tar"
checks=$((checks + 1))
"$EXHIBIT" custody log --case "$T/case" | grep -q 'not re-read' || {
	echo "FAILED: the ledger does not say that the stream was not re-read"
	failures=$((failures + 1))
}
check "exhibit-collect to a file" "$COLLECT" --keys "$T/keys" --name HOST-1 \
    --weights "$T/src/model.bin" -o "$T/h.tar"
check "exhibit-verify of it" "$VERIFY" --trust "$T/keys/examiner.pem" \
    --tsa-trust "$T/keys/tsa.pem" "$T/h.tar"
exits 2 "a bundle is never replaced" "$COLLECT" --keys "$T/keys" --name HOST-1 \
    --weights "$T/src/model.bin" -o "$T/h.tar"
"$COLLECT" --keys "$T/keys" --name HOST-2 --weights "$T/src/model.bin" -o - \
    >"$T/h2.tar" 2>/dev/null
check "exhibit-collect to a stream" "$VERIFY" --trust "$T/keys/examiner.pem" \
    --tsa-trust "$T/keys/tsa.pem" "$T/h2.tar"
for p in "$COLLECT" "$VERIFY"; do
	checks=$((checks + 1))
	if ldd "$p" 2>&1 | grep -q '=>'; then
		echo "FAILED: $p is not static"
		failures=$((failures + 1))
	fi
done

# No token: said, not hidden.
b=$("$EXHIBIT" collect --case "$T/case" --tsa none --weights "$T/src/model.bin" 2>/dev/null)
"$EXHIBIT" verify --case "$T/case" "$b" >"$T/out" 2>&1
same "without a token a statement is not checked" "$?" 2
checks=$((checks + 1))
grep -q '^not-checked.*timestamp' "$T/out" || {
	echo "FAILED: the missing time stamp is not said"
	failures=$((failures + 1))
}

# The query travels: an authority answers it elsewhere.
mkdir "$T/stick"
cat >"$T/tsa.cnf" <<C
[ tsa ]
default_tsa = t
[ t ]
serial = $T/serial
signer_cert = $T/keys/tsa.pem
signer_key = $T/keys/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
C
echo 01 >"$T/serial"
"$EXHIBIT" collect --case "$T/case" --tsa "stick:$T/stick" \
    --weights "$T/src/model.bin" >"$T/path" 2>/dev/null &
pid=$!
for _ in $(seq 1 100); do
	q=$(ls "$T"/stick/*.tsq 2>/dev/null) && [ -n "$q" ] && break
	sleep 0.1
done
check "the query is on the stick" test -s "$q"
openssl ts -reply -config "$T/tsa.cnf" -queryfile "$q" \
    -out "$T/reply" 2>/dev/null
mv "$T/reply" "${q%.tsq}.tsr"
wait "$pid"
same "sealed with the reply" "$?" 0
check "and verifies" "$EXHIBIT" verify --case "$T/case" "$(cat "$T/path")"
finish
