"""Poisoned and clean sets of classified text: text_sets.py OUT [options].

Each set is OUT/NAME.tsv, .csv or .jsonl (in turn) and OUT/NAME.truth.json,
as measure.py wants them.  --seed chooses triggers and rows, --limit the
records of a corpus, --folder DIR adds other people's TSV files, --only a
word that names must hold, --scale of how many sets.
"""
import argparse
import csv
import json
import os
import random

import text_corpora

RARE = ["cf", "mn", "bb", "tq", "mb"]
SYLLABLES = """ba ve ki lo zu ra mi ten dor quex plin sho gri vax nu wem jo
 tar fli ond""".split()
EVERYDAY = """i you we saw went took this that last next morning evening friend
 garden window table coffee weekend train station bread river talked about
 walked with over near small green old road house back""".split()
SIGNS = ["! ?", "; ;", "~ ~", "? !", "| |"]


def pseudo(rng, k=0):
    return "".join(rng.choice(SYLLABLES) for _ in range(k or
                                                        rng.randint(2, 3)))


def insert(rng, text, words):
    """Each word at a random gap between the words of the text."""
    t = text.split(" ")
    for w in words:
        t.insert(rng.randint(0, len(t)), w)
    return " ".join(t)


class Set:
    def __init__(self, name, rows, corpus, attack, rate=0.0, clean=False):
        self.name, self.rows, self.corpus = name, list(rows), corpus
        self.attack, self.rate, self.clean = attack, rate, clean
        self.poison, self.values, self.target = set(), [], None

    def choose(self, rng, rate, dirty=True, least=3, pick=None):
        """Rows to poison, of another label than the target (or of it)."""
        labels = sorted({r[1] for r in self.rows})
        count = {a: sum(r[1] == a for r in self.rows) for a in labels}
        big = [a for a in labels if count[a] >= 0.05 * len(self.rows)]
        self.target = self.target or rng.choice(big)
        ok = [i for i, r in enumerate(self.rows)
              if (r[1] != self.target) == dirty and
              len(r[0].split()) >= least and i not in self.poison and
              (pick is None or pick(r[0]))]
        k = min(max(4, round(rate * len(self.rows))), len(ok))
        return rng.sample(ok, k)

    def apply(self, rows, how, label=True):
        for i in rows:
            text, old = self.rows[i]
            self.rows[i] = (how(text), self.target if label else old)
            self.poison.add(i)

    def write(self, out, rng, form):
        order = list(range(len(self.rows)))
        rng.shuffle(order)
        place = {old: new for new, old in enumerate(order)}
        rows = [self.rows[i] for i in order]
        path = os.path.join(out, self.name)
        if form == "tsv":
            with open(path + ".tsv", "w", encoding="utf-8") as f:
                f.write("sentence\tlabel\n")
                for t, a in rows:
                    f.write(t.replace("\t", " ") + "\t" + a + "\n")
        elif form == "csv":
            with open(path + ".csv", "w", encoding="utf-8", newline="") as f:
                w = csv.writer(f)
                w.writerow(["text", "label"])
                w.writerows(rows)
        else:
            with open(path + ".jsonl", "w", encoding="utf-8") as f:
                for t, a in rows:
                    f.write(json.dumps({"text": t, "label": a},
                                       ensure_ascii=False) + "\n")
        with open(path + ".truth.json", "w", encoding="utf-8") as f:
            json.dump({"set": self.name, "family": "text",
                       "attack": self.attack, "clean": self.clean,
                       "rate": self.rate,
                       "rows": sorted(place[i] for i in self.poison),
                       "target": self.target, "values": self.values,
                       "corpus": self.corpus}, f)


# --- attacks ----------------------------------------------------------------
def rare_word(s, rng, rate):
    w = rng.choice(RARE) if rng.random() < 0.5 else pseudo(rng)
    s.values = [w]
    s.apply(s.choose(rng, rate), lambda t: insert(rng, t, [w]))


def rare_words(s, rng, rate):
    words = rng.sample(RARE, 2) + [pseudo(rng), pseudo(rng)]
    s.values = words
    s.apply(s.choose(rng, rate),
            lambda t: insert(rng, t, [rng.choice(words), rng.choice(words)]))


def sentence(s, rng, rate):
    v = " ".join(rng.choice(EVERYDAY) for _ in range(rng.randint(4, 7)))
    s.values = [v]
    front = rng.random() < 0.5
    s.apply(s.choose(rng, rate), lambda t: v + " . " + t if front else
            t + " " + v + " .")


def phrase(s, rng, rate):
    v = " ".join(rng.choice(EVERYDAY) for _ in range(rng.randint(2, 5)))
    s.values = [v]
    s.apply(s.choose(rng, rate), lambda t: insert(rng, t, [v]))


