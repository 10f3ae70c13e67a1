#!/bin/bash
# Recall on the corpus of model files (tests/models, described in
# samples/README.md).  Each case that expects another verdict than clean has
# it, and a finding of the rule that it names; each case that expects clean
# has no finding above info, in it or in what it holds, unless it names a rule:
# then that one, and none above low.  MISSES=n shows n
# misses instead of 40.
. tests/cli/lib.sh

corpus=$BUILD/models
rm -rf "$corpus"
check "the recipes can be assembled" \
    "$BUILD/tools/mksample" --cases tests/models "$corpus"
if [ ! -s "$corpus/expect.tsv" ]; then
	echo "FAILED: the list of samples is empty"
	exit 1
fi
"$EXHIBIT" scan --format jsonl "$corpus" >"$T/results.jsonl" 2>"$T/scan.err"

/usr/bin/python3 - "$corpus" "$T/results.jsonl" <<'P'
import json, os, sys

corpus, results = sys.argv[1:]
verdict, rules, loud, louder, whole = {}, {}, {}, {}, False
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
            rules.setdefault(top, set()).add(row["rule"])
            if row["severity"] != "info":
                loud.setdefault(top, set()).add(row["rule"])
            if row["severity"] not in ("info", "low"):
                louder.setdefault(top, set()).add(row["rule"])

hostile = found = benign = false = 0
misses, listed = [], set()
for line in open(corpus + "/expect.tsv", encoding="utf-8"):
    path, expect, rule = line.rstrip("\n").split("\t")
    listed.add(path)
    got = verdict.get(path, "missing")
    told = " ".join(sorted(rules.get(path, ()))) or "nothing"
    if expect == "clean" and rule == "-":
        benign += 1
        if got == "clean" and path not in loud:
            continue
        false += 1
        misses.append("%s is %s: %s" % (path, got, told))
        continue
    hostile += 1
    if got == expect and (rule == "-" or rule in rules.get(path, ())) and \
            (expect != "clean" or path not in louder):
        found += 1
        continue
    misses.append("%s is %s, not %s by %s: %s" % (path, got, expect, rule,
                  told))
folders = {os.path.dirname(p) for p in listed if p.count("/") == 2}
for path in sorted(set(verdict) - listed - {"expect.tsv"}):
    if os.path.dirname(path) in folders:
        continue            # it stands beside a model
    misses.append("%s is in no list" % path)
print("hostile or defective %d, found %d; benign %d, false alarms %d" %
      (hostile, found, benign, false))
if not whole:
    print("the scan did not end")
shown = int(os.environ.get("MISSES", "40"))
for m in misses[:shown]:
    print("MISS: " + m)
if len(misses) > shown:
    print("and %d more" % (len(misses) - shown))
sys.exit(not (whole and not misses and hostile >= 250 and benign >= 100))
P
rc=$?
checks=$((checks + 1))
if [ "$rc" -ne 0 ]; then
	failures=$((failures + 1))
	echo "FAILED: the corpus is not found as it should be"
	tail -n 5 "$T/scan.err"
fi
finish
