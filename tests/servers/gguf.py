"""Writes a Llama model from a Hugging Face folder as GGUF in f32, which llama.cpp reads.

usage: gguf.py FOLDER OUT.gguf

Needs nothing beyond Python. Reads one `model.safetensors` in bf16 or f32, and a byte-level BPE tokenizer.
"""

import json
import struct
import sys
from pathlib import Path

ALIGNMENT = 32  # of tensors, by the format
CONTEXT = 8192  # more than the model was trained for: tests have long prompts, and don't read the answers
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5  # kinds of values, by the format
NORMAL, CONTROL, UNUSED = 1, 3, 5  # kinds of tokens


class Header:
    """Keys and values as the format has them."""

    def __init__(self):
        self.count, self.bytes = 0, bytearray()

    def text(self, text):
        data = text.encode()
        self.bytes += struct.pack("<Q", len(data)) + data

    def key(self, name, kind):
        self.text(name)
        self.bytes += struct.pack("<I", kind)
        self.count += 1

    def string(self, name, text):
        self.key(name, STRING)
        self.text(text)

    def number(self, name, kind, value):
        self.key(name, kind)
        self.bytes += struct.pack({U32: "<I", F32: "<f", BOOL: "<?"}[kind], value)

    def strings(self, name, texts):
        self.key(name, ARRAY)
        self.bytes += struct.pack("<IQ", STRING, len(texts))
        for text in texts:
            self.text(text)

    def integers(self, name, numbers):
        self.key(name, ARRAY)
        self.bytes += struct.pack(f"<IQ{len(numbers)}i", I32, len(numbers), *numbers)


def read_tensors(path):
    """Name, shape and f32 bytes of each tensor."""
    data = path.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    table = json.loads(data[8 : 8 + size])
    for name, tensor in sorted(table.items()):
        if name == "__metadata__":
            continue
        begin, end = tensor["data_offsets"]
        raw = data[8 + size + begin : 8 + size + end]
        if tensor["dtype"] == "BF16":  # the upper half of an f32
            wide = bytearray(2 * len(raw))
            wide[2::4], wide[3::4] = raw[0::2], raw[1::2]
            raw = bytes(wide)
        elif tensor["dtype"] != "F32":
            sys.exit(f"{name} is {tensor['dtype']}; only BF16 and F32 can be read")
        yield name, tensor["shape"], raw


def interleave(raw, shape, heads):
    """Rows of queries and keys: rotary halves (Hugging Face) become pairs (ggml)."""
    row = 4 * shape[1]
    half = shape[0] // heads // 2
    order = (
        (head * 2 + part) * half + place for head in range(heads) for place in range(half) for part in range(2)
    )
    return b"".join(raw[at * row : (at + 1) * row] for at in order)


BLOCK = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
WHOLE = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}


def new_name(name):
    stem = name.removesuffix(".weight")
    if stem in WHOLE:
        return f"{WHOLE[stem]}.weight"
    _, _, layer, rest = stem.split(".", 3)
    return f"blk.{layer}.{BLOCK[rest]}.weight"


def header_of(config, tokenizer, settings):
    out = Header()
    out.string("general.architecture", "llama")
    out.number("general.file_type", U32, 0)
    for name, value in {
        "context_length": max(CONTEXT, config["max_position_embeddings"]),
        "embedding_length": config["hidden_size"],
        "block_count": config["num_hidden_layers"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"],
        "rope.dimension_count": config["head_dim"],
        "vocab_size": config["vocab_size"],
    }.items():
        out.number(f"llama.{name}", U32, value)
    out.number("llama.rope.freq_base", F32, config["rope_theta"])
    out.number("llama.attention.layer_norm_rms_epsilon", F32, config["rms_norm_eps"])

    texts = [f"<unused{i}>" for i in range(config["vocab_size"])]
    kinds = [UNUSED] * len(texts)
    for text, at in tokenizer["model"]["vocab"].items():
        texts[at], kinds[at] = text, NORMAL
    for added in tokenizer["added_tokens"]:
        texts[added["id"]], kinds[added["id"]] = added["content"], CONTROL
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]]
    out.string("tokenizer.ggml.model", "gpt2")
    out.string("tokenizer.ggml.pre", "gpt-2")
    out.strings("tokenizer.ggml.tokens", texts)
    out.integers("tokenizer.ggml.token_type", kinds)
    out.strings("tokenizer.ggml.merges", merges)
    for name in ("bos", "eos"):
        out.number(f"tokenizer.ggml.{name}_token_id", U32, config[f"{name}_token_id"])
    out.number("tokenizer.ggml.padding_token_id", U32, config["pad_token_id"])
    out.number("tokenizer.ggml.add_bos_token", BOOL, False)
    out.string("tokenizer.chat_template", settings["chat_template"])
    return out


def main(folder, path):
    folder = Path(folder)
    read = lambda name: json.loads((folder / name).read_text())
    config = read("config.json")
    header = header_of(config, read("tokenizer.json"), read("tokenizer_config.json"))
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    table, offset, bodies = bytearray(), 0, []
    for name, shape, raw in read_tensors(folder / "model.safetensors"):
        kind = name.removesuffix(".weight").rsplit(".", 1)[-1]
        if kind in heads:
            raw = interleave(raw, shape, heads[kind])
        text = new_name(name).encode()
        table += struct.pack("<Q", len(text)) + text + struct.pack("<I", len(shape))
        # the fastest dimension first; kind 0 is f32
        table += struct.pack(f"<{len(shape)}QIQ", *reversed(shape), 0, offset)
        padding = -len(raw) % ALIGNMENT
        offset += len(raw) + padding
        bodies.append(raw + bytes(padding))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(bodies), header.count) + header.bytes + table
    with open(path, "wb") as out:
        out.write(head + bytes(-len(head) % ALIGNMENT))
        out.writelines(bodies)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
