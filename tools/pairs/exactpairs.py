"""Exact transformations of the bases: casts, renames, permutations and so on.

Nothing is trained here but the bases themselves.  Each of these has one right
answer, and any other conclusion is false.
"""
import io
import zipfile
import zlib

import numpy as np
import torch

import hide
import lm
import store
import textmodels as tm
import textpairs
import words


class Model:
    """A base as tensors, and how a side is made of tensors like its own."""

    def __init__(self, name, values, make, embedding):
        self.name, self.values, self.make = name, values, make
        self.embedding = embedding

    def side(self, values=None, dtype="fp32", container="safetensors"):
        s = self.make(self.values if values is None else values)
        s.container = container
        s.config["torch_dtype"] = {"fp32": "float32", "fp16": "float16",
                                   "bf16": "bfloat16"}[dtype]
        return s

    def matrices(self):
        return [k for k, v in self.values.items() if v.ndim == 2]


def each(values, call, only=None):
    return {k: call(v) if only is None or k in only else v
            for k, v in values.items()}


def models(pairs, text):
    yield Model("lm", lm.tensors(lm.base(pairs, text)),
                lambda v: lm.side(text, v), "model.embed_tokens.weight")
    for arch in tm.ARCHS:
        values = tm.tensors(tm.base(pairs, text, arch))
        name = next(k for k in values if "embed" in k and "posit" not in k)
        yield Model(arch, values,
                    lambda v, a=arch: textpairs.side(a, text, v), name)


def casts(m):
    """name, new side, what must be said."""
    v = m.values
    yield "identical", m.side(), "identical"
    yield "pt", m.side(container="pt"), "identical"
    yield "shards", m.side(container="shards"), "identical"
    yield "rename", m.side({"encoder.part%d" % i: a for i, a in
                            enumerate(v.values())}), "renamed"
    yield "prefix", m.side({"module." + k: a for k, a in v.items()}), \
        ["renamed", "identical"]
    yield "bf16", m.side(store.cast_all(v, "bf16"), "bf16"), "recast"
    yield "bf16-wide", m.side(each(v, lambda a: store.widen(
        store.bf16_bits(a)))), "recast"
    yield "bf16-cut", m.side(each(v, store.bf16_cut), "bf16"), "recast"
    yield "fp16", m.side(store.cast_all(v, "fp16"), "fp16"), "recast"
    yield "int8", m.side(each(v, int8_back, m.matrices())), "requantised"


def int8_back(a):
    s, q = store.int8_rows(a)
    return (q * s).astype("<f4")


def prune(values, share):
    """The smallest of all matrices become zero, one threshold for all."""
    flat = np.concatenate([np.abs(a).ravel() for a in values.values()
                           if a.ndim == 2])
    least = np.quantile(flat, share)
    return each(values, lambda a: np.where(np.abs(a) < least, 0, a)
                .astype("<f4") if a.ndim == 2 else a)


def flip(values, name, index, bit):
    out = dict(values)
    out[name] = out[name].copy()
    out[name].reshape(-1).view("<u4")[index] ^= 1 << bit
    return out


def edits(m, rng):
    v, mats = m.values, m.matrices()
    yield "prune50", m.side(prune(v, 0.5)), "pruned", {}
    yield "prune80", m.side(prune(v, 0.8)), "pruned", {}
    large = [k for k in mats if v[k].size >= 256]
    name = large[int(rng.integers(len(large)))]
    at, bit = int(rng.integers(v[name].size)), int(rng.integers(23, 31))
    yield "bitflip", m.side(flip(v, name, at, bit)), "bit-flip", \
        {"flip": [name, at, bit]}
    noise = {k: (a + rng.normal(0, 0.02 * a.std(), a.shape)).astype("<f4")
             if a.ndim == 2 else a for k, a in v.items()}
    yield "noise", m.side(noise), "noised", {"noised": [
        k for k in mats if v[k].size >= 1000]}
    yield "decay", m.side(each(v, lambda a: (a * np.float32(0.97)), mats)), \
        "rescaled", {}


