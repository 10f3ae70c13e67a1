"""How well wrong labels are ranked: text_flips.py FOLDER [--command ...].

For each set whose attack is label-flip or label-flip-one: of the first k and
k/2 rows of the lead "text-label" (k labels were flipped), how many are
flipped; and the row AUROC, rows that are not listed counted as ties at the
end, so it is a lower bound where more than a thousand rows look wrong.
"""
import argparse
import glob
import json
import os
import shlex
import subprocess
import sys


def auroc(ranked, poison, total):
    """Of a list from worst on; the rest of total rows are ties behind it."""
    good_seen, wins, found = 0, 0.0, 0
    bad, good = len(poison), total - len(poison)
    for r in ranked:
        if r in poison:
            wins += good - good_seen
            found += 1
        else:
            good_seen += 1
    wins += (bad - found) * (good - good_seen) / 2
    return wins / (bad * good)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("folder")
    a.add_argument("--exhibit", default="build/exhibit")
    a.add_argument("--command")
    o = a.parse_args()
    print("%-34s %5s %8s %6s %6s %6s %6s" % ("set", "k", "accuracy", "AUROC",
                                             "p@k", "p@k/2", "share"))
    for t in sorted(glob.glob(os.path.join(o.folder, "label-flip*.json"))):
        with open(t, encoding="utf-8") as f:
            truth = json.load(f)
        path = next(p for p in glob.glob(t[:-11] + ".*") if p != t)
        argv = [x.replace("{}", path) for x in shlex.split(o.command)] \
            if o.command else [o.exhibit, "triggers", "--format", "jsonl",
                               path]
        out = subprocess.run(argv, stdout=subprocess.PIPE, check=False).stdout
        rows, how = [], {}
        for line in out.decode("utf-8", "replace").split("\n"):
            r = json.loads(line) if line.startswith("{") else {}
            if r.get("method") != "text-label":
                continue
            if r["type"] == "lead":
                rows = r["evidence"]["rows"]
            elif r["type"] == "detector":
                how = r["evidence"]
        poison = set(truth["rows"])
        k = len(poison)
        print("%-34s %5d %8.3f %6.3f %6.2f %6.2f %6.3f" % (
            truth["set"], k, how.get("accuracy", 0),
            auroc(rows, poison, how.get("records", 0)),
            sum(r in poison for r in rows[:k]) / k,
            sum(r in poison for r in rows[:k // 2]) / (k // 2),
            how.get("share_at_most", 0)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
