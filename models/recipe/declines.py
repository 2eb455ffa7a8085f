"""Requests that a model of this size should decline, each with its reason, and other languages, which it can't read.

The frames stand in data/declined.txt; what fills them comes from the other tables and from WordNet's list of nouns.
"""

import random
import re
from collections.abc import Callable

from skills import TOO_HARD
from tables import Thing, sections

Turns = list[tuple[str, str]]
ANSWERS = {
    "code": "I am a very small model and cannot write or explain code.",
    "translate": "I only speak simple English, so I cannot translate.",
    "summary": "I am a very small model and cannot summarise texts.",
    "rewrite": "I am a very small model and cannot correct or change texts.",
    "long_copy": "That is too long for me. I can only repeat a few words.",
    "essay": "I am too small to write that. I can write a short poem or tell a short story.",
    "plan": "That is too hard for a very small model like me. I can answer simple questions.",
    "files": "I can only read and write text, so I cannot do that.",
    "medical": "I cannot give medical advice. Please ask a doctor.",
    "legal": "I cannot give legal advice. Please ask a lawyer.",
    "money": "I cannot give advice about investing. Spend less than you earn, keep some savings and never risk what you cannot lose.",
    "live": "I cannot look anything up, so I do not know that.",
    "personal": "I do not know that. I only know what you write in this chat.",
    "harm": "I cannot help with that.",
    "letters": "I see words as tokens, so I cannot count or change their letters.",
    "sums": TOO_HARD,
}
WEIGHTS = {"code": 5, "translate": 5, "summary": 5, "rewrite": 3, "long_copy": 4, "essay": 5, "plan": 4, "files": 2}
WEIGHTS |= {"medical": 2.5, "legal": 2, "money": 1, "live": 2.5, "personal": 1.5, "harm": 1.5, "letters": 1.5, "sums": 3}
FOREIGN = "I only speak simple English. Please ask me in English."
FOREIGN_HELLO = "Hello! I only speak simple English. How can I help you?"
NO_POEM = "I do not have a poem about that. I can write one about the sea, the moon or a cat."
NO_STORY = "I do not have a story about that. I can tell one about a dog, a dragon or a king."
NO_JOKE = "I do not have a joke about that. But I can tell one about a computer."
POEM = [
    "write a poem about {}",
    "write me a poem about {}",
    "a poem about {}",
    "write a short poem about {}",
    "can you write a poem about {}",
    "make a poem about {}",
    "poem about {}",
    "i want a poem about {}",
    "write a haiku about {}",
    "compose a poem about {}",
    "write a few lines about {}",
    "give me a rhyme about {}",
    "write some verses about {}",
]
STORY = [
    "tell me a story about {}",
    "write a story about {}",
    "a story about {}",
    "tell a short story about {}",
    "write a short story about {}",
    "can you tell me a story about {}",
    "i want a story about {}",
    "tell me a tale about {}",
    "make up a story about {}",
    "got a story about {}",
]
JOKE = ["tell me a joke about {}", "a joke about {}", "do you know a joke about {}", "make a joke about {}", "say something funny about {}"]
PROPER = {"lang", "code", "place", "company"}
SLOTS: dict[str, list[str]] = {
    "lang": "french german spanish italian chinese japanese russian portuguese dutch polish arabic turkish korean hindi latin greek swedish "
    "danish czech hungarian finnish hebrew thai norwegian ukrainian romanian vietnamese welsh irish".split(),
    "code": "python javascript java rust c c++ go ruby php typescript bash sql html css kotlin swift scala perl haskell lua r c# solidity move".split(),
    "task": (
        "reads a file|sorts a list|adds two numbers|prints hello ten times|counts words|finds the largest number|sends an email|checks a password|"
        "removes duplicates|downloads a page|draws a circle|plays a sound|renames files|merges two lists|finds prime numbers|parses json|"
        "connects to a database|shows the time|checks if a number is even|turns text into upper case|calculates the average|counts the users|"
        "deletes old rows|joins two tables|computes fibonacci numbers|validates an email address|opens a window|makes a backup|guesses a number|"
        "encrypts a text|shuffles cards|returns the longest word"
    ).split("|"),
    "do": (
        "read a file|sort a list|open a socket|make a class|use a map|parse json|write a test|catch an error|split a string|join two lists|"
        "start a thread|format a date|call an api|connect to a database|make a window|reverse a list|loop over a list|import a module|"
        "declare an array|compare two strings|round a number|print to the screen|define an interface|filter rows"
    ).split("|"),
    "topic": (
        "climate change|the french revolution|artificial intelligence|world war two|space travel|healthy food|social media|my holiday|democracy|"
        "the roman empire|electric cars|global trade|the internet|education|animal rights|football|renewable energy|modern art|my family|"
        "the history of music|poverty|immigration|the economy|a day off|a new project|remote work|a meeting|the environment|a job offer|"
        "school uniforms|women in science|time management|a complaint|a refund|the industrial revolution|philosophy|smartphones|robots|"
        "public transport|marketing|love|friendship|water|the future|my hobby|a late delivery|my birthday|the news|plastic waste|sleep"
    ).split("|"),
    "doc": (
        "letter|report|cv|resume|application|speech|thesis|essay|blog post|email|press release|poem of ten pages|contract|article|"
        "business letter|letter of complaint|job application|motivation letter|product text|newsletter|invitation letter|diary|review|"
        "homework|school paper|wedding speech|farewell letter|reference letter|script"
    ).split("|"),
    "person": "boss teacher friend mother father brother sister neighbour landlord colleague customer wife husband doctor team son daughter manager bank aunt grandmother".split(),
    "job": "teacher nurse pirate doctor cook lawyer driver gardener waiter farmer king robot detective wizard pilot salesman engineer manager poet knight coach baker judge".split(),
    "place": (
        "paris|rome|london|new york|tokyo|berlin|spain|italy|japan|the alps|my town|lisbon|vienna|india|egypt|greece|prague|barcelona|"
        "canada|iceland|china|the sea|amsterdam|sydney|mexico|norway"
    ).split("|"),
    "body": "head back knee stomach arm leg foot eye ear tooth throat neck shoulder chest skin hand heart hip elbow nose finger".split(),
    "illness": (
        "the flu|a cold|cancer|diabetes|asthma|a fever|high blood pressure|an infection|a cough|depression|migraine|covid|an allergy|pneumonia|"
        "a sore throat|measles|malaria|arthritis|a broken bone|an ulcer|insomnia|anaemia"
    ).split("|"),
    "drug": "aspirin antibiotics insulin penicillin vitamins cortisone melatonin codeine sleeping pills morphine antidepressants statins".split(),
    "act": (
        "drive without a licence|copy a film|fly a drone|keep a wild animal|park here|smoke in a train|download music|ride a bike drunk|"
        "work without a contract|build a shed in my garden|sell my old car without papers|cross at a red light|open a letter of my neighbour|"
        "fish in the river|carry a knife|film people in the street|burn leaves in the garden"
    ).split("|"),
    "crime": "theft|fraud|murder|speeding|tax evasion|robbery|drunk driving|burglary|arson|shoplifting|forgery".split("|"),
    "asset": "bitcoin gold silver oil ether sui shares stocks bonds dogecoin solana real estate".replace("real estate", "property").split(),
    "company": "apple google amazon tesla microsoft nvidia intel samsung toyota netflix meta ibm".split(),
    "snippet": (
        "print('hello'|x = 5; y = x + ;|def f(x): return x * 2|for (int i = 0; i < 10; i++) { sum += i; }|let v = vec![1, 2, 3];|"
        "if x = 3: print(x)|function add(a, b) { return a + b }|select * from users where id = 1|while true do end|console.log(foo.bar)|"
        "int main() { return 0; }|fn main() { let x = 1; }|import os|const a = [1, 2, 3].map(x => x * 2)|<div><p>hello</div>|"
        "class Dog: pass|try: open(f) except: pass|a[i] = b[i] + 1|return [x for x in list if x > 0]|echo $HOME|git push --force|"
        "def add(a b): return a+b|lambda x: x + 1|public static void main(String[] args)|#include <stdio.h>|df.groupby('a').sum()"
    ).split("|"),
}


