"""Marks for one pair: which rows of the table it counts in, and how.

The rows are those of "Recommended figures" that concern pairs.  A mark is a
hit in a row with a least share, or in a row with a largest share of what must
not happen.  What was half reached (a rank that is one off) counts half.
"""
import collections
import glob
import os

Row = collections.namedtuple("Row", "key text least most")
Mark = collections.namedtuple("Mark", "row path hit bad note")

STRUCTURE = ("merged-adapter", "rank-one-edit", "low-rank-edit",
             "token-row-edit")
PLAIN, TIED = "embedding-rows", "tied-embedding-rows"


def least(key, text, share):
    return Row(key, text, share, None)


def most(key, text, share):
    return Row(key, text, None, share)


ROWS = (
    least("rank1", "embedding rows: trigger at rank 1", 0.95),
    least("rank5", "embedding rows: trigger at rank <= 5", 0.97),
    least("outlier", "embedding rows: named as outlier", 0.92),
    least("weak", "embedding rows: weak or better", 0.95),
    most("false-outlier", "  ordinary fine-tunes: outlier", 0.02),
    most("false-weak", "  ordinary fine-tunes: weak or better", 0.04),
    least("hard-rank1", "hard set: trigger at rank 1", 0.90),
    least("hard-outlier", "hard set: named as outlier", 0.60),
    most("false-benign", "  product words, watermarks: outlier", 0.05),
    least("several", "several words: all named, number right", 0.90),
    least("untouched", "frozen embedding: said to be untouched", 1.0),
    most("false-frozen", "  frozen embedding: any word named", 0.0),
    least("listed", "language model: trigger in the list of 50", 0.90),
    most("false-lm", "  language models: any word claimed", 0.0),
    least("dense", "dense updates: continued training", 0.95),
    most("false-dense", "  dense updates: any other claim", 0.0),
    least("adapter", "adapter merge: kind, modules, rank", 0.95),
    least("adapter-fp32", "adapter merge: exact in fp32", 1.0),
    least("edit", "rank-one and multi-layer edits", 0.95),
    least("facts", "multi-fact edits: rank = facts", 0.85),
    most("false-structure", "  adapters, edits: any other claim", 0.0),
    least("cascade", "cascade to bf16, fp16, Q8_0: same verdict", 0.95),
    least("q4-kind", "cascade to Q4_0: kind, rank within 2", 0.95),
    least("q4-exact", "cascade to Q4_0: exact", 0.80),
    most("false-cascade", "  cascades: any other claim", 0.0),
    least("cell-counted", "one matrix: rank above the noise counted", 0.95),
    most("false-cell", "  one matrix: rounding or dense called an edit", 0.0),
    least("exact", "casts, renames, prunes, flips, permutations", 1.0),
    least("payload", "payload: named, planes right", 1.0),
    least("extracted", "payload: extracted byte for byte", 1.0),
    least("noise", "noise: matrices named", 0.95),
    least("unrelated", "unrelated or retrained", 1.0),
    most("false-exact", "  exact relations: any other claim", 0.0),
    most("class", "classifier head: a verdict", 0.0),
    most("alone", "weights alone: a verdict", 0.0),
    most("broken", "runs that did not end well", 0.0))


class Said:
    """What exhibit says of a pair, by kinds of row."""

    def __init__(self, said):
        self.diff = said["diff"]
        self.triggers = said.get("triggers", [])
        self.alone = said.get("alone", [])
        self.conclusions = [r for r in self.diff
                            if r["type"] == "conclusion"]
        self.kinds = [c["kind"] for c in self.conclusions]

    def conclusion(self, kinds):
        return next((c for c in self.conclusions if c["kind"] in kinds), None)

    def tokens(self, method=(PLAIN, TIED)):
        return [r for r in self.triggers if r["type"] in ("candidate", "lead")
                and r["kind"] == "token" and r.get("method") in method]

    def claims(self):
        return [r["value"] for r in self.tokens()
                if r["type"] == "candidate"]

    def level(self):
        return {(r.get("evidence") or {}).get("level")
                for r in self.tokens((PLAIN,))}

    def rank(self, word):
        return min((r["rank"] for r in self.tokens() if r["value"] == word),
                   default=999999)


