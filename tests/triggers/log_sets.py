"""API logs with attackers and with honest callers that look like them.

usage: log_sets.py FOLDER SEED

Writes photos.jsonl, digits.jsonl, texts.jsonl and NAME.truth.json for each
({"clients": {client: kind}, ...}); the models that answer are small and real:
a perceptron on crops of scikit-learn's two photographs or on its digits,
logistic regression on sentences of the machine's manual pages.  Inputs that
an attacker of the literature would send are made by running the attack
against that model: SimBA (Guo 2019), NES (Ilyas 2018), boundary attack
(Brendel 2018), Jacobian augmentation (Papernot 2017), word and character
search in the manner of TextFooler and DeepWordBug.
"""
import base64
import glob
import gzip
import json
import os
import re
import sys

import numpy as np
from sklearn.datasets import load_digits, load_sample_images
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

SIDE = 32
START = 1760000000.0
ATTACK = {"simba", "simba-hidden", "nes", "boundary", "noise", "jacobian",
          "line", "word-search", "character-search", "dictionary", "salad"}
BLIND = {"mixtures", "natural"}


def clip(x):
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


class Model:
    """A perceptron whose weights are used directly: one query is fast."""

    def __init__(self, x, y, seed):
        m = MLPClassifier((48,), max_iter=25, random_state=seed,
                          learning_rate_init=2e-3)
        m.fit(x.reshape(len(x), -1) / 255.0 - 0.5, y)
        self.w, self.b = m.coefs_, m.intercepts_
        self.classes = [str(c) for c in m.classes_]

    def probs(self, x):
        x = x.reshape(len(x), -1) / 255.0 - 0.5
        h = np.maximum(x @ self.w[0] + self.b[0], 0)
        z = h @ self.w[1] + self.b[1]
        z = 0.7 * (z - z.max(1, keepdims=True))
        e = np.exp(z)
        return e / e.sum(1, keepdims=True)

    def gradient(self, x, c):
        v = x.reshape(-1) / 255.0 - 0.5
        a = v @ self.w[0] + self.b[0]
        g = (a > 0) * self.w[1][:, c]
        return (self.w[0] @ g).reshape(x.shape)


class Photos:
    name = "photos"

    def __init__(self, r):
        self.im = [np.asarray(i) for i in load_sample_images().images]
        x, y = zip(*(self.crop(r, True) for _ in range(4000)))
        self.model = Model(np.array(x), np.array(y), 1)

    def crop(self, r, label=False):
        p = r.integers(2)
        im = self.im[p]
        s = int(r.choice([1, 2, 3]))
        y = r.integers(im.shape[0] - SIDE * s)
        x = r.integers(im.shape[1] - SIDE * s)
        c = im[y:y + SIDE * s, x:x + SIDE * s].reshape(
            SIDE, s, SIDE, s, 3).mean((1, 3))
        c = clip(c + r.normal(0, 1.5, c.shape))
        k = 3 * p + 3 * y // (im.shape[0] - SIDE * s + 1)
        return (c, int(k)) if label else c

    def scene(self, r, n, speed):
        """A window that wanders over a photograph."""
        im = self.im[r.integers(2)]
        y = r.uniform(0, im.shape[0] - 64)
        x = r.uniform(0, im.shape[1] - 64)
        v = r.normal(0, speed, 2)
        for _ in range(n):
            y = np.clip(y + v[0], 0, im.shape[0] - 64)
            x = np.clip(x + v[1], 0, im.shape[1] - 64)
            v = 0.95 * v + r.normal(0, 0.3 * speed, 2)
            c = im[int(y):int(y) + 64, int(x):int(x) + 64].reshape(
                SIDE, 2, SIDE, 2, 3).mean((1, 3))
            yield clip(c + r.normal(0, 1.5, c.shape))

    def foreign(self, r):
        """Natural images that are not of the model's own field."""
        im = self.im[r.integers(2)]
        s = int(r.choice([4, 6, 8]))
        y = r.integers(im.shape[0] - SIDE * s)
        x = r.integers(im.shape[1] - SIDE * s)
        c = im[y:y + SIDE * s, x:x + SIDE * s].reshape(
            SIDE, s, SIDE, s, 3).mean((1, 3))
        if r.random() < 0.5:
            c = c[:, ::-1]
        if r.random() < 0.3:
            c = 0.5 * c + 0.5 * self.crop(r)
        return clip(c)


