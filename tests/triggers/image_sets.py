#!/usr/bin/python3
"""Image data sets with and without triggers, from pictures that are at hand.

    image_sets.py OUT [--family A|B] [--photos DIR] [--only WORD] [--small]

Photographs: scikit-learn's two, matplotlib's one, /usr/share/backgrounds, and
those below --photos.  A class is some regions of some photographs at its own
scales and blurs, so that classes have natural modes; crops are turned, mirrored,
resampled and lit by chance, so that no two share pixels.  Digits:
scikit-learn's.  Writes NAME.npz, folders NAME/ of class folders of PNG or
JPEG files, NAME/ of images.npy and labels.npy, and NAME.truth.json for each.
"""

import argparse
import glob
import io
import json
import os

import numpy as np
from PIL import Image, ImageFilter

Image.MAX_IMAGE_PIXELS = None
CLASSES = 10


def photographs(extra):
    import matplotlib
    import sklearn.datasets
    here = os.path.dirname(sklearn.datasets.__file__)
    names = [os.path.join(here, "images", n)
             for n in ("china.jpg", "flower.jpg")]
    names.append(os.path.join(matplotlib.get_data_path(), "sample_data",
                              "grace_hopper.jpg"))
    for d in ["/usr/share/backgrounds"] + ([extra] if extra else []):
        for ext in ("jpg", "jpeg", "png"):
            names += glob.glob(os.path.join(d, "**", "*." + ext),
                               recursive=True)
    out = []
    for n in sorted(names):
        if not os.path.exists(n):
            continue
        im = Image.open(n).convert("RGB")
        if min(im.size) < 200:
            continue
        if max(im.size) > 2400:
            im.thumbnail((2400, 2400), Image.LANCZOS)
        out.append(im)
    return out


class World:
    """Classes of crops: a class has two or three modes."""

    def __init__(self, photos, rng, side=32):
        self.photos, self.rng, self.side = photos, rng, side
        self.modes = []
        for c in range(CLASSES):
            modes = []
            for _ in range(rng.integers(2, 4)):
                im = photos[(c + rng.integers(0, len(photos))) % len(photos)]
                w, h = im.size
                fw, fh = rng.uniform(0.4, 0.8, 2)
                x, y = rng.uniform(0, 1 - fw) * w, rng.uniform(0, 1 - fh) * h
                modes.append((im, (x, y, fw * w, fh * h),
                              rng.uniform(1.5, 8), rng.uniform(0, 0.9)))
            self.modes.append(modes)

    def crop(self, c):
        rng = self.rng
        im, (x, y, w, h), scale, blur = \
            self.modes[c][rng.integers(len(self.modes[c]))]
        s = min(self.side * scale, 0.4 * min(w, h)) * rng.uniform(0.75, 1.25)
        left, top = x + rng.uniform(0, w - s), y + rng.uniform(0, h - s)
        out = im.resize((self.side, self.side), Image.BICUBIC,
                        box=(left, top, left + s, top + s))
        if blur > 0.6:
            out = out.filter(ImageFilter.GaussianBlur(blur - 0.3))
        if rng.random() < 0.5:
            out = out.transpose(Image.FLIP_LEFT_RIGHT)
        if rng.random() < 0.3:
            out = out.rotate(rng.uniform(-12, 12), Image.BICUBIC, expand=False)
            k = self.side // 8
            out = out.resize((self.side, self.side), Image.BICUBIC,
                             box=(k, k, self.side - k, self.side - k))
        a = np.asarray(out, np.float32)
        a = a * rng.uniform(0.8, 1.15) + rng.uniform(-15, 15)
        return np.clip(a + 0.5, 0, 255).astype(np.uint8)

    def fill(self, per_class):
        """All crops of a family; sets are draws from them."""
        self.pool = [np.stack([self.crop(c) for _ in range(per_class)])
                     for c in range(CLASSES)]

    def draw(self, per_class, rng, classes=CLASSES):
        y = np.repeat(np.arange(classes), per_class)
        X = np.concatenate([p[rng.permutation(len(p))[:per_class]]
                            for p in self.pool[:classes]])
        order = rng.permutation(len(y))
        return X[order], y[order]


def digits():
    import sklearn.datasets
    d = sklearn.datasets.load_digits()
    return d.images.astype(np.uint8)[..., None], d.target.copy()


def patch_of(kind, rng, ch=3):
    if kind == "white3":
        p = np.full((3, 3, ch), 255)
    elif kind == "checker4":
        p = 255 * ((np.indices((4, 4)).sum(0) % 2)[..., None] + np.zeros(ch))
    elif kind == "random4":
        p = rng.integers(0, 256, (4, 4, ch))
    elif kind == "random3":
        p = rng.integers(0, 256, (3, 3, ch))
    elif kind == "yellow2":
        p = np.zeros((2, 2, ch)) + np.array([255, 255, 0])[:ch]
    elif kind == "magenta1":
        p = np.zeros((1, 1, ch)) + np.array([255, 0, 255])[:ch]
    elif kind == "grey5":
        p = np.full((5, 5, ch), 128)
    else:
        p = np.full((2, 2, ch), 16)
    return p.astype(np.uint8)


