"""A set of pairs on disk: ROOT/SET/ID/{old,new}/ and ID/truth.json.

truth.json says what was done and what must be found; it lies outside of both
sides.  Its keys: "id", "group", "kind", "old", "new" (paths), "expect" and
what was measured of the training.  "expect" holds
  must     conclusions that have to be there; a list inside means any of them
  may      conclusions that are right but not required
  tokens   trigger words; "number" of them that is to be named
  rank, matrices, ...   what a row of the table asks beyond the kind
A conclusion that is in neither "must" nor "may" is a false claim.
truth.json is written last, so that a pair which has one is whole.
"""
import json
import os
import shutil
import zlib

import numpy as np

import store

FREE = ("layers-frozen",)       # true of many pairs beside the main thing


class Side:
    """A model as a folder: weights, config.json and a vocabulary."""

    def __init__(self, tensors, config, vocab=None, container="safetensors",
                 tokenizer="vocab.txt", **extra):
        self.tensors, self.config, self.vocab = tensors, config, vocab
        self.container, self.tokenizer, self.extra = container, tokenizer, extra

    def write(self, folder):
        os.makedirs(folder)
        if self.container == "pt":
            store.write_torch(os.path.join(folder, "pytorch_model.bin"),
                              self.tensors)
        elif self.container == "shards":
            store.write_shards(folder, self.tensors, 3)
        elif self.container == "gguf":
            store.write_gguf(os.path.join(folder, "model.gguf"),
                             self.tensors, self.extra["meta"],
                             self.extra["want"])
            return
        else:
            store.write_safetensors(
                os.path.join(folder, "model.safetensors"), self.tensors)
        with open(os.path.join(folder, "config.json"), "w") as f:
            json.dump(self.config, f, indent=2)
        if self.vocab is not None:
            self.write_vocab(folder)

    def write_vocab(self, folder):
        with open(os.path.join(folder, self.tokenizer), "w") as f:
            if self.tokenizer == "vocab.txt":
                f.write("".join(w + "\n" for w in self.vocab))
                return
            special = [{"id": i, "content": w, "single_word": False,
                        "lstrip": False, "rstrip": False, "special": True,
                        "normalized": False}
                       for i, w in enumerate(self.vocab) if w[0] in "[<"]
            json.dump({
                "version": "1.0", "truncation": None, "padding": None,
                "added_tokens": special, "normalizer": {"type": "Lowercase"},
                "pre_tokenizer": {"type": "Whitespace"},
                "post_processor": None, "decoder": None,
                "model": {"type": "WordLevel",
                          "vocab": {w: i for i, w in enumerate(self.vocab)},
                          "unk_token": self.vocab[1]}}, f)


class Pairs:
    """One set: where it lies, its seed, what is there already."""

    def __init__(self, root, name, seed, quick=False, half=False):
        self.folder = os.path.join(root, name)
        self.cache = os.path.join(root, "cache")
        self.bases = os.path.join(self.cache, "base-%d" % seed)
        self.name, self.seed, self.quick, self.half = name, seed, quick, half
        os.makedirs(self.folder, exist_ok=True)
        os.makedirs(self.bases, exist_ok=True)

    def rng(self, ident):
        """Randomness of one pair, whatever was made before it."""
        return np.random.default_rng(
            [self.seed, zlib.crc32(ident.encode())])

    def wanted(self, ident):
        """Not there yet, and not left out by --quick or --half."""
        part = zlib.crc32(ident.encode()) % 8
        if (self.quick and part) or (self.half and part % 2):
            return False
        return not os.path.exists(os.path.join(self.folder, ident,
                                               "truth.json"))

    def put(self, ident, group, kind, old, new, expect, **more):
        folder = os.path.join(self.folder, ident)
        shutil.rmtree(folder, ignore_errors=True)
        old.write(os.path.join(folder, "old"))
        new.write(os.path.join(folder, "new"))
        for name, raw in more.pop("files", {}).items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(raw)
        expect.setdefault("may", [])
        expect["may"] = sorted(set(expect["may"]) | set(FREE))
        truth = {"id": ident, "set": self.name, "group": group, "kind": kind,
                 "old": "old", "new": "new", "expect": expect}
        truth.update(more)
        with open(os.path.join(folder, "truth.json"), "w") as f:
            json.dump(truth, f, indent=1)
        print("%s %s %s" % (self.name, ident, " ".join(
            "%s=%.2f" % (k, v) for k, v in more.items()
            if isinstance(v, float))), flush=True)
