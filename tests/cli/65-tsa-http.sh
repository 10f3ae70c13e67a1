#!/bin/bash
# A token by HTTP, from an authority that stock tools play.
. tests/cli/lib.sh
check "case" make_case
mkdir -p "$T/src" "$T/lab"
head -c 100000 /dev/urandom >"$T/src/model.bin"
"$EXHIBIT" keygen "$T/lab" --name "Laboratory" 2>/dev/null
echo 01 >"$T/serial"
cat >"$T/tsa.cnf" <<C
[ tsa ]
default_tsa = t
[ t ]
serial = $T/serial
crypto_device = builtin
signer_cert = $T/lab/tsa.pem
signer_key = $T/lab/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha512
accuracy = secs:1
C
/usr/bin/python3 - "$T" >"$T/port" 2>"$T/server.log" <<'P' &
import http.server, pathlib, subprocess, sys
t = pathlib.Path(sys.argv[1])

class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        (t / "q.tsq").write_bytes(
            self.rfile.read(int(self.headers["Content-Length"])))
        subprocess.run(["openssl", "ts", "-reply", "-config", t / "tsa.cnf",
                        "-queryfile", t / "q.tsq", "-out", t / "q.tsr"],
                       check=True, capture_output=True)
        body = (t / "q.tsr").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

s = http.server.HTTPServer(("127.0.0.1", 0), Authority)
print(s.server_address[1], flush=True)
s.handle_request()
P
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -s "$T/port" ] && break
	sleep 0.2
done
port=$(cat "$T/port")
b=$("$EXHIBIT" collect --case "$T/case" --tsa "http://127.0.0.1:$port/tsr" \
    --tsa-trust "$T/lab/tsa.pem" --weights "$T/src" 2>"$T/err")
same "collects with a token by HTTP ($(tail -n 1 "$T/err"))" "$?" 0
wait "$server"
check "the token is the laboratory's" "$VERIFY" \
    --trust "$T/keys/examiner.pem" --tsa-trust "$T/lab/tsa.pem" "$b"
exits 3 "and not this machine's" "$VERIFY" \
    --trust "$T/keys/examiner.pem" --tsa-trust "$T/keys/tsa.pem" "$b"

# Nobody listens there any more: nothing is published, and it is said at once.
"$EXHIBIT" collect --case "$T/case" --tsa "http://127.0.0.1:$port/tsr" \
    --weights "$T/src" >"$T/out" 2>"$T/err"
same "an authority that is gone" "$?" 2
same "no path is printed" "$(cat "$T/out")" ""
check "the reason is said" grep -q 'time stamp' "$T/err"
check "no second bundle" test ! -e "$T/case/bundles/TEST-E02.tar"
finish
