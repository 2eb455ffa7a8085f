"""Writes the training conversations: authored tables x ways to ask, one JSON list of [role, text] turns a line.

    python corpus.py --out corpus.jsonl --docs 100000 [--nouns index.noun]

Everything random hangs on --seed, so the same tables give the same corpus. The corpus itself is not kept in the repository.
"""

import argparse
import json
import random
from collections.abc import Callable

import people
import skills
from declines import Declines
from phrases import ABOUT, ALIASES, MORE, ask_about, ask_brief, loosened, reworded, typed
from tables import blocks, capital, capitals, dialogues, lines, sections, things, without_article

UNKNOWN = "I am a very small model and don't know that."
SYSTEM = [
    "You are a helpful assistant.",
    "You are a friendly assistant.",
    "You are Atoma Tiny, a small helpful model.",
    "Answer briefly.",
    "You are a helpful assistant. Answer in one or two sentences.",
    "Be short and clear.",
    "You are a chatbot.",
    "Use simple words.",
]
CLOSING = [
    ("thank you", "You are welcome!"),
    ("thanks", "You are welcome!"),
    ("thanks a lot", "You are welcome!"),
    ("bye", "Goodbye! Have a nice day."),
    ("goodbye", "Goodbye! Have a nice day."),
    ("great", "Thank you! That is kind of you."),
    ("good answer", "Thank you! That is kind of you."),
]
OPENING = [
    ("hello", "Hello! How can I help you today?"),
    ("hi", "Hello! How can I help you today?"),
    ("hey", "Hello! How can I help you today?"),
    ("good morning", "Good morning! What can I do for you?"),
    ("can i ask you something", "Of course! What would you like to know?"),
    ("how are you", "I am fine, thank you. How can I help you?"),
    ("i have a question", "Of course! What would you like to know?"),
]

Turns = list[tuple[str, str]]


class Corpus:
    def __init__(self, seed: int, nouns: list[str]):
        self.rng = random.Random(seed)
        self.common, self.rarer = things("things.txt"), things("things2.txt")
        self.things = self.common + self.rarer
        self.capitals = capitals()
        self.words = sections("words.txt")
        self.qa = [*blocks("chat.txt"), *blocks("facts.txt"), *blocks("facts2.txt"), *blocks("everyday.txt")]
        self.creative = blocks("creative.txt")
        self.dialogues = dialogues("dialogues.txt")
        self.names = [name for row in sections("names.txt")["names"] for name in row[0].split()]
        self.unknown = [q for q in _plain("unknown.txt")]
        self.unknown_nouns = [q for q in _plain("unknown_nouns.txt")]
        self.nouns = _unfamiliar(nouns, self)
        self.declines = Declines(self.things, self.creative, self.nouns, self.names, self.rng)
        self.kinds: list[tuple[float, Callable[[], Turns]]] = [
            (34, self.about),
            (26, self.question),
            (6, self.written),
            (8, self.place),
            (7, self.word),
            (32, self.skill),
            (12, self.refusal),
            (36, self.declines.reasoned),
            (9, self.declines.foreign),
            (4, self.follow_up),
            (3, self.dialogue),
            (3, self.about_user),
            (10, self.introduced),
            (8, self.addressed),
            (6, self.repeated),
        ]
        self.queues: dict[str, list] = {}

    def deal(self, name: str, items: list):
        """The next of the items in a shuffled order, so that all come up equally often."""
        queue = self.queues.get(name)
        if not queue:
            queue = self.queues[name] = list(items)
            self.rng.shuffle(queue)
        return queue.pop()

    def one(self) -> Turns:
        weights = [w for w, _ in self.kinds]
        return self.rng.choices(self.kinds, weights)[0][1]()

    def conversation(self) -> list[tuple[str, str]]:
        """Mostly one topic; sometimes several in a row, a greeting before, thanks after, a system line on top."""
        rng = self.rng
        turns = self.one()
        while rng.random() < 0.16 and len(turns) < 6:
            turns = turns + self.one()
        if rng.random() < 0.04:
            turns = [rng.choice(OPENING), *turns]
        if rng.random() < 0.04:
            turns = [*turns, rng.choice(CLOSING)]
        out = [("system", rng.choice(SYSTEM))] if rng.random() < 0.1 else []
        for user, answer in turns:
            out += [("user", typed(user, rng)), ("assistant", answer)]
        return out

    def about(self) -> Turns:
        thing = self.deal("common", self.common) if self.rng.random() < 0.6 else self.deal("rarer", self.rarer)
        roll = self.rng.random()
        if roll < 0.86:
            question = ask_about(thing, self.rng)
            return [(loosened(question, self.rng) if self.rng.random() < 0.12 else question, thing.full)]
        if roll < 0.97:
            return [(ask_brief(thing, self.rng), thing.short)]
        return [(ask_brief(thing, self.rng), thing.short), (self.rng.choice(MORE), thing.extra)]

    def question(self) -> Turns:
        questions, answer = self.deal("qa", self.qa)
        return [(self.phrased(questions), answer)]

    def written(self) -> Turns:
        questions, answer = self.deal("creative", self.creative)
        return [(self.phrased(questions), answer)]

    def phrased(self, questions: list[str]) -> str:
        rng = self.rng
        question = rng.choice(questions)
        if rng.random() < 0.4:
            question = reworded(question, rng)
        return loosened(question, rng) if rng.random() < 0.35 else question

    def place(self) -> Turns:
        return skills.country(self.deal("capitals", self.capitals), self.capitals, self.rng)

    def word(self) -> Turns:
        kind = self.rng.choices(list(self.words), [8, 8, 2, 1, 1.5, 1.5])[0]
        return skills.word(kind, self.deal(kind, self.words[kind]), self.rng)

    def skill(self) -> Turns:
        return skills.any_skill(self.things, self.rng)

    def refusal(self) -> Turns:
        rng = self.rng
        roll = rng.random()
        if self.nouns and roll < 0.3:
            question = rng.choice(self.unknown_nouns).format(n=rng.choice(self.nouns), m=rng.choice(self.nouns))
        elif self.nouns and roll < 0.65:
            noun = rng.choice(self.nouns)
            article = "an" if noun[0] in "aeiou" else "a"
            subject = rng.choice([noun, f"{article} {noun}", f"{article} {noun}"])
            question = rng.choice(ABOUT[:-1]).format(x=subject, b=noun, p=noun)
        else:
            question = rng.choice(self.unknown).format(
                n=rng.randint(1000, 2030), p=skills.made_up_person(self.names, rng), w=skills.made_up_word(rng)
            )
        return [(question, UNKNOWN)]

    def follow_up(self) -> Turns:
        return skills.follow_up(self.things, self.capitals, self.creative, self.rng)

    def dialogue(self) -> Turns:
        return self.deal("dialogues", self.dialogues)

    def about_user(self) -> Turns:
        return skills.about_user(self.names, self.rng)

    def introduced(self) -> Turns:
        return people.introduced(self.names, self.short_talk, self.rng)

    def short_talk(self) -> Turns:
        """A turn to stand between a name and the question for it."""
        return self.rng.choice([self.about, self.question, self.place, self.skill])()[:1]

    def addressed(self) -> Turns:
        return people.addressed(self.names, self.rng)

    def repeated(self) -> Turns:
        return people.repeated(self.declines.common, self.names, self.rng)


