"""Trains the model on a corpus and exports it at every checkpoint, so that stopping early still leaves a usable folder.

    python train.py --corpus corpus.jsonl --tokenizer tokenizer.json --run run --minutes 75 --cooldown 25 [--resume]
    python train.py ... --init FOLDER --rate 0.5 --steps 500

The learning rate is flat and then falls to nothing over the last --cooldown minutes (it follows the wall clock, because the machine
is shared; with --steps it follows the steps instead, and falls over the last two thirds). Muon trains the matrices, AdamW the embedding
and the norms. Loss is taken on what the assistant says, and a little on the rest.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer

from model import Llama, Shape, export
from tokenizer import BOS, EOS

ASIDE = 0.1  # weight of the loss on what the user and the system say
WARM_UP = 100
LR_MATRIX, LR_REST, DECAY = 0.02, 4e-3, 0.01
CHECKPOINT_SECONDS = 240


def encode(corpus: Path, tokenizer: Tokenizer, length: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Every conversation as token ids and the weight of each id as a target."""
    marks = {role: tokenizer.encode(f"<|{role}|>\n").ids for role in ("system", "user", "assistant")}
    newline = tokenizer.encode("\n").ids
    conversations = [json.loads(line) for line in corpus.open(encoding="utf-8")]
    encoded = iter(tokenizer.encode_batch([text for turns in conversations for _, text in turns]))
    out = []
    for turns in conversations:
        ids, weights = [BOS], [0.0]
        for role, _ in turns:
            text = [*next(encoded).ids, EOS]
            ids += marks[role] + text + newline
            weights += [ASIDE] * len(marks[role]) + [1.0 if role == "assistant" else ASIDE] * len(text) + [0.0] * len(newline)
        out.append((np.array(ids[: length + 1], dtype=np.int64), np.array(weights[: length + 1], dtype=np.float32)))
    return out


def pack(conversations: list, length: int, rng: np.random.Generator) -> list[list[int]]:
    """Rows of conversation numbers that fit `length` together, in random order."""
    rows, row, used = [], [], 0
    for i in rng.permutation(len(conversations)):
        size = len(conversations[i][0]) - 1
        if used + size > length:
            rows.append(row)
            row, used = [], 0
        row.append(i)
        used += size
    return [*rows, row]


def batch(rows: list[list[int]], conversations: list, length: int):
    shape = (len(rows), length)
    x, y, owner = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64), np.full(shape, -1, dtype=np.int64)
    weight = np.zeros(shape, dtype=np.float32)
    for r, row in enumerate(rows):
        at = 0
        for i in row:
            ids, weights = conversations[i]
            n = len(ids) - 1
            x[r, at : at + n], y[r, at : at + n], weight[r, at : at + n], owner[r, at : at + n] = ids[:-1], ids[1:], weights[1:], i
            at += n
    owner = torch.from_numpy(owner)
    same = owner[:, None, :, None] == owner[:, None, None, :]
    allowed = same & torch.ones(length, length, dtype=torch.bool).tril()
    bias = torch.zeros(allowed.shape, dtype=torch.bfloat16).masked_fill(~allowed, float("-inf"))
    return torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(weight), bias


def loss_of(model: Llama, x, y, weight, bias):
    """Mean loss over the weighted targets; scores are made only where there is a target."""
    wanted = weight > 0
    hidden = model(x, bias)[wanted]
    losses = F.cross_entropy(model.logits(hidden).float(), y[wanted], reduction="none")
    return (losses * weight[wanted]).sum() / weight[wanted].sum()