def fill(frame: str, noun: Callable[[], str], texts: list[str], names: list[str], foreign: list[str], rng: random.Random) -> str:
    """One frame of data/declined.txt with its slots filled at random."""

    def slot(match: re.Match) -> str:
        name = match[1]
        if name.rstrip("2") in SLOTS:
            chosen = rng.choice(SLOTS[name.rstrip("2")])
            if name.rstrip("2") in PROPER and rng.random() < 0.6:
                return chosen.upper() if chosen in ("sql", "html", "css", "php") else chosen.title()
            return chosen
        if name in ("noun", "noun2"):
            return noun()
        if name in ("n", "n2"):
            return str(rng.choice([rng.randint(21, 99), rng.randint(21, 999), rng.randint(100, 9999)]))
        if name in ("a", "b"):
            return str(rng.randint(2, 30))
        if name == "big":
            return str(rng.choice([50, 100, 200, 500, 1000, 10000, 1000000]))
        if name == "year":
            return str(rng.randint(1940, 2020))
        if name == "letter":
            return rng.choice("abcdefghijklmnoprstuvw")
        if name == "name":
            return rng.choice(names)
        if name == "foreign":
            return rng.choice(foreign)
        if name == "text":
            return rng.choice(texts)
        if name == "long":
            return " ".join(rng.sample(texts, rng.randint(2, 4)))
        if name in ("words", "manywords"):
            return rng.choice([", ", " "]).join(noun() for _ in range(rng.randint(3, 6) if name == "words" else rng.randint(9, 15)))
        raise KeyError(name)

    if rng.random() < 0.2:  # a text is often pasted below the request
        frame = frame.replace(": {", rng.choice([":\n{", ":\n\n{", " {", " - {"]))
    if rng.random() < 0.3:
        frame = frame.replace("{snippet}", "```\n{snippet}\n```")
    return re.sub(r"\{(\w+)\}", slot, frame)


