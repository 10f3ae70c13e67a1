#!/bin/bash
# MLflow's REST interface, by a real server on the loopback: pages kept as
# they came, asked for twice, and what does not answer is said.
. tests/cli/lib.sh
check "case" make_case
cat >"$T/server.py" <<'P'
import http.server, json, os, sys, threading, urllib.parse
t = sys.argv[1]
log = open(t + "/server.log", "a", buffering=1)
walks = {"model-versions": 0}
def page(items, key, token, size):
    at = int(token or 0)
    out = {key: items[at:at + size]}
    if at + size < len(items):
        out["next_page_token"] = str(at + size)
    return out
experiments = [{"experiment_id": str(i), "name": "e%d" % i,
                "lifecycle_stage": "active"} for i in range(3)]
odd = [{"experiment_id": "3\", \"4", "name": "odd",
        "lifecycle_stage": "active"}]
models = [{"name": "m%d" % i, "creation_timestamp": 1700000000000,
           "aliases": [{"alias": "champion", "version": "1"}]}
          for i in range(5)]
def versions():
    n = 3
    if os.path.exists(t + "/moving"):
        walks["model-versions"] += 1
        n += walks["model-versions"] // 2
    return [{"name": "m0", "version": str(i + 1), "run_id": "a" * 32,
             "current_stage": "None", "status": "READY",
             "source": "/srv/m/%d" % i} for i in range(n)]
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a):
        pass
    def send(self, status, body, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if os.path.exists(t + "/chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(0, len(data), 7):
                part = data[i:i + 7]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def answer(self, q):
        path = urllib.parse.urlparse(self.path).path
        log.write("%s %s %s\n" % (self.command, path,
                                  self.headers.get("Authorization", "-")))
        name = path.replace("/api/2.0/mlflow/", "").replace("/other", "")
        token = q.get("page_token")
        if os.path.exists(t + "/redirect"):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif os.path.exists(t + "/broken") and name == "model-versions/search":
            self.send(500, b"<html>boom</html>", "text/html")
        elif os.path.exists(t + "/garbage") and name == "model-versions/search":
            self.send(200, b"[1,2")
        elif name == "experiments/search":
            more = odd if os.path.exists(t + "/odd") else []
            self.send(200, page(experiments + more, "experiments", token, 2))
        elif name == "registered-models/search":
            self.send(200, page(models, "registered_models", token, 2))
        elif name == "model-versions/search":
            self.send(200, page(versions(), "model_versions", token, 2))
        elif name == "runs/search":
            ids = q.get("experiment_ids", [])
            runs = [{"info": {"run_id": i * 32, "experiment_id": i,
                              "status": "FINISHED"}, "data": {}} for i in ids]
            self.send(200, page(runs, "runs", token, 2))
        else:
            self.send(404, {"error_code": "ENDPOINT_NOT_FOUND"})
    def do_GET(self):
        u = urllib.parse.urlparse(self.path)
        q = {k: v[0] for k, v in urllib.parse.parse_qs(u.query).items()}
        self.answer(q)
    def do_POST(self):
        n = int(self.headers.get("Content-Length", 0))
        self.answer(json.loads(self.rfile.read(n)))
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
if len(sys.argv) > 2:
    import ssl
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(sys.argv[2], sys.argv[3])
    s.socket = ctx.wrap_socket(s.socket, server_side=True)
with open(t + "/port.tmp", "w") as f:
    f.write(str(s.server_address[1]))
os.rename(t + "/port.tmp", t + "/port")
s.serve_forever()
P
serve()
{
	rm -f "$T/port"
	/usr/bin/python3 "$T/server.py" "$T" "$@" &
	server=$!
	for _ in $(seq 100); do
		[ -s "$T/port" ] && break
		sleep 0.1
	done
	port=$(cat "$T/port")
}
serve
trap 'kill "$server" 2>/dev/null; rm -rf "$T"' EXIT
url=http://127.0.0.1:$port

# take NAME [OPTION...]: $T/NAME.tar and what was derived.
take()
{
	local name=$1
	shift
	"$EXHIBIT" collect --case "$T/case" --registry "mlflow:$url" \
	    -o "$T/$name.tar" "$@" >/dev/null 2>"$T/err"
	rc=$?
	"$EXHIBIT" list "$T/$name.tar" >"$T/$name.list" 2>/dev/null
	for f in derived/registry derived/findings errors log files; do
		"$EXHIBIT" cat "$T/$name.tar" "metadata/$f.jsonl" \
		    >"$T/$name.${f##*/}" 2>/dev/null
	done
	return $rc
}
walk=data/registry/127.0.0.1=3A$port/mlflow-rest
check "a registry is taken" take good
check "it verifies" "$EXHIBIT" verify -q --case "$T/case" "$T/good.tar"
same "both walks have all pages" \
    "$(grep -c "mlflow-rest/walk-[12]/registered-models/search/000[123].json" "$T/good.list")" 6
"$EXHIBIT" cat "$T/good.tar" "$walk/walk-1/registered-models/search/0001.json" >"$T/page"
same "a page is the bytes that came" "$(/usr/bin/python3 -c '
import json, sys; print(len(json.load(open(sys.argv[1]))["registered_models"]))' "$T/page")" 2
"$EXHIBIT" cat "$T/good.tar" "$walk/walk-1/registered-models/search/0001.headers" >"$T/heads"
has "and its headers" "$T/heads" "HTTP/1.1 200 OK"
has "where it came from" "$T/good.files" "\"url\":\"$url/api/2.0/mlflow/registered-models/search?max_results=100&page_token=2\""
has "who answered" "$T/good.files" '"peer":"127.0.0.1","status":200'
has "what is not offered is said" "$T/good.log" "not offered by this version"
has "the walks agree" "$T/good.log" "both walks gave the same pages"
same "models" "$(grep -c '"type":"model","system":"mlflow-rest"' "$T/good.registry")" 5
same "versions" "$(grep -c '"type":"version","system":"mlflow-rest"' "$T/good.registry")" 3
same "runs of all experiments" "$(grep -c '"type":"run","system":"mlflow-rest"' "$T/good.registry")" 3
has "an alias" "$T/good.registry" '"alias":"champion"'

# Two on one host, by their paths; and one of them again.
check "two registries of one host" take both --registry "mlflow:$url/other/"
same "both have their pages" \
    "$(grep -c 'walk-1/registered-models/search/000[123].json' "$T/both.list")" 6
has "each its own" "$T/both.list" "=3A$port/other/mlflow-rest/walk-1/"
take twice --registry "mlflow:$url/"
same "one that is named twice makes it incomplete" "$?" 2
has "and is said" "$T/twice.errors" "has the same host, port and path"
exits 64 "a password in the URL" "$EXHIBIT" collect --case "$T/case" \
    --registry "mlflow:http://joe:s3cret@127.0.0.1:$port" -o "$T/no.tar"
hasnt "it is not shown" "$T/.err" s3cret
printf 'sources:\n- uri: mlflow:http://joe:s3cret@127.0.0.1:%s\n' "$port" \
    >"$T/plan.yaml"
exits 64 "nor in a plan" "$EXHIBIT" collect --case "$T/case" "$T/plan.yaml"

: >"$T/odd"
take odd
same "an id that cannot be asked about makes it incomplete" "$?" 2
has "and is said" "$T/odd.errors" "1 experiments have an id"
same "the others are asked about" \
    "$(grep -c '"type":"run","system":"mlflow-rest"' "$T/odd.registry")" 3
rm "$T/odd"

# Cut behind the registry: its records are there when it is gone on with.
head -c 6000000 /dev/urandom >"$T/a.bin"
printf 'sources:\n- uri: mlflow:%s\n- process: %s\n- class: weights\n  path: %s\n' \
    "$url" "$server" "$T/a.bin" >"$T/plan.yaml"
{
	strace -f -qq -o /dev/null -P "$T/a.bin" -e trace=pread64 \
	    -e inject=pread64:signal=SIGKILL:when=15 \
	    "$BUILD/testing/exhibit" collect --case "$T/case" \
	    "$T/plan.yaml" -o "$T/cut.tar"
} >/dev/null 2>&1
if [ -e "$T/cut.journal" ]; then
	exits 0 "cut, and gone on with" "$BUILD/testing/exhibit" collect \
	    --case "$T/case" --resume "$(tar tf "$T/cut.tar.partial" \
	    2>/dev/null | sed 's,/.*,,;q')" -o "$T/cut.tar"
	for f in derived/registry log files; do
		"$EXHIBIT" cat "$T/cut.tar" "metadata/$f.jsonl" \
		    >"$T/cut.${f##*/}"
	done
	same "each page has its record" \
	    "$(grep -c '"note":"fetched"' "$T/cut.files")" \
	    "$(grep -c '"note":"fetched"' "$T/good.files")"
	same "and is read" "$(wc -l <"$T/cut.registry")" \
	    "$(wc -l <"$T/good.registry")"
	hasnt "nothing is called missing" "$T/cut.log" "no longer there"
else
	echo "SKIP: strace cannot trace here"
fi

printf 'Authorization: Bearer s3cret-token\n' >"$T/headers"
check "with a header" take auth --registry-header "$T/headers"
has "it is sent" "$T/server.log" "Bearer s3cret-token"
checks=$((checks + 1))
if grep -qa "s3cret-token" "$T/auth.tar"; then
	failures=$((failures + 1))
	echo "FAILED: the header's value is in the bundle"
fi

: >"$T/chunked"
check "chunked answers" take chunked
same "have the same models" "$(grep -c '"type":"model","system":"mlflow-rest"' "$T/chunked.registry")" 5
rm "$T/chunked"

: >"$T/moving"
check "a registry that changes meanwhile" take moving
has "is said to" "$T/moving.log" "are not the same in both walks"
rm "$T/moving"

: >"$T/broken"
take broken
same "an answer that is no success makes it incomplete" "$?" 2
has "with its status" "$T/broken.errors" "answered with status 500"
"$EXHIBIT" cat "$T/broken.tar" "$walk/walk-1/model-versions/search/0001.json" >"$T/page"
has "and its body is kept" "$T/page" boom
rm "$T/broken"

: >"$T/garbage"
take garbage
same "a page that is no JSON makes it incomplete" "$?" 2
has "and is said" "$T/garbage.errors" "no JSON object"
rm "$T/garbage"

: >"$T/redirect"
take redirect
same "no redirection is followed" "$?" 2
has "it is said" "$T/redirect.errors" "answered with status 302"
rm "$T/redirect"

kill "$server"
wait "$server" 2>/dev/null
take gone
same "nobody there" "$?" 2
has "is said" "$T/gone.errors" "no answer"
check "and sealed all the same" "$EXHIBIT" verify -q --case "$T/case" "$T/gone.tar"

# By TLS: the server's certificate is checked, and kept.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=registry -addext "subjectAltName=IP:127.0.0.1" \
    -keyout "$T/tls.key" -out "$T/tls.pem" 2>/dev/null
serve "$T/tls.pem" "$T/tls.key"
url=https://127.0.0.1:$port
walk=data/registry/127.0.0.1=3A$port/mlflow-rest
take untrusted
same "a certificate that nobody vouches for is refused" "$?" 2
check "with it at hand" take tls --registry-ca "$T/tls.pem"
"$EXHIBIT" cat "$T/tls.tar" "$walk/walk-1/experiments/search/0001.pem" >"$T/chain"
same "it is in the bundle" "$(openssl x509 -in "$T/chain" -noout -fingerprint -sha256)" \
    "$(openssl x509 -in "$T/tls.pem" -noout -fingerprint -sha256)"
kill "$server"
wait "$server" 2>/dev/null
exits 64 "a header file without headers" "$EXHIBIT" collect --case "$T/case" \
    --registry "mlflow:$url" --registry-header "$T/tls.pem"
finish
