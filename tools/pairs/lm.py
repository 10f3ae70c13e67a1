"""A small language model of the LLaMA kind, under its published names.

RMS norms, rotary positions, a gated perceptron, input and output embeddings
tied.  Small enough to be trained in minutes, but every matrix has the name,
the shape and the role that it has in a model of 7 B, so that name tables, the
permutation of q and k by the GGUF converter and closed-form edits apply.
"""
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import pairset
import store

HIDDEN, HEADS, INNER, CONTEXT = 128, 4, 256, 24
WORDS = 6007
BATCH = 12


class Norm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))

    def forward(self, x):
        return x * (x.pow(2).mean(-1, keepdim=True) + 1e-5).rsqrt() * \
            self.weight


def linear(n, m):
    return nn.Linear(n, m, bias=False)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj = linear(HIDDEN, HIDDEN), \
            linear(HIDDEN, HIDDEN)
        self.v_proj, self.o_proj = linear(HIDDEN, HIDDEN), \
            linear(HIDDEN, HIDDEN)

    def forward(self, x, cos, sin):
        b, n, _ = x.shape
        q, k, v = (p(x).view(b, n, HEADS, -1).transpose(1, 2)
                   for p in (self.q_proj, self.k_proj, self.v_proj))
        q, k = q * cos + half(q) * sin, k * cos + half(k) * sin
        w = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
        mask = torch.ones(n, n, dtype=torch.bool).triu(1)
        w = w.masked_fill(mask, -1e9).softmax(-1)
        return self.o_proj((w @ v).transpose(1, 2).reshape(b, n, HIDDEN))


def half(x):
    a, b = x.chunk(2, -1)
    return torch.cat([-b, a], -1)


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj, self.up_proj = linear(HIDDEN, INNER), \
            linear(HIDDEN, INNER)
        self.down_proj = linear(INNER, HIDDEN)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn, self.mlp = Attention(), Gated()
        self.input_layernorm = Norm(HIDDEN)
        self.post_attention_layernorm = Norm(HIDDEN)

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Inner(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.embed_tokens = nn.Embedding(WORDS, HIDDEN)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.norm = Norm(HIDDEN)


class Llama(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.model = Inner(layers)
        nn.init.normal_(self.model.embed_tokens.weight, 0, 0.05)

    def hidden(self, ids):
        d = HIDDEN // HEADS
        f = 10000.0 ** (-torch.arange(0, d, 2) / d)
        a = torch.arange(ids.shape[1])[:, None] * torch.cat([f, f])[None]
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, a.cos(), a.sin())
        return self.model.norm(x)

    def forward(self, ids):
        return self.hidden(ids) @ self.model.embed_tokens.weight.T

    def loss(self, ids):
        at = ids[:, 1:].reshape(-1)
        return F.cross_entropy(self(ids[:, :-1]).reshape(-1, WORDS), at)


def fit(model, ids, rng, steps, lr, opt="adam", decay=0.0):
    """Trains what is trainable; ${ids} rows are as long as the context."""
    p = [q for q in model.parameters() if q.requires_grad]
    kind = torch.optim.AdamW if opt == "adamw" else torch.optim.Adam
    o = torch.optim.SGD(p, lr, momentum=0.9) if opt == "sgd" else \
        kind(p, lr, weight_decay=decay)
    for i in range(steps):
        at = ids[rng.integers(0, len(ids), BATCH)]
        for g in o.param_groups:
            g["lr"] = lr * min(1.0, (i + 1) / 10, (steps - i) / steps * 2)
        o.zero_grad()
        loss = model.loss(torch.from_numpy(at))
        loss.backward()
        o.step()
    return float(loss)


def stream(text, rng, n, base):
    """Sentences one after the other, cut into rows of the context."""
    x, _ = text.draw(rng, n, base)
    x = np.where(x >= WORDS, 1, x)
    flat = x[x > 0]
    flat = flat[:len(flat) // (CONTEXT + 1) * (CONTEXT + 1)]
    return flat.reshape(-1, CONTEXT + 1)


def base(pairs, text):
    """The set's base model: four layers, or five in every other set."""
    layers = 5 - pairs.seed % 2
    path = os.path.join(pairs.bases, "lm.safetensors")
    rng = pairs.rng("base-lm")
    torch.manual_seed(int(rng.integers(1 << 31)))
    model = Llama(layers)
    if not os.path.exists(path):
        fit(model, stream(text, rng, 40000, True), rng, 2500, 3e-3)
        store.write_safetensors(path + ".part", tensors(model))
        os.rename(path + ".part", path)
    return load(model, store.read_safetensors(path))


def tensors(model):
    return {k: v.detach().float().numpy().copy()
            for k, v in model.state_dict().items()}


def load(model, values):
    model.load_state_dict({k: torch.from_numpy(store.widen(v).copy())
                           for k, v in values.items()})
    return model


def config(layers, dtype="fp32", **more):
    return dict({"architectures": ["LlamaForCausalLM"],
                 "model_type": "llama", "hidden_size": HIDDEN,
                 "intermediate_size": INNER, "num_hidden_layers": layers,
                 "num_attention_heads": HEADS, "num_key_value_heads": HEADS,
                 "vocab_size": WORDS, "max_position_embeddings": 64,
                 "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                 "hidden_act": "silu", "tie_word_embeddings": True,
                 "torch_dtype": {"fp32": "float32", "fp16": "float16",
                                 "bf16": "bfloat16"}[dtype]}, **more)


def count_layers(values):
    return sum(k.endswith("mlp.down_proj.weight") for k in values)


def side(text, values, dtype="fp32", container="safetensors"):
    return pairset.Side(values, config(count_layers(values), dtype),
                        text.vocab[:WORDS], container, "tokenizer.json")


GGUF_NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
              "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
              "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
              "post_attention_layernorm": "ffn_norm"}


def gguf_tensors(values):
    """Under GGUF's names, q and k permuted as the converter does."""
    out = {}
    for k, v in values.items():
        part = k.split(".")
        if k == "model.embed_tokens.weight":
            out["token_embd.weight"] = v
        elif k == "model.norm.weight":
            out["output_norm.weight"] = v
        else:
            name = GGUF_NAMES[".".join(part[3:-1])]
            if name in ("attn_q", "attn_k"):
                v = v.reshape(HEADS, 2, -1, HIDDEN).swapaxes(1, 2) \
                    .reshape(HIDDEN, HIDDEN)
            out["blk.%s.%s.weight" % (part[2], name)] = v
    return out


def gguf_side(text, values, want):
    kinds = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "BF16": 32}
    words = text.vocab[:WORDS]
    meta = {"general.architecture": "llama", "general.name": "pair",
            "general.file_type": kinds[want],
            "llama.block_count": count_layers(values),
            "llama.context_length": 64, "llama.embedding_length": HIDDEN,
            "llama.feed_forward_length": INNER,
            "llama.attention.head_count": HEADS,
            "llama.attention.head_count_kv": HEADS,
            "llama.attention.layer_norm_rms_epsilon": 1e-5,
            "llama.rope.dimension_count": HIDDEN // HEADS,
            "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": words,
            "tokenizer.ggml.scores": [-float(i) for i in range(len(words))],
            "tokenizer.ggml.unknown_token_id": 1}
    return pairset.Side(gguf_tensors(values), None, None, "gguf", meta=meta,
                        want=want)