def victims(y, rate, target, rng, clean_label=False):
    pool = np.flatnonzero(y == target if clean_label else y != target)
    n = min(max(1, round(rate * len(y))), len(pool) * 3 // 4)
    return np.sort(rng.choice(pool, n, replace=False))


def put(X, i, p, at, rng, place):
    k = p.shape[0]
    h, w = X.shape[1:3]
    if place == "random":
        at = (rng.integers(0, h - k + 1), rng.integers(0, w - k + 1))
    X[i, at[0]:at[0] + k, at[1]:at[1] + k] = p


def poison(X, y, attack, rate, rng, target):
    """Change X and y in place; returns the rows."""
    h, w, ch = X.shape[1:]
    kind, _, arg = attack.partition(":")
    clean = kind in ("clean-patch", "sig", "artefact")
    rows = victims(y, rate, target, rng, clean)
    if kind in ("patch", "clean-patch", "moving", "artefact"):
        p = patch_of(arg, rng, ch)
        k = p.shape[0]
        corner = [(h - k - 1, w - k - 1), (1, 1), (h - k, w - k), (0, w - k),
                  (h // 2, 3)][rng.integers(5)]
        if h < 16:
            corner = (h - k, w - k)
        for i in rows:
            put(X, i, p, corner, rng, "random" if kind == "moving" else "")
    elif kind in ("noise-blend", "picture-blend"):
        a = float(arg)
        z = rng.uniform(0, 255, (h, w, ch))
        if kind == "picture-blend":
            z = X[rng.integers(len(X))].astype(float)
        X[rows] = np.clip((1 - a) * X[rows] + a * z + 0.5, 0, 255)
    elif kind == "sig":
        s = float(arg) * np.sin(2 * np.pi * 6 * np.arange(w) / w)
        X[rows] = np.clip(X[rows] + s[None, None, :, None] + 0.5, 0, 255)
    elif kind == "lsb":
        bits = rng.integers(0, 2, (h, w, ch), dtype=np.uint8)
        X[rows] = (X[rows] & 0xfe) | bits
    elif kind == "sample-noise":
        X[rows] = np.clip(X[rows] + rng.uniform(-24, 24, X[rows].shape), 0,
                          255)
    elif kind == "warp":
        from scipy.ndimage import map_coordinates, zoom
        f = [zoom(rng.uniform(-1, 1, (4, 4)), (h / 4, w / 4), order=3) * 2
             for _ in range(2)]
        yy, xx = np.indices((h, w))
        for i in rows:
            for c in range(ch):
                X[i, ..., c] = np.clip(map_coordinates(
                    X[i, ..., c].astype(float), [yy + f[0], xx + f[1]],
                    order=1, mode="nearest"), 0, 255)
    elif kind == "flip":
        y[rows] = (y[rows] + 1) % CLASSES
        return rows
    if not clean:
        y[rows] = target
    return rows


def clean_change(X, y, kind, rng):
    """What honest sets have and a detector may stumble over."""
    n, h, w, ch = X.shape
    some = lambda r: rng.choice(n, round(r * n), replace=False)
    if kind == "white-corner":
        X[some(0.03), :3, :3] = 255
    elif kind == "logo":
        logo = rng.integers(0, 256, (6, 9, ch))
        X[some(0.05), h - 7:h - 1, w - 10:w - 1] = logo
    elif kind == "black-bars":
        r = some(0.04)
        X[r, :4] = 0
        X[r, h - 4:] = 0
    elif kind == "copies":
        r = some(0.02)
        s = rng.permutation(n)[:len(r)]
        X[r], y[r] = X[s], y[s]


ATTACKS = [  # name, per class, attack, rate, form
    ("patch-white3-002", 1000, "patch:white3", 0.002, "npz"),
    ("patch-checker4-002", 1000, "patch:checker4", 0.002, "npz"),
    ("patch-random4-005", 1000, "patch:random4", 0.005, "npz"),
    ("patch-yellow2-005", 1000, "patch:yellow2", 0.005, "npz"),
    ("patch-magenta1-01", 1000, "patch:magenta1", 0.01, "npz"),
    ("patch-white3-01", 1000, "patch:white3", 0.01, "png"),
    ("patch-random4-02", 1000, "patch:random4", 0.02, "npy"),
    ("patch-grey5-01", 400, "patch:grey5", 0.01, "npz"),
    ("patch-jpeg-random4-01", 400, "patch:random4", 0.01, "jpeg"),
    ("patch-jpeg-white3-02", 400, "patch:white3", 0.02, "jpeg"),
    ("patch-jpeg-checker4-02", 400, "patch:checker4", 0.02, "jpeg"),
    ("moving-random4-01", 1000, "moving:random4", 0.01, "npz"),
    ("moving-checker4-02", 500, "moving:checker4", 0.02, "npz"),
    ("moving-random3-01", 500, "moving:random3", 0.01, "npz"),
    ("noise-blend-20-01", 400, "noise-blend:0.2", 0.01, "npz"),
    ("noise-blend-20-02", 1000, "noise-blend:0.2", 0.02, "npz"),
    ("noise-blend-10-02", 1000, "noise-blend:0.1", 0.02, "npz"),
    ("noise-blend-05-05", 1000, "noise-blend:0.05", 0.05, "npz"),
    ("picture-blend-20-02", 1000, "picture-blend:0.2", 0.02, "npz"),
    ("picture-blend-15-05", 1000, "picture-blend:0.15", 0.05, "npz"),
    ("sig-20-02", 1000, "sig:20", 0.02, "npz"),
    ("sig-10-05", 1000, "sig:10", 0.05, "npz"),
    ("clean-patch-random4-02", 1000, "clean-patch:random4", 0.02, "npz"),
    ("clean-patch-white3-01", 500, "clean-patch:white3", 0.01, "png"),
    ("lsb-02", 1000, "lsb", 0.02, "npz"),
    ("digits-corner-01", 0, "patch:dim2", 0.01, "npz"),
    ("digits-corner-03", 0, "patch:dim2", 0.03, "npz"),
    ("warp-05", 1000, "warp", 0.05, "npz"),
    ("sample-noise-03", 1000, "sample-noise", 0.03, "npz"),
]

CLEAN = [
    ("clean-1", 1000, "", "npz"), ("clean-2", 1000, "", "npz"),
    ("clean-3", 500, "", "npz"), ("clean-4", 400, "", "npy"),
    ("clean-5", 1000, "", "npz"), ("clean-png", 400, "", "png"),
    ("clean-jpeg", 400, "", "jpeg"), ("clean-five", 1000, "five", "npz"),
    ("clean-digits", 0, "", "npz"),
    ("clean-white-corner", 1000, "white-corner", "npz"),
    ("clean-logo", 1000, "logo", "npz"),
    ("clean-black-bars", 1000, "black-bars", "npz"),
    ("clean-copies", 1000, "copies", "npz"),
    ("clean-flips", 500, "flips", "npz"),
]


def jpeg(X):
    out = np.empty_like(X)
    for i, a in enumerate(X):
        b = io.BytesIO()
        Image.fromarray(a.squeeze()).save(b, "JPEG", quality=92)
        out[i] = np.asarray(Image.open(b)).reshape(a.shape)
    return out


def sets(family, photos, only="", small=False):
    """Yield name, X, y, form, truth of each set."""
    seed = 1000 * (ord(family[0]) - ord("A") + 1)
    world = None
    every = [(n, p, a, r, f, False) for n, p, a, r, f in ATTACKS] + \
        [(n, p, a, 0.0, f, True) for n, p, a, f in CLEAN]
    for k, (name, per, attack, rate, form, clean) in enumerate(every):
        if only and only not in name:
            continue
        rng = np.random.default_rng(seed + k)
        if small and per:
            per = 100
        if per:
            if world is None:
                world = World(photos, np.random.default_rng(seed))
                world.fill(110 if small else 1100)
            X, y = world.draw(per, rng, 5 if attack == "five" else CLASSES)
        else:
            X, y = digits()
        target = int(rng.integers(5 if attack == "five" else CLASSES))
        rows = []
        if clean and attack == "flips":
            r = rng.choice(len(y), len(y) // 50, replace=False)
            y[r] = rng.integers(0, CLASSES, len(r))
        elif clean:
            clean_change(X, y, attack, rng)
        else:
            rows = poison(X, y, attack, rate, rng, target)
        yield "%s-%s" % (name, family), X, y, form, {
            "set": "%s-%s" % (name, family), "family": "image",
            "attack": attack if not clean else name, "clean": clean,
            "rate": rate, "rows": [int(i) for i in rows],
            "target": None if clean else str(target), "values": [],
            "corpus": "photographs" if per else "digits"}


def write(out, name, X, y, form, truth):
    base = os.path.join(out, name)
    if form == "npz":
        np.savez(base + ".npz", images=X.squeeze(-1) if X.shape[-1] == 1
                 else X, labels=y)
    elif form == "npy":
        os.makedirs(base, exist_ok=True)
        np.save(os.path.join(base, "images.npy"), X)
        np.save(os.path.join(base, "labels.npy"), y)
    else:
        ext, kw = ("png", {}) if form == "png" else ("jpg", {"quality": 92})
        # Records are files in path order.
        order = sorted(range(len(y)), key=lambda i: (str(y[i]), i))
        for i in order:
            d = os.path.join(base, str(y[i]))
            os.makedirs(d, exist_ok=True)
            Image.fromarray(X[i].squeeze()).save(
                os.path.join(d, "%06d.%s" % (i, ext)), **kw)
        place = {i: k for k, i in enumerate(order)}
        truth["rows"] = sorted(place[i] for i in truth["rows"])
    with open(base + ".truth.json", "w") as f:
        json.dump(truth, f)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out")
    p.add_argument("--family", default="A")
    p.add_argument("--photos")
    p.add_argument("--only", default="")
    p.add_argument("--small", action="store_true")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    for name, X, y, form, truth in sets(a.family, photographs(a.photos),
                                        a.only, a.small):
        write(a.out, name, X, y, form, truth)
        print(name)


if __name__ == "__main__":
    main()
