#!/bin/bash
# Whatever a file is called, it is collected, verified, listed, extracted by
# tar, and the records tell its exact name; what no path can name is an error.
. tests/cli/lib.sh
check "case" make_case
cat >"$T/make.py" <<'P'
import hashlib, os, sys
root = os.fsencode(sys.argv[1])
made = []           # absolute path, in bytes, of each regular file
def put(dir_fd, where, name):
    data = hashlib.sha256(where + b"/" + name).hexdigest().encode()
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644,
        dir_fd=dir_fd)
    os.write(fd, data)
    os.close(fd)
    made.append(where + b"/" + name)
def folder(name):
    os.mkdir(root + b"/" + name)
    return os.open(root + b"/" + name, os.O_RDONLY), root + b"/" + name
os.mkdir(root)
every = [b for b in range(1, 256) if b != 0x2f]
assert len(every) == 254
# Each byte alone, between others, at the end, and all in one name.
fd, where = folder(b"alone")
for b in every:
    if b != 0x2e:
        put(fd, where, bytes([b]))
fd, where = folder(b"between")
for b in every:
    put(fd, where, b"x" + bytes([b]) + b"y")
fd, where = folder(b"ends")
for b in every:
    put(fd, where, b"x" + bytes([b]))
fd, where = folder(b"all")
put(fd, where, bytes(every))
put(fd, where, bytes(reversed(every)))
# 255 bytes are the longest name; escaped each of them has three.
put(fd, where, b"\xff" * 255)
put(fd, where, b"\xff" * 254 + b"\xfe")
# A folder may have such names as well.
fd, where = folder(bytes([10, 0xff, 0x5c]) + b" ")
put(fd, where, b"in it")
# What differs in case, or looks the same, or is what others cut or forbid.
fd, where = folder(b"twins")
for name in ("a", "A", "model.BIN", "model.bin", "MODEL.bin", "\u00e9",
    "e\u0301", "\u0130", "i", "I", "\u0131", "stra\u00dfe", "strasse",
    "dot.", "dot", "dot..", "space ", "space", "space  ", " ", "  ",
    " space", "...", "....", ".hidden", "-", "--", "-rf", "~", "con", "NUL",
    "com1.txt", "a:b", "a:", "=", "=2F", "%2F", "a=2Fb", "*", "?", "$(x)",
    "`x`", "'", '"', "\u202etxt.exe", "\ufeffbom", "a\tb", "\x7f"):
    put(fd, where, name.encode())
# Absolute paths of so many bytes: the kernel takes 4095 and a NUL.  What is
# deeper can be made, and reached, by folders alone.
fd, where = folder(b"deep")
while len(where) + 201 < 3850:
    os.mkdir(b"d" * 200, dir_fd=fd)
    fd = os.open(b"d" * 200, os.O_RDONLY, dir_fd=fd)
    where += b"/" + b"d" * 200
os.mkdir(b"e" * (3900 - len(where) - 1), dir_fd=fd)
fd = os.open(b"e" * (3900 - len(where) - 1), os.O_RDONLY, dir_fd=fd)
where += b"/" + b"e" * (3900 - len(where) - 1)
assert len(where) == 3900
for n in [3902] + list(range(3990, 4101)) + [4155]:
    put(fd, where, b"%04d" % n + b"f" * (n - 3901 - 4) if n > 3910 else b"f")
os.mkdir(b"g" * 200, dir_fd=fd)
fd = os.open(b"g" * 200, os.O_RDONLY, dir_fd=fd)
where += b"/" + b"g" * 200
put(fd, where, b"beyond")
with open(sys.argv[2], "w") as f:
    f.writelines(p.hex() + "\n" for p in made)
P
cat >"$T/look.py" <<'P'
import hashlib, json, os, sys
made, root, out, listed = sys.argv[1:5]
bag = os.path.join(out, os.listdir(out)[0])
paths = [bytes.fromhex(l) for l in open(made)]
members, seen = {}, set()
for line in open(os.path.join(bag, "metadata/files.jsonl")):
    o = json.loads(line)
    p = bytes.fromhex(o["path_hex"])
    seen.add(p)
    if o["type"] == "file" and o["member"] is not None:
        members[p] = o["member"]
errors = {bytes.fromhex(json.loads(l)["path_hex"]): json.loads(l)
    for l in open(os.path.join(bag, "metadata/errors.jsonl"))}
inside = {json.loads(l)["path"] for l in open(listed)}
assert len(set(members.values())) == len(members), "two have one name"
# Two names of members that differ in case alone would be one file elsewhere.
stored = lost = 0
longest = 0
for p in paths:
    want = hashlib.sha256(p).hexdigest().encode()
    if p in members:
        m = members[p]
        data = open(os.path.join(os.fsencode(bag), m.encode()), "rb").read()
        assert data == want, p
        assert m in inside, m
        stored += 1
        longest = max(longest, len(p))
        continue
    # Not a byte of it was taken: an error names it, or the folder above.
    up = p
    while up and up not in errors:
        up = up.rpartition(b"/")[0]
    assert up, b"lost without a word: " + p[-60:]
    assert len(p) > 4010, b"not taken: " + p[-60:]
    lost += 1
print(stored, lost, longest)
P
/usr/bin/python3 "$T/make.py" "$T/src" "$T/made"
same "made" "$?" 0
bundle=$("$EXHIBIT" collect --case "$T/case" --weights "$T/src" 2>"$T/err")
same "what cannot be named is an error" "$?" 2
check "it verifies" "$EXHIBIT" verify --case "$T/case" "$bundle"
check "with the small program" "$VERIFY" "$bundle" \
    --trust "$T/keys/examiner.pem" --tsa-trust "$T/keys/tsa.pem"
"$EXHIBIT" list --format jsonl "$bundle" >"$T/listed"
same "it is listed" "$?" 0
mkdir "$T/out"
check "tar extracts it" tar -xf "$bundle" -C "$T/out"
check "each is there by its exact name, or an error" /usr/bin/python3 \
    "$T/look.py" "$T/made" "$T/src" "$T/out" "$T/listed"
read -r stored lost longest <"$T/.out"
made=$(wc -l <"$T/made")
same "all are accounted for" "$((stored + lost))" "$made"
check "names of all bytes: $stored" [ "$stored" -gt 820 ]
# The name of a member has at most 4 031 bytes, docs/FORMAT.md 4.
check "the longest path that was taken: $longest" [ "$longest" -ge 4010 ]
check "beyond it is an error: $lost" [ "$lost" -ge 70 ]
check "manifests agree" bash -c "cd '$T/out'/* &&
    sha256sum -c --strict --quiet manifest-sha256.txt"
finish
