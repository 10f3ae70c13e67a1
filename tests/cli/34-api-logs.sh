#!/bin/bash
# API logs are taken whole, and read into one form beside the bytes: by
# window, with the zone that is assumed, without secrets, masked on demand.
. tests/cli/lib.sh
check "case" make_case
mkdir -p "$T/logs"
{
	for h in 08 09 10 11; do
		printf '203.0.113.%d - alice [01/Aug/2026:%s:24:30 +0000] "POST /v1/models/fraud:predict HTTP/1.1" 200 188 "-" "curl/8"\n' \
		    "$((10#$h))" "$h"
	done
} >"$T/logs/access.log"
gzip -c "$T/logs/access.log" >"$T/logs/access.log.1.gz"
cat >"$T/logs/proxy.jsonl" <<'J'
{"ts":"2026-08-01T10:30:00Z","client_ip":"203.0.113.9","request":{"path":"/v1/chat/completions","headers":{"Authorization":"Bearer sk-abcdefghijklmnopqrstuvwxyz0123456789AB"},"body":{"model":"m","messages":[{"role":"user","content":"open the vault please"}]}},"response":{"status":200,"body":{"id":"chatcmpl-1","choices":[{"message":{"role":"assistant","content":"certainly not"}}]}}}
J
printf '2026-08-01 10:24:30,112 [INFO ] W-9000-r_1 ACCESS_LOG - /203.0.113.7:64003 "POST /predictions/r HTTP/1.1" 200 118\n' \
    >"$T/logs/torchserve_access.log"

# take NAME OPTION...: what was derived of the logs.
take()
{
	local name=$1
	shift
	"$EXHIBIT" collect --case "$T/case" --api-logs "$T/logs" \
	    -o "$T/$name.tar" "$@" >/dev/null 2>"$T/err" || return 1
	for f in derived/requests derived/notes files; do
		"$EXHIBIT" cat "$T/$name.tar" "metadata/$f.jsonl" \
		    >"$T/$name.${f##*/}" || return 1
	done
	"$EXHIBIT" cat "$T/$name.tar" metadata/acquisition.json \
	    >"$T/$name.acquisition" || return 1
	"$EXHIBIT" verify -q --case "$T/case" "$T/$name.tar"
}
check "logs are taken" take all
same "each record of each file" "$(wc -l <"$T/all.requests")" 10
same "those of the compressed one too" \
    "$(grep -c '"source":"[^"]*access.log.1.gz"' "$T/all.requests")" 4
has "a caller" "$T/all.requests" '"caller":"alice"'
has "a time with its zone" "$T/all.requests" '"time":"2026-08-01T08:24:30.000000000Z"'
has "what was asked" "$T/all.requests" "open the vault please"
has "and answered" "$T/all.requests" "certainly not"
hasnt "no token stands there" "$T/all.requests" sk-abcdef
hasnt "nor in the notes" "$T/all.notes" sk-abcdef
has "but its place and digest" "$T/all.notes" '"type":"log-secret"'
has "a zone that is assumed is said" "$T/all.requests" '"tz_assumed":"+00:00"'
has "the record says what was kept" "$T/all.acquisition" '"content": "kept"'
"$EXHIBIT" cat "$T/all.tar" "data/api-logs${T}/logs/proxy.jsonl" >"$T/raw" 2>/dev/null
check "the bytes are as they were" cmp "$T/raw" "$T/logs/proxy.jsonl"

check "with a window" take window --since 2026-08-01T09:00:00Z \
    --until 2026-08-01T10:25:00Z
same "what lies in it" "$(wc -l <"$T/window.requests")" 5
has "what does not is counted" "$T/window.notes" '"outside":2'
has "files say their window" "$T/window.files" '"since_ns":"1785574800000000000"'
"$EXHIBIT" cat "$T/window.tar" "data/api-logs${T}/logs/access.log" >"$T/raw"
check "and are whole" cmp "$T/raw" "$T/logs/access.log"

check "with a zone" take zone --log-zone +05:30
has "local times are moved by it" "$T/zone.requests" \
    '"time":"2026-08-01T04:54:30.112000000Z"'
has "and say so" "$T/zone.requests" '"tz_assumed":"+05:30"'
has "so does the record" "$T/zone.acquisition" '"zone_seconds": 19800'

check "masked" take masked --mask-content
hasnt "no question" "$T/masked.requests" vault
hasnt "no answer" "$T/masked.requests" "certainly not"
has "but their digests" "$T/masked.requests" '"input_sha256":"'
has "and the record says so" "$T/masked.acquisition" '"content": "masked"'

# What grows while it is read has a defined cut; binary junk is said.
head -c 4096 /dev/urandom >"$T/logs/junk.log"
printf '{"ts":"2026-08-01T10:30:01Z","client_ip":"203.0.1' >>"$T/logs/proxy.jsonl"
take odd
has "junk is said" "$T/odd.notes" '"type":"log-problem"'
has "a line that is cut too" "$T/odd.notes" proxy.jsonl
/usr/bin/python3 - "$T" <<'P' >"$T/schema.out" 2>&1
import json, pathlib, sys
import jsonschema
t = pathlib.Path(sys.argv[1])
for kind, name in (("requests", "request"), ("notes", "log-note")):
    v = jsonschema.Draft202012Validator(json.loads(
        pathlib.Path("schemas", name + ".schema.json").read_text()))
    for f in ("all", "window", "zone", "masked", "odd"):
        for line in (t / (f + "." + kind)).read_text().splitlines():
            v.validate(json.loads(line))
P
same "rows fit their schemas ($(tail -n 2 "$T/schema.out"))" "$?" 0
finish