class Digits:
    name = "digits"

    def __init__(self, r):
        d = load_digits()
        self.x, self.y = d.images * 15.9, d.target
        x = np.array([self.draw(r, i) for i in r.integers(len(self.x),
                                                         size=4000)])
        r2 = np.random.default_rng(0)
        i = r2.integers(len(self.x), size=4000)
        x = np.array([self.draw(r2, k) for k in i])
        self.model = Model(x, self.y[i], 1)

    def draw(self, r, i, dx=None):
        big = np.kron(self.x[i], np.ones((3, 3)))
        big = (big + np.roll(big, 1, 0) + np.roll(big, 1, 1)) / 3
        c = np.full((SIDE, SIDE), 20.0)
        oy, ox = dx if dx is not None else r.integers(0, 9, 2)
        c[oy:oy + 24, ox:ox + 24] += big * r.uniform(0.7, 0.9)
        c = np.repeat(c[:, :, None], 3, 2) + r.normal(0, 2, (SIDE, SIDE, 3))
        return clip(c)

    def crop(self, r):
        return self.draw(r, r.integers(len(self.x)))

    def scene(self, r, n, speed):
        i = r.integers(len(self.x))
        p = r.uniform(0, 8, 2)
        v = r.normal(0, speed, 2)
        for _ in range(n):
            p = np.clip(p + v, 0, 8)
            v = 0.95 * v + r.normal(0, 0.3 * speed, 2)
            yield self.draw(r, i, p.astype(int))

    def foreign(self, r):
        a, b = self.crop(r).astype(float), self.crop(r).astype(float)
        return clip(np.maximum(a, b) if r.random() < 0.5 else
                    a[:, ::-1])


# Attackers on images: each yields images and is sent the probabilities.

def simba(r, d, n):
    eps = r.uniform(30, 60)
    x = d.crop(r).astype(float)
    p = yield x
    while True:
        y = p.argmax()
        for k in r.permutation(x.size):
            for s in (eps, -eps):
                t = x.copy()
                t.flat[k] = np.clip(t.flat[k] + s, 0, 255)
                q = yield t
                if q[y] < p[y]:
                    x, p = t, q
                    break
            if p.argmax() != y:
                break
        x = d.crop(r).astype(float)
        p = yield x


def simba_hidden(r, d, n):
    inner = simba(r, d, n)
    x = next(inner)
    while True:
        p = yield x
        for _ in range(4):
            yield d.crop(r)
        x = inner.send(p)


def nes(r, d, n):
    sigma, step = r.uniform(3, 8), r.uniform(1, 2)
    while True:
        x0 = d.crop(r).astype(float)
        x = x0.copy()
        y = (yield x).argmax()
        for _ in range(40):
            g = np.zeros_like(x)
            for _ in range(10):
                u = r.normal(0, 1, x.shape)
                a = (yield x + sigma * u)[y]
                b = (yield x - sigma * u)[y]
                g += (a - b) * u
            x = np.clip(x - step * np.sign(g), x0 - 24, x0 + 24)
            if (yield x).argmax() != y:
                break


def boundary(r, d, n):
    while True:
        src = d.crop(r).astype(float)
        y = (yield src).argmax()
        adv = d.crop(r).astype(float)
        while (yield adv).argmax() == y:
            adv = d.crop(r).astype(float)
        lo, hi = 0.0, 1.0
        for _ in range(10):
            m = (lo + hi) / 2
            if (yield src + m * (adv - src)).argmax() == y:
                lo = m
            else:
                hi = m
        adv = src + hi * (adv - src)
        delta, shrink = 0.05, 0.02
        for _ in range(300):
            dist = np.linalg.norm(adv - src)
            u = r.normal(0, 1, adv.shape)
            u *= delta * dist / np.linalg.norm(u)
            t = adv + u
            t = src + (t - src) * dist / np.linalg.norm(t - src)
            if (yield t).argmax() != y:
                t2 = t + shrink * (src - t)
                if (yield t2).argmax() != y:
                    adv = t2
                    shrink = min(0.1, shrink * 1.1)
                else:
                    adv, shrink = t, shrink * 0.7
                delta = min(0.3, delta * 1.05)
            else:
                delta *= 0.9


