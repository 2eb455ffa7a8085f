"""The Llama architecture in plain PyTorch, with the parameter names of a Hugging Face checkpoint, and its export."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from tokenizer import BOS, CHAT_TEMPLATE, EOS, PAD, VOCAB


@dataclass(frozen=True)
class Shape:
    hidden: int = 256
    layers: int = 5
    inner: int = 640
    heads: int = 8
    kv_heads: int = 2
    vocab: int = VOCAB
    context: int = 1024
    theta: float = 10000.0
    eps: float = 1e-5

    @property
    def head(self) -> int:
        return self.hidden // self.heads


class Norm(nn.Module):
    def __init__(self, s: Shape):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(s.hidden)), s.eps

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def linear(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Attention(nn.Module):
    def __init__(self, s: Shape):
        super().__init__()
        self.s = s
        self.q_proj, self.o_proj = linear(s.hidden, s.hidden), linear(s.hidden, s.hidden)
        self.k_proj, self.v_proj = linear(s.hidden, s.kv_heads * s.head), linear(s.hidden, s.kv_heads * s.head)

    def forward(self, x, cos, sin, bias):
        s, (batch, length, _) = self.s, x.shape

        def split(y):
            return y.view(batch, length, -1, s.head).transpose(1, 2)

        q, k, v = rotate(split(self.q_proj(x)), cos, sin), rotate(split(self.k_proj(x)), cos, sin), split(self.v_proj(x))
        groups = s.heads // s.kv_heads
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        if bias is None:
            out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:  # written out: on CPUs the fused form's backward pass takes more than twice as long
            out = torch.softmax(q @ k.transpose(-1, -2) * s.head**-0.5 + bias, -1) @ v
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, s.hidden))


class Mlp(nn.Module):
    def __init__(self, s: Shape):
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = linear(s.hidden, s.inner), linear(s.hidden, s.inner), linear(s.inner, s.hidden)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, s: Shape):
        super().__init__()
        self.input_layernorm, self.self_attn = Norm(s), Attention(s)
        self.post_attention_layernorm, self.mlp = Norm(s), Mlp(s)

    def forward(self, x, cos, sin, bias):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, bias)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    def __init__(self, s: Shape):
        super().__init__()
        self.s = s
        self.embed_tokens = nn.Embedding(s.vocab, s.hidden)
        self.layers = nn.ModuleList(Block(s) for _ in range(s.layers))
        self.norm = Norm(s)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                residual = "o_proj" in name or "down_proj" in name
                nn.init.normal_(p, 0, 0.02 if "embed" in name else 0.7 * s.hidden**-0.5 * (0.5 / math.sqrt(s.layers) if residual else 1.0))
        angles = torch.outer(torch.arange(s.context), s.theta ** (-torch.arange(0, s.head, 2) / s.head))
        self.cos, self.sin = angles.cos(), angles.sin()

    def forward(self, tokens, bias=None):
        """Hidden states after the last norm; `logits` turns the wanted ones into scores."""
        length = tokens.shape[1]
        x = self.embed_tokens(tokens)
        for block in self.layers:
            x = block(x, self.cos[:length], self.sin[:length], bias)
        return self.norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.embed_tokens.weight)


def export(model: Llama, tokenizer: Path, folder: Path) -> None:
    """Writes a Hugging Face folder in bfloat16."""
    s = model.s
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {"model." + name: p.detach().to(torch.bfloat16).contiguous() for name, p in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": s.hidden,
        "intermediate_size": s.inner,
        "num_hidden_layers": s.layers,
        "num_attention_heads": s.heads,
        "num_key_value_heads": s.kv_heads,
        "head_dim": s.head,
        "vocab_size": s.vocab,
        "rms_norm_eps": s.eps,
        "rope_theta": s.theta,
        "max_position_embeddings": s.context,
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "initializer_range": 0.02,
    }
    generation = {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, "do_sample": True, "temperature": 0.3, "top_p": 0.9}
    template = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|bos|>",
        "eos_token": "<|eos|>",
        "pad_token": "<|pad|>",
        "model_max_length": s.context,
        "chat_template": CHAT_TEMPLATE,
    }
    for name, value in [("config.json", config), ("generation_config.json", generation), ("tokenizer_config.json", template)]:
        (folder / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer.read_text(encoding="utf-8"), encoding="utf-8")
