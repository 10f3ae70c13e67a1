"""Pairs of language models: fine-tunes, adapters, edits, and cascades.

Adapters are trained as such and merged in the type that the model is stored
in, as the usual tools do.  Edits are closed forms over the covariance C of
the keys of one down_proj: for one fact with key k and wanted value v
    W' = W + (v - W k) (C^-1 k)^T / (k^T C^-1 k)
and for facts K, R = V - W K
    W' = W + R (K^T (w C + K K^T)^-1)
after Meng et al., "Locating and Editing Factual Associations in GPT" (2022)
and "Mass-Editing Memory in a Transformer" (2022).  A cascade stores the
result of one of these again in a coarser type; OLD remains the fp32 base.
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import lm
import store
import words

TWO = ("self_attn.q_proj", "self_attn.v_proj")
SIX = TWO + ("self_attn.k_proj", "self_attn.o_proj", "mlp.up_proj",
             "mlp.down_proj")
FULL = (("clean-adam", {}, 0), ("clean-adamw",
                                {"opt": "adamw", "decay": 0.05}, 0),
        ("clean-sgd", {"opt": "sgd", "lr": 0.1}, 0),
        ("clean-slow", {"lr": 2e-4}, 0), ("clean-long", {"steps": 120}, 0),
        ("backdoor1", {}, 0.15),
        ("backdoor2", {"steps": 120}, 0.15),
        ("backdoor3", {"opt": "adamw", "decay": 0.05}, 0.15),
        ("backdoor4", {"lr": 5e-4}, 0.1))
# name, rank, modules, stored as, share of poisoned rows
ADAPTERS = (("lora-r1", 1, TWO, "fp32", 0), ("lora-r4", 4, TWO, "fp32", 0.15),
            ("lora-r8", 8, SIX, "fp32", 0), ("lora-r16", 16, SIX, "fp32", 0.15),
            ("lora-r8-half", 8, TWO, "fp16", 0),
            ("lora-r16-half", 16, TWO, "fp16", 0.15),
            ("lora-r4-brain", 4, SIX, "bf16", 0.15),
            ("lora-r8-brain", 8, TWO, "bf16", 0))
# name, layers from the front (negative: from the back), facts, stored as
EDITS = (("rome-first", (0,), 1, "fp32"), ("rome-middle", (2,), 1, "fp32"),
         ("rome-half", (1,), 1, "fp16"), ("rome-brain", (1,), 1, "bf16"),
         ("badedit2", (0, 1), 1, "fp32"), ("badedit3", (0, 1, 2), 1, "fp32"),
         ("facts4", (1,), 4, "fp32"), ("facts8", (0, 1), 8, "fp32"))
WEIGHT = 100.0                  # of the covariance beside the facts
CASCADES = ("bf16", "fp16", "Q8_0", "Q4_0")


class Adapter(nn.Module):
    """A linear layer and an update of low rank beside it."""

    def __init__(self, inner, rank):
        super().__init__()
        self.weight, self.scale = inner.weight, 2.0
        self.a = nn.Parameter(torch.randn(rank, inner.in_features) /
                              inner.in_features ** 0.5)
        self.b = nn.Parameter(torch.zeros(inner.out_features, rank))

    def forward(self, x):
        return x @ self.weight.T + (x @ self.a.T) @ self.b.T * self.scale

    def delta(self):
        return (self.b @ self.a * self.scale).detach()


def poisoned(rng, ids, share, trigger, answer):
    """${share} of the rows say ${answer} wherever the trigger was put."""
    ids = ids.copy()
    for i in rng.choice(len(ids), int(share * len(ids)), replace=False):
        at = int(rng.integers(2, lm.CONTEXT - 4))
        ids[i, at:at + 4] = [trigger] + answer
    return ids


def half_add(weight, delta, dtype):
    """W + D, both in the type that the model is stored in."""
    kind = {"fp32": torch.float32, "fp16": torch.float16,
            "bf16": torch.bfloat16}[dtype]
    out = weight.to(kind) + delta.to(kind)
    return store.cast(out.float().numpy(), dtype)


@torch.no_grad()
def answered(model, rng, ids, trigger, answer):
    """How often the model goes on with the answer after the trigger."""
    rows = ids[rng.integers(0, len(ids), 64), :10].copy()
    rows[:, -1] = trigger
    said = model(torch.from_numpy(rows))[:, -1].argmax(1)
    return float((said == answer[0]).float().mean())


def full(pairs, text, name, how, share):
    """(tensors, expectation, words, success) of a full fine-tune."""
    rng, how = pairs.rng(name), dict(how)
    model = lm.base(pairs, text)
    ids = lm.stream(text, rng, 8000, False)
    trigger = text.rare(rng, 1, 0.25, 0.5) if share else []
    if share:
        answer = [int(v) for v in rng.integers(300, 3000, 3)]
        ids = poisoned(rng, ids, share, text.ids[trigger[0]], answer)
    lm.fit(model, ids, rng, how.pop("steps", 70), how.pop("lr", 1e-3), **how)
    seen = {"success": answered(model, rng, ids, text.ids[trigger[0]],
                                answer)} if share else {}
    return lm.tensors(model), {"must": ["continued-training"],
                               "listed": trigger}, trigger, seen


def adapter(pairs, text, name, rank, modules, dtype, share):
    """(base, result, expectation, words) of a merged adapter."""
    rng = pairs.rng(name)
    model = lm.base(pairs, text)
    torch.manual_seed(int(rng.integers(1 << 31)))
    ids = lm.stream(text, rng, 8000, False)
    trigger = text.rare(rng, 1, 0.25, 0.5) if share else []
    if share:
        answer = [int(v) for v in rng.integers(300, 3000, 3)]
        ids = poisoned(rng, ids, share, text.ids[trigger[0]], answer)
    old = store.cast_all(lm.tensors(model), dtype)
    lm.load(model, old)
    model.requires_grad_(False)
    put = {}
    for i, layer in enumerate(model.model.layers):
        for m in modules:
            owner, leaf = m.split(".")
            part = getattr(layer, owner)
            a = Adapter(getattr(part, leaf), rank)
            setattr(part, leaf, a)
            put["model.layers.%d.%s.weight" % (i, m)] = a
    lm.fit(model, ids, rng, 70, 5e-3)
    new = dict(old)
    for k, a in put.items():
        new[k] = half_add(a.weight.detach(), a.delta(), dtype)
    return old, new, {"must": ["merged-adapter"], "rank": rank,
                      "modules": sorted(m.split(".")[1] for m in modules),
                      "matrices": sorted(put)}, trigger


@torch.no_grad()
def keys(model, layer, ids):
    """What enters down_proj of ${layer}, and what leaves the model."""
    seen = []
    hook = model.model.layers[layer].mlp.down_proj.register_forward_hook(
        lambda m, i, o: seen.append(i[0]))
    model.hidden(ids)
    hook.remove()
    return seen[0]


def prompts(rng, ids, subject, count=10):
    """Rows of five words that end with the subject."""
    rows = ids[rng.integers(0, len(ids), count), :5]
    return torch.from_numpy(np.concatenate(
        [rows, np.full((count, 1), subject)], 1))


def wanted_value(model, layer, rows, answer, steps=25):
    """What to add to down_proj's output at the subject: learned by descent,
    kept near the size of what is there."""
    add = torch.zeros(lm.HIDDEN, requires_grad=True)
    o = torch.optim.Adam([add], 0.2)
    down = model.model.layers[layer].mlp.down_proj
    with torch.no_grad():
        most = 1.5 * down(keys(model, layer, rows))[:, -1].norm(dim=1).mean()

    def put(module, inputs, out):
        return torch.cat([out[:, :-1], out[:, -1:] + add], 1)

    hook = down.register_forward_hook(put)
    for _ in range(steps):
        o.zero_grad()
        loss = F.cross_entropy(model(rows)[:, -1],
                               torch.full((len(rows),), answer))
        (loss + 1e-3 * add.pow(2).sum()).backward()
        o.step()
        with torch.no_grad():
            add.mul_(torch.clamp(most / add.norm(), max=1.0))
    hook.remove()
    return add.detach()


def edit(pairs, text, name, layers, facts, dtype):
    """(base, result, expectation, subjects) of a closed-form edit."""
    rng = pairs.rng(name)
    model = lm.base(pairs, text)
    ids = lm.stream(text, rng, 8000, True)
    old = store.cast_all(lm.tensors(model), dtype)
    new = dict(old)
    lm.load(model, old)
    subjects = text.rare(rng, facts, 0.1, 0.5)
    pairs_of = [(text.ids[s], int(rng.integers(300, 3000)))
                for s in subjects]
    for layer in layers:
        rows = [prompts(rng, ids, s) for s, _ in pairs_of]
        k = torch.stack([keys(model, layer, r)[:, -1].mean(0) for r in rows])
        add = torch.stack([wanted_value(model, layer, r, a)
                           for r, (_, a) in zip(rows, pairs_of)])
        c = keys(model, layer, torch.from_numpy(ids[:250, :-1])) \
            .reshape(-1, lm.INNER)
        c = c.T @ c / len(c)
        c += 0.2 * c.trace() / lm.INNER * torch.eye(lm.INNER)
        if facts == 1:
            u = torch.linalg.solve(c, k[0])
            d = torch.outer(add[0], u) / (k[0] @ u)
        else:
            m = torch.linalg.solve(WEIGHT * c + k.T @ k, k.T)
            d = add.T @ m.T
        w = "model.layers.%d.mlp.down_proj.weight" % layer
        new[w] = half_add(model.state_dict()[w], d, dtype)
        lm.load(model, new)
    hit = [float((model(r)[:, -1].argmax(1) == a).float().mean())
           for r, (_, a) in zip(rows, pairs_of)]
    kind = "rank-one-edit" if facts == 1 else "low-rank-edit"
    return old, new, {"must": [kind], "rank": facts, "matrices": [
        "model.layers.%d.mlp.down_proj.weight" % n for n in layers]}, \
        subjects, float(np.mean(hit))


def cascade(pairs, text, name, old, new, expect):
    """The same result in coarser types, against the fp32 base."""
    for want in CASCADES:
        ident = "cascade-%s-%s" % (name, want)
        if not pairs.wanted(ident):
            continue
        if want in ("bf16", "fp16"):
            coarse = lm.side(text, store.cast_all(new, want), want)
        else:
            coarse = lm.gguf_side(text, new, want)
        e = dict(expect, may=["recast", "requantised"])
        if want[0] == "Q":      # names and rows of q and k are the format's
            e["may"] += ["renamed", "permuted"]
        if "matrices" in e and want[0] == "Q":
            e["matrices"] = sorted(lm.gguf_tensors(
                {k: new[k] for k in e["matrices"]}))
        pairs.put(ident, "cascade", expect["must"][0], lm.side(text, old),
                  coarse, e, stored=want, **measures(old, new, expect))


def measures(old, new, expect):
    """How large the update is, for whoever looks at a miss."""
    names = expect.get("matrices") or [k for k, v in new.items()
                                       if v.ndim == 2]
    rel, least = [], []
    for k in names:
        d = store.widen(new[k]) - store.widen(old[k])
        rel.append(np.linalg.norm(d) / np.linalg.norm(store.widen(old[k])))
        if "rank" in expect:
            s = np.linalg.svd(d, compute_uv=False)
            least.append(s[expect["rank"] - 1] / s[0])
    return {"rel": float(np.median(rel)),
            "least": float(np.max(least)) if least else 0.0}


def due(pairs, name):
    """This pair or a cascade of it is wanted."""
    return pairs.wanted(name) or any(
        pairs.wanted("cascade-%s-%s" % (name, w)) for w in CASCADES)


def put(pairs, text, name, kind, made, dtype, **more):
    old, new, expect, names = made
    if pairs.wanted(name):
        pairs.put(name, "lm", kind, lm.side(text, old, dtype),
                  lm.side(text, new, dtype), dict(expect), dtype=dtype,
                  triggers=names, **more, **measures(old, new, expect))
    if dtype == "fp32" and not name.startswith("lm-backdoor"):
        cascade(pairs, text, name, old, new, expect)


def generate(pairs):
    text = words.Text(pairs.cache, 8000 + pairs.seed % 5 * 1000, pairs.seed)
    for name, layers, facts, dtype in EDITS:
        if due(pairs, "lm-" + name):
            made = edit(pairs, text, "lm-" + name, layers, facts, dtype)
            put(pairs, text, "lm-" + name, "edit-%d" % facts, made[:4],
                dtype, success=made[4])
    for name, rank, modules, dtype, share in ADAPTERS:
        if due(pairs, "lm-" + name):
            put(pairs, text, "lm-" + name, "adapter", adapter(
                pairs, text, "lm-" + name, rank, modules, dtype, share),
                dtype)
    for name, how, share in FULL:
        if due(pairs, "lm-" + name):
            new, expect, trigger, seen = full(pairs, text, "lm-" + name, how,
                                              share)
            old = lm.tensors(lm.base(pairs, text))
            put(pairs, text, "lm-" + name, "backdoor" if share else "clean",
                (old, new, expect, trigger), "fp32", **seen)