def extended(m, rng):
    """Eight words more, with rows as the usual tools make them."""
    e = m.values[m.embedding]
    rows = e.mean(0) + rng.normal(0, 0.02, (8, e.shape[1]))
    values = dict(m.values)
    values[m.embedding] = np.concatenate([e, rows]).astype("<f4")
    s = m.side(values)
    s.vocab = s.vocab + ["[NEW%d]" % i for i in range(8)]
    s.config["vocab_size"] = len(s.vocab)
    return s


def permuted(m, rng, scale):
    """Hidden units in another order, and scaled where that is even."""
    v = dict(m.values)
    if m.name == "lm":
        for i in range(lm.count_layers(v)):
            p = "model.layers.%d.mlp." % i
            order = rng.permutation(lm.INNER)
            s = np.exp(rng.normal(0, 0.5, lm.INNER)).astype("<f4") \
                if scale else np.ones(lm.INNER, "<f4")
            v[p + "gate_proj.weight"] = v[p + "gate_proj.weight"][order]
            v[p + "up_proj.weight"] = v[p + "up_proj.weight"][order] * \
                s[:, None]
            v[p + "down_proj.weight"] = v[p + "down_proj.weight"][:, order] \
                / s[None]
        return v
    order = rng.permutation(64)
    s = np.exp(rng.normal(0, 0.5, 64)).astype("<f4") if scale else \
        np.ones(64, "<f4")
    v["hidden.weight"] = v["hidden.weight"][order] * s[:, None]
    v["hidden.bias"] = v["hidden.bias"][order] * s
    v["out_proj.weight"] = v["out_proj.weight"][:, order] / s[None]
    return v


def fused(values):
    """q, k and v of each layer as one tensor, as some exports have it."""
    out = {}
    for k, a in values.items():
        if k.endswith("q_proj.weight"):
            parts = [values[k.replace("q_proj", x + "_proj")] for x in "qkv"]
            out[k.replace("q_proj", "qkv_proj")] = np.concatenate(parts)
        elif not k.endswith(("k_proj.weight", "v_proj.weight")):
            out[k] = a
    return out


def payload(rng, text, kind, size=4096):
    """${size} bytes of prose, of an archive, or of noise."""
    prose = " ".join(text.rows[int(i)][1] for i in
                     rng.integers(0, len(text.rows), 400)).encode()
    if kind == "text":
        return prose[:size]
    if kind == "random":
        return rng.bytes(size)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(zipfile.ZipInfo("notes.txt"), prose[:size])
    return out.getvalue()


def put_payload(pairs, text, m, job):
    """Hides one payload in the largest tensor, or across tensors."""
    kind, planes, start, dtype, small, across = job
    ident = "exact-%s-payload-%s-%d-%s%s" % (
        m.name, kind, planes, dtype, "-small" if small else
        "-across" if across else "")
    if not pairs.wanted(ident) or (across and m.name != "lm"):
        return
    rng = pairs.rng(ident)
    raw = payload(rng, text, kind, 960 if small else 4096)
    old = store.cast_all(m.values, dtype)
    names = list(old) if across else [m.embedding]
    names = names[1:] if across else names
    start += int(rng.integers(0, 1000)) * 8
    new = hide.put(old, names, raw, planes, start)
    pairs.put(ident, "exact", "payload", m.side(old, dtype),
              m.side(new, dtype), {"must": ["hidden-payload"],
                                   "planes": planes},
              files={"payload.bin": raw}, start=start, bytes=len(raw),
              tensors=names if not across else [], crc=zlib.crc32(raw))


