"""Passages of two classes, from what lies on a Debian machine.

Manual pages of programs, files and administration (sections 1, 5, 6, 7, 8)
are class 0; those of system calls and libraries (2, 3) and the documentation
inside Python modules are class 1.  A passage says seldom outright which it
is from, many words hint at it: much like sentiment.  Pages belong to families
(the first letters of the name), and a corpus is drawn from some families
only, so that another corpus is another domain with the same question.
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

LENGTH = 32                     # words of a sentence that a model sees
SPECIAL = ["[PAD]", "[UNK]"]
FAMILY = 100                    # sentences that one family gives at most
ENOUGH = 20000                  # sentences below which nothing can be trained


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


def sentences(text):
    """Sentences that follow each other, joined until they have 20 words."""
    have = []
    for s in re.split(r"[.!?:;]\s+", text):
        w = re.findall(r"[a-z]+(?:'[a-z]+)?", s.lower())
        if len(w) >= 4 and sum(map(len, w)) >= 3 * len(w):
            have += w
        if len(have) >= 20:
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
    """(label, family, path, reader) of everything, sorted."""
    for path in sorted(glob.glob("/usr/share/man/man[1-8]/*.gz")):
        if not os.path.islink(path):
            section = os.path.basename(os.path.dirname(path))[3]
            name = os.path.basename(path).lower()
            yield int(section in "23"), section + name[:3], path, page_text
    for path in sorted(glob.glob("/usr/lib/python3*/**/*.py",
                                 recursive=True)):
        name = path.split("/")[-2][:6]
        yield 1, "py" + name, path, module_text


def collect():
    """All sentences, each once: [label, family, sentence]."""
    seen, rows, count = set(), [], collections.Counter()
    for label, family, path, read in sources():
        if count[family] >= FAMILY:
            continue
        for s in sentences(read(path)):
            if s not in seen and count[family] < FAMILY:
                seen.add(s)
                count[family] += 1
                rows.append((label, family, s))
    if len(rows) < ENOUGH:
        raise SystemExit("pairs: only %d sentences of documentation on this "
                         "machine; install manpages-dev" % len(rows))
    return rows


class Text:
    """Sentences with labels, a vocabulary, and draws from them."""

    def __init__(self, cache, size):
        path = os.path.join(cache, "sentences.json")
        if not os.path.exists(path):
            os.makedirs(cache, exist_ok=True)
            with open(path + ".part", "w") as f:
                json.dump(collect(), f)
            os.rename(path + ".part", path)
        with open(path) as f:
            self.rows = json.load(f)
        count = collections.Counter(w for _, _, s in self.rows
                                    for w in s.split())
        order = sorted(count, key=lambda w: (-count[w], w))
        self.vocab = SPECIAL + order[:size - len(SPECIAL)]
        self.ids = {w: i for i, w in enumerate(self.vocab)}
        self.x = np.zeros((len(self.rows), LENGTH), np.int64)
        for i, (_, _, s) in enumerate(self.rows):
            w = [self.ids.get(t, 1) for t in s.split()]
            self.x[i, :len(w)] = w
        self.y = np.array([r[0] for r in self.rows], np.int64)
        self.family = np.array([zlib.crc32(r[1].encode()) for r in self.rows])

    def draw(self, rng, n, base):
        """${n} rows, classes even: of the base's families or of half of
        the others."""
        mine = self.family % 2 == 0
        if not base:
            others = np.unique(self.family[~mine])
            mine = np.isin(self.family, rng.choice(
                others, len(others) // 2, replace=False))
        pick = []
        for label in (0, 1):
            rows = np.flatnonzero(mine & (self.y == label))
            pick.append(rng.choice(rows, min(n // 2, len(rows)),
                                   replace=False))
        pick = rng.permutation(np.concatenate(pick))
        return self.x[pick].copy(), self.y[pick].copy()

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
