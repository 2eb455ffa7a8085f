"""Trains the tokenizer: byte-level BPE with the chat markers as special tokens.

python tokenizer.py corpus.jsonl tokenizer.json
"""

import json
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCAB = 3072
SPECIAL = ["<|pad|>", "<|bos|>", "<|eos|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"]
PAD, BOS, EOS = 0, 1, 2
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|eos|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def prompt(turns: list[tuple[str, str]]) -> str:
    """What the chat template makes of these turns, with the assistant's marker at the end."""
    return "<|bos|>" + "".join(f"<|{role}|>\n{text}<|eos|>\n" for role, text in turns) + "<|assistant|>\n"


def texts(path: str):
    with open(path, encoding="utf-8") as file:
        for line in file:
            for _, text in json.loads(line):
                yield text


def main() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts(sys.argv[1]), trainer)
    tokenizer.save(sys.argv[2])
    print(sys.argv[2], tokenizer.get_vocab_size(), "tokens")


if __name__ == "__main__":
    main()
