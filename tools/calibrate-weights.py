#!/usr/bin/python3
"""Rates of the deep pass, measured on models that are trained here.

    tools/calibrate-weights.py [--exhibit build/exhibit] [--keep DIR] [-v]
                               [--split NAME] [--quick]

Trains some forty small models (multilayer perceptrons, convolutions,
recurrent nets, transformers; SGD, Adam, AdamW; weight decay, tied embeddings,
averages of weights, adapters merged, batch norms folded, pruned, quantised and
back, cast up and down), hides payloads in copies of them, runs the real
`exhibit scan` and prints how many clean tensors are flagged and how many
payloads are found.  Needs python3-torch, python3-numpy and python3-sklearn;
the text that language models learn is the Python library of the machine.

Thresholds were chosen on the split "first".  Models of the others have other
seeds, sizes and depths; "second", "third" and "fourth" each showed one fault,
which was mended, and "fifth" was trained after that (docs/WEIGHTS.md).
Training takes some five minutes; --keep DIR keeps what was trained.
"""
import argparse
import collections
import glob
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np

# Seed, then widths: perceptron, channels, language model and its layers, the
# wide perceptron, dropout.
SPLITS = {"first": (100, (256, 128), 16, 96, 2, 1024, 0.0),
          "second": (900, (320, 144), 20, 112, 3, 1280, 0.1),
          "third": (4000, (288, 192), 24, 80, 4, 1152, 0.2),
          "fourth": (7000, (240, 160), 12, 120, 2, 900, 0.05),
          "fifth": (9000, (272, 176), 18, 104, 3, 1100, 0.15)}
DTYPE = {"f4": "F32", "f2": "F16", "u2": "BF16"}  # u2: bfloat16 as bits
WHOLE = 4096                                      # elements of a tensor


def bf16(a):
    """To bfloat16 by rounding to even, as bits."""
    u = a.astype("<f4").view("<u4").astype(np.uint64)
    return ((u + 0x7fff + ((u >> 16) & 1)) >> 16).astype("<u2")


def up(bits):
    return (bits.astype("<u4") << 16).view("<f4")


def save(path, tensors):
    head, data, at = {}, [], 0
    for name, a in tensors.items():
        raw = np.ascontiguousarray(a).tobytes()
        head[name] = {"dtype": DTYPE[a.dtype.str[1:]], "shape": a.shape,
                      "data_offsets": [at, at + len(raw)]}
        data.append(raw)
        at += len(raw)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data))


# --- models ----------------------------------------------------------------
def text_data(n):
    files = sorted(glob.glob("/usr/lib/python3*/[a-z]*.py"))
    text = b"".join(open(f, "rb").read() for f in files)[:n]
    return np.frombuffer(text, np.uint8) & 0x7f


def train(model, batch, steps, opt, ema=None):
    import torch
    model.train()
    for step in range(steps):
        opt.zero_grad()
        loss = batch(model)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        if ema is not None and step % 4 == 0:
            for k, v in model.state_dict().items():
                ema[k] = ema[k] * 0.96 + v * 0.04 if k in ema else v.clone()
    return float(loss)


def optimiser(name, params, lr):
    import torch
    return {"sgd": lambda: torch.optim.SGD(params, lr * 30),
            "momentum": lambda: torch.optim.SGD(params, lr * 10,
                                                momentum=0.9,
                                                weight_decay=5e-4),
            "adam": lambda: torch.optim.Adam(params, lr),
            "adamw": lambda: torch.optim.AdamW(params, lr,
                                               weight_decay=0.1),
            "rmsprop": lambda: torch.optim.RMSprop(params, lr / 3),
            }[name]()


def digits(width):
    import torch
    from sklearn.datasets import load_digits
    d = load_digits()
    x = torch.tensor(d.data / 16, dtype=torch.float32)
    y = torch.tensor(d.target)
    x = x.view(-1, 1, 8, 8)
    if width != 8:
        x = torch.nn.functional.interpolate(x, size=(width, width),
                                            mode="bilinear")
    return x, y


def picture_batch(x, y, size=64):
    import torch

    def batch(model):
        i = torch.randint(0, len(x), (size,))
        return torch.nn.functional.cross_entropy(model(x[i]), y[i])
    return batch


