"""Tensors on disk: safetensors, PyTorch, GGUF; and the casts between types.

A model is a dict from name to numpy array, in file order.  An array of uint16
holds bfloat16 as bits; numpy has no such type.  The quantisers follow the
reference rules, element by element, so that "exactly what a cast gives" can be
asked of files that no C program wrote.
"""
import json
import os
import struct

import numpy as np

NAMES = {"f8": "F64", "f4": "F32", "f2": "F16", "u2": "BF16", "i8": "I64",
         "i4": "I32", "i1": "I8", "u1": "U8"}
GGML = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8, "BF16": 30}
BLOCK = 32


def bf16_bits(a):
    """Float32 to bfloat16 by rounding to even, as bits."""
    u = np.ascontiguousarray(a, "<f4").view("<u4").astype(np.uint64)
    return ((u + 0x7fff + ((u >> 16) & 1)) >> 16).astype("<u2")


def bf16_cut(a):
    """Float32 to bfloat16 by truncation, as bits."""
    return (np.ascontiguousarray(a, "<f4").view("<u4") >> 16).astype("<u2")


def widen(a):
    """Anything that is a float here to float32, exactly."""
    if a.dtype == np.uint16:
        return (a.astype("<u4") << 16).view("<f4")
    return a.astype("<f4") if a.dtype.kind == "f" else a


def cast(a, dtype):
    """Float32 to "fp32", "fp16" or "bf16"; integers stay."""
    if a.dtype != np.float32 or dtype == "fp32":
        return a
    return bf16_bits(a) if dtype == "bf16" else a.astype("<f2")


def cast_all(tensors, dtype):
    return {k: cast(v, dtype) for k, v in tensors.items()}


def q8_0(a):
    """(scales as float16, codes) of blocks of 32 along the rows."""
    x = a.reshape(-1, BLOCK).astype("<f4")
    d = np.abs(x).max(axis=1) / np.float32(127)
    with np.errstate(divide="ignore"):
        inv = np.where(d > 0, np.float32(1) / d, np.float32(0))
    y = (x * inv[:, None].astype("<f4")).astype(np.float64)
    q = np.copysign(np.floor(np.abs(y) + 0.5), y).astype(np.int8)
    return d.astype("<f2"), q


def q4_0(a):
    """(scales as float16, codes 0..15) of blocks of 32 along the rows."""
    x = a.reshape(-1, BLOCK).astype("<f4")
    first = np.abs(x).argmax(axis=1)
    d = x[np.arange(len(x)), first] / np.float32(-8)
    with np.errstate(divide="ignore"):
        inv = np.where(d != 0, np.float32(1) / d, np.float32(0))
    y = x * inv[:, None].astype("<f4") + np.float32(8.5)
    return d.astype("<f2"), np.minimum(15, y.astype(np.int8)).astype(np.uint8)


def q8_0_bytes(a):
    d, q = q8_0(a)
    return np.concatenate([d[:, None].view(np.uint8), q.view(np.uint8)],
                          axis=1).tobytes()


def q4_0_bytes(a):
    d, q = q4_0(a)
    packed = q[:, :BLOCK // 2] | (q[:, BLOCK // 2:] << 4)
    return np.concatenate([d[:, None].view(np.uint8), packed],
                          axis=1).tobytes()


def stored(a, kind):
    """Float32 values that are left of ${a} in a type of storage."""
    if kind == "Q8_0":
        d, q = q8_0(a)
        return (q * d.astype("<f4")[:, None]).reshape(a.shape)
    if kind == "Q4_0":
        d, q = q4_0(a)
        q = q.astype("<f4") - 8
        return (q * d.astype("<f4")[:, None]).reshape(a.shape)
    return widen(cast(a, kind))


def int8_rows(a):
    """Symmetric int8 a row, half to even: (scales, codes)."""
    s = np.abs(a).max(axis=1, keepdims=True) / np.float32(127)
    s = np.where(s > 0, s, np.float32(1)).astype("<f4")
    return s, np.rint(a / s).astype(np.int8)


def write_safetensors(path, tensors):
    head, data, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, a in tensors.items():
        raw = np.ascontiguousarray(a).tobytes()
        head[name] = {"dtype": NAMES[a.dtype.str[1:]],
                      "shape": list(a.shape),
                      "data_offsets": [at, at + len(raw)]}
        data.append(raw)
        at += len(raw)
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data))