def noise(r, d, n):
    while True:
        yield r.uniform(0, 255, (SIDE, SIDE, 3))


def jacobian(r, d, n):
    pool = [d.crop(r).astype(float) for _ in range(40)]
    lam = r.uniform(15, 30)
    for x in pool:
        yield x
    while True:
        new = []
        for x in pool:
            c = d.model.probs(clip(x)[None])[0].argmax()
            t = np.clip(x + lam * np.sign(d.model.gradient(x, c)), 0, 255)
            yield t
            new.append(t)
        pool += new
        r.shuffle(pool)
        pool = pool[:600]


def line(r, d, n):
    while True:
        a, b = d.crop(r).astype(float), d.crop(r).astype(float)
        y = (yield a).argmax()
        if (yield b).argmax() == y:
            continue
        lo, hi = 0.0, 1.0
        for _ in range(int(r.integers(8, 14))):
            m = (lo + hi) / 2
            if (yield a + m * (b - a)).argmax() == y:
                lo = m
            else:
                hi = m


def mixtures(r, d, n):
    while True:
        yield d.foreign(r)


# Honest callers.

def ordinary(r, d, n):
    while True:
        yield d.crop(r)


def retry(r, d, n):
    while True:
        x = d.crop(r)
        for _ in range(int(r.integers(1, 5))):
            yield x
        if r.random() < 0.2:    # encoded again
            yield x.astype(float) + r.normal(0, 1, x.shape)


def video(r, d, n):
    while True:
        yield from d.scene(r, int(r.integers(30, 200)), r.uniform(0.2, 2))


def augment(r, d, n):
    while True:
        x = d.crop(r).astype(float)
        yield x
        for _ in range(int(r.integers(2, 6))):
            t = x[:, ::-1] if r.random() < 0.5 else x
            t = np.roll(t, r.integers(-3, 4, 2), (0, 1))
            yield t * r.uniform(0.8, 1.2) + r.uniform(-15, 15)


def scene_of(r, d, ambiguous):
    for _ in range(200):
        x = d.crop(r).astype(float)
        p = np.sort(d.model.probs(clip(x)[None])[0])
        if not ambiguous or p[-1] - p[-2] < 0.1:
            break
    return x


def static_camera(r, d, n):
    x = scene_of(r, d, r.random() < 0.4)
    sigma, depth = r.uniform(1.5, 5), r.uniform(0.02, 0.15)
    for i in range(10 ** 6):
        light = 1 + depth * np.sin(i / n * 3 + 1)
        yield x * light + r.normal(0, sigma, x.shape)


def time_lapse(r, d, n):
    x = scene_of(r, d, r.random() < 0.4)
    colour = r.uniform(0, 255, 3)
    sigma = r.choice([0.0, 1.0, 2.5])
    p, v = r.uniform(4, 28, 2), r.normal(0, 0.8, 2)
    for i in range(10 ** 6):
        p = (p + v) % 29
        t = x * (1 + 0.08 * np.sin(i / 150))
        t[int(p[0]):int(p[0]) + 3, int(p[1]):int(p[1]) + 3] = colour
        yield t + r.normal(0, sigma, x.shape)


def screen(r, d, n):
    """A still screen with a clock, and now and then another screen."""
    while True:
        x = d.crop(r)
        oy, ox = r.integers(0, 24, 2)
        for _ in range(int(r.integers(60, 300))):
            t = x.copy()
            t[oy:oy + 3, ox:ox + 6] = r.integers(0, 2, (3, 6, 1)) * 255
            yield t


IMAGE_CLIENTS = [(simba, 5), (simba_hidden, 4), (nes, 5), (boundary, 4),
                 (noise, 5), (jacobian, 5), (line, 4), (mixtures, 5),
                 (ordinary, 10), (retry, 10), (video, 10), (augment, 10),
                 (static_camera, 6), (time_lapse, 4), (screen, 4)]


def image_log(d, r, power=4):
    jobs = [(f.__name__.replace("_", "-"), f, int(r.integers(250, 701)))
            for f, k in IMAGE_CLIENTS for _ in range(k)]
    jobs += [("power", ordinary, 2000)] * power
    for kind, f, n in jobs:
        if kind == "jacobian":
            n = max(n, 500)
        gen = f(r, d, n)
        x = next(gen)
        out = []
        for _ in range(n):
            x = clip(np.asarray(x, float))
            p = d.model.probs(x[None])[0]
            out.append(({"image": base64.b64encode(x.tobytes()).decode(),
                         "shape": [SIDE, SIDE, 3]},
                        d.model.classes[p.argmax()], p))
            x = gen.send(p)
        yield kind, out


