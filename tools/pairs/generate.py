#!/usr/bin/python3
"""Trains and writes a set of pairs (see pairset.py).

    tools/pairs/generate.py [--root DIR] [--set NAME] [--seed N]
                            [--only GROUP[,GROUP]] [--quick] [--half]

Another set is another seed.  What is there already stays, so that a run which
was broken off goes on where it ended.
"""
import argparse
import importlib
import zlib

import torch

import pairset

GROUPS = ("exact", "text", "cnn", "lm", "cells")
SEEDS = {"A": 1, "B": 2}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--root", default="build/pairs")
    p.add_argument("--set", default="A")
    p.add_argument("--seed", type=int)
    p.add_argument("--only", default=",".join(GROUPS))
    p.add_argument("--quick", action="store_true", help="one pair in eight")
    p.add_argument("--half", action="store_true", help="one pair in two")
    args = p.parse_args()
    torch.set_num_threads(1)
    seed = args.seed
    if seed is None:
        seed = SEEDS.get(args.set, zlib.crc32(args.set.encode()))
    pairs = pairset.Pairs(args.root, args.set, seed, args.quick, args.half)
    for group in args.only.split(","):
        importlib.import_module(group + "pairs").generate(pairs)


if __name__ == "__main__":
    main()
