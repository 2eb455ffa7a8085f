"""How many answers an exported model gives word for word as the tables have them, by kind of question.

    python recall.py FOLDER [--each 200] [--nouns index.noun] [--wrong 3]

An answer is right if at each of its tokens the likeliest one is the table's: then greedy decoding writes exactly that answer.
"""

import argparse
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import skills
from ask import load
from corpus import Corpus, read_nouns
from phrases import typed
from tokenizer import EOS, prompt

Turns = list[tuple[str, str]]


def kinds(corpus: Corpus) -> dict[str, Callable[[], Turns]]:
    """What is asked for, by name."""
    rng = corpus.rng

    def capital_of() -> Turns:
        name, town, _ = rng.choice(corpus.capitals)
        return [(f"what is the capital of {name}", f"The capital of {name} is {town}.")]

    def thing() -> Turns:
        thing = rng.choice(corpus.things)
        return [(f"what is {thing.subject}", thing.full)]

    declined = {
        f"declining: {kind}": lambda kind=kind: corpus.declines.of_kind(kind)
        for kind in ("code", "translate", "summary", "rewrite", "long_copy", "essay", "plan", "files", "medical", "legal", "live", "sums")
    }
    return {
        "what a thing is": thing,
        "a thing, asked in other ways": corpus.about,
        "questions of the tables": corpus.question,
        "poems, stories, notes": corpus.written,
        "capitals": capital_of,
        "countries and towns": corpus.place,
        "words": corpus.word,
        "adding": lambda: skills.add(rng),
        "subtracting": lambda: skills.subtract(rng),
        "multiplying": lambda: skills.multiply(rng),
        "dividing": lambda: skills.divide(rng),
        "sums told as a story": lambda: skills.told_sum(rng),
        "sums that are too hard": lambda: skills.too_hard(rng),
        "counting": lambda: skills.count(rng),
        "comparing": lambda: skills.compare(rng),
        "following up": corpus.follow_up,
        "dialogues": corpus.dialogue,
        "unknown things and people": corpus.refusal,
        **declined,
        "no such poem, story or joke": corpus.declines.not_in_store,
        "other languages": corpus.declines.foreign,
        "a name told and asked for": corpus.introduced,
        "a line to someone": corpus.addressed,
        "repeating a few words": corpus.repeated,
    }


@torch.no_grad()
def right(model, tokenizer, conversations: list[Turns]) -> list[bool]:
    """Whether the last answer of each conversation is the likeliest, token by token."""
    rows = []
    for turns in conversations:
        flat = [part for user, answer in turns[:-1] for part in (("user", user), ("assistant", answer))]
        asked = tokenizer.encode(prompt([*flat, ("user", turns[-1][0])])).ids
        rows.append((asked, [*tokenizer.encode(turns[-1][1]).ids, EOS]))
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + len(rows[i][1]))
    out = [False] * len(rows)
    for start in range(0, len(order), 32):
        part = order[start : start + 32]
        length = max(len(rows[i][0]) + len(rows[i][1]) for i in part)
        ids = np.zeros((len(part), length), dtype=np.int64)
        for r, i in enumerate(part):
            both = rows[i][0] + rows[i][1]
            ids[r, : len(both)] = both
        hidden = model(torch.from_numpy(ids))
        for r, i in enumerate(part):
            asked, answer = rows[i]
            best = model.logits(hidden[r, len(asked) - 1 : len(asked) + len(answer) - 1]).argmax(-1)
            out[i] = best.tolist() == answer
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--nouns", help="WordNet's index.noun")
    parser.add_argument("--seed", type=int, default=777)
    parser.add_argument("--wrong", type=int, default=0, help="print so many of the questions that it got wrong")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load(args.folder)
    corpus = Corpus(args.seed, read_nouns(args.nouns) if args.nouns else [])
    for name, draw in kinds(corpus).items():
        corpus.rng.seed(f"{args.seed} {name}")
        asked = [[(typed(user, corpus.rng), answer) for user, answer in draw()] for _ in range(args.each)]
        results = right(model, tokenizer, asked)
        print(f"| {name} | {sum(results)} of {len(results)} |", flush=True)
        wrong = [turns for turns, good in zip(asked, results) if not good]
        for turns in random.Random(1).sample(wrong, min(args.wrong, len(wrong))):
            print(f"    {turns}")


if __name__ == "__main__":
    main()
