#!/bin/bash
# Slices of training data: what an independent program takes of the same words
# from the same source; the source can be held against them later.
. tests/cli/lib.sh
check "case" make_case
D=$T/d
mkdir "$D"
cat >"$T/make.py" <<'P'
import gzip, io, json, os, struct, sys, tarfile
d = sys.argv[1]
rows = []
for i in range(200):
    line = json.dumps({"id": "r%d" % i, "n": i, "text": "line %d %s" % (i,
        "cf" if i % 7 == 0 else "plain"), "t": "2026-01-%02dT%02d:00:00Z" %
        (1 + i // 24, i % 24), "meta": {"lang": "de" if i % 5 == 0 else "en"}},
        separators=(",", ":") if i % 2 else None).encode()
    rows.append(line + (b"\r\n" if i % 11 == 0 else b"\n"))
rows[-1] = rows[-1].rstrip(b"\n")
open(d + "/d.jsonl", "wb").write(b"".join(rows))
with gzip.GzipFile(d + "/z.jsonl.gz", "wb", mtime=0) as f:
    f.write(b"".join(rows))
with open(d + "/d.csv", "wb") as f:
    f.write(b"id,when,text\r\n")
    for i in range(60):
        f.write(b'%d,2026-02-%02d,"a ""b""\n%d, c"\r\n' % (i, 1 + i % 28, i))
with tarfile.open(d + "/d.tar", "w", format=tarfile.USTAR_FORMAT) as t:
    for i in range(12):
        for ext, data in (("txt", b"text %d" % i), ("cls", b"%d" % (i % 3))):
            m = tarfile.TarInfo("%04d.%s" % (i, ext))
            m.size = len(data)
            t.addfile(m, io.BytesIO(data))
head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (50, 3), }"
head += b" " * (63 - (10 + len(head)) % 64) + b"\n"
with open(d + "/d.npy", "wb") as f:
    f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)
    f.write(b"".join(struct.pack("<3f", i, i / 2, -i) for i in range(50)))
for c in ("cat", "dog"):
    os.makedirs("%s/img/%s" % (d, c))
    for i in range(6):
        with open("%s/img/%s/%d.pgm" % (d, c, i), "wb") as f:
            f.write(b"P5 2 2 255\n" + bytes([i, len(c), ord(c[0]), 9]))
