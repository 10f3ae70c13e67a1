"""What `exhibit logs` says of the callers of log_sets.py's logs.

usage: log_measure.py EXHIBIT FOLDER [REQUESTS...]

For each set and each number of requests (0: all; else the first so many of
each client) it prints, by kind of client, how many of how many got a verdict
and which; then attackers and honest callers in all, with Clopper-Pearson
intervals, and every honest caller that got one.
"""
import collections
import glob
import json
import os
import subprocess
import sys
import tempfile

from scipy.stats import beta

from log_sets import ATTACK, BLIND


def interval(k, n):
    if n == 0:
        return "no clients"
    lo = beta.ppf(0.025, k, n - k + 1) if k else 0
    hi = beta.ppf(0.975, k + 1, n - k) if k < n else 1
    return "%d/%d = %.1f %% (%.1f to %.1f)" % (k, n, 100 * k / n, 100 * lo,
                                              100 * hi)


def first(path, most, out):
    seen = collections.Counter()
    with open(path) as f:
        for line in f:
            c = json.loads(line)["client"]
            seen[c] += 1
            if not most or seen[c] <= most:
                out.write(line)
    out.flush()


def rows(exhibit, path, fields):
    r = subprocess.run([exhibit, "logs", "--format", "jsonl", "--fields",
                        fields, path], stdout=subprocess.PIPE)
    return [json.loads(s) for s in r.stdout.splitlines()]


def main():
    exhibit, folder = sys.argv[1:3]
    total = collections.defaultdict(lambda: [0, 0])
    for most in [int(v) for v in sys.argv[3:]] or [0, 50, 100, 200]:
        for path in sorted(glob.glob(os.path.join(folder, "*.truth.json"))):
            truth = json.load(open(path))
            with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as t:
                first(path.replace(".truth.json", ".jsonl"), most, t)
                got = rows(exhibit, t.name, truth["fields"])
            said = {r["caller"]: r for r in got if r["type"] == "caller"}
            by = collections.defaultdict(list)
            for c, kind in truth["clients"].items():
                by[kind].append((c, said.get(c, {}).get("verdicts", [])))
            print("%s, %s requests" % (truth["set"], most or "all"))
            for kind, clients in by.items():
                hits = sum(bool(v) for _, v in clients)
                what = collections.Counter(x for _, v in clients for x in v)
                print("  %-18s %d/%d  %s" % (kind, hits, len(clients),
                                             dict(what)))
                side = ("attackers" if kind in ATTACK else "blind"
                        if kind in BLIND else "honest")
                media = "texts" if truth["set"] == "texts" else "images"
                k = total[most, media, side]
                k[0] += hits
                k[1] += len(clients)
                for c, v in clients:
                    if v and kind not in ATTACK:
                        print("    %s %s %s" % (c, v, json.dumps(
                            said[c]["statistics"])[:700]))
            for r in got:
                if r["type"] == "candidate" or (
                        r["type"] == "lead" and most == 0):
                    print("  %s %s %s" % (r["type"], r["method"],
                                          r["value"]))
    for (most, media, side), (k, n) in sorted(total.items()):
        print("%-8s %4s requests, %-9s flagged %s" % (
            media, most or "all", side, interval(k, n)))


if __name__ == "__main__":
    main()
