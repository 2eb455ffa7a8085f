"""Ways to ask: question templates, and the noise of real typing (case, punctuation, slips)."""

import random
import re

from tables import Thing, aliases, without_article

# {x} is the subject with its article, {b} without, {p} its plural.
ABOUT = [
    "what is {x}",
    "what is {x}",
    "what is {x}",
    "what's {x}",
    "tell me about {x}",
    "explain {x}",
    "explain what {x} is",
    "describe {x}",
    "can you tell me what {x} is",
    "can you explain {x}",
    "can you explain what {x} is",
    "do you know what {x} is",
    "please explain {x}",
    "please tell me about {x}",
    "what do you know about {x}",
    "i want to know what {x} is",
    "i want to know about {x}",
    "what exactly is {x}",
    "could you tell me about {x}",
    "could you explain {x} to me",
    "explain {x} to me",
    "tell me what {x} is",
    "what is {x} in simple words",
    "explain {x} in simple words",
    "give me some information about {x}",
    "what does {b} mean",
    "what is {b}",
    "{b}",
    "tell me something about {x}",
    "so what is {x}",
    "i don't know what {x} is",
    "what is meant by {b}",
    "tell me more about {x}",
    "teach me about {x}",
    "help me understand {x}",
    "describe {x} to me",
    "what is this thing called {b}",
    "explain to a child what {x} is",
    "what can you tell me about {x}",
    "explain {x} like i'm five",
    "explain {x} to me like i am five",
    "what is {x} used for",
    "what is {x} exactly",
    "can you describe {x} for me",
    "i'd like to know what {x} is",
    "i'd love to know what {x} is",
    "do you happen to know what {x} is",
    "could you tell me what {x} is",
    "what is {x} good for",
    "how would you explain {x}",
    "how would you describe {x}",
    "what's {b}",
    "what do people mean by {b}",
    "have you heard of {x}",
    "give me a quick explanation of {x}",
    "any idea what {x} is",
    "what kind of thing is {x}",
    "hey what is {x}",
    "hm, what is {x} again",
]
ABOUT_MANY = [
    "what are {p}",
    "tell me about {p}",
    "explain {p}",
    "describe {p}",
    "what do you know about {p}",
    "{p}",
    "can you tell me about {p}",
    "please tell me about {p}",
    "i want to know about {p}",
    "can you explain {p}",
]
BRIEF = [
    "define {b}",
    "define {x}",
    "what is {x} in one sentence",
    "give me a short definition of {b}",
    "definition of {b}",
    "explain {x} in one sentence",
    "what is the definition of {b}",
    "in short, what is {x}",
    "describe {x} in one sentence",
    "give a definition of {b}",
    "define the word {b}",
]
MORE = [
    "tell me more",
    "more",
    "go on",
    "and what else",
    "tell me more about it",
    "what else can you tell me",
    "anything else",
    "can you tell me more",
    "please tell me more",
    "continue",
    "what more do you know",
    "give me more details",
]
IRREGULAR = {
    "mouse": "mice",
    "goose": "geese",
    "sheep": "sheep",
    "fish": "fish",
    "salmon": "salmon",
    "wolf": "wolves",
    "leaf": "leaves",
    "knife": "knives",
    "shelf": "shelves",
    "scarf": "scarves",
    "tooth": "teeth",
    "foot": "feet",
    "octopus": "octopuses",
    "cactus": "cacti",
    "person": "people",
    "deer": "deer",
    "hippo": "hippos",
    "piano": "pianos",
    "kiwi": "kiwis",
    "photo": "photos",
    "video": "videos",
    "zoo": "zoos",
    "radio": "radios",
    "kangaroo": "kangaroos",
    "cello": "cellos",
    "loaf": "loaves",
    "thief": "thieves",
    "kilo": "kilos",
    "logo": "logos",
    "studio": "studios",
    "wife": "wives",
    "child": "children",
    "man": "men",
    "woman": "women",
}
QUESTION = re.compile(
    r"^(so |and |hey |hi |hello |please )*(what|who|whose|why|how|when|where|which|is|are|am|do|does|did|can|could|may|will|would|should|"
    r"was|were|have|has|at what|in which|on which|whats|what's|who's|in short)\b"
)
AMERICAN = [("colour", "color"), ("favourite", "favorite"), ("metre", "meter"), ("grey", "gray"), ("theatre", "theater")]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def plural(noun: str) -> str:
    head, _, last = noun.rpartition(" ")
    if last in IRREGULAR:
        last = IRREGULAR[last]
    elif re.search(r"[^aeiou]y$", last):
        last = last[:-1] + "ies"
    elif re.search(r"(s|x|z|ch|sh|[^aeiou]o)$", last):
        last += "es"
    else:
        last += "s"
    return f"{head} {last}".strip()


