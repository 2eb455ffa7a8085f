"""Reads a Llama model from GGUF and writes it as a Hugging Face folder in f32."""

import json
import struct
from pathlib import Path

import numpy as np

STRING, ARRAY = 8, 9
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
F32, Q4_1, Q8_0 = 0, 3, 8  # kinds of tensors, by the format
BLOCK = 32  # values that share a scale
CONTROL = 3  # a kind of token: special
NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class Reader:
    """A file's values, one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, kind):
        size = struct.calcsize("<" + kind)
        self.at += size
        return struct.unpack_from("<" + kind, self.data, self.at - size)[0]

    def text(self):
        size = self.number("Q")
        self.at += size
        return bytes(self.data[self.at - size : self.at]).decode()

    def value(self, kind):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            kind, count = self.number("I"), self.number("Q")
            return [self.value(kind) for _ in range(count)]
        return self.number(NUMBERS[kind])


def widen(kind, raw, count):
    """A tensor's values in f32, as the format defines them."""
    if kind == F32:
        return raw[: 4 * count].view("<f4").copy()
    size = {Q4_1: 20, Q8_0: 34}[kind]
    blocks = raw[: count // BLOCK * size].reshape(-1, size)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    if kind == Q8_0:
        return (blocks[:, 2:].view(np.int8) * scale).ravel()
    least = blocks[:, 2:4].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=1)
    return (nibbles * scale + least).ravel()


def read(path):
    """Keys and tensors of a file."""
    data = np.fromfile(path, np.uint8)
    reader = Reader(data)
    assert bytes(data[:4]) == b"GGUF"
    reader.at = 8
    tensors, keys = reader.number("Q"), reader.number("Q")
    keys = {reader.text(): reader.value(reader.number("I")) for _ in range(keys)}
    places = []
    for _ in range(tensors):
        name = reader.text()
        shape = [reader.number("Q") for _ in range(reader.number("I"))]
        places.append((name, shape[::-1], reader.number("I"), reader.number("Q")))
    start = -(-reader.at // 32) * 32
    values = {}
    for name, shape, kind, offset in places:
        count = int(np.prod(shape))
        values[name] = widen(kind, data[start + offset :], count).reshape(shape)
    return keys, values


def named(keys, values):
    """Tensors by Hugging Face's names; the rows of queries and keys in its order."""
    heads = {"attn_q": keys["llama.attention.head_count"], "attn_k": keys["llama.attention.head_count_kv"]}
    out = {"model.embed_tokens.weight": values["token_embd.weight"], "model.norm.weight": values["output_norm.weight"]}
    for name, value in values.items():
        if not name.startswith("blk."):
            continue
        _, layer, part, _ = name.split(".")
        if part in heads:
            rows, cols = value.shape
            pairs = value.reshape(heads[part], rows // heads[part] // 2, 2, cols)
            value = pairs.swapaxes(1, 2).reshape(rows, cols)
        out[f"model.layers.{layer}.{NAMES[part]}.weight"] = value
    return out


def config(keys, tensors):
    heads, hidden = keys["llama.attention.head_count"], keys["llama.embedding_length"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": keys["llama.feed_forward_length"],
        "num_hidden_layers": keys["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": keys["llama.attention.head_count_kv"],
        "head_dim": hidden // heads,
        "vocab_size": len(tensors["model.embed_tokens.weight"]),
        "rms_norm_eps": keys["llama.attention.layer_norm_rms_epsilon"],
        "rope_theta": keys["llama.rope.freq_base"],
        "max_position_embeddings": keys["llama.context_length"],
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "eos_token_id": keys["tokenizer.ggml.eos_token_id"],
    }


def tokenizer(keys):
    """The byte-level BPE that the file calls `smollm`: digits alone, then words as GPT-2 has them."""
    assert (keys["tokenizer.ggml.model"], keys["tokenizer.ggml.pre"]) == ("gpt2", "smollm")
    tokens, kinds = keys["tokenizer.ggml.tokens"], keys["tokenizer.ggml.token_type"]
    bytes_of_words = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    special = [i for i, kind in enumerate(kinds) if kind == CONTROL]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": tokens[i], **added} for i in special],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, bytes_of_words],
        },
        "post_processor": None,
        "decoder": bytes_of_words,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in keys["tokenizer.ggml.merges"]],
        },
    }


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, value in tensors.items():
        end = offset + 4 * value.size
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            out.write(np.ascontiguousarray(value, "<f4").tobytes())


def convert(path, folder):
    """Writes the folder; returns its configuration and tensors."""
    keys, values = read(path)
    tensors = named(keys, values)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = config(keys, tensors)
    tokens = keys["tokenizer.ggml.tokens"]
    texts = {
        "bos_token": tokens[keys["tokenizer.ggml.bos_token_id"]],
        "eos_token": tokens[keys["tokenizer.ggml.eos_token_id"]],
        "chat_template": keys["tokenizer.chat_template"],
    }
    write_safetensors(folder / "model.safetensors", tensors)
    for name, value in [("config", text), ("tokenizer", tokenizer(keys)), ("tokenizer_config", texts)]:
        (folder / f"{name}.json").write_text(json.dumps(value))
    return text, tensors, tokens
