"""One large matrix, an update of known size and rank, types of storage.

Says where the rank test stops.  An update of full rank, or none, must never be
called an edit or an adapter, however far it sinks into the rounding; updates
of rank 1, 4 and 16 must be counted where the measured table of the reference
says that they can be.
"""
import numpy as np

import pairset
import store

SIDE, NAME = 1024, "model.layers.3.mlp.down_proj.weight"
SIZES = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
# Smallest size at which rank 1, 4, 16 is counted in each type of storage.
# "bb": the base was rounded to bfloat16 too.
COUNTED = {"fp32": (1e-4, 1e-4, 1e-4), "fp16": (1e-4, 1e-4, 1e-4),
           "bf16": (3e-4, 3e-4, 1e-3), "bb": (3e-4, 1e-3, 1e-3),
           "Q8_0": (1e-3, 1e-3, 3e-3), "Q4_0": (1e-2, 3e-2, 3e-2)}
RANKS = (1, 4, 16)


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
    return pairset.Side({NAME: store.cast(a, {"bb": "bf16"}.get(kind, kind))},
                        config)


def expectation(kind, size, rank):
    """What must be said, and what may be, of one cell."""
    edits = ["rank-one-edit" if rank == 1 else "low-rank-edit",
             "merged-adapter"]
    around = ["continued-training", "noised", "recast", "requantised"]
    if rank == 0:
        return {"must": [], "may": around, "cell": "dense"}
    seen = size >= COUNTED[kind][RANKS.index(rank)]
    return {"must": [edits] if seen else [], "may": around + edits,
            "rank": rank, "cell": "counted" if seen else "below"}


def generate(pairs):
    rng = pairs.rng("cells-base")
    a = (rng.standard_t(4, (SIDE, SIDE)) * 0.02).astype("<f4")
    norm = float(np.linalg.norm(a))
    for kind in COUNTED:
        for size in SIZES:
            for rank in RANKS + (0,):
                ident = "cell-%s-%g-%d" % (kind, size, rank)
                if pairs.wanted(ident):
                    d = update(pairs.rng(ident), size, rank, norm)
                    base = store.widen(store.bf16_bits(a)) \
                        if kind == "bb" else a
                    pairs.put(ident, "cells", "cell", side(
                        base, "bb" if kind == "bb" else "fp32"),
                        side(base + d, kind), expectation(kind, size, rank))