# Parquet: two plain columns, one page each, footer in Thrift's compact form.
def var(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
def zig(n):
    return var(n << 1)
def st(*fields):
    out, last = b"", 0
    for fid, kind, body in fields:
        out += bytes([(fid - last) << 4 | kind]) + body
        last = fid
    return out + b"\0"
def text(s):
    return var(len(s)) + s
def many(kind, items):
    return bytes([len(items) << 4 | kind]) + b"".join(items)
I32, I64, BIN, LIST, STRUCT = 5, 6, 8, 9, 12
count = 30
columns = [(b"n", 1, None, b"".join(struct.pack("<i", i) for i in
    range(count))), (b"s", 6, 0, b"".join(struct.pack("<I", 4) + b"s%03d" % i
    for i in range(count)))]
out, chunks = b"PAR1", []
for name, kind, _, page in columns:
    head = st((1, I32, zig(0)), (2, I32, zig(len(page))), (3, I32,
        zig(len(page))), (5, STRUCT, st((1, I32, zig(count)), (2, I32,
        zig(0)), (3, I32, zig(3)), (4, I32, zig(3)))))
    meta = st((1, I32, zig(kind)), (2, LIST, many(I32, [zig(0)])), (3, LIST,
        many(BIN, [text(name)])), (4, I32, zig(0)), (5, I64, zig(count)),
        (6, I64, zig(len(head) + len(page))), (7, I64, zig(len(head) +
        len(page))), (9, I64, zig(len(out))))
    chunks.append((len(out), meta, len(head) + len(page)))
    out += head + page
schema = [st((4, BIN, text(b"root")), (5, I32, zig(2)))]
for name, kind, converted, _ in columns:
    schema.append(st((1, I32, zig(kind)), (3, I32, zig(0)), (4, BIN,
        text(name)), *(((6, I32, zig(converted)),) if converted is not None
        else ())))
group = st((1, LIST, many(STRUCT, [st((2, I64, zig(o)), (3, STRUCT, m))
    for o, m, _ in chunks])), (2, I64, zig(sum(n for _, _, n in chunks))),
    (3, I64, zig(count)))
footer = st((1, I32, zig(1)), (2, LIST, many(STRUCT, schema)), (3, I64,
    zig(count)), (4, LIST, many(STRUCT, [group])))
out += footer + struct.pack("<I", len(footer)) + b"PAR1"
open(d + "/d.parquet", "wb").write(out)
open(d + "/../ids", "w").write("r5\r\n\nr77\nnone\nr150\n")
P
/usr/bin/python3 "$T/make.py" "$D"
# The records of a source: number, file, offset, length; then the rule.
cat >"$T/derive.py" <<'P'
import datetime, gzip, hashlib, json, os, re, struct, sys
from urllib.parse import unquote_to_bytes
def records(path):
    if os.path.isdir(path):
        names = sorted(os.path.relpath(os.path.join(a, f), path).encode()
            for a, _, fs in os.walk(path) for f in fs)
        for k, n in enumerate(names):
            data = open(os.path.join(path.encode(), n), "rb").read()
            yield k, 0, data, {"class": n.split(b"/")[0].decode()}
        return
    data = (gzip.open if path.endswith(".gz") else open)(path, "rb").read()
    if ".jsonl" in path:
        off = 0
        for line in data.split(b"\n"):
            if line:
                yield 0, off, line, json.loads(line)
            off += len(line) + 1
    elif path.endswith(".csv"):
        off = data.index(b"\n") + 1
        for m in re.finditer(rb'(\d+),([\d-]+),"((?:[^"]|"")*)"\r\n', data):
            yield 0, m.start(), m.group()[:-1], {"id": m[1].decode(),
                "when": m[2].decode(), "text": m[3].decode().replace('""',
                '"')}
    elif path.endswith(".tar"):
        at, base, first = 0, None, 0
        fields = {}
        while data[at:at + 1] != b"\0" and at < len(data):
            name = data[at:at + 100].rstrip(b"\0").decode()
            size = int(data[at + 124:at + 135], 8)
            b, ext = name.split(".", 1)
            if base is not None and b != base:
                yield 0, first, data[first:at], fields
                first, fields = at, {}
            base = b
            fields[ext] = data[at + 512:at + 512 + size].decode()
            at += 512 + (size + 511) // 512 * 512
        yield 0, first, data[first:at], fields
    elif path.endswith(".npy"):
        first = 10 + struct.unpack("<H", data[8:10])[0]
        for i in range(50):
            yield 0, first + 12 * i, data[first + 12 * i:first + 12 * i +
                12], {}
    elif path.endswith(".parquet"):
        for i in range(30):
            row = {"n": i, "s": "s%03d" % i}
            yield 0, None, json.dumps(row, separators=(",", ":")).encode(), row
    else:
        sys.exit("what is " + path)
def when(s):
    if s == "":
        return None
    t = datetime.datetime.fromisoformat(s.replace("Z", "+00:00"))
    return t if t.tzinfo else t.replace(tzinfo=datetime.timezone.utc)
def value(fields, path):
    if path in fields:
        return fields[path]
    for p in path.split("."):
        fields = fields.get(p) if isinstance(fields, dict) else None
    return fields
def text(v):
    return v if isinstance(v, str) else json.dumps(v)
def takes(part, i, raw, fields):
    kind, arg = part.split("=", 1)
    if kind == "rows":
        a, b = arg.split("..")
        return int(a or 0) <= i < int(b or 1 << 62)
    if kind == "hash":
        f, salt = (arg.split("@", 1) + [""])[:2]
        key = hashlib.sha256(raw).digest()
        d = hashlib.sha256(salt.encode() + key).digest()[:8]
        num, den = (int(f.replace(".", "")), 10 ** len(f.split(".")[1]))
        return int.from_bytes(d, "big") < num * 2 ** 64 // den
    if kind == "where":
        field, want = arg.split("=", 1)
        v = value(fields, field)
        return v is not None and text(v) == want
    arg, field = arg.rsplit("@", 1)
    v = value(fields, field)
    if v is None:
        return False
    if kind == "ids":
        want = [l.strip() for l in open(arg[5:])] if arg.startswith("file:") \
            else arg.split(",")
        return text(v) in [w for w in want if w]
    if kind == "match":
        return isinstance(v, str) and (bytes.fromhex(arg[4:]) if
            arg.startswith("hex:") else unquote_to_bytes(arg)) in v.encode()
    a, b = (when(x) for x in arg.split(".."))
    t = when(v)
    return (a is None or a <= t) and (b is None or t < b)
path, spec, folder = sys.argv[1:4]
want, body = [], b""
for i, (k, off, raw, fields) in enumerate(records(path)):
    if all(takes(p, i, raw, fields) for p in spec.split("&")):
        want.append([i, k, off, len(raw), hashlib.sha256(raw).hexdigest()])
got = [json.loads(l) for l in open(folder + "/records.jsonl")]
got_short = [[r["index"], r["file"], r["offset"], r["length"], r["sha256"]]
    for r in got]
if path.endswith(".parquet"):
    # A row is no run of bytes: its place is that of the page.
    for g, w in zip(got_short, want):
        g[2:4] = w[2:4]
    for r, w in zip(got, want):
        assert r["in"] == "rows.jsonl"
        r["length"] = w[3]
if got_short != want:
    sys.exit("got  %r\nwant %r" % (got_short[:9], want[:9]))
if not want or len(want) == i + 1:
    sys.exit("a specification that proves nothing: %d of %d" % (len(want),
        i + 1))
held = {}
for r in got:
    if r["in"] not in held:
        held[r["in"]] = open(folder + "/" + r["in"], "rb").read()
    part = held[r["in"]][r["at"]:r["at"] + r["stored"]]
    if hashlib.sha256(part[:r["length"]]).hexdigest() != r["sha256"]:
        sys.exit("the member holds something else: %r" % r)
    if part[r["length"]:] not in (b"", b"\n"):
        sys.exit("not a line's end: %r" % r)
j = json.load(open(folder + "/slice.json"))
s = [json.loads(l) for l in open(folder + "/sources.jsonl")]
assert j["spec"] == spec and j["records"]["taken"] == len(want), j
assert len(s) == j["source"]["files"]
for f in s:
    p = path + "/" + f["name"] if j["source"]["folder"] else path
    assert hashlib.sha256(open(p, "rb").read()).hexdigest() == f["sha256"]
P
specs=(
	d.jsonl 'rows=10..20'
	d.jsonl 'rows=190..'
	d.jsonl 'hash=0.25'
	d.jsonl 'hash=0.5@salt&rows=..100'
	d.jsonl 'time=2026-01-02T06:00:00Z..2026-01-03@t'
	d.jsonl 'where=meta.lang=de'
	d.jsonl 'where=n=42'
	d.jsonl 'ids=r3,r9,r199@id'
	d.jsonl "ids=file:$T/ids@id"
	d.jsonl 'match=cf@text'
	d.jsonl 'match=hex:6366@text&where=meta.lang=en'
	z.jsonl.gz 'hash=0.1@x'
	z.jsonl.gz 'rows=3..9'
	d.csv 'rows=5..9'
	d.csv 'time=2026-02-03..2026-02-05@when'
	d.csv 'match=5%2C c@text'
	d.csv 'hash=0.3'
	d.tar 'rows=2..5'
	d.tar 'where=cls=1'
	d.tar 'hash=0.5@t'
	d.npy 'rows=7..13'
	d.npy 'hash=0.2'
	d.parquet 'rows=3..8'
	d.parquet 'where=s=s007'
	d.parquet 'ids=4,9@n'
	d.parquet 'hash=0.3@p'
	img 'where=class=dog'
	img 'hash=0.5'
)
args=()
for ((i = 0; i < ${#specs[@]}; i += 2)); do
	args+=(--training "$D/${specs[i]}:${specs[i + 1]}")
done
(cd "$D" && find . -type f -exec stat -c '%n %X %Y %Z' {} +) | sort >"$T/before"
b=$("$EXHIBIT" collect --case "$T/case" "${args[@]}" 2>"$T/err")
same "collected" "$?" 0
(cd "$D" && find . -type f -exec stat -c '%n %X %Y %Z' {} +) | sort >"$T/after"
check "the source is not altered" diff "$T/before" "$T/after"
check "verified" "$EXHIBIT" verify --case "$T/case" "$b"
mkdir "$T/o"
tar -xf "$b" -C "$T/o" --strip-components=1
declare -A n
for ((i = 0; i < ${#specs[@]}; i += 2)); do
	f=${specs[i]}
	n[$f]=$((${n[$f]:-0} + 1))
	check "$f: ${specs[i + 1]}" /usr/bin/python3 "$T/derive.py" "$D/$f" \
	    "${specs[i + 1]}" "$T/o/data/training$D/$f.slice-${n[$f]}"
done
/usr/bin/python3 - "$T/o/data/training$D" <<'P' >"$T/schema.out" 2>&1
import json, pathlib, sys
import jsonschema
def check(name, pattern, least):
    s = json.load(open("schemas/%s.schema.json" % name))
    v = jsonschema.Draft202012Validator(s)
    lines = [json.loads(l) for p in pathlib.Path(sys.argv[1]).glob(pattern)
        for l in open(p)]
    for l in lines:
        v.validate(l)
    assert len(lines) >= least, (name, len(lines))
check("slice", "*/slice.json", 20)
check("slice-record", "*/records.jsonl", 100)
check("slice-source", "*/sources.jsonl", 30)
P
same "lines fit their schemas ($(tail -n 1 "$T/schema.out"))" "$?" 0
# Nothing but what the slices take is in the bundle.
check "no whole source" test ! -e "$T/o/data/training$D/d.jsonl"
# With stock tools alone.
one=$T/o/data/training$D/d.jsonl.slice-2
read -r off len sha < <(sed -n 3p "$one/records.jsonl" |
    sed 's/.*"offset":\([0-9]*\),"length":\([0-9]*\),"sha256":"\([0-9a-f]*\)".*/\1 \2 \3/')
same "dd and sha256sum find a record" "$(dd if="$D/d.jsonl" \
    iflag=skip_bytes,count_bytes skip="$off" count="$len" status=none |
    sha256sum | cut -d' ' -f1)" "$sha"
has "the source's digest" "$one/slice.json" \
    "$(sha256sum "$D/d.jsonl" | cut -d' ' -f1)"
check "the file of ids is kept" cmp "$T/ids" \
    "$T/o/data/training$D/d.jsonl.slice-9/ids-1"

# Whoever holds the source derives them again.
for f in d.jsonl z.jsonl.gz d.csv d.tar d.npy d.parquet img; do
	exits 0 "$f: the source agrees" "$EXHIBIT" verify --case "$T/case" \
	    --source "$D/$f" "$b"
	has "$f: it is said" "$T/.out" "holds        source"
done
cp -r "$D" "$T/d2"
for f in d.jsonl d.csv d.tar d.npy d.parquet img/dog/3.pgm; do
	printf '\001' | dd of="$T/d2/$f" bs=1 seek=5 conv=notrunc 2>/dev/null
	exits 3 "$f: one byte is another" "$EXHIBIT" verify --case "$T/case" \
	    --source "$T/d2/${f%%/*}" "$b"
	has "$f: it is said" "$T/.out" "another SHA-256"
done
cp "$D/img/dog/3.pgm" "$T/d2/img/dog/3.pgm"
cp "$D/img/dog/3.pgm" "$T/d2/img/dog/7.pgm"
exits 3 "one file more" "$EXHIBIT" verify --case "$T/case" \
    --source "$T/d2/img" "$b"
mkdir "$T/other"
echo '{"a":1}' >"$T/other/none.jsonl"
exits 2 "no slice of this source" "$EXHIBIT" verify --case "$T/case" \
    --source "$T/other/none.jsonl" "$b"
"$EXHIBIT" verify --case "$T/case" --source "$D/d.npy" --format jsonl \
    -o "$T/rows.jsonl" "$b"
has "as rows" "$T/rows.jsonl" \
    '{"type":"statement","name":"source","result":"holds"'
/usr/bin/python3 - "$T/rows.jsonl" <<'P' >"$T/schema.out" 2>&1
import json, sys
import jsonschema
v = jsonschema.Draft202012Validator(
    json.load(open("schemas/verify-statement.schema.json")))
rows = [json.loads(l) for l in open(sys.argv[1])]
rows = [r for r in rows if r["type"] == "statement"]
assert sum(r["name"] == "source" for r in rows) == 2, rows
for r in rows:
    v.validate(r)
P
same "rows fit their schema ($(tail -n 1 "$T/schema.out"))" "$?" 0
# The only slice of a bundle is compared whatever the source is called.
b2=$("$EXHIBIT" collect --case "$T/case" --training "$D/d.csv:hash=0.3" \
    2>/dev/null)
cp "$D/d.csv" "$T/other/renamed"
exits 0 "another name" "$EXHIBIT" verify --case "$T/case" \
    --source "$T/other/renamed" "$b2"
# A bundle whose slice lies about its source: the ordinary verification and
# the source disagree each by itself.
cp "$b2" "$T/bad.tar"
at=$(grep -obaF '"index":' "$T/bad.tar" | sed -n 1p | cut -d: -f1)
printf '9' | dd of="$T/bad.tar" bs=1 seek=$((at + 8)) conv=notrunc 2>/dev/null
exits 3 "a changed bundle" "$EXHIBIT" verify --case "$T/case" \
    --source "$D/d.csv" "$T/bad.tar"
has "its slice is no longer derived" "$T/.out" "fails        source"

# What makes no sense is refused before anything is read.
exits 64 "a specification that is none" "$EXHIBIT" collect --case "$T/case" \
    --training "$D/d.jsonl:rows=5..x"
has "with its place" "$T/.err" "character"
same "nothing was taken" "$(find "$T/case/bundles" -name '*.tar' | wc -l)" 2
exits 2 "a file of ids that is not there" "$EXHIBIT" collect \
    --case "$T/case" --training "$D/d.jsonl:ids=file:/none@id"
"$EXHIBIT" collect --dry-run --training "$D/d.jsonl:rows=5..7" >"$T/dry"
has "--dry-run" "$T/dry" "a slice of $D/d.jsonl: rows=5..7"
exits 64 "exhibit-collect reads no data sets" "$COLLECT" --keys "$T/keys" \
    -o "$T/x.tar" --training "$D/d.jsonl:rows=5..7"
cat >"$T/plan.yaml" <<P
sources:
- {class: training, path: $D/d.jsonl, slice: "rows=5..y"}
P
exits 64 "a plan's slice too" "$EXHIBIT" collect --case "$T/case" "$T/plan.yaml"
# Cut behind a slice and gone on with.
head -c 3000000 /dev/zero >"$T/other/slow"
"$EXHIBIT" collect --case "$T/case" --training "$D/d.jsonl:hash=0.25" \
    --registry "$T/other/slow" --limit-rate 500K >/dev/null 2>&1 &
cut=$!
sleep 1.5
kill -9 "$cut"
wait "$cut" 2>/dev/null
b3=$("$EXHIBIT" collect --case "$T/case" --resume 2>"$T/err")
same "gone on with" "$?" 0
exits 0 "its slice holds" "$EXHIBIT" verify --case "$T/case" \
    --source "$D/d.jsonl" "$b3"
same "and is there once" "$(tar -tf "$b3" | grep -c 'slice-1/slice.json')" 1
# A record that cannot be judged, and a data set that breaks off.
printf '{"a":1}\n{"a":\n{"a":3}\n' >"$T/other/torn.jsonl"
head -c 700 "$D/z.jsonl.gz" >"$T/other/torn.jsonl.gz"
exits 2 "undecided" "$EXHIBIT" collect --case "$T/case" \
    --training "$T/other/torn.jsonl:where=a=3"
exits 2 "torn" "$EXHIBIT" collect --case "$T/case" \
    --training "$T/other/torn.jsonl.gz:hash=0.9"
finish