def text_batch(data, length, size=16):
    import torch
    data = torch.tensor(data.astype(np.int64))

    def batch(model):
        i = torch.randint(0, len(data) - length - 1, (size,))
        b = torch.stack([data[k:k + length + 1] for k in i])
        out = model(b[:, :-1])
        return torch.nn.functional.cross_entropy(out.reshape(-1, 128),
                                                 b[:, 1:].reshape(-1))
    return batch


def mlp(sizes, dropout=0.0):
    from torch import nn
    layers = [nn.Flatten()]
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 10))


def cnn(c):
    from torch import nn
    return nn.Sequential(
        nn.Conv2d(1, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(),
        nn.Conv2d(c, 2 * c, 3, padding=1), nn.BatchNorm2d(2 * c), nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(2 * c, 4 * c, 3, padding=1), nn.BatchNorm2d(4 * c),
        nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(16 * c, 128), nn.ReLU(), nn.Linear(128, 10))


def language(kind, d, layers, tied=False):
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(128, d)
            if kind == "transformer":
                self.pos = nn.Parameter(torch.randn(64, d) * 0.02)
                self.body = nn.ModuleList(nn.TransformerEncoderLayer(
                    d, 4, 4 * d, 0.0, batch_first=True, norm_first=True)
                    for _ in range(layers))
            else:
                self.body = getattr(nn, kind.upper())(
                    d, d, layers, batch_first=True)
            self.head = nn.Linear(d, 128, bias=not tied)
            if tied:
                self.head.weight = self.embed.weight

        def forward(self, x):
            h = self.embed(x)
            if kind == "transformer":
                n = x.shape[1]
                mask = torch.full((n, n), float("-inf")).triu(1)
                h = h + self.pos[:n]
                for b in self.body:
                    h = b(h, mask)
            else:
                h, _ = self.body(h)
            return self.head(h)
    return Net()


def arrays(state):
    return {k: v.detach().float().numpy().copy() for k, v in state.items()
            if v.dtype.is_floating_point and v.ndim > 0}


def fold(model):
    """Batch norms into the convolutions before them."""
    import torch
    model.eval()
    out, mods = {}, list(model)
    for i, m in enumerate(mods):
        if isinstance(m, torch.nn.Conv2d):
            bn = mods[i + 1]
            k = bn.weight / torch.sqrt(bn.running_var + bn.eps)
            out["%d.weight" % i] = m.weight * k[:, None, None, None]
            out["%d.bias" % i] = (m.bias - bn.running_mean) * k + bn.bias
        elif isinstance(m, torch.nn.Linear):
            out["%d.weight" % i], out["%d.bias" % i] = m.weight, m.bias
    return arrays(out)


def adapter(state, rank, rng):
    """A low-rank change, trained on the loss of another random map."""
    out = {}
    for k, v in state.items():
        if v.ndim == 2 and v.size >= WHOLE:
            a = rng.standard_normal((v.shape[0], rank)) * 0.02
            b = rng.standard_normal((rank, v.shape[1])) * 0.02
            v = v + (a.astype("f4") @ b.astype("f4")) * np.float32(2.0)
        out[k] = v
    return out


def models(split, quick):
    """name -> {tensor: array of float32}"""
    import torch
    seed, widths, channels, d, layers, wide, drop = SPLITS[split]
    torch.set_num_threads(1)
    found = collections.OrderedDict()
    steps = 60 if quick else 200

    def learn(name, make, batch, opt, lr=1e-3, n=1):
        nonlocal seed
        seed += 1
        torch.manual_seed(seed)
        np.random.seed(seed)
        m, ema = make(), {}
        loss = train(m, batch, steps * n, optimiser(opt, m.parameters(), lr),
                     ema)
        found[name] = arrays(m.state_dict())
        found[name + ".ema"] = arrays(ema)
        sys.stderr.write("%s: loss %.3f\n" % (name, loss))
        return m

    x8, y = digits(8)
    x16, _ = digits(12 if split == "second" else 16)
    text = text_data(2000000)
    for opt in ("sgd", "momentum", "adam", "adamw", "rmsprop"):
        learn("mlp-" + opt, lambda: mlp([64, *widths], drop),
              picture_batch(x8, y), opt, n=3)
        m = learn("cnn-" + opt, lambda: cnn(channels),
                  picture_batch(x16, y), opt)
        found["cnn-%s.folded" % opt] = fold(m)
    for kind in ("lstm", "gru", "rnn"):
        for opt in ("adam", "adamw") if kind != "rnn" else ("sgd",):
            learn("%s-%s" % (kind, opt), lambda: language(kind, d, 2),
                  text_batch(text, 48), opt, 2e-3)
    for opt in ("adam", "adamw", "momentum"):
        learn("transformer-" + opt, lambda: language(
            "transformer", d, layers, opt == "adamw"),
            text_batch(text, 48), opt, 1e-3)
    learn("wide", lambda: mlp([64, wide, 256]),
          picture_batch(x8, y), "adam")
    return found


def derive(found, split):
    """(name, kind, tensors) of everything that is clean."""
    rng = np.random.default_rng(SPLITS[split][0])
    for name, t in found.items():
        yield name, "fp32", t
        yield name, "fp16", {k: v.astype("<f2") for k, v in t.items()}
        yield name, "bf16", {k: bf16(v) for k, v in t.items()}
        if name.endswith(".ema"):
            continue
        yield name, "bf16 up-cast", {k: up(bf16(v)) for k, v in t.items()}
        yield name, "fp16 up-cast", {k: v.astype("<f2").astype("<f4")
                                     for k, v in t.items()}
        yield name, "pruned", {k: np.where(
            np.abs(v) < np.quantile(np.abs(v), 0.6), np.float32(0) * v, v)
            if v.size >= WHOLE else v for k, v in t.items()}
        yield name, "int8 and back", {k: quantise(v, 127)
                                      for k, v in t.items()}
        yield name, "int4 and back", {k: quantise(v, 7, 32)
                                      for k, v in t.items()}
        yield name, "adapter merged", adapter(t, 8, rng)
        yield name, "halved", {k: v * np.float32(0.5) for k, v in t.items()}
        yield name, "averaged", {k: (v + np.float32(0.3) *
                                     (v - v.mean())) for k, v in t.items()}
        yield name, "head tuned alone", {
            k: v if i >= len(t) - 2 else up(bf16(v))
            for i, (k, v) in enumerate(t.items())}
        yield name, "rows added", {k: np.concatenate(
            [up(bf16(v)), v[:1] * np.float32(0.9)])
            if v.ndim == 2 and len(v) >= 100 else up(bf16(v))
            for k, v in t.items()}


def quantise(v, top, group=None):
    if v.ndim < 2:
        return v
    w = v.reshape(-1, group) if group and v.size % group == 0 else \
        v.reshape(v.shape[0], -1)
    s = np.maximum(np.abs(w).max(1, keepdims=True), 1e-9) / np.float32(top)
    return (np.round(w / s) * s).astype("<f4").reshape(v.shape)


# --- payloads --------------------------------------------------------------
def payloads(rng):
    elf = open("/bin/true", "rb").read()
    while len(elf) < 70000:
        elf += open("/bin/ls", "rb").read()
    py = b"import os, socket, subprocess\n" + b"".join(
        open(f, "rb").read() for f in sorted(
            glob.glob("/usr/lib/python3*/s[a-z]*.py"))[:10])
    packed = gzip.compress(elf + py, 9, mtime=0)
    return {"elf": elf, "script": py, "gzip": packed,
            "encrypted": rng.bytes(100000)}


def hide(a, payload, n, lanes, at):
    """n bytes of payload into the lowest bytes of a's elements."""
    u = np.ascontiguousarray(a).reshape(-1).view(np.uint8).copy()
    u = u.reshape(a.size, a.dtype.itemsize)
    p = np.frombuffer(payload[:n - n % lanes], np.uint8).reshape(-1, lanes)
    if len(p) > a.size:
        return None
    at = min(at, a.size - len(p))
    u[at:at + len(p), :lanes] = p
    return u.reshape(-1).view(a.dtype).reshape(a.shape)


def hide_bits(a, payload, n, bits, at):
    """The same into the lowest bits, first bit of a byte first."""
    b = np.unpackbits(np.frombuffer(payload[:n], np.uint8))
    b = b.reshape(-1, bits)
    v = np.zeros(len(b), np.uint32)
    for i in range(bits):
        v = v << 1 | b[:, i]
    if len(v) > a.size:
        return None
    u = np.ascontiguousarray(a).reshape(-1).view(
        "<u%d" % a.dtype.itemsize).copy()
    at = min(at, a.size - len(v))
    u[at:at + len(v)] = u[at:at + len(v)] >> bits << bits | v.astype(u.dtype)
    return u.view(a.dtype).reshape(a.shape)


def hide_signs(a, payload, n):
    """One bit in the sign of each zero of a pruned tensor."""
    u = np.ascontiguousarray(a).reshape(-1).view("<u4").copy()
    where = np.flatnonzero(u << 1 == 0)
    bits = np.unpackbits(np.frombuffer(payload[:n], np.uint8))
    if len(where) < len(bits):
        return None
    u[where[:len(bits)]] = bits.astype("<u4") << 31
    return u.view("<f4").reshape(a.shape)


def attacks(clean, rng):
    """(what, required, tensors, name of the tensor) for each host."""
    for name, kind, t in clean:
        big = [k for k, v in t.items() if v.size >= 2 * WHOLE]
        if not big or name.endswith(".ema"):
            continue
        host = max(big, key=lambda k: t[k].size)
        a = t[host]
        at = int(rng.integers(0, max(1, a.size // 2)))
        p = payloads(rng)
        tries = []
        if kind == "fp32":
            tries += [("6 KiB encrypted, 3 low bytes of fp32", hide(
                a, p["encrypted"], 6144, 3, at)),
                ("3 KiB encrypted, 3 low bytes of fp32", hide(
                    a, p["encrypted"], 3072, 3, at)),
                ("whole tensor encrypted, 3 low bytes of fp32", hide(
                    a, p["encrypted"] * 99, 3 * a.size, 3, 0)),
                ("16 KiB ELF, 1 low byte of fp32", hide(
                    a, p["elf"], 16384, 1, at)),
                ("4 KiB ELF, 2 low bytes of fp32", hide(
                    a, p["elf"], 4096, 2, at)),
                ("2 KiB ELF body, 1 low byte of fp32", hide(
                    a, p["elf"][4096:], 2048, 1, at)),
                ("4 KiB script, 1 low byte of fp32", hide(
                    a, p["script"], 4096, 1, at)),
                ("4 KiB script xor 0x55, 1 low byte of fp32", hide(
                    a, b"x" + bytes(c ^ 0x55 for c in p["script"][4000:]),
                    4096, 1, at)),
                ("8 KiB gzip, 2 low bytes of fp32", hide(
                    a, p["gzip"], 8192, 2, at)),
                ("8 KiB gzip body, 2 low bytes of fp32", hide(
                    a, p["gzip"][64:], 8192, 2, at)),
                ("8 KiB encrypted, 1 low byte of fp32 (see limits)", hide(
                    a, p["encrypted"], 8192, 1, at)),
                ("1 KiB ELF, lowest bit of fp32", hide_bits(
                    a, p["elf"], 1024, 1, at)),
                ("2 KiB ELF, 2 low bits of fp32", hide_bits(
                    a, p["elf"], 2048, 2, at)),
                ("4 KiB gzip, 4 low bits of fp32", hide_bits(
                    a, p["gzip"], 4096, 4, at)),
                ("4 KiB ELF xor 0x5a, 1 low byte of fp32", hide(
                    a, bytes(c ^ 0x5a for c in p["elf"][:4096]), 4096, 1,
                    at))]
        elif kind == "bf16":
            tries += [("2 KiB encrypted, low byte of bf16", hide(
                a, p["encrypted"], 2048, 1, at)),
                ("1 KiB encrypted, low byte of bf16", hide(
                    a, p["encrypted"], 1024, 1, at)),
                ("8 KiB ELF, low byte of bf16", hide(
                    a, p["elf"], 8192, 1, at))]
        elif kind == "fp16":
            tries += [("whole tensor encrypted, low byte of fp16", hide(
                a, p["encrypted"] * 99, a.size, 1, 0)),
                ("16 KiB encrypted, low byte of fp16", hide(
                    a, p["encrypted"], 16384, 1, at)),
                ("8 KiB ELF, low byte of fp16", hide(
                    a, p["elf"], 8192, 1, at)),
                ("4 KiB ELF, 4 low bits of fp16", hide_bits(
                    a, p["elf"], 4096, 4, at))]
        elif kind in ("bf16 up-cast", "fp16 up-cast"):
            tries += [("64 B encrypted, 1 low byte, " + kind, hide(
                a, p["encrypted"], 64, 1, at)),
                ("4 KiB encrypted, 2 low bytes, " + kind, hide(
                    a, p["encrypted"], 4096, 2, at))]
        elif kind == "pruned":
            tries += [("256 B ELF, signs of zeros", hide_signs(
                a, p["elf"], 256))]
        for what, b in tries:
            if b is not None:
                yield what, dict(t, **{host: b}), host


REQUIRED = ("6 KiB encrypted, 3 low bytes of fp32",
            "2 KiB encrypted, low byte of bf16",
            "16 KiB ELF, 1 low byte of fp32")
SEVERITIES = ("critical", "high", "medium", "low", "info")


def scan(exhibit, folder):
    """{file: [(rule, severity, tensor)]} of WGT findings above info."""
    out = subprocess.run([exhibit, "scan", "--no-hash", "--deep", "--format",
                          "jsonl", folder], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout
    found, whole = collections.defaultdict(list), False
    for line in out.splitlines():
        row = json.loads(line)
        whole = whole or row["type"] == "summary"
        if row["type"] != "finding" or row["severity"] == "info":
            continue
        path = os.path.basename(row["path"].split("!")[0])
        found[path].append((row["rule"], row["severity"], row["evidence"]))
    if not whole:
        sys.exit("the scan did not end")
    return found


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("--exhibit", default="build/exhibit")
    a.add_argument("--split", choices=sorted(SPLITS), default="fifth")
    a.add_argument("--keep")
    a.add_argument("--quick", action="store_true")
    a.add_argument("-v", "--verbose", action="store_true")
    args = a.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        keep = os.path.join(args.keep or tmp, args.split)
        os.makedirs(keep, exist_ok=True)
        cache = os.path.join(keep, "models.npz")
        if not os.path.exists(cache):
            flat = {m + "\n" + k: v for m, t in
                    models(args.split, args.quick).items()
                    for k, v in t.items()}
            np.savez(cache, **flat)
        found = collections.OrderedDict()
        for key, v in np.load(cache).items():
            m, k = key.split("\n")
            if v.ndim > 0:
                found.setdefault(m, {})[k] = v
        sys.exit(measure(args, keep, found))


def measure(args, keep, found):
    rng = np.random.default_rng(11)
    clean = [c for c in derive(found, args.split)]
    for d in ("clean", "hostile"):
        os.makedirs(os.path.join(keep, d), exist_ok=True)
    tensors, kinds, files = collections.Counter(), [], {}
    for i, (name, kind, t) in enumerate(clean):
        tensors[kind] += sum(v.size >= WHOLE for v in t.values())
        files["%04d.safetensors" % i] = (name, kind)
        save(os.path.join(keep, "clean", "%04d.safetensors" % i), t)
    flagged = collections.Counter()
    for path, rows in scan(args.exhibit, os.path.join(keep, "clean")).items():
        flagged[files[path][1]] += len(rows)
        for r in rows:
            print("FLAGGED %s (%s): %s %s %s" % (files[path] + r))
    print("\n%s: clean tensors of %d elements or more" % (args.split, WHOLE))
    for kind, n in tensors.items():
        print("  %-22s %5d tensors %4d flags" % (kind, n, flagged[kind]))
    print("  %-22s %5d tensors %4d flags" % (
        "all", sum(tensors.values()), sum(flagged.values())))
    hidden = {}
    for i, (what, t, host) in enumerate(attacks(clean, rng)):
        path = "%05d.safetensors" % i
        hidden[path] = what
        save(os.path.join(keep, "hostile", path), t)
    rows = {path: [r for r in found if r[0].startswith("WGT-")] for path, found
            in scan(args.exhibit, os.path.join(keep, "hostile")).items()}
    total, hit, by = (collections.Counter(), collections.Counter(),
                      collections.defaultdict(collections.Counter))
    for path, what in hidden.items():
        total[what] += 1
        hit[what] += bool(rows.get(path))
        for rule in {r[0] for r in rows.get(path, ())}:
            by[what][rule] += 1
        if args.verbose and not rows.get(path):
            print("missed %s %s" % (path, what))
    print("\n%s: payloads found" % args.split)
    for what in total:
        print("  %-52s %3d of %3d  %s" % (what, hit[what], total[what],
              ", ".join("%s %d" % x for x in sorted(by[what].items()))))
    short = [w for w in REQUIRED if hit[w] < total[w] or total[w] == 0]
    for w in short:
        print("MISSED: " + w)
    return 1 if short or sum(flagged.values()) else 0


if __name__ == "__main__":
    main()