ALIASES = aliases()


def ask_about(thing: Thing, rng: random.Random) -> str:
    if thing.subject in ALIASES and rng.random() < 0.3:
        name = rng.choice(ALIASES[thing.subject])
        return rng.choice(ABOUT).format(x=name, b=without_article(name))
    many = thing.counted and rng.random() < 0.18
    template = rng.choice(ABOUT_MANY if many else ABOUT)
    return template.format(x=thing.subject, b=thing.bare, p=plural(thing.bare))


def ask_brief(thing: Thing, rng: random.Random) -> str:
    return rng.choice(BRIEF).format(x=thing.subject, b=thing.bare)


# Rewordings that hold whatever the rest of the question is: (pattern, replacements).
REWORD = [
    (
        re.compile(r"^how (?:do i|to|do you|can i) (?:make|cook|bake) (.+)$"),
        [
            "give me a recipe for {}",
            "recipe for {}",
            "how do i make {}",
            "how do i prepare {}",
            "how is {} made",
            "i want to make {}",
            "can you give me a recipe for {}",
        ],
    ),
    (
        re.compile(r"^how (?:do i|to|do you|can i|can you) (?!do$)(?!have)(.+)$"),
        [
            "how do i {}",
            "how do you {}",
            "how can i {}",
            "how to {}",
            "how do i {}",
            "can you tell me how to {}",
            "please tell me how to {}",
            "explain how to {}",
            "what is the best way to {}",
            "show me how to {}",
            "i want to {}",
            "do you know how to {}",
            "teach me to {}",
            "how should i {}",
        ],
    ),
    (
        re.compile(r"^why do (\w+) (.+)$"),
        ["why do {} {}", "can you tell me why {} {}", "explain why {} {}", "do you know why {} {}", "tell me why {} {}", "how come {} {}"],
    ),
    (
        re.compile(r"^what is (the .+)$"),
        ["what is {}", "what's {}", "tell me {}", "do you know {}", "can you tell me {}", "what is {}", "please tell me {}"],
    ),
    (
        re.compile(r"^(how many .+|which .+|who .+|how does .+ work|how far .+|how old .+|where do .+)$"),
        ["{}", "{}", "do you know {}", "please tell me, {}", "tell me, {}", "can you tell me {}"],
    ),
    (
        re.compile(r"^(?:write|tell me|give me|make) (a .+|an .+)$"),
        [
            "write {}",
            "tell me {}",
            "can you write {}",
            "give me {}",
            "please write {}",
            "i want {}",
            "i would like {}",
            "can you tell me {}",
            "could you write {}",
            "make {}",
            "please give me {}",
        ],
    ),
]


def reworded(question: str, rng: random.Random) -> str:
    """The same question in other words, where a rule can do it safely."""
    fitting = [(match, ways) for pattern, ways in REWORD if (match := pattern.match(question))]
    if not fitting:
        return question
    match, ways = rng.choice(fitting)
    return rng.choice(ways).format(*match.groups())