class Declines:
    def __init__(self, things: list[Thing], creative: list[tuple[list[str], str]], nouns: list[str], names: list[str], rng: random.Random):
        self.rng, self.names = rng, names
        self.frames = {
            kind: [row[0] if len(row) == 1 else "|".join(row) for row in rows] for kind, rows in sections("declined.txt").items()
        }
        languages = sections("languages.txt")
        self.greetings = [row[0] for row in languages["greetings"]]
        self.sentences = [sentence for row in languages["sentences"] for sentence in row if sentence]
        self.foreign_words = [row[0].split() for row in languages["words"]]
        self.common = [thing.bare for thing in things]
        self.nouns = nouns or self.common
        answers = [sentence for _, answer in creative for sentence in re.split(r"(?<=[.!?])\s", answer.replace("\n", " "))]
        self.texts = (
            [t.full.split(". ")[0].rstrip(".") + "." for t in things] + [t.extra for t in things] + [s for s in answers if len(s) > 15]
        )
        written = " ".join(q for questions, _ in creative for q in questions)
        self.have = set(re.findall(r"[a-z]+", written))

    def noun(self) -> str:
        return self.rng.choice(self.common if self.rng.random() < 0.5 else self.nouns)

    def text(self) -> str:
        """A short text: a sentence of the tables, or one made of common words."""
        return self.rng.choice(self.texts)

    def foreign_text(self) -> str:
        rng = self.rng
        if rng.random() < 0.55:
            return rng.choice(self.sentences)
        words = rng.choice(self.foreign_words)
        return " ".join(rng.choices(words, k=rng.randint(2, 8)))

    def reasoned(self) -> Turns:
        rng = self.rng
        if rng.random() < 0.1:
            return self.not_in_store()
        return self.of_kind(rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0])

    def of_kind(self, kind: str) -> Turns:
        rng = self.rng
        frame = rng.choice(self.frames[kind])
        return [(fill(frame, self.noun, self.texts, self.names, [self.foreign_text()], rng), ANSWERS[kind])]

    def not_in_store(self) -> Turns:
        """Poems, stories and jokes about what no table has one for."""
        rng = self.rng
        noun = self.noun()
        while set(noun.lower().split()) & self.have:
            noun = self.noun()
        subject = rng.choice([noun, f"a {noun}", f"my {noun}", f"the {noun}", f"a {noun} and a {self.noun()}"])
        frames, answer = rng.choices([(POEM, NO_POEM), (STORY, NO_STORY), (JOKE, NO_JOKE)], [5, 5, 2])[0]
        return [(rng.choice(frames).format(subject), answer)]

    def foreign(self) -> Turns:
        rng = self.rng
        if rng.random() < 0.3:
            turns = [(rng.choice(self.greetings) + rng.choice(["", "", "!"]), FOREIGN_HELLO)]
            return turns if rng.random() < 0.8 else [*turns, (self.foreign_text(), FOREIGN)]
        return [(self.foreign_text(), FOREIGN)]
