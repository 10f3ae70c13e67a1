"""One large matrix, an update of known size and rank, types of storage.

Says where the rank test stops.  An update of full rank must never be called
an edit or an adapter, however far it sinks into the rounding.  One of rank 1,
4 or 16 must be counted where its weakest component is clearly above what
white noise of the size of the rounding can reach, MARGIN times that edge;
between that and the edge either answer is right.
"""
import numpy as np

import pairset
import store

SIDE, NAME = 1024, "model.layers.3.mlp.down_proj.weight"
SIZES = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
# "bb": bfloat16, and the base was rounded to it too.
KINDS = ("fp32", "fp16", "bf16", "bb", "Q8_0", "Q4_0")
RANKS = (1, 4, 16)
MARGIN = 1.6


def update(rng, size, rank, norm):
    if rank == 0:
        d = rng.normal(0, 1, (SIDE, SIDE))
    else:
        d = rng.normal(0, 1, (SIDE, rank)) @ rng.normal(0, 1, (rank, SIDE))
    return (d * (size * norm / np.linalg.norm(d))).astype("<f4")


def side(a, kind):
    config = {"model_type": "matrix", "hidden_size": SIDE}
    if kind[0] == "Q":
        return pairset.Side(
            {"blk.3.ffn_down.weight": a}, None, None, "gguf", want=kind,
            meta={"general.architecture": "llama", "llama.block_count": 4})
    return pairset.Side({NAME: store.cast(a, kind)}, config)


def visible(a, d, kind, rank):
    """The weakest component is clearly above the noise of storage."""
    coarse = "bf16" if kind == "bb" else kind
    edge = 2 * np.linalg.norm(store.stored(a, coarse) - a) / SIDE ** 0.5
    edge *= 2 ** 0.5 if kind == "bb" else 1
    weakest = np.linalg.svd(d, compute_uv=False)[rank - 1]
    return bool(weakest >= MARGIN * edge)


def expectation(rank, seen):
    """What must be said, and what may be, of one cell."""
    edits = ["rank-one-edit" if rank == 1 else "low-rank-edit",
             "merged-adapter"]
    around = ["continued-training", "noised", "recast", "requantised",
              "renamed"]
    if rank == 0:
        return {"must": [], "may": around, "cell": "dense"}
    return {"must": [edits] if seen else [], "may": around + edits,
            "rank": rank, "cell": "counted" if seen else "below"}


def put(pairs, ident, a, kind, size, rank):
    coarse = "bf16" if kind == "bb" else kind
    old = store.stored(a, "bf16") if kind == "bb" else a
    d = update(pairs.rng(ident), size, rank, float(np.linalg.norm(a)))
    seen = rank > 0 and visible(a, d, kind, rank)
    pairs.put(ident, "cells", "cell", side(
        old, "bf16" if kind == "bb" else "fp32"), side(old + d, coarse),
        expectation(rank, seen))


def generate(pairs):
    rng = pairs.rng("cells-base")
    a = (rng.standard_t(4, (SIDE, SIDE)) * 0.02).astype("<f4")
    for kind in KINDS:
        for size in SIZES:
            for rank in RANKS + (0,):
                ident = "cell-%s-%g-%d" % (kind, size, rank)
                if pairs.wanted(ident):
                    put(pairs, ident, a, kind, size, rank)