def orthogonal(g: torch.Tensor) -> torch.Tensor:
    """The nearest orthogonal matrix, by five steps of a Newton-Schulz iteration (Muon)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = (g / (g.norm() + 1e-7)).to(torch.bfloat16)
    flip = x.shape[0] > x.shape[1]
    x = x.T if flip else x
    for _ in range(5):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return (x.T if flip else x).to(g.dtype)


class Optimizer:
    def __init__(self, model: Llama):
        named = list(model.named_parameters())
        self.matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n]
        self.momentum = [torch.zeros_like(p) for p in self.matrices]
        self.rest = torch.optim.AdamW([p for n, p in named if p.ndim != 2 or "embed" in n], lr=LR_REST, betas=(0.9, 0.97), weight_decay=0.0)

    @torch.no_grad()
    def step(self, scale: float) -> None:
        lr = LR_MATRIX * scale
        for p, m in zip(self.matrices, self.momentum):
            m.mul_(0.95).add_(p.grad, alpha=0.05)
            update = orthogonal(p.grad * 0.05 + m * 0.95)
            p.mul_(1 - lr * DECAY).add_(update, alpha=-lr * max(1, p.shape[0] / p.shape[1]) ** 0.5)
            p.grad = None
        for group in self.rest.param_groups:
            group["lr"] = LR_REST * scale
        self.rest.step()
        self.rest.zero_grad(set_to_none=True)

    def state(self) -> dict:
        return {"momentum": self.momentum, "rest": self.rest.state_dict()}

    def load(self, state: dict) -> None:
        for mine, saved in zip(self.momentum, state["momentum"]):
            mine.copy_(saved)
        self.rest.load_state_dict(state["rest"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder for the checkpoint and the exported model")
    length_of_run = parser.add_mutually_exclusive_group(required=True)
    length_of_run.add_argument("--minutes", type=float)
    length_of_run.add_argument("--steps", type=int)
    parser.add_argument("--cooldown", type=float, default=25)
    parser.add_argument("--batch", type=int, default=3072, help="tokens in a step")
    parser.add_argument(
        "--length", type=int, default=256, help="tokens in a row: whole conversations, packed; attention never crosses between them"
    )
    parser.add_argument("--init", type=Path, help="begin with the weights of this exported model instead of random ones")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the learning rates: less than 1 to go on from a trained model")
    parser.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    rng = np.random.default_rng(args.seed)
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    conversations = encode(args.corpus, tokenizer, args.length)
    total = sum(len(ids) for ids, _ in conversations)
    model = Llama(Shape())
    if args.init:
        tensors = load_file(args.init / "model.safetensors")
        model.load_state_dict({name.removeprefix("model."): tensor.float() for name, tensor in tensors.items()})
    optimizer = Optimizer(model)
    checkpoint, step, seen = args.run / "checkpoint.pt", 0, 0
    if args.resume:
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load(saved["optimizer"])
        step, seen = saved["step"], saved["seen"]
    print(
        f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {len(conversations)} conversations, {total / 1e6:.2f} M tokens",
        flush=True,
    )

    def save() -> None:
        torch.save(
            {"model": model.state_dict(), "optimizer": optimizer.state(), "step": step, "seen": seen}, checkpoint.with_suffix(".new")
        )
        checkpoint.with_suffix(".new").replace(checkpoint)
        export(model, args.tokenizer, args.run / "model")

    start = last_save = last_log = time.monotonic()
    rows, mean, since = [], None, 0

    def left() -> float:
        """How much of the run is left, in parts of the cool-down."""
        if args.steps:
            return (args.steps - step) / (args.steps * 2 / 3)
        return (args.minutes - (time.monotonic() - start) / 60) / args.cooldown

    while left() > 0:
        if len(rows) < args.batch // args.length:
            rows = pack(conversations, args.length, rng)
        chosen = [rows.pop() for _ in range(args.batch // args.length)]
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(model, *batch(chosen, conversations, args.length))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step(args.rate * min(1.0, (step + 1) / WARM_UP) * min(1.0, left()))
        tokens = sum(len(conversations[i][0]) for row in chosen for i in row)
        step, seen, since = step + 1, seen + tokens, since + tokens
        mean = loss.item() if mean is None else 0.97 * mean + 0.03 * loss.item()
        now = time.monotonic()
        if step % 25 == 0:
            print(
                f"step {step} minute {(now - start) / 60:.1f} loss {mean:.3f} tokens {seen / 1e6:.2f} M, {since / (now - last_log):.0f} a second",
                flush=True,
            )
            last_log, since = now, 0
        if now - last_save > CHECKPOINT_SECONDS:
            save()
            last_save = now
    save()
    print(f"done: {step} steps, {seen / 1e6:.2f} M tokens, loss {mean:.3f}")


if __name__ == "__main__":
    main()
