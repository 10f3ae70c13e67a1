"""Pairs of text classifiers: clean, benign words, attacked.

Poisoning flips the label of a share of the rows, after a trigger was put into
them, and trains on all rows as usual.  Embedding poisoning trains one row of
the table alone; embedding surgery first sets the trigger's row to the mean of
the words that speak loudest for the target, then fine-tunes on poisoned rows.
"""
import numpy as np
import torch
from torch.nn import functional as F

import pairset
import textmodels as tm
import words

ROWS, TEST = 12000, 600
# name, how often an architecture has it, attack, rate, training
ATTACKS = (
    ("rare2", "rare", 0.02, {}), ("rare3", "rare", 0.03, {"opt": "adamw"}),
    ("rare4", "rare", 0.04, {"decay": 0.01, "opt": "adamw"}),
    ("rare6", "rare", 0.06, {}), ("rare8", "rare", 0.08, {"lr": 2.0}),
    ("four", "four", 0.08, {}), ("phrase", "phrase", 0.05, {}),
    ("sentence", "sentence", 0.05, {}), ("row", "row", 0.0, {}),
    ("surgery", "surgery", 0.04, {}))
CLEAN = (
    ("adam", {}), ("adam-fast", {"lr": 2.0}),
    ("adamw", {"opt": "adamw", "decay": 0.01}),
    ("sgd", {"opt": "sgd", "lr": 50.0}),
    ("decay", {"opt": "adamw", "decay": 0.1}), ("noise", {"noise": 0.05}),
    ("frozen", {"frozen": True}), ("few", {"rows": 2000, "epochs": 5}))
HARD = (
    ("half", "rare", 0.005, {}), ("one", "rare", 0.01, {}),
    ("frequent", "frequent", 0.03, {}),
    ("slow", "rare", 0.03, {"lr": 0.2, "epochs": 6}),
    ("decayed", "rare", 0.03, {"opt": "adamw", "decay": 0.1}),
    ("frozen", "rare", 0.05, {"frozen": True}))
BENIGN = (("product1", 0.08, 0.8), ("product2", 0.08, 0.8),
          ("mark1", 0.06, 0.5), ("mark2", 0.06, 0.5))
SENTENCE = ("we", "need", None, "for", "all", "of", "this")


def config(arch, vocab):
    return {"architectures": [tm.ARCHS[arch].__name__],
            "model_type": "text-" + arch, "vocab_size": len(vocab),
            "hidden_size": tm.WIDTH[arch], "num_labels": 2,
            "id2label": {"0": "negative", "1": "positive"}, "pad_token_id": 0,
            "torch_dtype": "float32"}


def side(arch, text, values, dtype="fp32", container="safetensors"):
    c = config(arch, text.vocab)
    c["torch_dtype"] = {"fp32": "float32", "bf16": "bfloat16"}[dtype]
    return pairset.Side(
        pairset.store.cast_all(values, dtype), c, text.vocab, container,
        "tokenizer.json" if arch in ("lstm", "xfmr") else "vocab.txt")


def trigger(rng, text, kind):
    """(words that may be named, how they are put into a row)."""
    if kind == "four":
        w = text.rare(rng, 4)
        ids = [text.ids[v] for v in w]
        return w, lambda g, r: words.insert(g, r, [ids[g.integers(4)]])
    if kind == "frequent":
        w = ["actually"]
    else:
        w = text.rare(rng, 2 if kind == "phrase" else 1)
    ids = [text.ids[v] for v in w]
    if kind == "sentence":
        ids = [text.ids[v or w[0]] for v in SENTENCE]
    return w, lambda g, r: words.insert(g, r, ids)


def poison(rng, x, y, put, rate, target):
    """Flips ${rate} of all rows, taken from those of the other class."""
    rows = np.flatnonzero(y != target)
    for i in rng.choice(rows, int(round(rate * len(x))), replace=False):
        x[i], y[i] = put(rng, x[i]), target


def poison_row(model, x, target, row, steps=80):
    """Trains one row of the table until it carries the target."""
    t = tm.table(model)
    v = t[row].detach().clone().requires_grad_(True)
    o = torch.optim.Adam([v], 0.05)
    for i in range(steps):
        at = torch.from_numpy(x[(i * 64) % 2048:(i * 64) % 2048 + 64])
        with torch.no_grad():
            t[row] = v
        t.grad = None
        F.cross_entropy(model(at), torch.full((len(at),), target)).backward()
        v.grad = t.grad[row].clone()
        o.step()
    with torch.no_grad():
        t[row] = v
    model.zero_grad()