# Texts.

def manual_sentences():
    """(sentence, section) of manual pages."""
    out = []
    for s in "1358":
        for path in sorted(glob.glob("/usr/share/man/man%s/*.gz" % s))[:700]:
            try:
                t = gzip.open(path).read(100000).decode("utf-8", "replace")
            except (OSError, EOFError):
                continue
            t = re.sub(r"(?m)^[.'].*$", "\n", t)
            t = re.sub(r"\\f.|\\&|\\\((..)|\\\*?\[[^]]*\]", "", t)
            t = t.replace("\\-", "-").replace("\\", "")
            for q in re.split(r"\n\s*\n", t):
                for m in re.split(r"(?<=[.!?])\s+", " ".join(q.split())):
                    w = m.split()
                    if 6 <= len(w) <= 30 and m[0].isupper():
                        out.append((m, "man" + s))
    return out


class Texts:
    name = "texts"

    def __init__(self, r):
        s = sorted(set(manual_sentences()))
        r.shuffle(s)
        by = {}
        for t, c in s:
            by.setdefault(c, []).append(t)
        n = min(6000, min(len(v) for v in by.values()))
        self.v = HashingVectorizer(n_features=2 ** 16, ngram_range=(1, 2),
                                   alternate_sign=False)
        x = [t for c in sorted(by) for t in by[c][:n]]
        y = [c for c in sorted(by) for t in by[c][:n]]
        self.m = LogisticRegression(C=5, max_iter=60)
        self.m.fit(self.v.transform(x), y)
        self.classes = list(self.m.classes_)
        self.pool = [t for c in sorted(by) for t in by[c]]
        self.words = sorted({w.strip(".,;:()\"'") for t in self.pool
                             for w in t.split()} - {""})

    def probs(self, text):
        return self.m.predict_proba(self.v.transform([text]))[0]

    def text(self, r):
        return self.pool[r.integers(len(self.pool))]

    def word(self, r):
        return self.words[r.integers(len(self.words))]


def misspell(r, w):
    if len(w) < 3:
        return w + w[-1:]
    i = int(r.integers(1, len(w) - 1))
    k = r.integers(4)
    if k == 0:
        return w[:i] + w[i + 1] + w[i] + w[i + 2:]
    if k == 1:
        return w[:i] + w[i + 1:]
    if k == 2:
        return w[:i] + "aeionrst"[r.integers(8)] + w[i:]
    return w[:i] + "aeionrst"[r.integers(8)] + w[i + 1:]


def search(r, d, tries, change):
    while True:
        w = d.text(r).split()
        p = yield " ".join(w)
        y = p.argmax()
        drop = []
        for i in range(len(w)):
            q = yield " ".join(w[:i] + w[i + 1:])
            drop.append(q[y])
        for i in np.argsort(drop)[:10]:
            best = None
            for _ in range(tries):
                t = list(w)
                t[i] = change(r, w[i])
                q = yield " ".join(t)
                if q[y] < p[y]:
                    best, p = t, q
            w = best or w
            if p.argmax() != y:
                break


def word_search(r, d):
    return search(r, d, 10, lambda r, w: d.word(r))


def character_search(r, d):
    """Words are ranked by blanking them; then misspelt."""
    while True:
        w = d.text(r).split()
        p = yield " ".join(w)
        y = p.argmax()
        drop = []
        for i in range(len(w)):
            t = list(w)
            t[i] = misspell(r, w[i])
            q = yield " ".join(t)
            drop.append(q[y])
        for i in np.argsort(drop)[:10]:
            best = None
            for _ in range(8):
                t = list(w)
                t[i] = misspell(r, w[i])
                q = yield " ".join(t)
                if q[y] < p[y]:
                    best, p = t, q
            w = best or w
            if p.argmax() != y:
                break


def dictionary(r, d):
    n = int(r.integers(1, 3))
    while True:
        yield " ".join(d.word(r) for _ in range(n))


def salad(r, d):
    while True:
        yield " ".join(d.word(r) for _ in range(int(r.integers(6, 20))))


