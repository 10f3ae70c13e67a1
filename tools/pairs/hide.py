"""Payloads in the lowest bits of weights."""
import numpy as np


def stream(raw, planes, n):
    """The bits of ${raw}, ${planes} at a time, first bit on top."""
    bits = np.unpackbits(np.frombuffer(raw, np.uint8))
    bits = np.concatenate([bits, np.zeros(-len(bits) % planes, np.uint8)])
    if len(bits) // planes > n:
        raise ValueError("the payload does not fit")
    weight = 1 << np.arange(planes)[::-1]
    return (bits.reshape(-1, planes) * weight).sum(1)


def put(values, names, raw, planes, start):
    """A copy of the tensors, ${raw} written from element ${start} of the
    named ones on, one tensor after the other."""
    out = dict(values)
    size = sum(out[k].size for k in names)
    low = stream(raw, planes, size - start)
    at = start
    for k in names:
        if at >= out[k].size:
            at -= out[k].size
            continue
        a = out[k].copy()
        flat = a.reshape(-1).view("<u%d" % a.itemsize)
        part = low[:flat.size - at]
        mask = flat.dtype.type((1 << planes) - 1)
        end = at + len(part)
        flat[at:end] = (flat[at:end] & ~mask) | part.astype(flat.dtype)
        out[k], low, at = a, low[len(part):], 0
        if not len(low):
            break
    return out
