#!/bin/bash
# Recall on the pickle corpus: every hostile sample has its verdict, and the
# expected callee stands in a finding of it or of what it holds; no benign
# sample (groups benign*) is malicious, and the ones that ought to be clean
# are.
. tests/cli/lib.sh

corpus=$BUILD/pickles
rm -rf "$corpus"
check "the recipes can be assembled" \
    "$BUILD/tools/mksample" --cases tests/pickles "$corpus"
if [ ! -s "$corpus/expect.tsv" ]; then
	echo "FAILED: the list of samples is empty"
	exit 1
fi
"$EXHIBIT" scan --format jsonl "$corpus" >"$T/results.jsonl" 2>"$T/scan.err"

/usr/bin/python3 - "$corpus" "$T/results.jsonl" <<'P'
import json, os, sys

corpus, results = sys.argv[1:]
verdict, callees, calls, whole = {}, {}, {}, False
with open(results, encoding="utf-8") as f:
    for line in f:
        row = json.loads(line)
        if row["type"] == "summary":
            whole = True
        if "path" not in row:
            continue
        top = os.path.relpath(row["path"].split("!")[0], corpus)
        if row["type"] == "object" and row["depth"] == 0:
            verdict[top] = row["verdict"]
        elif row["type"] == "finding":
            callees.setdefault(top, set()).add(
                row.get("evidence", {}).get("callee"))

hostile = found = named = with_callee = benign = false = want = clean = 0
misses = []
listed = set()
for line in open(corpus + "/expect.tsv", encoding="utf-8"):
    path, expect, callee = line.rstrip("\n").split("\t")
    listed.add(path)
    got = verdict.get(path, "missing")
    if not os.path.isfile(os.path.join(corpus, path)):
        got = "missing"
    if path.startswith("benign"):
        benign += 1
        false += got == "malicious"
        clean += got == "clean"
        allowed = {"clean": ("clean",), "suspicious": ("clean", "suspicious")}
        if got not in allowed[expect]:
            misses.append("%s is %s, not %s" % (path, got, expect))
        continue
    hostile += 1
    ok = got == expect
    found += ok
    there = callee == "-" or callee in callees.get(path, ())
    with_callee += callee != "-"
    named += there and callee != "-"
    if not ok:
        misses.append("%s is %s, not %s" % (path, got, expect))
    elif not there:
        misses.append("%s: %s is not named but %s" % (path, callee,
            " ".join(sorted(filter(None, callees.get(path, ())))) or "nothing"))
for path in sorted(set(verdict) - listed - {"expect.tsv"}):
    misses.append("%s is in no list" % path)
print("hostile %d, found %d, callee named %d of %d; "
      "benign %d, malicious %d, clean %d" %
      (hostile, found, named, with_callee, benign, false, clean))
if not whole:
    print("the scan did not end")
for m in misses[:int(os.environ.get("MISSES", "40"))]:
    print("MISS: " + m)
if len(misses) > 40:
    print("%d misses" % len(misses))
sys.exit(not (whole and not misses and hostile >= 300 and benign >= 100))
P
rc=$?
checks=$((checks + 1))
if [ "$rc" -ne 0 ]; then
	failures=$((failures + 1))
	echo "FAILED: the corpus is not found as it should be"
	tail -n 5 "$T/scan.err"
fi
finish