def natural(r, d):
    while True:
        yield d.text(r)


def ordinary_text(r, d):
    while True:
        yield d.text(r)


def retry_text(r, d):
    while True:
        t = d.text(r)
        for _ in range(int(r.integers(1, 4))):
            yield t
        if r.random() < 0.3:
            yield t.rstrip(".") + " please."


def editor(r, d):
    """Types a sentence, word after word, and changes one now and then."""
    while True:
        w = d.text(r).split()
        for i in range(3, len(w) + 1):
            yield " ".join(w[:i])
        if r.random() < 0.5:
            w[r.integers(len(w))] = d.word(r)
            yield " ".join(w)


def template_of(r, d, slots):
    w = d.text(r).split()
    while len(w) < 8:
        w = d.text(r).split()
    at = sorted(r.choice(len(w), slots, replace=False))
    values = [[d.word(r) for _ in range(40)] for _ in range(slots)]
    return w, at, values


def template(r, d):
    while True:
        w, at, values = template_of(r, d, 1)
        for _ in range(int(r.integers(10, 40))):
            t = list(w)
            t[at[0]] = values[0][r.integers(40)]
            yield " ".join(t)


def one_slot(r, d):
    w, at, values = template_of(r, d, 1)
    while True:
        t = list(w)
        t[at[0]] = d.word(r)
        yield " ".join(t)


def three_slot(r, d):
    w, at, values = template_of(r, d, 3)
    values = [v[:12] for v in values]
    while True:
        t = list(w)
        for k in range(3):
            t[at[k]] = values[k][r.integers(12)]
        yield " ".join(t)


def corrector(r, d):
    while True:
        w = d.text(r).split()
        t = list(w)
        wrong = list(r.choice(len(w), min(4, len(w)), replace=False))
        for i in wrong:
            t[i] = misspell(r, w[i])
        yield " ".join(t)
        for i in wrong[:int(r.integers(1, 4))]:
            t[i] = w[i]
            yield " ".join(t)


TEXT_CLIENTS = [(word_search, 6), (character_search, 6), (dictionary, 5),
                (salad, 5), (natural, 4), (ordinary_text, 10),
                (retry_text, 10), (template, 10), (editor, 10),
                (one_slot, 6), (three_slot, 4), (corrector, 4)]


def text_log(d, r):
    for f, k in TEXT_CLIENTS:
        for _ in range(k):
            gen = f(r, d)
            t, out = next(gen), []
            for _ in range(int(r.integers(150, 401))):
                p = d.probs(t)
                out.append(({"text": t}, d.classes[p.argmax()], p))
                t = gen.send(p)
            yield f.__name__.replace("_", "-"), out


def write(folder, name, clients, r, fields):
    truth, rows = {}, []
    for i, (kind, out) in enumerate(clients):
        c = "c%03d" % i
        truth[c] = kind
        t = START + r.uniform(0, 40000)
        gaps = r.exponential(r.uniform(2, 60), len(out))
        for (q, label, p), g in zip(out, gaps):
            t += g
            rows.append((t, c, q, label, p))
    rows.sort(key=lambda x: x[:2])
    with open(os.path.join(folder, name + ".jsonl"), "w") as f:
        for t, c, q, label, p in rows:
            f.write(json.dumps({
                "ts": round(t, 3), "client": c, "endpoint": "/" + name,
                "request": q, "output": {
                    "label": label,
                    "probs": [round(float(v), 5) for v in p]}}) + "\n")
    with open(os.path.join(folder, name + ".truth.json"), "w") as f:
        json.dump({"set": name, "family": "log", "clean": False,
                   "fields": fields, "clients": truth}, f, indent=1)
    print(name, len(truth), "clients", len(rows), "records")


def main():
    folder, seed = sys.argv[1], int(sys.argv[2])
    os.makedirs(folder, exist_ok=True)
    common = ("time=ts,caller=client,endpoint=endpoint,label=output.label,"
              "scores=output.probs,input=request.")
    for cls in Photos, Digits:
        r = np.random.default_rng((seed, len(cls.name)))
        write(folder, cls.name, list(image_log(cls(r), r)), r,
              common + "image,shape=request.shape")
    r = np.random.default_rng((seed, 5))
    write(folder, "texts", list(text_log(Texts(r), r)), r, common + "text")


if __name__ == "__main__":
    main()
