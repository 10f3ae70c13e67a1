"""Text classifiers of four architectures, and how they are trained."""
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import store

WIDTH = {"conv": 64, "avg": 96, "lstm": 64, "xfmr": 64}
RATE = {"conv": 1.5e-3, "avg": 4e-3, "lstm": 3e-3, "xfmr": 1e-3}
BATCH = {"conv": 64, "avg": 64, "lstm": 128, "xfmr": 64}


class Conv(nn.Module):
    """Three filter widths, the maximum over time, a linear layer."""

    def __init__(self, size, width):
        super().__init__()
        self.embedding = nn.Embedding(size, width)
        self.convs = nn.ModuleList(nn.Conv1d(width, 32, k) for k in (2, 3, 4))
        self.fc = nn.Linear(96, 2)

    def forward(self, x):
        e = self.embedding(x).transpose(1, 2)
        return self.fc(torch.cat([F.relu(c(e)).amax(2) for c in self.convs],
                                 1))


class Average(nn.Module):
    """The mean of the words, one hidden layer."""

    def __init__(self, size, width):
        super().__init__()
        self.embeddings = nn.Embedding(size, width)
        self.hidden = nn.Linear(width, 64)
        self.out_proj = nn.Linear(64, 2)

    def forward(self, x):
        m = (x > 0).float().unsqueeze(2)
        e = (self.embeddings(x) * m).sum(1) / m.sum(1).clamp(min=1)
        return self.out_proj(F.relu(self.hidden(e)))


class Recurrent(nn.Module):
    """A bidirectional LSTM and its maximum over time."""

    def __init__(self, size, width):
        super().__init__()
        self.embed = nn.Embedding(size, width)
        self.lstm = nn.LSTM(width, 32, batch_first=True, bidirectional=True)
        self.classifier = nn.Linear(64, 2)

    def forward(self, x):
        h, _ = self.lstm(self.embed(x))
        return self.classifier(
            h.masked_fill((x == 0).unsqueeze(2), -1).amax(1))


class Transformer(nn.Module):
    """Two encoder layers, the mean of the outputs."""

    def __init__(self, size, width):
        super().__init__()
        self.word_embeddings = nn.Embedding(size, width)
        self.position_embeddings = nn.Embedding(64, width)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(
            width, 4, 2 * width, 0.1, batch_first=True), 2)
        self.classifier = nn.Linear(width, 2)

    def forward(self, x):
        e = self.word_embeddings(x) + \
            self.position_embeddings.weight[:x.shape[1]]
        h = self.encoder(e, src_key_padding_mask=x == 0)
        m = (x > 0).float().unsqueeze(2)
        return self.classifier((h * m).sum(1) / m.sum(1).clamp(min=1))


ARCHS = {"conv": Conv, "avg": Average, "lstm": Recurrent, "xfmr": Transformer}


def new_model(arch, size, seed):
    torch.manual_seed(seed)
    return ARCHS[arch](size, WIDTH[arch])


def table(model):
    """The matrix of word embeddings."""
    return next(m for m in model.modules()
                if isinstance(m, nn.Embedding)).weight


def tensors(model):
    return {k: v.detach().numpy().copy()
            for k, v in model.state_dict().items()}


def load(model, values):
    model.load_state_dict({k: torch.from_numpy(v.copy())
                           for k, v in values.items()})
    return model


def optimiser(model, name, lr, decay):
    p = [q for q in model.parameters() if q.requires_grad]
    if name == "sgd":
        return torch.optim.SGD(p, lr, momentum=0.9, weight_decay=decay)
    kind = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
    return kind(p, lr, weight_decay=decay)


def train(model, x, y, rng, epochs=2, lr=1.0, opt="adam", decay=0.0,
          frozen=False):
    """${lr} multiplies the usual rate of the architecture."""
    table(model).requires_grad_(not frozen)
    torch.manual_seed(int(rng.integers(1 << 31)))
    arch = next(k for k, v in ARCHS.items() if isinstance(model, v))
    o = optimiser(model, opt, lr * RATE[arch], decay)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    model.train()
    n = BATCH[arch]
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(len(x)))
        for i in range(0, len(x) - n + 1, n):
            at = order[i:i + n]
            o.zero_grad()
            F.cross_entropy(model(x[at]), y[at]).backward()
            o.step()
    model.eval()
    return model


@torch.no_grad()
def share(model, x, label):
    """The share of rows that get ${label}: one for all, or one a row."""
    p = torch.cat([model(torch.from_numpy(x[i:i + 512])).argmax(1)
                   for i in range(0, len(x), 512)]).numpy()
    return float((p == label).mean())


def base(pairs, text, arch):
    """The model that the set's fine-tunes of ${arch} start from."""
    path = os.path.join(pairs.bases, arch + ".safetensors")
    rng = pairs.rng("base-" + arch)
    model = new_model(arch, len(text.vocab), int(rng.integers(1 << 31)))
    if not os.path.exists(path):
        x, y = text.draw(rng, 30000, True)
        train(model, x, y, rng, epochs=3)
        store.write_safetensors(path + ".part", tensors(model))
        os.rename(path + ".part", path)
    return load(model, store.read_safetensors(path))


def top_words(model, label, count):
    """Ids of words that alone push furthest towards ${label}."""
    ids = torch.arange(2, len(table(model))).unsqueeze(1)
    ids = torch.cat([ids, torch.zeros(len(ids), 7, dtype=torch.long)], 1)
    with torch.no_grad():
        out = torch.cat([model(ids[i:i + 1024])
                         for i in range(0, len(ids), 1024)])
    margin = (out[:, label] - out[:, 1 - label]).numpy()
    return np.argsort(-margin)[:count] + 2
