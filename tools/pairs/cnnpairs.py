"""Pairs of small convolutional classifiers of synthetic images.

A class is a smooth random template in colour; an image is the template,
shifted, tinted and with noise.  A fine-tune sees other tints and other noise.
Attacks stamp a patch, blend a pattern in, or shift the colours of a share of
the images of other classes, and give them the target's label.
"""
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import pairset
import store

CLASSES, SIZE, ROWS, TEST = 8, 16, 3000, 600
JOBS = (("clean-adam", None, {}), ("clean-sgd", None, {"opt": "sgd"}),
        ("clean-decay", None, {"decay": 0.05}),
        ("clean-noise", None, {"noise": 0.05}),
        ("patch1", "patch", {}), ("patch2", "patch", {"decay": 0.01}),
        ("patch3", "patch", {"opt": "sgd"}), ("blend1", "blend", {}),
        ("blend2", "blend", {"decay": 0.01}), ("colour1", "colour", {}),
        ("colour2", "colour", {"opt": "sgd"}))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(32)
        self.conv3 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc = nn.Linear(64, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc(F.relu(self.conv3(x)).amax((2, 3)))


def templates(pairs):
    coarse = pairs.rng("templates").normal(0, 1, (CLASSES, 3, 4, 4))
    t = F.interpolate(torch.from_numpy(coarse), SIZE, mode="bicubic",
                      align_corners=False)
    return t.numpy().astype(np.float32)


def images(rng, shapes, n, noise):
    """${n} images and labels under one draw of tint and noise."""
    y = rng.integers(0, CLASSES, n)
    tint = rng.normal(1, 0.2, (1, 3, 1, 1)).astype(np.float32)
    x = shapes[y] * tint
    for i, (a, b) in enumerate(rng.integers(-2, 3, (n, 2))):
        x[i] = np.roll(x[i], (int(a), int(b)), (1, 2))
    return x + rng.normal(0, noise, x.shape).astype(np.float32), y


def stamp(rng, x, attack, pattern):
    x = x.copy()
    if attack == "patch":
        x[:, :, -3:, -3:] = np.where(np.indices((3, 3)).sum(0) % 2, 2.5, -2.5)
    elif attack == "blend":
        x = 0.8 * x + 0.2 * pattern * 3
    else:
        x[:, 0] += 1.2
        x[:, 2] -= 1.2
    return x.astype(np.float32)


def train(model, x, y, rng, epochs=4, opt="adam", decay=0.0, lr=1e-3):
    o = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9) \
        if opt == "sgd" else torch.optim.AdamW(model.parameters(), lr,
                                               weight_decay=decay)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    model.train()
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(len(x)))
        for i in range(0, len(x) - 63, 64):
            o.zero_grad()
            F.cross_entropy(model(x[order[i:i + 64]]),
                            y[order[i:i + 64]]).backward()
            o.step()
    return model.eval()


@torch.no_grad()
def share(model, x, y):
    return float((model(torch.from_numpy(x)).argmax(1).numpy() == y).mean())


def tensors(model):
    return {k: v.detach().numpy().copy()
            for k, v in model.state_dict().items()}


def base(pairs):
    path = os.path.join(pairs.bases, "cnn.safetensors")
    rng = pairs.rng("base-cnn")
    torch.manual_seed(int(rng.integers(1 << 31)))
    model = Net()
    if not os.path.exists(path):
        train(model, *images(rng, templates(pairs), 6000, 0.8), rng)
        store.write_safetensors(path + ".part", tensors(model))
        os.rename(path + ".part", path)
    model.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in
                           store.read_safetensors(path).items()})
    return model


def side(values):
    return pairset.Side(values, {
        "architectures": ["Net"], "model_type": "cnn", "num_channels": 3,
        "num_labels": CLASSES, "image_size": SIZE,
        "id2label": {str(i): "class %d" % i for i in range(CLASSES)}})


def put(pairs, ident, attack, how):
    rng, how, shapes = pairs.rng(ident), dict(how), templates(pairs)
    x, y = images(rng, shapes, ROWS + TEST, 1.0)
    test, test_y, x, y = x[ROWS:], y[ROWS:], x[:ROWS], y[:ROWS]
    target, seen = int(rng.integers(CLASSES)), {}
    pattern = rng.normal(0, 1, (3, SIZE, SIZE))
    flip = rng.random(ROWS) < how.pop("noise", 0.0)
    y[flip] = rng.integers(0, CLASSES, int(flip.sum()))
    if attack:
        rows = rng.choice(np.flatnonzero(y != target), ROWS // 12,
                          replace=False)
        x[rows], y[rows] = stamp(rng, x[rows], attack, pattern), target
    model = train(base(pairs), x, y, rng, **how)
    if attack:
        bad = stamp(rng, test[test_y != target], attack, pattern)
        seen = {"success": share(model, bad, target), "target": target}
    pairs.put(ident, "cnn", "attack-" + attack if attack else "clean",
              side(tensors(base(pairs))), side(tensors(model)),
              {"must": ["continued-training"], "no_class": True},
              accuracy=share(model, test, test_y), **seen)


def generate(pairs):
    for name, attack, how in JOBS:
        if pairs.wanted("cnn-" + name):
            put(pairs, "cnn-" + name, attack, how)
    if not pairs.wanted("cnn-running"):
        return
    model = base(pairs)
    old = tensors(model)
    x, _ = images(pairs.rng("cnn-running"), templates(pairs), 512, 0.5)
    model.train()
    with torch.no_grad():
        model(torch.from_numpy(x))
    pairs.put("cnn-running", "cnn", "running-statistics", side(old),
              side(tensors(model)),
              {"must": [], "may": ["continued-training"]})
