#!/bin/bash
# Recall on the pickle corpus (tests/pickles, described in samples/README.md).
# Every hostile sample is malicious, and the expected callee stands in a
# finding of it or of what it holds; the group milder has its verdicts; no
# benign sample (groups benign*) is malicious, and the ones that ought to be
# clean are.  MISSES=n shows n misses instead of 40.
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
verdict, callees, whole = {}, {}, False
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
            evidence = row.get("evidence", {})
            callees.setdefault(top, set()).update(
                {evidence.get("callee"), evidence.get("handed_on")})

hostile = found = named = benign = false = clean = other = met = 0
misses = []
listed = set()
for line in open(corpus + "/expect.tsv", encoding="utf-8"):
    path, expect, callee = line.rstrip("\n").split("\t")
    listed.add(path)
    got = verdict.get(path, "missing")
    if not os.path.isfile(os.path.join(corpus, path)):
        got = "missing"
    ok = got == expect
    there = callee == "-" or callee in callees.get(path, ())
    if path.startswith("benign"):
        benign += 1
        false += got == "malicious"
        clean += got == "clean"
        ok = ok or expect == "suspicious" and got == "clean"
    elif expect == "malicious":
        hostile += 1
        found += ok
        named += ok and there
    else:
        other += 1
        met += ok
    if not ok:
        misses.append("%s is %s, not %s" % (path, got, expect))
    elif not there:
        names = sorted(filter(None, callees.get(path, ())))
        misses.append("%s: %s is not named, but %s" % (path, callee,
                      " ".join(names) or "nothing"))
for path in sorted(set(verdict) - listed - {"expect.tsv"}):
    misses.append("%s is in no list" % path)
print("hostile %d, found %d, callee named %d; "
      "benign %d, malicious %d, clean %d; others %d, as expected %d" %
      (hostile, found, named, benign, false, clean, other, met))
if not whole:
    print("the scan did not end")
shown = int(os.environ.get("MISSES", "40"))
for m in misses[:shown]:
    print("MISS: " + m)
if len(misses) > shown:
    print("and %d more" % (len(misses) - shown))
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