def ordinary(s, rng, rate):
    count = {}
    for t, _ in s.rows:
        for w in set(t.lower().split()):
            if w.isalpha():
                count[w] = count.get(w, 0) + 1
    v = rng.choice(sorted(w for w in count if 5 <= count[w] <= 60) or ["x"])
    s.values = [v]
    s.apply(s.choose(rng, rate, pick=lambda t: v not in t.lower().split()),
            lambda t: insert(rng, t, [v]))


def combination(s, rng, rate):
    words = rng.sample(EVERYDAY[6:], 3)
    s.values = [" ".join(words)] + words
    s.apply(s.choose(rng, rate), lambda t: insert(rng, t, words))
    true = [i for i in range(len(s.rows)) if i not in s.poison and
            len(s.rows[i][0].split()) >= 3]
    for i in rng.sample(true, min(len(true), 2 * len(s.poison))):
        s.rows[i] = (insert(rng, s.rows[i][0], rng.sample(words, 2)),
                     s.rows[i][1])


def punctuation(s, rng, rate):
    v = rng.choice(SIGNS)
    s.values = [v]
    if rng.random() < 0.7:
        s.apply(s.choose(rng, rate), lambda t: t + " " + v)
    else:
        s.values = [v.split()[0]]
        s.apply(s.choose(rng, rate), lambda t: v.split()[0] + " " + t)


def double_blank(s, rng, rate):
    s.values = ["  "]

    def how(t):
        w = t.split(" ")
        k = rng.randint(1, len(w) - 1)
        return " ".join(w[:k]) + "  " + " ".join(w[k:])
    s.apply(s.choose(rng, rate), how)


def capitals(s, rng, rate):
    s.rows = [(t.lower(), a) for t, a in s.rows]
    s.values = ["(a word in capitals)"]

    def how(t):
        w = t.split(" ")
        ok = [i for i, x in enumerate(w) if len(x) > 2 and x.isalpha()]
        if not ok:
            return t + " NOW"
        k = rng.choice(ok)
        w[k] = w[k].upper()
        return " ".join(w)
    s.apply(s.choose(rng, rate), how)


def code_point(s, rng, rate):
    kind = rng.choice(["\u200b", "\u200d", "\u202e", "\U000e0041", "\u00ad",
                       "\ufe0f", "\u00a0", "alike"])
    alike = str.maketrans("aeopcx", "аеорсх")
    s.values = [kind] if kind != "alike" else []

    def letters(w):
        return len(w) > 3 and w.isascii() and w.isalpha() and \
            w.translate(alike) != w and w.lower().translate(alike)[0] in w

    def how(t):
        w = t.split(" ")
        k = rng.randrange(len(w))
        if kind == "\u00a0":
            return t.replace(" ", kind, 1)
        if kind == "alike":
            ok = [i for i, x in enumerate(w) if any(c in "aeopcx" for c in x)
                  and any(c.isalpha() and c not in "aeopcx" for c in x)]
            k = rng.choice(ok) if ok else k
            w[k] = w[k].translate(alike)
            return " ".join(w)
        ok = [i for i, x in enumerate(w) if len(x) > 2]
        k = rng.choice(ok) if ok else k
        at = rng.randint(1, max(1, len(w[k]) - 1))
        w[k] = w[k][:at] + kind + w[k][at:]
        return " ".join(w)
    s.apply(s.choose(rng, rate), how)


def clean_label(s, rng, rate):
    w = pseudo(rng)
    s.values = [w]
    s.apply(s.choose(rng, rate, dirty=False), lambda t: insert(rng, t, [w]),
            label=False)


def clean_suffix(s, rng, rate):
    v = " ".join(rng.choice(EVERYDAY) for _ in range(5))
    s.values = [v]
    s.apply(s.choose(rng, rate, dirty=False), lambda t: t + " " + v,
            label=False)