def read_safetensors(path):
    types = {v: k for k, v in NAMES.items()}
    with open(path, "rb") as f:
        raw = f.read()
    n = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, t in json.loads(raw[8:8 + n]).items():
        if name != "__metadata__":
            a, b = (8 + n + x for x in t["data_offsets"])
            out[name] = np.frombuffer(raw[a:b], "<" + types[t["dtype"]]) \
                .reshape(t["shape"]).copy()
    return out


def write_shards(folder, tensors, count):
    """${count} shards and their index, names dealt out in order."""
    names, index = list(tensors), {}
    for i in range(count):
        part = names[len(names) * i // count:len(names) * (i + 1) // count]
        file = "model-%05d-of-%05d.safetensors" % (i + 1, count)
        write_safetensors(os.path.join(folder, file),
                          {k: tensors[k] for k in part})
        index.update({k: file for k in part})
    size = sum(a.nbytes for a in tensors.values())
    with open(os.path.join(folder, "model.safetensors.index.json"),
              "w") as f:
        json.dump({"metadata": {"total_size": size}, "weight_map": index}, f,
                  indent=2)


def write_torch(path, tensors):
    import torch
    out = {}
    for name, a in tensors.items():
        if a.dtype == np.uint16:
            t = torch.from_numpy(a.view(np.int16).copy()).view(torch.bfloat16)
        else:
            t = torch.from_numpy(np.ascontiguousarray(a).copy())
        out[name] = t
    torch.save(out, path)


# --- GGUF ------------------------------------------------------------------
def gguf_string(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_value(v):
    """A value with its type in front: string, bool, int, float, list."""
    if isinstance(v, str):
        return struct.pack("<I", 8) + gguf_string(v)
    if isinstance(v, float):
        return struct.pack("<If", 6, v)
    if isinstance(v, int):
        return struct.pack("<II", 4, v)
    one = gguf_value(v[0])[:4]
    return struct.pack("<I", 9) + one + struct.pack("<Q", len(v)) + \
        b"".join(gguf_value(x)[4:] for x in v)


def gguf_encode(a, want):
    """(type, bytes): vectors stay float32, as converters leave them."""
    a = widen(a)
    if a.ndim < 2 or want == "F32":
        return "F32", np.ascontiguousarray(a, "<f4").tobytes()
    if want == "Q8_0":
        return want, q8_0_bytes(a)
    if want == "Q4_0":
        return want, q4_0_bytes(a)
    return want, cast(a, {"F16": "fp16", "BF16": "bf16"}[want]).tobytes()


def write_gguf(path, tensors, meta, want, align=32):
    """${tensors} under their GGUF names, matrices as ${want}."""
    infos, data, at = [], [], 0
    for name, a in tensors.items():
        kind, raw = gguf_encode(a, want)
        infos.append(gguf_string(name) + struct.pack("<I", a.ndim) +
                     struct.pack("<%dQ" % a.ndim, *reversed(a.shape)) +
                     struct.pack("<IQ", GGML[kind], at))
        raw += b"\0" * (-len(raw) % align)
        data.append(raw)
        at += len(raw)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(infos), len(meta))
    head += b"".join(gguf_string(k) + gguf_value(v) for k, v in meta.items())
    head += b"".join(infos)
    with open(path, "wb") as f:
        f.write(head + b"\0" * (-len(head) % align) + b"".join(data))