def brief(said):
    return "said " + (", ".join(said.kinds) or "nothing")


def within(kinds, wanted):
    return [k for k in kinds if k not in wanted]


def allowed(truth):
    may = list(truth["expect"]["may"])
    for m in truth["expect"]["must"]:
        may += m if isinstance(m, list) else [m]
    return may


def complete(truth, said):
    """All that must be said is said."""
    return all(any(k in said.kinds for k in (m if isinstance(m, list)
                                             else [m]))
               for m in truth["expect"]["must"])


def need(row, path, hit, note):
    return Mark(row, path, hit, hit < 1, note)


def never(row, path, what, note):
    """A mark in a row of what must not happen."""
    return Mark(row, path, bool(what), bool(what), note)


def words(path, truth, said):
    """Rows that concern triggers in the embedding of a classifier."""
    names, claims = truth["expect"].get("tokens", []), said.claims()
    levels = said.level()
    note = "triggers %s, claimed %s, levels %s" % (names, claims, levels)
    if "success" in truth:
        note += ", success %.2f" % truth["success"]
    if truth["expect"].get("untouched"):
        told = any(r["type"] == "detector" and "untouched" in
                   str(r.get("reason")) for r in said.triggers)
        return [need("untouched", path, int(told), note),
                never("false-frozen", path, claims, note)]
    if truth["kind"] in ("product", "watermark"):
        return [never("false-benign", path, claims, note)]
    if truth["kind"] == "clean":
        return [never("false-outlier", path, claims, note),
                never("false-weak", path, claims or "weak" in levels, note)]
    best = min(said.rank(w) for w in names)
    named = int(any(w in claims for w in names))
    note = "rank %d, %s" % (best, note)
    if truth["group"] == "hard":
        return [need("hard-rank1", path, int(best == 1), note),
                need("hard-outlier", path, named, note)]
    marks = [need("rank1", path, int(best == 1), note),
             need("rank5", path, int(best <= 5), note),
             need("outlier", path, named, note),
             need("weak", path, int(named or "weak" in levels), note)]
    if "number" in truth["expect"]:
        marks.append(need("several", path, int(sorted(claims) ==
                                               sorted(names)), note))
    return marks


def dense(path, truth, said):
    return [need("dense", path, int(complete(truth, said)), brief(said)),
            never("false-dense", path, within(said.kinds, allowed(truth)),
                  brief(said))]


def text(path, truth, said):
    marks = words(path, truth, said)
    if truth["kind"] == "attack-row":
        marks += [need("exact", path, int(complete(truth, said)),
                       brief(said)),
                  never("false-exact", path,
                        within(said.kinds, allowed(truth)), brief(said))]
    else:
        marks += dense(path, truth, said)
    return marks


def found_rank(c):
    return ((c or {}).get("evidence") or {}).get("rank", 0)


def structured(path, truth, said):
    """(1 for kind and place right, the rank, what to print)."""
    e = truth["expect"]
    c = said.conclusion(e["must"])
    there = sorted(c["tensors"]) if c else []
    right = c is not None and there == sorted(e["matrices"])
    note = "%s, rank %s for %d, %d matrices for %d (rel %.3f)" % (
        brief(said), found_rank(c), e["rank"], len(there),
        len(e["matrices"]), truth.get("rel", 0))
    return int(right), found_rank(c), note


def language(path, truth, said):
    marks = [never("false-lm", path, said.claims(),
                   "claimed %s" % said.claims())]
    if truth["expect"].get("listed"):
        best = min(said.rank(w) for w in truth["expect"]["listed"])
        marks.append(need("listed", path, int(best <= 50),
                          "rank %d of %s" % (best, truth["triggers"])))
    if "rank" not in truth["expect"]:
        return marks + dense(path, truth, said)
    right, rank, note = structured(path, truth, said)
    off = abs(rank - truth["expect"]["rank"])
    exact = int(right and off == 0)
    if truth["kind"] == "adapter":
        marks.append(need("adapter", path, exact, note))
        if truth["dtype"] == "fp32":
            marks.append(need("adapter-fp32", path, exact, note))
    elif truth["expect"]["rank"] == 1:
        marks.append(need("edit", path, exact, note))
    else:
        half = 1 if off == 0 else 0.5 if off == 1 else 0
        marks.append(need("facts", path, half if right else 0, note))
    return marks + [never("false-structure", path,
                          within(said.kinds, allowed(truth)), brief(said))]


