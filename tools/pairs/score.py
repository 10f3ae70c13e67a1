#!/usr/bin/python3
"""Compares what exhibit says of a set of pairs with what was done to them.

    tools/pairs/score.py [--root DIR] [--set NAME] [--exhibit PATH]
                         [--jobs N] [--again] [--match TEXT]

Runs `exhibit diff` and `exhibit triggers --base` on every pair, keeps their
output beside it, and prints one line a detector: how many were reached, with
the 95 % interval of Wilson, what is required, and the false claims.  Every
miss is listed with its path.  Exit 1 when a requirement is missed.
"""
import argparse
import concurrent.futures
import glob
import json
import math
import os
import shutil
import subprocess
import sys

import judge

SECONDS = 300


def run(argv, out):
    """The rows that a command prints, kept in ${out}; what went wrong."""
    with open(out, "wb") as f:
        try:
            p = subprocess.run(argv, stdout=f, stderr=subprocess.PIPE,
                               timeout=SECONDS)
            code, talk = p.returncode, p.stderr.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            code, talk = -1, "no end after %d s" % SECONDS
    if code not in (0, 1):
        with open(out, "a") as f:
            f.write(json.dumps({"type": "broken", "code": code,
                                "talk": talk[-300:]}) + "\n")


def results(path):
    """Rows, last first where the run did not end with a summary."""
    rows = []
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            try:
                rows.append(json.loads(line))
            except ValueError:
                rows.append({"type": "broken", "talk": line[:200]})
    if not any(r.get("type") == "summary" for r in rows):
        rows.append({"type": "broken", "talk": "no summary"})
    return rows


def measure(folder, exhibit, again):
    """What is said of one pair: diff, triggers with and without OLD."""
    with open(os.path.join(folder, "truth.json")) as f:
        truth = json.load(f)
    old, new = (os.path.join(folder, truth[k]) for k in ("old", "new"))
    carved = os.path.join(folder, "carved")
    commands = {"diff": [exhibit, "diff", "-q", "--format", "jsonl"] +
                (["--carve", carved] if truth["kind"] == "payload" else []) +
                [old, new]}
    if truth["group"] in ("text", "hard", "lm", "cnn"):
        commands["triggers"] = [exhibit, "triggers", "-q", "--format",
                                "jsonl", new, "--base", old]
        commands["alone"] = [exhibit, "triggers", "-q", "--format", "jsonl",
                             new]
    said = {}
    for name, argv in commands.items():
        out = os.path.join(folder, name + ".jsonl")
        if again or not os.path.exists(out):
            if name == "diff":
                shutil.rmtree(carved, ignore_errors=True)
                os.makedirs(carved)
            run(argv, out + ".part")
            os.rename(out + ".part", out)
        said[name] = results(out)
    return judge.judge(folder, truth, said)


def wilson(hits, n, z=1.96):
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    mid = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / \
        (1 + z * z / n)
    return max(0.0, mid - half), min(1.0, mid + half)


def line(row, marks):
    """One line of the table, and whether the requirement holds."""
    n, hits = len(marks), sum(m.hit for m in marks)
    if n == 0:
        return "%-44s %9s" % (row.text, "-"), True
    if row.most is not None:
        ok = hits <= row.most * n
        need = "<= %.0f %%" % (100 * row.most)
    else:
        ok = hits >= row.least * n
        need = ">= %.0f %%" % (100 * row.least)
    low, high = wilson(hits, n)
    return "%-44s %5g/%-4d %5.1f %% [%5.1f, %5.1f]  %-8s %s" % (
        row.text, hits, n, 100 * hits / n, 100 * low, 100 * high, need,
        "" if ok else "MISSED"), ok


def table(name, marks, out):
    print("set %s" % name, file=out)
    missed = 0
    for row in judge.ROWS:
        text, ok = line(row, [m for m in marks if m.row == row.key])
        print(text, file=out)
        missed += not ok
    wrong = [m for m in marks if m.bad]
    if wrong:
        print("\nmisses and false claims", file=out)
    for m in sorted(wrong, key=lambda m: (m.row, m.path)):
        print("%-16s %s: %s" % (m.row, m.path, m.note), file=out)
    return missed


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--root", default="build/pairs")
    p.add_argument("--set", default="A")
    p.add_argument("--exhibit", default="build/exhibit")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--match", default="", help="pairs whose id has TEXT")
    p.add_argument("--again", action="store_true",
                   help="run exhibit again where its output is kept")
    args = p.parse_args()
    folders = [os.path.dirname(t) for t in sorted(glob.glob(
        os.path.join(args.root, args.set, "*", "truth.json")))
        if args.match in t.split("/")[-2]]
    if not folders:
        sys.exit("score: no pairs in %s/%s" % (args.root, args.set))
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        marks = [m for ms in pool.map(
            lambda f: measure(f, args.exhibit, args.again), folders)
            for m in ms]
    sys.exit(1 if table(args.set, marks, sys.stdout) else 0)


if __name__ == "__main__":
    main()
