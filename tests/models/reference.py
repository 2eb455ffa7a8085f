"""What Llama and BERT compute, in f64, straight from their papers: slow, short, and nobody else's code."""

from math import erf

import numpy as np


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention(q, k, v, causal):
    """Heads first: `[heads, tokens, width]`."""
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
    mixed = softmax(scores) @ v
    return mixed.transpose(1, 0, 2).reshape(mixed.shape[1], -1)


def heads(x, count):
    return x.reshape(len(x), count, -1).transpose(1, 0, 2)


def llama(config, tensors, tokens):
    """Log probabilities of what follows each token, `[tokens, vocabulary]`."""
    weight = lambda name: tensors[f"{name}.weight"].astype(np.float64)

    def norm(x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + config["rms_norm_eps"]) * weight(name)

    width = config["head_dim"]
    frequencies = config["rope_theta"] ** (-np.arange(0, width, 2) / width)
    angles = np.outer(np.arange(len(tokens)), frequencies)

    def rotate(x):
        a, b = x[..., : width // 2], x[..., width // 2 :]
        cos, sin = np.cos(angles), np.sin(angles)
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    embeddings = weight("model.embed_tokens")
    x = embeddings[tokens]
    count, groups = config["num_attention_heads"], config["num_key_value_heads"]
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        h = norm(x, layer + "input_layernorm")
        q, k, v = (h @ weight(f"{layer}self_attn.{p}_proj").T for p in "qkv")
        k, v = (np.repeat(heads(y, groups), count // groups, 0) for y in (k, v))
        mixed = attention(rotate(heads(q, count)), rotate(k), v, True)
        x = x + mixed @ weight(layer + "self_attn.o_proj").T
        h = norm(x, layer + "post_attention_layernorm")
        gate, up = (h @ weight(f"{layer}mlp.{p}_proj").T for p in ("gate", "up"))
        x = x + (gate / (1 + np.exp(-gate)) * up) @ weight(layer + "mlp.down_proj").T
    logits = norm(x, "model.norm") @ embeddings.T
    top = logits.max(-1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))


def bert(config, tensors, tokens):
    """The mean of the final states, of unit length."""
    weight = lambda name: tensors[name].astype(np.float64)
    linear = lambda x, name: x @ weight(name + ".weight").T + weight(name + ".bias")
    gelu = np.vectorize(lambda x: x / 2 * (1 + erf(x / 2**0.5)))

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return x * weight(name + ".weight") + weight(name + ".bias")

    table = lambda name: weight(f"embeddings.{name}_embeddings.weight")
    x = table("word")[tokens] + table("position")[: len(tokens)] + table("token_type")[0]
    x = norm(x, "embeddings.LayerNorm")
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}."
        parts = (linear(x, f"{layer}attention.self.{p}") for p in ("query", "key", "value"))
        mixed = attention(*(heads(y, config["num_attention_heads"]) for y in parts), False)
        mixed = linear(mixed, layer + "attention.output.dense")
        x = norm(x + mixed, layer + "attention.output.LayerNorm")
        inner = gelu(linear(x, layer + "intermediate.dense"))
        x = norm(x + linear(inner, layer + "output.dense"), layer + "output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)