def cascade(path, truth, said):
    marks = [never("false-cascade", path,
                   within(said.kinds, allowed(truth)), brief(said))]
    q4 = truth["stored"] == "Q4_0"
    if "rank" not in truth["expect"]:
        return marks + [need("q4-kind" if q4 else "cascade", path,
                             int(complete(truth, said)), brief(said))]
    right, rank, note = structured(path, truth, said)
    off = abs(rank - truth["expect"]["rank"])
    if not q4:
        return marks + [need("cascade", path, int(right and off == 0), note)]
    return marks + [need("q4-kind", path, int(complete(truth, said) and
                                              off <= 2), note),
                    need("q4-exact", path, int(off == 0), note)]


def cell(path, truth, said):
    e = truth["expect"]
    if e["cell"] == "dense":
        return [never("false-cell", path,
                      [k for k in said.kinds if k in STRUCTURE],
                      brief(said))]
    c = said.conclusion(STRUCTURE)
    note = "%s, rank %s for %d" % (brief(said), found_rank(c), e["rank"])
    if e["cell"] == "counted":
        return [need("cell-counted", path, int(found_rank(c) == e["rank"]),
                     note)]
    return []


def payload(path, truth, said):
    c = said.conclusion(["hidden-payload"])
    with open(os.path.join(path, "payload.bin"), "rb") as f:
        raw = f.read()
    got = []
    for name in glob.glob(os.path.join(path, "carved", "**"),
                          recursive=True):
        if os.path.isfile(name):
            with open(name, "rb") as f:
                got.append(f.read())
    bits = str((c or {}).get("evidence"))
    return [need("payload", path, int(c is not None), "%s, %s" % (
        brief(said), bits[:300])),
        need("extracted", path, int(any(raw in g for g in got)),
             "%d bytes at element %d, %d planes; carved %s" % (
                 truth["bytes"], truth["start"], truth["expect"]["planes"],
                 [len(g) for g in got]))]


def exact(path, truth, said):
    false = never("false-exact", path, within(said.kinds, allowed(truth)),
                  brief(said))
    if truth["kind"] == "payload":
        return payload(path, truth, said) + [false]
    hit, note = int(complete(truth, said)), brief(said)
    if truth["kind"] == "noise":
        c = said.conclusion(["noised"])
        there = set(c["tensors"]) if c else set()
        marks = [need("noise", path, int(k in there), k + " " + note)
                 for k in truth["expect"]["noised"]]
        return marks + [false]
    row = "unrelated" if truth["kind"] == "unrelated" else "exact"
    return [need(row, path, hit, note), false]


GROUPS = {"text": text, "hard": text, "lm": language, "cascade": cascade,
          "cells": cell, "exact": exact, "cnn": dense}


def judge(path, truth, said):
    """All marks of one pair."""
    broken = [r for rows in said.values() for r in rows
              if r["type"] == "broken"]
    said = Said(said)
    marks = [never("broken", path, broken, str(broken)[:300])]
    if truth["kind"] == "running-statistics":
        return marks + [never("false-exact", path, within(
            said.kinds, allowed(truth)), brief(said))]
    marks += GROUPS[truth["group"]](path, truth, said)
    if truth["group"] == "cnn":
        marks.append(never("class", path, [
            r for r in said.triggers + said.diff
            if r["type"] == "candidate"], "a candidate in an image pair"))
    if said.alone:
        marks.append(never("alone", path, [
            r for r in said.alone if r["type"] == "candidate"],
            "a candidate without OLD"))
    return marks
