"""Asks an exported model the questions of a file and prints its answers, greedy and sampled as its generation_config.json says.

    python ask.py FOLDER questions.txt [--temperature 0.7] [--top-p 1] [--markdown]

A line is one conversation; " || " parts its user turns (the model's own answers stand between them).
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from model import Llama, Shape
from tokenizer import EOS, prompt

MOST_TOKENS = 120


def load(folder: Path) -> tuple[Llama, Tokenizer]:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = Shape(
        config["hidden_size"],
        config["num_hidden_layers"],
        config["intermediate_size"],
        config["num_attention_heads"],
        config["num_key_value_heads"],
        config["vocab_size"],
        config["max_position_embeddings"],
        config["rope_theta"],
        config["rms_norm_eps"],
    )
    model = Llama(shape)
    tensors = load_file(folder / "model.safetensors")
    model.load_state_dict({name.removeprefix("model."): tensor.float() for name, tensor in tensors.items()})
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


@torch.no_grad()
def answer(model: Llama, tokenizer: Tokenizer, turns: list[tuple[str, str]], temperature: float, top_p: float = 1.0, seed: int = 1) -> str:
    random = torch.Generator().manual_seed(seed)
    ids = tokenizer.encode(prompt(turns)).ids
    start = len(ids)
    while len(ids) < start + MOST_TOKENS:
        scores = model.logits(model(torch.tensor([ids]))[0, -1]).float()
        if temperature == 0:
            token = int(scores.argmax())
        else:
            chances, order = torch.softmax(scores / temperature, -1).sort(descending=True)
            chances[chances.cumsum(-1) - chances > top_p] = 0  # the fewest tokens that together reach top_p
            token = int(order[torch.multinomial(chances, 1, generator=random)])
        if token == EOS:
            return tokenizer.decode(ids[start:])
        ids.append(token)
    return tokenizer.decode(ids[start:]) + " [cut off]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--temperature", type=float, help="of the sampled answer, instead of the model's own")
    parser.add_argument("--top-p", type=float, help="of the sampled answer, instead of the model's own")
    parser.add_argument("--markdown", action="store_true", help="print rows of a table")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load(args.folder)
    own = json.loads((args.folder / "generation_config.json").read_text(encoding="utf-8"))
    temperature = own["temperature"] if args.temperature is None else args.temperature
    top_p = own["top_p"] if args.top_p is None else args.top_p
    for line in args.questions.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        turns: list[tuple[str, str]] = []
        for question in line.split(" || "):
            turns.append(("user", question))
            greedy = answer(model, tokenizer, turns, 0)
            sampled = answer(model, tokenizer, turns, temperature, top_p) if temperature else ""
            turns.append(("assistant", greedy))
            if args.markdown:
                print(f"| {question} | {greedy} | {sampled} |".replace("\n", " / "))
            else:
                print(f"Q {question}\n  0   {greedy}\n  {temperature} {sampled}")


if __name__ == "__main__":
    main()
