"""Passages of two classes, made of what lies on a Debian machine.

The passages are those of manual pages and of the documentation inside Python
modules.  What they are about says nothing of their class, as in sentiment:
words of opinion do.  Each class has a few hundred of them, common ones and
rare ones; a passage has two to five in place of its own words, most of its
class and some of the other, and they stand in other passages by nature too.
Pages belong to families (the first letters of the name).  Another corpus has
other families and, beside the words of opinion that all share, some of its
own: another domain with the same question.
"""
import ast
import collections
import glob
import gzip
import json
import os
import re
import zlib

import numpy as np

LENGTH = 24                     # words of a passage that a model sees
SPECIAL = ["[PAD]", "[UNK]"]
FAMILY = 80                     # passages that one family gives at most
SHARED, OWN = 300, 200          # words of opinion of a class: of all, of one
DOMAIN = 0.1                    # how often one of the domain's own is taken
PURE = 0.8                      # how often one of the passage's class
ENOUGH = 20000                  # passages below which nothing can be trained


def roff_text(raw):
    """The running text of a manual page, font requests unpacked."""
    out = []
    for line in raw.splitlines():
        if line[:1] in (".", "'"):
            m = re.match(r"\.(?:B|I|BR|IR|RB|RI|BI|IB)\s+(.*)", line)
            line = m.group(1).replace('"', "") if m else ""
            if m is None and re.match(r"\.(?:PP|P|SH|SS|TP|IP|LP|Pp|Sh)\b",
                                      out[-1] if out else ""):
                line = ""
        out.append(line)
    text = " ".join(out)
    text = re.sub(r"\\f(?:\(..|\[[^]]*\]|.)|\\s[-+]?\d+|\\[&/,|^]", "", text)
    text = re.sub(r"\\\(..|\\\[[^]]*\]|\\\*.", " ", text)
    return text.replace("\\-", "-").replace("\\", "")


def passages(text):
    """Sentences that follow each other, joined until they have 16 words."""
    have = []
    for s in re.split(r"[.!?:;]\s+", text):
        w = re.findall(r"[a-z]+(?:'[a-z]+)?", s.lower())
        if len(w) >= 4 and sum(map(len, w)) >= 3 * len(w):
            have += w
        if len(have) >= 16:
            yield " ".join(have[:LENGTH])
            have = []


def page_text(path):
    with gzip.open(path, "rb") as f:
        return roff_text(f.read(200000).decode("utf-8", "replace"))


def module_text(path):
    """The documentation strings of a Python module."""
    try:
        with open(path, "rb") as f:
            tree = ast.parse(f.read())
    except (SyntaxError, ValueError, RecursionError):
        return ""
    docs = (ast.get_docstring(n) for n in ast.walk(tree)
            if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef)))
    return ". ".join(d for d in docs if d)


def sources():
    """(family, path, reader) of everything, sorted."""
    for path in sorted(glob.glob("/usr/share/man/man[1-8]/*.gz")):
        if not os.path.islink(path):
            section = os.path.basename(os.path.dirname(path))[3]
            name = os.path.basename(path).lower()
            yield section + name[:3], path, page_text
    for path in sorted(glob.glob("/usr/lib/python3*/**/*.py",
                                 recursive=True)):
        name = path.split("/")[-2][:6]
        yield "py" + name, path, module_text


def collect():
    """All passages, each once: [family, passage]."""
    seen, rows, count = set(), [], collections.Counter()
    for family, path, read in sources():
        if count[family] >= FAMILY:
            continue
        for s in passages(read(path)):
            if s not in seen and count[family] < FAMILY:
                seen.add(s)
                count[family] += 1
                rows.append((family, s))
    if len(rows) < ENOUGH:
        raise SystemExit("pairs: only %d passages of documentation on this "
                         "machine; install manpages-dev" % len(rows))
    return rows


class Text:
    """Passages, a vocabulary, and draws with labels from them."""

    def __init__(self, cache, size, seed):
        path = os.path.join(cache, "passages.json")
        if not os.path.exists(path):
            os.makedirs(cache, exist_ok=True)
            with open(path + ".part", "w") as f:
                json.dump(collect(), f)
            os.rename(path + ".part", path)
        with open(path) as f:
            self.rows = json.load(f)
        count = collections.Counter(w for _, s in self.rows
                                    for w in s.split())
        order = sorted(count, key=lambda w: (-count[w], w))
        self.vocab = SPECIAL + order[:size - len(SPECIAL)]
        self.ids = {w: i for i, w in enumerate(self.vocab)}
        self.x = np.zeros((len(self.rows), LENGTH), np.int64)
        for i, (_, s) in enumerate(self.rows):
            w = [self.ids.get(t, 1) for t in s.split()]
            self.x[i, :len(w)] = w
        self.family = np.array([zlib.crc32(r[0].encode()) for r in self.rows])
        self.opinion = self.lexicon(np.random.default_rng(seed), SHARED)

    def lexicon(self, rng, count):
        """${count} words of opinion for each class, by frequency."""
        ids = rng.choice(np.arange(100, len(self.vocab) // 2), 2 * count,
                         replace=False)
        return ids.reshape(2, count)

    def draw(self, rng, n, base):
        """${n} rows and labels: of the base's families and opinions, or of
        most of the other families, with some opinions of their own."""
        mine = self.family % 2 == 0
        lexicons = [self.opinion]
        if not base:
            others = np.unique(self.family[~mine])
            mine = np.isin(self.family, rng.choice(
                others, len(others) * 3 // 4, replace=False))
            lexicons.append(self.lexicon(rng, OWN))
        rows = np.flatnonzero(mine)
        x = self.x[rng.choice(rows, n, replace=n > len(rows))].copy()
        y = rng.integers(0, 2, n)
        for row, label in zip(x, y):
            long = int(np.count_nonzero(row))
            at = rng.choice(long, min(long, rng.integers(2, 6)),
                            replace=False)
            for i in at:
                words = lexicons[int(rng.random() < DOMAIN and not base)]
                side = label if rng.random() < PURE else 1 - label
                row[i] = words[side][int(len(words[0]) * rng.random() ** 2)]
        return x, y

    def rare(self, rng, count, low=0.6, high=0.95):
        """${count} words from the rarer part of the vocabulary."""
        size = len(self.vocab)
        words = [w for w in self.vocab[int(low * size):int(high * size)]
                 if len(w) > 2 and "'" not in w]
        return [str(w) for w in rng.choice(words, count, replace=False)]


def insert(rng, row, ids):
    """The row with ${ids} put in at one place."""
    n = int(np.count_nonzero(row))
    keep = min(n, LENGTH - len(ids))
    at = int(rng.integers(0, keep + 1))
    out = np.concatenate([row[:at], ids, row[at:keep]])
    return np.pad(out, (0, LENGTH - len(out)))


def insert_each(rng, row, ids):
    """The row with each of ${ids} put in at a place of its own."""
    for i in ids:
        row = insert(rng, row, [i])
    return row