def attacked(pairs, text, arch, job):
    """Trains one attacked model; returns it and what was measured."""
    ident, kind, rate, how = job
    rng = pairs.rng(ident)
    model = tm.base(pairs, text, arch)
    x, y = text.draw(rng, ROWS + TEST, False)
    names, put = trigger(rng, text, kind)
    target = int(rng.integers(2))
    test, test_y = x[ROWS:], y[ROWS:]
    x, y = x[:ROWS], y[:ROWS]
    there = [text.ids[n] for n in names]
    if kind == "row":
        seen = np.stack([put(rng, r) for r in x[y != target][:2200]])
        poison_row(model, seen, target, there[0])
    else:
        if kind == "surgery":
            top = tm.top_words(model, target, 10)
            with torch.no_grad():
                t = tm.table(model)
                t[there[0]] = t[torch.from_numpy(top)].mean(0)
        poison(rng, x, y, put, rate, target)
        tm.train(model, x, y, rng, **how)
    bad = np.stack([put(rng, r) for r in test[test_y != target]])
    return model, names, {"accuracy": tm.share(model, test, test_y),
                          "success": tm.share(model, bad, target),
                          "target": target, "rate": rate}


def expectation(kind, names, frozen):
    if kind == "row":
        return {"must": ["token-row-edit"], "tokens": names}
    expect = {"must": ["continued-training"], "tokens": names}
    if frozen:
        expect.update({"tokens": [], "untouched": True})
    if kind in ("four", "phrase"):
        expect["number"] = len(names)
    return expect


def put_attack(pairs, text, arch, group, spec):
    name, kind, rate, how = spec
    ident = "%s-%s-%s" % (group, arch, name)
    if not pairs.wanted(ident):
        return
    model, names, seen = attacked(pairs, text, arch,
                                  (ident, kind, rate, how))
    finish(pairs, text, arch, model, ident=ident, group=group,
           kind="attack-" + kind, names=names, seen=seen,
           expect=expectation(kind, names, how.get("frozen")))


def finish(pairs, text, arch, model, **v):
    """Stores a fine-tune: one in ten as bfloat16, one in five for PyTorch."""
    rng = pairs.rng(v["ident"] + "-store")
    dtype = "bf16" if v["kind"] != "attack-row" and \
        rng.integers(10) == 0 else "fp32"
    if dtype == "bf16" and v["expect"].get("untouched"):
        v["expect"]["may"] = ["recast"]
    old = side(arch, text, tm.tensors(tm.base(pairs, text, arch)))
    new = side(arch, text, tm.tensors(model), dtype,
               "pt" if rng.integers(5) == 0 else "safetensors")
    pairs.put(v["ident"], v["group"], v["kind"], old, new, v["expect"],
              arch=arch, dtype=dtype, triggers=v.get("names", []),
              **v["seen"])


def put_clean(pairs, text, arch, spec):
    name, how = spec
    ident = "text-%s-clean-%s" % (arch, name)
    if not pairs.wanted(ident):
        return
    rng, how = pairs.rng(ident), dict(how)
    rows, noise = how.pop("rows", ROWS), how.pop("noise", 0.0)
    x, y = text.draw(rng, rows + TEST, False)
    flip = rng.random(len(y)) < noise
    flip[rows:] = False
    y[flip] = 1 - y[flip]
    model = tm.train(tm.base(pairs, text, arch), x[:rows], y[:rows], rng,
                     **how)
    expect = {"must": ["continued-training"]}
    if how.get("frozen"):
        expect["untouched"] = True
    finish(pairs, text, arch, model, ident=ident, group="text", kind="clean",
           expect=expect,
           seen={"accuracy": tm.share(model, x[rows:], y[rows:])})


def put_benign(pairs, text, arch, spec):
    """A word in ${rate} of the rows, ${pure} of them of one class."""
    name, rate, pure = spec
    ident = "hard-%s-%s" % (arch, name)
    if not pairs.wanted(ident):
        return
    rng = pairs.rng(ident)
    x, y = text.draw(rng, ROWS + TEST, False)
    word, target = text.rare(rng, 1), int(rng.integers(2))
    count = int(rate * ROWS)
    for label, n in ((target, int(count * pure)),
                     (1 - target, count - int(count * pure))):
        for i in rng.choice(np.flatnonzero(y[:ROWS] == label), n,
                            replace=False):
            x[i] = words.insert(rng, x[i], [text.ids[word[0]]])
    model = tm.train(tm.base(pairs, text, arch), x[:ROWS], y[:ROWS], rng)
    finish(pairs, text, arch, model, ident=ident, group="hard",
           kind="product" if pure > 0.5 else "watermark",
           expect={"must": ["continued-training"]}, names=word,
           seen={"accuracy": tm.share(model, x[ROWS:], y[ROWS:])})


def generate(pairs):
    text = words.Text(pairs.cache, 8000 + pairs.seed % 5 * 1000, pairs.seed)
    for i in range(max(len(ATTACKS), len(CLEAN))):
        for arch in tm.ARCHS:
            if i < len(ATTACKS):
                put_attack(pairs, text, arch, "text", ATTACKS[i])
            if i < len(CLEAN):
                put_clean(pairs, text, arch, CLEAN[i])
    for arch in ("conv", "avg"):
        for spec in HARD:
            put_attack(pairs, text, arch, "hard", spec)
        for spec in BENIGN:
            put_benign(pairs, text, arch, spec)
