#!/bin/bash
# What a running process serves is recovered byte for byte, whatever became of
# the name; nothing of the process is traced, stopped or written.
. tests/cli/lib.sh
check "case" make_case
M=$T/models
mkdir "$M"
for n in mapped held unmapped same; do
	head -c 300000 /dev/urandom >"$M/$n.safetensors"
	cp "$M/$n.safetensors" "$T/$n.orig"
done
cp "$M/same.safetensors" "$M/equal.safetensors"
cp "$M/held.safetensors" "$T/held.new"
printf 'swapped' | dd of="$T/held.new" bs=1 seek=1000 conv=notrunc 2>/dev/null
cp "$M/equal.safetensors" "$T/equal.new"
cat >"$T/serve.py" <<'P'
import ctypes, os, sys, time
d, t = sys.argv[1:3]
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
    ctypes.c_int, ctypes.c_int, ctypes.c_long]
def mapped(name):
    fd = os.open(f"{d}/{name}.safetensors", os.O_RDONLY)
    assert libc.mmap(None, 300000, 1, 2, fd, 0) not in (None, 2**64 - 1)
    return fd
os.close(mapped("unmapped"))          # the mapping alone is left
keep = [mapped("mapped"), mapped("same"),
    os.open(f"{d}/held.safetensors", os.O_RDONLY),
    os.open(f"{d}/equal.safetensors", os.O_RDONLY)]
os.unlink(f"{d}/mapped.safetensors")
os.unlink(f"{d}/unmapped.safetensors")
os.rename(f"{t}/held.new", f"{d}/held.safetensors")
os.rename(f"{t}/equal.new", f"{d}/equal.safetensors")
open(f"{t}/ready", "w").close()
time.sleep(300)
P
TOKEN=hunter2 /usr/bin/python3 "$T/serve.py" "$M" "$T" &
pid=$!
trap 'kill $pid 2>/dev/null; rm -rf "$T"' EXIT
for _ in $(seq 100); do
	[ -e "$T/ready" ] && break
	sleep 0.1
done
row()
{
	/usr/bin/python3 - "$T/rows" "$@" <<'P'
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
kind, end, keys = sys.argv[2], sys.argv[3], sys.argv[4:]
for r in rows:
    if r["type"] == kind and r.get("path", r.get("name", "")).endswith(end):
        for k in keys:
            r = r[k] if r is not None else None
        print(json.dumps(r))
        break
else:
    print("no row")
P
}
unpack()
{
	rm -rf "$T/out"
	mkdir "$T/out"
	tar -xf "$1" -C "$T/out" --strip-components=1
	cp "$T/out/metadata/processes.jsonl" "$T/rows"
}
trace=
strace -o /dev/null true 2>/dev/null && trace="strace -f -y -s 256 -o $T/trace"
# shellcheck disable=SC2086 # words
b=$($trace "$EXHIBIT" collect --case "$T/case" --process "$pid" 2>"$T/err")
same "collected" "$?" 0
check "verified" "$EXHIBIT" verify --case "$T/case" "$b"
unpack "$b"
for n in mapped held unmapped equal; do
	m=$(row file "/$n.safetensors" member | tr -d '"')
	o=$n
	[ "$n" = equal ] && o=same
	check "$n is recovered byte for byte" cmp "$T/out/$m" "$T/$o.orig"
	same "$n: its digest" "$(row file "/$n.safetensors" served sha256)" \
	    "\"$(sha256sum <"$T/$o.orig" | cut -d' ' -f1)\""
done
same "mapped was deleted" "$(row file /mapped.safetensors state)" '"deleted"'
same "unmapped too" "$(row file /unmapped.safetensors state)" '"deleted"'
same "it had no descriptor" "$(row file /unmapped.safetensors descriptors)" 0
same "held was replaced" "$(row file /held.safetensors state)" '"replaced"'
same "by other bytes" "$(row file /held.safetensors equal)" false
same "with their digest" "$(row file /held.safetensors on_disk sha256)" \
    "\"$(sha256sum <"$M/held.safetensors" | cut -d' ' -f1)\""
same "equal was replaced" "$(row file /equal.safetensors state)" '"replaced"'
same "by the same bytes" "$(row file /equal.safetensors equal)" true
same "same is the same" "$(row file /same.safetensors state)" '"same"'
same "and not taken" "$(row file /same.safetensors member)" null
same "but digested" "$(row file /same.safetensors served sha256)" \
    "\"$(sha256sum <"$T/same.orig" | cut -d' ' -f1)\""
libc=$(row library libc.so.6 path | tr -d '"')
same "libc's digest" "$(row library libc.so.6 served sha256)" \
    "\"$(sha256sum <"$libc" | cut -d' ' -f1)\""
check "packages with versions" grep -q '"type":"package".*"name":"jsonschema","version":"[0-9]' "$T/rows"
check "the environment's names" grep -q '{"name":"TOKEN","value":null,"length":7,' "$T/rows"
checks=$((checks + 1))
if grep -rqa hunter2 "$T/out"; then
	echo "FAILED: a masked value is in the bundle"
	failures=$((failures + 1))
fi
check "it was the same process" grep -q '"type":"process-end".*"same":true' "$T/rows"
check "counted" /usr/bin/python3 -c 'import json, sys
p = json.load(open(sys.argv[1]))["processes"]
assert p["recovered"] == 4 and p["replaced"] == 2 and p["replaced_equal"] == 1
assert p["deleted"] == 2 and p["not_recovered"] == 0 and p["looked_at"] == 1
' "$T/out/metadata/completion.json"
check "raw texts" cmp <(tr '\0' ' ' <"$T/out/data/host/proc/$pid/cmdline") \
    <(tr '\0' ' ' <"/proc/$pid/cmdline")