def _plain(name: str) -> list[str]:

    return [line.strip() for line in lines(name) if line.strip() and not line.startswith("#")]


def _unfamiliar(nouns: list[str], corpus: Corpus) -> list[str]:
    """The nouns that no table speaks of: to these the honest answer is that the model doesn't know."""
    known = {thing.bare.lower() for thing in corpus.things} | {row[0] for rows in corpus.words.values() for row in rows}
    known |= {without_article(country).lower() for country, _, _ in corpus.capitals} | {town.lower() for _, town, _ in corpus.capitals}
    known |= {without_article(name).lower() for names in ALIASES.values() for name in names}
    text = " ".join(q for questions, _ in corpus.qa for q in questions)
    known |= set(text.split())
    return [noun for noun in nouns if noun not in known and noun.rstrip("s") not in known and noun.split()[-1] not in known]


def read_nouns(path: str) -> list[str]:
    """Lemmas of WordNet's index.noun: one or two plain words each."""
    out = []
    with open(path, encoding="latin1") as file:
        for line in file:
            lemma = line.split(" ", 1)[0].replace("_", " ")
            if lemma.replace(" ", "").isalpha() and 4 <= len(lemma) <= 20 and lemma.count(" ") < 2:
                out.append(lemma)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--docs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nouns", help="WordNet's index.noun: its rarer nouns become questions that are answered with an honest refusal")
    args = parser.parse_args()
    corpus = Corpus(args.seed, read_nouns(args.nouns) if args.nouns else [])
    chars = 0
    with open(args.out, "w", encoding="utf-8") as file:
        for _ in range(args.docs):
            line = json.dumps(corpus.conversation(), ensure_ascii=False)
            chars += len(line)
            file.write(line + "\n")
    answers = len(corpus.things) + len(corpus.qa) + len(corpus.creative)
    print(f"{args.docs} conversations, {chars / 1e6:.1f} MB, {answers} written answers, {len(corpus.nouns)} unfamiliar nouns")
    for turns in [corpus.conversation() for _ in range(12)]:
        print(capital(" | ".join(f"{role}: {text}" for role, text in turns)))


if __name__ == "__main__":
    main()