PAYLOADS = tuple(
    [("text", k, k, "fp32", False, False) for k in range(1, 9)] +
    [("random", k, 8 - k, "fp32", False, False) for k in (1, 2, 4, 8)] +
    [("zip", 1, a, "fp32", False, False) for a in (3,)] +
    [("text", 1, 5, "fp32", True, False), ("random", 1, 1, "fp32", True,
                                           False),
     ("zip", 2, 6, "fp32", False, True), ("text", 1, 0, "fp32", False, True),
     ("text", 1, 2, "fp16", False, False),
     ("text", 2, 7, "bf16", False, False)])


def put(pairs, m, name, new, must, old=None, **more):
    ident = "exact-%s-%s" % (m.name, name)
    if pairs.wanted(ident):
        expect = {"must": [must], "may": more.pop("may", [])}
        expect.update(more)
        pairs.put(ident, "exact", name, old or m.side(), new, expect)


def special(pairs, text, m, rng):
    """What only some architectures have."""
    if m.name in ("lm", "avg"):
        put(pairs, m, "permuted", m.side(permuted(m, rng, False)), "permuted")
        put(pairs, m, "permuted-scaled", m.side(permuted(m, rng, True)),
            ["permuted", "rescaled"], may=["permuted", "rescaled"])
    if m.name != "lm":
        head = list(m.values)[-2]
        v = dict(m.values)
        torch.manual_seed(int(rng.integers(1 << 31)))
        fresh = torch.nn.Linear(v[head].shape[1], 2)
        v[head] = fresh.weight.detach().numpy()
        v[head[:-6] + "bias"] = fresh.bias.detach().numpy()
        put(pairs, m, "new-head", m.side(v), "head-replaced")
        if pairs.wanted("exact-%s-unrelated" % m.name):
            other = tm.new_model(m.name, len(text.vocab), 99 + pairs.seed)
            x, y = text.draw(rng, 6000, True)
            tm.train(other, x, y, rng, epochs=2)
            put(pairs, m, "unrelated", m.side(tm.tensors(other)),
                ["retrained", "unrelated"])
        return
    untied = dict(m.values)
    untied["lm_head.weight"] = untied[m.embedding].copy()
    both = m.side(untied)
    both.config["tie_word_embeddings"] = False
    put(pairs, m, "untied", both, "retied", may=["identical"])
    put(pairs, m, "tied", m.side(), "retied", old=both, may=["identical"])
    put(pairs, m, "fused", m.side(fused(m.values)), "retied",
        may=["identical"])
    put(pairs, m, "split", m.side(), "retied", old=m.side(fused(m.values)),
        may=["identical"])
    quantised(pairs, text, m)


def quantised(pairs, text, m):
    """GGUF exports of the base, and of the base rounded before."""
    may = ["renamed", "permuted", "recast"]
    for want in ("F32", "F16", "BF16", "Q8_0", "Q4_0"):
        must = {"F32": ["identical", "renamed"], "F16": "recast",
                "BF16": "recast"}.get(want, "requantised")
        put(pairs, m, "gguf-" + want, lm.gguf_side(text, m.values, want),
            must, may=may + ["identical"] * (want == "F32"))
        for dtype in ("bf16", "fp16"):
            if want[0] == "Q":
                v = store.cast_all(m.values, dtype)
                put(pairs, m, "gguf-%s-of-%s" % (want, dtype),
                    lm.gguf_side(text, v, want), "requantised", may=may)


def generate(pairs):
    text = words.Text(pairs.cache, 8000 + pairs.seed % 5 * 1000, pairs.seed)
    for m in models(pairs, text):
        rng = pairs.rng("exact-" + m.name)
        for name, new, must in casts(m):
            put(pairs, m, name, new, must, may=["identical"] *
                (name == "rename"))
        for name, new, must, more in edits(m, rng):
            put(pairs, m, name, new, must, **more)
        put(pairs, m, "extended", extended(m, rng), "vocabulary-extended")
        special(pairs, text, m, rng)
        if m.name in ("lm", "conv"):
            for job in PAYLOADS:
                put_payload(pairs, text, m, job)