FRAMES = [
    "{}, please",
    "please tell me, {}",
    "a question: {}",
    "quick question: {}",
    "can you answer this: {}",
    "i was wondering, {}",
    "my question is: {}",
    "tell me, {}",
    "i would like to know, {}",
    "hello, {}",
    "hi! {}",
    "hey, {}",
    "{}, do you know",
    "one question: {}",
    "so {}",
    "well, {}",
    "ok, {}",
    "and {}",
    "excuse me, {}",
    "could you tell me, {}",
    "do you happen to know, {}",
    "i need to know, {}",
    "hello! {}",
    "hey there, {}",
    "good morning, {}",
    "a small question, {}",
    "can you help me: {}",
    "sorry, {}",
    "my friend asks: {}",
    "just wondering, {}",
]
SYNONYMS = [
    ("largest", "biggest"),
    ("biggest", "largest"),
    ("big", "large"),
    ("how do i", "how can i"),
    ("how do i", "how do you"),
    ("how do i", "how should i"),
    ("make", "prepare"),
    ("tell me", "give me"),
    ("what is", "what's"),
    ("who is", "who's"),
    ("can you", "could you"),
    ("can i", "could i"),
    ("cannot", "can't"),
    ("do not", "don't"),
    ("i am", "i'm"),
    ("i feel", "i am feeling"),
    ("i am", "i feel"),
    ("kids", "children"),
    ("picture", "image"),
    ("film", "movie"),
    ("autumn", "fall"),
    ("plane", "airplane"),
    ("football", "soccer"),
    ("phone", "telephone"),
    ("write", "make"),
    ("write", "compose"),
    ("name the", "list the"),
    ("how many", "what number of"),
    ("which", "what"),
    ("what", "which"),
    ("begin", "start"),
    ("is there", "do we have"),
    ("people", "humans"),
    ("what causes", "what makes"),
    ("explain", "describe"),
    ("my", "our"),
    ("you", "u"),
    ("please", "pls"),
    ("are you", "r u"),
]
INSERTED = [
    ("why is ", "so "),
    ("is ", "really "),
    ("is ", "actually "),
    ("do you ", "actually "),
    ("i am ", "very "),
    ("i am ", "so "),
    ("i am ", "a bit "),
    ("i feel ", "a bit "),
    ("i feel ", "really "),
    ("are you ", "really "),
    ("what is ", "actually "),
    ("how does ", "exactly "),
    ("can you ", "also "),
    ("tell me ", "quickly "),
]
SMALL_WORDS = {"the", "a", "an", "is", "of", "do", "does", "to", "i", "you", "me"}
TAILS = [
    " today",
    " now",
    " please",
    " for me",
    " my friend",
    " then",
    " exactly",
    " in simple words",
    " for a child",
    " again",
    " to me",
    " quickly",
    " in short",
]


def loosened(question: str, rng: random.Random) -> str:
    """The same question said less exactly, as people do: a synonym, a filler, a small word left out, a frame around it."""
    text, roll = question, rng.random()
    if roll < 0.25:
        fitting = [(old, new) for old, new in SYNONYMS if re.search(rf"\b{old}\b", text)]
        if fitting:
            old, new = rng.choice(fitting)
            text = re.sub(rf"\b{old}\b", new, text, count=1)
    elif roll < 0.40:
        fitting = [(old, new) for old, new in INSERTED if old in text]
        if fitting:
            old, new = rng.choice(fitting)
            text = text.replace(old, old + new, 1)
    elif roll < 0.55:
        words = text.split()
        small = [i for i, word in enumerate(words) if word in SMALL_WORDS]
        if small and len(words) > 3:
            del words[rng.choice(small)]
            text = " ".join(words)
    elif roll < 0.80:
        text = rng.choice(FRAMES).format(text)
    else:
        text += rng.choice(TAILS)
    return text


def slip(text: str, rng: random.Random) -> str:
    """One typing slip: a letter lost, doubled, swapped or replaced."""
    at = [i for i, c in enumerate(text[:-1]) if c.isalpha() and i > 0]
    if len(at) < 6:
        return text
    i = rng.choice(at)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:i] + text[i + 1 :]
    if kind == 1:
        return text[:i] + text[i] + text[i:]
    if kind == 2:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text[:i] + rng.choice(LETTERS) + text[i + 1 :]


def typed(question: str, rng: random.Random) -> str:
    """The question as a person would type it: mostly well written, sometimes lower case, without the mark, or with a slip."""
    text = question
    if rng.random() < 0.3:
        for british, american in AMERICAN:
            text = text.replace(british, american)
    if rng.random() < 0.12:
        text = text.replace("what is", rng.choice(["what's", "whats"]), 1)
    if rng.random() < 0.05:
        text = rng.choice(["please ", "hey ", "hi, ", "hello, ", "so ", "and ", "ok, ", "now "]) + text
    mark = "?" if QUESTION.match(text) else rng.choice([".", ".", "", "!"])
    if text[-1] in ".?!=":
        mark = ""
    style = rng.random()
    if style < 0.58:
        text = re.sub(r"\bi\b", "I", text[:1].upper() + text[1:]) + mark
    elif style < 0.70:
        text = re.sub(r"\bi\b", "I", text[:1].upper() + text[1:])
    elif style < 0.80:
        text += mark
    elif style < 0.98:
        text = text.lower() if rng.random() < 0.6 else text
    else:
        text = text.upper()
    if rng.random() < 0.06:
        text = slip(text, rng)
        if rng.random() < 0.3:
            text = slip(text, rng)
    if rng.random() < 0.03:
        text += rng.choice([" please", ", please", " Thanks!", " thanks", "??", " :)"])
    return text
