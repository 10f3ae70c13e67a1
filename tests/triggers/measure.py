"""Recall and false alarms of trigger detectors: measure.py FOLDER...

For each FOLDER/NAME.truth.json, `exhibit triggers --format jsonl` (or
`logs`, for family "log") runs on NAME.<ext>.  A hit is a candidate with at
least three and 60 % of its evidence.rows poisoned, or whose value holds, or
is held by, a trigger's value.  For clean sets every candidate is an alarm.

--exhibit PROGRAM, --command 'prog {}' (instead of exhibit triggers),
--jobs N, --only WORD, --json FILE (one line a set).
"""
import argparse
import glob
import json
import math
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def beta_quantile(p, a, b):
    """By bisection on the incomplete beta as a binomial tail (a, b whole)."""
    n, lo, hi = a + b - 1, 0.0, 1.0
    for _ in range(60):
        x = (lo + hi) / 2
        tail = sum(math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) -
                            math.lgamma(n - k + 1) + k * math.log(x) +
                            (n - k) * math.log1p(-x))
                   for k in range(a, n + 1)) if 0 < x < 1 else x
        lo, hi = (x, hi) if tail < p else (lo, x)
    return (lo + hi) / 2


def interval(k, n):
    """Clopper-Pearson, 95 %."""
    if n == 0:
        return 0.0, 1.0
    return (beta_quantile(0.025, k, n - k + 1) if k > 0 else 0.0,
            beta_quantile(0.975, k + 1, n - k) if k < n else 1.0)


def is_hit(c, truth):
    rows = c.get("evidence", {}).get("rows") or []
    poison = truth["poison"]
    bad = sum(r in poison for r in rows)
    if bad >= 3 and bad >= 0.6 * len(rows):
        return True
    v = (c.get("value") or "").strip().lower()
    for t in truth["values"]:
        t = t.strip().lower()
        if v and t and (v in t or t in v):
            return True
    return False


def find(base):
    for path in sorted(glob.glob(glob.escape(base) + "*")):
        if path != base + ".truth.json" and \
                (path == base or path[len(base)] == "."):
            return path
    return None


def run(truth_path, o):
    with open(truth_path, encoding="utf-8") as f:
        truth = json.load(f)
    truth["poison"] = set(truth.get("rows") or [])
    truth["values"] = truth.get("values") or []
    path = find(truth_path[:-len(".truth.json")])
    what = "logs" if truth["family"] == "log" else "triggers"
    argv = [a.replace("{}", path) for a in shlex.split(o.command)] \
        if o.command else [o.exhibit, what, "--format", "jsonl", path]
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       check=False)
    lines = []
    for line in p.stdout.decode("utf-8", "replace").split("\n"):
        if line.startswith("{"):
            lines.append(json.loads(line))
    # A worker that ended early is no "nothing found".
    if p.returncode not in (0, 1) or "SCAN-" in p.stdout.decode("utf-8", "replace"):
        print("FAILED: %s: exit %d %s" % (argv[-1], p.returncode,
                                          p.stderr.decode("utf-8", "replace")[:200]))
    cand = [x for x in lines if x.get("type") == "candidate"]
    cand.sort(key=lambda c: c.get("rank", 0))
    lead = [x for x in lines if x.get("type") == "lead"]
    rank = next((i + 1 for i, c in enumerate(cand) if is_hit(c, truth)), 0)
    below = max((c["score"] for c in lead if is_hit(c, truth) and
                 c["method"] not in ("text-label", "text-skeleton",
                                     "text-duplicate")),
                default=0)
    return {"set": truth["set"], "attack": truth["attack"],
            "rate": truth["rate"], "clean": truth["clean"],
            "poison": len(truth["poison"]), "rank": rank,
            "values": truth["values"], "below": below,
            "candidates": cand, "leads": lead, "status": p.returncode,
            "applied": any(x.get("applied") for x in lines
                           if x.get("type") == "detector")}


def show(c):
    return "%s %r -> %r score %.2f rows %s (%s)" % (
        c.get("kind"), c.get("value"), c.get("target"), c.get("score") or 0,
        c.get("evidence", {}).get("row_count"), c.get("method"))


def rate_text(k, n):
    lo, hi = interval(k, n)
    return "%3d/%-3d %.2f [%.2f, %.2f]" % (k, n, k / n if n else 0, lo, hi)


def report(results):
    attacks = {}
    for r in results:
        if not r["clean"]:
            attacks.setdefault((r["attack"], r["rate"]), []).append(r)
            attacks.setdefault((r["attack"], "all"), []).append(r)
            attacks.setdefault(("(all)", "all"), []).append(r)
    print("%-16s %6s %-26s %-26s %-26s" % ("attack", "rate", "rank 1",
                                           "rank 5", "rank 10"))
    for key in sorted(attacks, key=str):
        g = attacks[key]
        print("%-16s %6s %s" % (key[0], key[1], "  ".join(
            rate_text(sum(0 < r["rank"] <= k for r in g), len(g))
            for k in (1, 5, 10))))
    print("\nnot at rank 1:")
    for r in results:
        if not r["clean"] and r["rank"] != 1:
            print("  %s: rank %d of %d, %d rows, %r, below %.2f" % (
                r["set"], r["rank"], len(r["candidates"]), r["poison"],
                r["values"], r["below"]))
            for c in r["candidates"][:2]:
                print("      " + show(c))
    clean = [r for r in results if r["clean"]]
    alarm = [r for r in clean if r["candidates"]]
    print("\nclean sets with an alarm: " + rate_text(len(alarm), len(clean)))
    for r in alarm:
        print("  " + r["set"])
        for c in r["candidates"][:10]:
            print("      " + show(c))
    bad = [r["set"] for r in results if r["status"] not in (0, 1)]
    if bad:
        print("\nfailed: " + ", ".join(bad))
    other = [len(r["candidates"]) for r in results
             if not r["clean"] and r["rank"]]
    if other:
        other.sort()
        print("\ncandidates where found: median %d, mean %.1f, most %d" % (
            other[len(other) // 2], sum(other) / len(other), other[-1]))


def main():
    a = argparse.ArgumentParser()
    a.add_argument("folder", nargs="+")
    a.add_argument("--exhibit", default="build/exhibit")
    a.add_argument("--command")
    a.add_argument("--jobs", type=int, default=2)
    a.add_argument("--only", default="")
    a.add_argument("--json")
    o = a.parse_args()
    todo = [t for d in o.folder for t in sorted(glob.glob(
        os.path.join(d, "*.truth.json"))) if o.only in os.path.basename(t)]
    with ThreadPoolExecutor(o.jobs) as pool:
        results = list(pool.map(lambda t: run(t, o), todo))
    if o.json:
        with open(o.json, "w", encoding="utf-8") as f:
            for r in results:
                f.write(json.dumps(r) + "\n")
    report(results)
    return 0 if todo else 2


if __name__ == "__main__":
    sys.exit(main())