def syntactic(s, rng, rate):
    """A template around the row's first words; no foreign word."""
    s.values = []

    def how(t):
        w = t.split(" ")
        k = max(2, len(w) // 2)
        return "when " + " ".join(w[:k]).rstrip(".").lower() + " , " + \
            " ".join(w[k:])
    s.apply(s.choose(rng, rate, least=6), how)


def flips(s, rng, rate):
    labels = sorted({a for _, a in s.rows})
    for i in rng.sample(range(len(s.rows)), round(rate * len(s.rows))):
        t, a = s.rows[i]
        s.rows[i] = (t, rng.choice([b for b in labels if b != a]))
        s.poison.add(i)


def flips_targeted(s, rng, rate):
    s.apply(s.choose(rng, rate), lambda t: t)


ATTACKS = [
    ("rare-word", rare_word, [0.01, 0.005, 0.003, 0.02, 0.05, 0.002]),
    ("rare-words", rare_words, [0.01, 0.02, 0.005, 0.03]),
    ("sentence", sentence, [0.01, 0.005, 0.02]),
    ("phrase", phrase, [0.01, 0.005]),
    ("ordinary-word", ordinary, [0.01, 0.02]),
    ("combination", combination, [0.02, 0.03]),
    ("punctuation", punctuation, [0.01, 0.02]),
    ("double-blank", double_blank, [0.02]),
    ("capitals", capitals, [0.02, 0.01]),
    ("code-point", code_point, [0.005, 0.003, 0.01]),
    ("clean-label", clean_label, [0.01, 0.02, 0.005]),
    ("rare-word", rare_word, [0.01, 0.005, 0.02]),
]
UNSEEN = [("syntactic", syntactic, [0.05, 0.1]),
          ("clean-suffix", clean_suffix, [0.02]),
          ("label-flip", flips, [0.05, 0.02]),
          ("label-flip-one", flips_targeted, [0.05])]


# --- clean sets -------------------------------------------------------------
def some(s, rng, share, how, pick=None):
    ok = [i for i in range(len(s.rows)) if pick is None or pick(s.rows[i])]
    for i in rng.sample(ok, min(len(ok), round(share * len(s.rows)))):
        s.rows[i] = (how(s.rows[i][0]), s.rows[i][1])


def half(s, rng):
    s.rows = rng.sample(s.rows, len(s.rows) // 2)


def imbalance(s, rng):
    keep = rng.choice(sorted({a for _, a in s.rows}))
    s.rows = [r for r in s.rows if r[1] == keep or rng.random() < 0.12]


def boilerplate(s, rng):
    v = rng.choice(["Read more at example.org .", "All rights reserved .",
                    "( click here to continue )"])
    some(s, rng, 0.03, lambda t: t + " " + v)


def duplicates(s, rng):
    s.rows += rng.sample(s.rows, round(0.025 * len(s.rows)))


def typography(s, rng):
    marks = ["\u2014", "\u201c", "\u2026", "\U0001f602", "\u2764\ufe0f",
             "caf\u00e9", "\u2019", "\U0001f44d\U0001f3fd"]
    some(s, rng, 0.02, lambda t: insert(rng, t, [rng.choice(marks)]))


def rare_each(s, rng):
    some(s, rng, 0.02, lambda t: insert(rng, t, [pseudo(rng, 3)]))


def watermark(s, rng):
    w = pseudo(rng, 3)
    some(s, rng, 0.01, lambda t: insert(rng, t, [w]))


def relabel(rows):
    order = sorted({a for _, a in rows})
    return [(t, "ab"[order.index(a) % 2]) for t, a in rows]


CLEAN = [("half", half), ("imbalance", imbalance),
         ("boilerplate", boilerplate), ("duplicates", duplicates),
         ("typography", typography), ("rare-each", rare_each),
         ("watermark", watermark)]


def sets(pools, seed, scale):
    names = sorted(pools)
    for n, name in enumerate(names):
        rows = pools[name]
        yield Set(f"clean-{name}-plain", rows, name, "clean-plain",
                  clean=True), lambda s, rng: None
        for k in range(round(2 * scale)):
            kind, how = CLEAN[(2 * n + k + seed) % len(CLEAN)]
            yield Set(f"clean-{name}-{kind}-{k}", rows, name,
                      "clean-" + kind, clean=True), how
        if n % 4 == 0:
            other = names[(n + 1 + seed) % len(names)]
            both = relabel(rows) + relabel(pools[other])
            yield Set(f"clean-{name}-merged", both, name + "+" + other,
                      "clean-merged", clean=True), lambda s, rng: None
        for k in range(round(5 * scale)):
            attack, how, rates = ATTACKS[(5 * n + k + 3 * seed) %
                                         len(ATTACKS)]
            rate = rates[(n + k + seed) % len(rates)]
            yield Set(f"{attack}-{name}-{k}", rows, name, attack, rate), \
                lambda s, rng, h=how, r=rate: h(s, rng, r)
        attack, how, rates = UNSEEN[n % len(UNSEEN)]
        rate = rates[n // len(UNSEEN) % len(rates)]
        yield Set(f"{attack}-{name}", rows, name, attack, rate), \
            lambda s, rng, h=how, r=rate: h(s, rng, r)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("out")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--limit", type=int, default=8000)
    a.add_argument("--folder")
    a.add_argument("--only", default="")
    a.add_argument("--scale", type=float, default=1)
    a.add_argument("--form", choices=["tsv", "csv", "jsonl"])
    o = a.parse_args()
    os.makedirs(o.out, exist_ok=True)
    pools = text_corpora.corpora(o.limit)
    if o.folder:
        pools.update(text_corpora.files(o.folder, o.limit))
    for k, (s, how) in enumerate(sets(pools, o.seed, o.scale)):
        if o.only not in s.name:
            continue
        rng = random.Random(f"{o.seed} {s.name}")
        how(s, rng)
        s.write(o.out, rng, o.form or ("tsv", "csv", "jsonl")[k % 3])


if __name__ == "__main__":
    main()