/usr/bin/python3 - "$T/rows" <<'P' >"$T/schema.out" 2>&1
import json, sys
import jsonschema
v = jsonschema.Draft202012Validator(json.load(open("schemas/process-row.schema.json")))
for l in open(sys.argv[1]):
    for e in v.iter_errors(json.loads(l)):
        print(e.message, l[:200]); sys.exit(1)
P
same "rows fit their schema ($(tail -n 1 "$T/schema.out"))" "$?" 0
if [ -n "$trace" ]; then
	{
		grep -E "ptrace\(|p?kill\($pid|process_vm|pidfd_" "$T/trace"
		grep -E "open(at|at2)?\(.*/proc/$pid.*(O_WRONLY|O_RDWR|O_CREAT)" "$T/trace"
		grep -E "openat\([0-9]+</proc/$pid.*(O_WRONLY|O_RDWR|O_CREAT)" "$T/trace"
		grep -E "write.*\([0-9]+<$M|open.*\"$M.*(O_WRONLY|O_RDWR)" "$T/trace"
	} >"$T/bad"
	same "nothing is traced, stopped, written" "$(cat "$T/bad")" ""
fi

# By the file: its holder is found though the name leads elsewhere.
for n in held mapped same; do
	b=$("$EXHIBIT" collect --case "$T/case" --process-of "$M/$n.safetensors" \
	    --environ values 2>"$T/err")
	rc=$?
	unpack "$b"
	# Some process of this machine may be out of our reach: that is said.
	if grep -q 'may not be looked at' "$T/out/metadata/log.jsonl"; then
		same "the holder of $n, others out of reach" "$rc" 2
		check "which is one error" test "$(wc -l <"$T/out/metadata/errors.jsonl")" -eq 1
	else
		same "the holder of $n" "$rc" 0
	fi
	same "is $pid" "$(row process '' pid)" "\"$pid\""
	check "with values" grep -q '{"name":"TOKEN","value":"hunter2"' "$T/rows"
done
check "and the text they came from" grep -qa 'TOKEN=hunter2' "$T/out/data/host/proc/$pid/environ"
# Cut behind it and gone on with, its rows and counts are there.
head -c 2097152 /dev/urandom >"$T/big"
printf 'sources:\n- {process: %s}\n- {class: weights, path: "%s"}\n' "$pid" \
    "$T/big" >"$T/plan.yaml"
"$EXHIBIT" case new "$T/cut" --name CUT --examiner x --keys "$T/keys"
timeout -s KILL 2 "$EXHIBIT" collect --case "$T/cut" "$T/plan.yaml" \
    --limit-rate 1M >/dev/null 2>&1
if [ -e "$T/cut/bundles/CUT-E01.journal" ]; then
	b=$("$EXHIBIT" collect --case "$T/cut" --resume CUT-E01 2>"$T/err")
	same "gone on" "$?" 0
	unpack "$b"
	same "one process" "$(grep -c '"type":"process"' "$T/rows")" 1
	check "its counts" /usr/bin/python3 -c 'import json, sys
p = json.load(open(sys.argv[1]))["processes"]
assert p["recovered"] == 4 and p["replaced_equal"] == 1 and p["looked_at"] == 1
' "$T/out/metadata/completion.json"
	check "verified" "$EXHIBIT" verify --case "$T/cut" "$b"
fi
# Neither the program nor the folder of a package is touched.
mkdir -p "$T/site/x-1.0.dist-info"
cp "$(readlink -f /usr/bin/python3)" "$T/python3.0"
PYTHONPATH=$T/site$(printf ':/none/%d' {1..64}) "$T/python3.0" -c 'import time; time.sleep(1000)' &
py=$!
sleep 0.5
touch -a -d 2001-01-01 "$T/site" "$T/python3.0"
touched=$(stat -c %X "$T/site" "$T/python3.0")
b=$("$EXHIBIT" collect --case "$T/case" --process "$py" 2>"$T/err")
same "times of access are as they were" \
    "$(stat -c %X "$T/site" "$T/python3.0")" "$touched"
unpack "$b"
check "folders beyond the limit are said" grep -q \
    "more packages, or folders of them" "$T/out/metadata/errors.jsonl"
# A file that is called like the process is not where it lies.
echo >"$T/site/$py"
b2=$(cd "$T/site" && "$EXHIBIT" collect --case "$T/case" --process "$py" \
    2>"$T/err")
"$EXHIBIT" cat "$b2" metadata/acquisition.json >"$T/acquisition"
check "a number is no path" /usr/bin/python3 -c 'import json, sys
assert json.load(open(sys.argv[1]))["sources"][0]["mount"] is None
' "$T/acquisition"
check "and the package is there" grep -q '"name":"x","version":"1.0"' "$T/rows"
kill "$py"
exits 2 "nobody holds it" "$EXHIBIT" collect --dry-run --process-of "$T/same.orig"
exits 2 "no such process" "$EXHIBIT" collect --dry-run --process 2147483647
exits 64 "no number" "$EXHIBIT" collect --dry-run --process init
exits 64 "no policy" "$EXHIBIT" collect --dry-run --process "$pid" --environ all
exits 0 "a dry run" "$EXHIBIT" collect --dry-run --process "$pid"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$T"
	exits 2 "what may not be looked at is said" setpriv --reuid 65534 \
	    --clear-groups "$COLLECT" --dry-run --process "$pid"
	cp "$T/.out" "$T/refused"
	check "by name" grep -q "cannot take.*/proc/$pid/fd: " "$T/refused"
	check "its environment, too" grep -q \
	    "cannot take.*/proc/$pid/environ: cannot read" "$T/refused"
fi
finish
