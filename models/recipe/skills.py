"""Small skills that a rule can write out in full: sums, counting, capitals, word forms, lists, copying what the user said."""

import random

from phrases import MORE, ask_brief, plural
from tables import Thing, capital

Turns = list[tuple[str, str]]
DIGITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()
TOO_HARD = "I can only do small sums. Please use a calculator for that."
# From small to large: any two of them can be compared.
SIZES = [
    "an ant",
    "a bee",
    "a mouse",
    "a rabbit",
    "a cat",
    "a wolf",
    "a lion",
    "a horse",
    "an elephant",
    "a house",
    "a mountain",
    "the moon",
    "the Earth",
    "the sun",
]
SPEEDS = ["a snail", "a turtle", "a person", "a bicycle", "a car", "a train", "a plane", "a rocket"]
# Categories that never overlap, for yes/no questions.
GROUPS = {
    "an animal": "life",
    "a bird": "life",
    "an insect": "life",
    "a plant": "green",
    "a fruit": "green",
    "a vegetable": "green",
    "a food": "green",
    "a drink": "liquid",
    "a musical instrument": "music",
    "a piece of furniture": "home",
    "a vehicle": "travel",
    "a job": "work",
}
LISTS = {
    "an animal": "animal",
    "a bird": "bird",
    "an insect": "insect",
    "a fruit": "fruit",
    "a vegetable": "vegetable",
    "a food": "food",
    "a drink": "drink",
    "a musical instrument": "musical instrument",
    "a piece of furniture": "piece of furniture",
    "a tool": "tool",
    "a vehicle": "vehicle",
    "a job": "job",
}


def any_skill(things: list[Thing], rng: random.Random) -> Turns:
    skills = [
        (5, add),
        (4, subtract),
        (4, multiply),
        (2, divide),
        (1.5, too_hard),
        (3, count),
        (2, next_number),
        (1, bigger),
        (1, parity),
        (2, days_and_months),
        (2, compare),
        (1.5, repeat),
        (2.5, told_sum),
    ]
    if rng.random() < 0.15:
        return rng.choice([list_some, is_it])(things, rng)
    return rng.choices([s for _, s in skills], [w for w, _ in skills])[0](rng)


def number(n: int, rng: random.Random, words: bool) -> str:
    return DIGITS[n] if words and n < len(DIGITS) else str(n)


def sum_question(left: int, right: int, signs: list[str], names: list[str], rng: random.Random) -> str:
    if rng.random() < 0.35:
        sign = rng.choice(signs)
        gap = rng.choice(["", " ", " "])
        expression = f"{left}{gap}{sign}{gap}{right}"
        return rng.choice(["{}", "what is {}", "{} =", "{}=", "calculate {}", "how much is {}", "what is {}", "solve {}"]).format(
            expression
        )
    words = rng.random() < 0.3
    expression = f"{number(left, rng, words)} {rng.choice(names)} {number(right, rng, words)}"
    return rng.choice(["what is {}", "how much is {}", "{}", "calculate {}", "can you tell me what {} is", "what is {}"]).format(expression)


def add(rng: random.Random) -> Turns:
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    if rng.random() < 0.2:
        a = rng.randint(11, 20)
        b = rng.randint(0, 20 - a)
        if rng.random() < 0.3:
            a, b = b, a
    turns = [(sum_question(a, b, ["+"], ["plus", "plus", "and", "+"], rng), f"{a} + {b} = {a + b}.")]
    c = rng.randint(1, 9)
    if rng.random() < 0.08 and a + b + c <= 20:
        turns.append((rng.choice([f"and plus {c}", f"add {c} to that", f"plus {c}", f"now add {c}"]), f"{a + b} + {c} = {a + b + c}."))
    return turns


def subtract(rng: random.Random) -> Turns:
    a = rng.randint(0, rng.choice([10, 10, 20]))
    b = rng.randint(0, a)
    return [(sum_question(a, b, ["-"], ["minus", "minus", "less", "-"], rng), f"{a} - {b} = {a - b}.")]


HAD = (
    "apples balls books cats coins eggs cakes pens toys cookies sweets oranges pencils dogs flowers cups stones nuts shells chairs".split()
)
HOLDERS = "Tom Anna Ben Lucy Max Sara Paul Mary Sam Nina".split()


def told_sum(rng: random.Random) -> Turns:
    """A sum told as a little story."""
    a, b = rng.randint(1, 10), rng.randint(1, 10)
    what, who = rng.choice(HAD), rng.choice(["i", "i", "you", *HOLDERS])
    plain = who in ("i", "you")
    have, do = ("have", "do") if plain else ("has", "does")
    end = "" if plain else "s"
    if rng.random() < 0.55:
        gets = rng.choice(["get", "buy", "find"]) + end
        story = rng.choice(
            [
                f"{who} {have} {a} {what} and {gets} {b} more",
                f"{who} {have} {a} {what}. then {who} {gets} {b} more",
                f"if {who} {have} {a} {what} and {gets} {b} more",
            ]
        )
        answer = f"{a} + {b} = {a + b}."
    else:
        a, b = max(a, b), min(a, b)
        loses = rng.choice(["eat", "lose", "sell"]) + end
        gives = rng.choice([f"{loses} {b}", f"{loses} {b} of them", f"give{end} away {b}"])
        story = rng.choice(
            [
                f"{who} {have} {a} {what} and {gives}",
                f"{who} {have} {a} {what}. then {who} {gives}",
                f"if {who} {have} {a} {what} and {gives}",
            ]
        )
        answer = f"{a} - {b} = {a - b}."
    join = ", " if story.startswith("if ") else ". "
    ask = rng.choice(
        [
            f"how many {what} {do} {who} have",
            f"how many {do} {who} have now",
            f"how many {what} are there now",
            f"how many {what} {do} {who} have left" if "-" in answer else f"how many {what} {do} {who} have now",
        ]
    )
    return [(story + join + ask, answer)]


def multiply(rng: random.Random) -> Turns:
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    return [(sum_question(a, b, ["*", "x", "*"], ["times", "times", "multiplied by"], rng), f"{a} * {b} = {a * b}.")]


def divide(rng: random.Random) -> Turns:
    b, q = rng.randint(1, 10), rng.randint(0, 10)
    if rng.random() < 0.2:
        n = rng.randint(1, 20)
        if rng.random() < 0.5:
            return [
                (rng.choice([f"what is half of {2 * n}", f"half of {2 * n}", f"what is the half of {2 * n}"]), f"Half of {2 * n} is {n}.")
            ]
        return [(rng.choice([f"what is the double of {n}", f"double {n}", f"what is twice {n}"]), f"Twice {n} is {2 * n}.")]
    return [(sum_question(b * q, b, ["/", ":"], ["divided by", "divided by", "over"], rng), f"{b * q} / {b} = {q}.")]


def too_hard(rng: random.Random) -> Turns:
    most = rng.choice([99, 999, 9999])
    a, b = rng.randint(16, most), rng.randint(13, most)
    return [(sum_question(a, b, ["+", "-", "*", "/"], ["plus", "minus", "times", "divided by"], rng), TOO_HARD)]


def count(rng: random.Random) -> Turns:
    if rng.random() < 0.2:
        n = rng.choice([3, 5, 10, 20])
        if rng.random() < 0.5:
            return [
                (rng.choice([f"count backwards from {n}", f"count down from {n}", f"count backwards from {n} to 1"]), _row(range(n, 0, -1)))
            ]
        return [(f"count down from {n} to 0", _row(range(n, -1, -1)))]
    if rng.random() < 0.45:
        n = rng.choice([3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 12, 15, 20])
        word = number(n, rng, rng.random() < 0.4)
        return [
            (
                rng.choice(
                    [
                        "count to {}",
                        "count up to {}",
                        "count from 1 to {}",
                        "can you count to {}",
                        "please count to {}",
                        "count from one to {}",
                    ]
                ).format(word),
                _row(range(1, n + 1)),
            )
        ]
    low = rng.randint(1, 15)
    high = low + rng.randint(2, 10)
    return [
        (
            rng.choice([f"count from {low} to {high}", f"list the numbers from {low} to {high}", f"say the numbers from {low} to {high}"]),
            _row(range(low, high + 1)),
        )
    ]


def _row(numbers: range) -> str:
    return ", ".join(map(str, numbers)) + "."


def next_number(rng: random.Random) -> Turns:
    n = rng.randint(1, 30)
    if rng.random() < 0.6:
        return [
            (
                rng.choice([f"what comes after {n}", f"which number comes after {n}", f"what number follows {n}"]),
                f"{n + 1} comes after {n}.",
            )
        ]
    return [(rng.choice([f"what comes before {n}", f"which number comes before {n}"]), f"{n - 1} comes before {n}.")]


def bigger(rng: random.Random) -> Turns:
    a, b = rng.sample(range(0, 31), 2)
    if rng.random() < 0.5:
        return [
            (
                rng.choice([f"which is bigger, {a} or {b}", f"which number is larger, {a} or {b}", f"what is more, {a} or {b}"]),
                f"{max(a, b)} is bigger than {min(a, b)}.",
            )
        ]
    return [
        (
            rng.choice([f"is {a} bigger than {b}", f"is {a} more than {b}"]),
            f"Yes, {a} is bigger than {b}." if a > b else f"No, {a} is smaller than {b}.",
        )
    ]


def parity(rng: random.Random) -> Turns:
    n = rng.randint(0, 30)
    kind = "even" if n % 2 == 0 else "odd"
    asked = rng.choice(["even", "odd"])
    question = rng.choice([f"is {n} {asked}", f"is {n} an {asked} number", f"is {n} even or odd"])
    if "or" in question.split():
        return [(question, f"{n} is {kind}.")]
    return [(question, f"{'Yes' if asked == kind else 'No'}, {n} is {kind}.")]


DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()


def days_and_months(rng: random.Random) -> Turns:
    names, what = rng.choice([(DAYS, "day"), (MONTHS, "month")])
    i = rng.randrange(len(names))
    name = names[i].lower() if rng.random() < 0.1 else names[i]
    after, before = names[(i + 1) % len(names)], names[i - 1]
    kind = rng.random()
    if kind < 0.4:
        return [
            (
                rng.choice([f"which {what} comes after {name}", f"what comes after {name}", f"what {what} is after {name}"]),
                f"{after} comes after {names[i]}.",
            )
        ]
    if kind < 0.7:
        return [
            (
                rng.choice([f"which {what} comes before {name}", f"what comes before {name}", f"what {what} is before {name}"]),
                f"{before} comes before {names[i]}.",
            )
        ]
    order = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()[i]
    unit = "week" if what == "day" else "year"
    return [(f"what is the {order} {what} of the {unit}", f"The {order} {what} of the {unit} is {names[i]}.")]


def compare(rng: random.Random) -> Turns:
    scale, more, less = rng.choice([(SIZES, "bigger", "smaller"), (SPEEDS, "faster", "slower")])
    i, j = rng.sample(range(len(scale)), 2)
    a, b = scale[i], scale[j]
    high, low = (a, b) if i > j else (b, a)
    if rng.random() < 0.6:
        if rng.random() < 0.75:
            return [(rng.choice([f"which is {more}, {a} or {b}", f"what is {more}, {a} or {b}"]), f"{capital(high)} is {more} than {low}.")]
        return [(rng.choice([f"which is {less}, {a} or {b}", f"what is {less}, {a} or {b}"]), f"{capital(low)} is {less} than {high}.")]
    return [(f"is {a} {more} than {b}", f"Yes, {a} is {more} than {b}." if i > j else f"No, {a} is {less} than {b}.")]


COPY = "apple river yellow seven castle window friend hello morning cat ocean happy bread blue moon garden music Atoma stack node winter tiger paper summer lemon".split()


def repeat(rng: random.Random) -> Turns:
    text = " ".join(rng.sample(COPY, rng.randint(1, 3)))
    return [
        (rng.choice(["repeat after me: {}", "say: {}", "repeat: {}", "repeat the words {}", "please say {}"]).format(text), capital(text))
    ]


def list_some(things: list[Thing], rng: random.Random) -> Turns:
    category, noun = rng.choice(list(LISTS.items()))
    members = [t.bare for t in things if t.category == category and t.bare != noun and t.bare not in noun]
    n = rng.choice([1, 2, 3, 3, 3, 4, 5])
    chosen = members[:n]
    if n == 1:
        return [(rng.choice([f"name {category}", f"tell me {category}", f"give me the name of {category}"]), capital(chosen[0]) + ".")]
    many = plural(noun) if " of " not in noun else "pieces of furniture"
    count_word = rng.choice([DIGITS[n], str(n), "some"]) if n == 3 else rng.choice([DIGITS[n], str(n)])
    question = rng.choice(["name {} {}", "list {} {}", "tell me {} {}", "give me {} {}", "can you name {} {}"]).format(count_word, many)
    return [(question, capital(", ".join(chosen[:-1]) + " and " + chosen[-1] + "."))]


def is_it(things: list[Thing], rng: random.Random) -> Turns:
    thing = rng.choice([t for t in things if t.category in GROUPS and t.subject != t.category and " not " not in t.extra])
    if rng.random() < 0.5:
        return [(f"is {thing.subject} {thing.category}", f"Yes, {thing.subject} is {thing.category}.")]
    other = rng.choice([c for c, group in GROUPS.items() if group != GROUPS[thing.category]])
    return [(f"is {thing.subject} {other}", f"No, {thing.subject} is {thing.category}.")]


def country(row: tuple[str, str, str], rows: list[tuple[str, str, str]], rng: random.Random) -> Turns:
    name, town, continent = row
    is_city_state = name == town
    roll = rng.random()
    ask = [
        "what is the capital of {c}",
        "what is the capital of {c}",
        "what's the capital of {c}",
        "capital of {c}",
        "tell me the capital of {c}",
        "name the capital of {c}",
        "which city is the capital of {c}",
        "what is the capital city of {c}",
        "do you know the capital of {c}",
        "{c} capital",
        "what is {c}'s capital",
        "can you tell me the capital of {c}",
    ]
    if roll < 0.55 or is_city_state:
        turns = [(rng.choice(ask).format(c=name), f"The capital of {name} is {town}.")]
        while rng.random() < 0.2 and len(turns) < 3:
            other, its, _ = rng.choice(rows)
            turns.append(
                (
                    rng.choice(["and of {c}", "and the capital of {c}", "what about {c}", "and {c}", "and for {c}"]).format(c=other),
                    f"The capital of {other} is {its}.",
                )
            )
        return turns
    if roll < 0.68:
        return [
            (
                rng.choice(
                    ["which country has the capital {t}", "{t} is the capital of which country", "of which country is {t} the capital"]
                ).format(t=town),
                f"{town} is the capital of {name}.",
            )
        ]
    if roll < 0.80:
        return [
            (
                rng.choice(
                    ["what is {t}", "where is {t}", "tell me about {t}", "{t}", "what do you know about {t}", "where is the city of {t}"]
                ).format(t=town),
                f"{town} is a city in {continent}. It is the capital of {name}.",
            )
        ]
    if roll < 0.86:
        other = rng.choice(rows)[0]
        asked = rng.choice([name, name, other])
        return [
            (
                rng.choice(["is {t} in {c}", "is {t} the capital of {c}", "is {t} a city in {c}", "does {t} lie in {c}"]).format(
                    t=town, c=asked
                ),
                f"{'Yes' if asked == name else 'No'}, {town} is the capital of {name}.",
            )
        ]
    verb = "are" if name in ("the Netherlands", "the Philippines", "the United Arab Emirates", "the United States", "the Bahamas") else "is"
    if roll < 0.90:
        return [
            (
                rng.choice([f"on which continent {verb} {name}", f"which continent {verb} {name} on", f"in which continent {verb} {name}"]),
                f"{capital(name)} {verb} in {continent}.",
            )
        ]
    verb = "is"
    return [
        (
            rng.choice(["where {v} {c}", "what {v} {c}", "tell me about {c}", "{c}", "what do you know about {c}"]).format(v=verb, c=name),
            f"{capital(name)} {verb} a country in {continent}. Its capital is {town}.",
        )
    ]


def word(kind: str, row: list[str], rng: random.Random) -> Turns:
    w = row[0]
    use = rng.choice(
        [
            f"use the word {w} in a sentence",
            f"make a sentence with {w}",
            f"give me a sentence with the word {w}",
            f"write a sentence with {w}",
            f"use {w} in a sentence",
        ]
    )
    if kind == "verbs":
        if rng.random() < 0.35:
            return [(use, row[2])]
        question = rng.choice(
            [
                "what does it mean to {}",
                "what does {} mean",
                "define {}",
                "define the verb {}",
                "what does to {} mean",
                "meaning of {}",
                "explain the word {}",
                "what is the meaning of {}",
                "what does the verb {} mean",
            ]
        ).format(w)
        return [(question, f"To {w} means to {row[1]}. For example: {row[2]}")]
    if kind == "adjectives":
        roll = rng.random()
        if roll < 0.3:
            return [(use, row[3])]
        if roll < 0.6:
            return [(_opposite(w, rng), f"The opposite of {w} is {row[2]}.")]
        question = rng.choice(
            [
                "what does {} mean",
                "define {}",
                "what is the meaning of {}",
                "explain the word {}",
                "define the word {}",
                "what does the word {} mean",
            ]
        ).format(w)
        return [(question, f"{capital(w)} means {row[1]}. For example: {row[3]}")]
    if kind == "opposites":
        a, b = row if rng.random() < 0.5 else row[::-1]
        return [(_opposite(a, rng), f"The opposite of {a} is {b}.")]
    if kind == "plurals":
        return [
            (
                rng.choice(["what is the plural of {}", "plural of {}", "give me the plural of {}"]).format(w),
                f"The plural of {w} is {row[1]}.",
            )
        ]
    if kind == "past":
        return [
            (
                rng.choice(["what is the past tense of {}", "past tense of {}", "what is the past of {}"]).format(w),
                f"The past tense of {w} is {row[1]}.",
            )
        ]
    verb = "is"
    return [
        (
            rng.choice(["what colour is {}", "which colour is {}", "what is the colour of {}", "what colour does {} have"]).format(w),
            f"{capital(w)} {verb} {row[1]}.",
        )
    ]


def _opposite(w: str, rng: random.Random) -> str:
    return rng.choice(
        [
            "what is the opposite of {}",
            "opposite of {}",
            "what's the opposite of {}",
            "tell me the opposite of {}",
            "give me the opposite of {}",
        ]
    ).format(w)


def follow_up(things: list[Thing], capitals: list, creative: list, rng: random.Random) -> Turns:
    """A second question that only makes sense after the first."""
    roll = rng.random()
    thing = rng.choice(things)
    if roll < 0.4:
        return [(ask_brief(thing, rng), thing.short), (rng.choice(MORE), thing.extra)]
    if roll < 0.65:
        return [
            (f"what is {thing.subject}", thing.full),
            (
                rng.choice(
                    ["can you say it shorter", "shorter please", "in one sentence please", "say it in one sentence", "make it shorter"]
                ),
                thing.short,
            ),
        ]
    if roll < 0.85 and thing.category in GROUPS and thing.subject != thing.category:
        if rng.random() < 0.5:
            return [(f"what is {thing.subject}", thing.full), (f"is it {thing.category}", f"Yes, {thing.subject} is {thing.category}.")]
        other = rng.choice([c for c, group in GROUPS.items() if group != GROUPS[thing.category]])
        return [(f"what is {thing.subject}", thing.full), (f"is it {other}", f"No, {thing.subject} is {thing.category}.")]
    other = rng.choice(things)
    return [
        (f"what is {thing.subject}", thing.full),
        (rng.choice([f"and {other.subject}", f"and what is {other.subject}", f"what about {other.subject}"]), other.full),
    ]


def about_user(names: list[str], rng: random.Random) -> Turns:
    """The user tells something and asks for it later: teaches copying from the conversation."""
    name = rng.choice(names) if rng.random() < 0.5 else capital(made_up_word(rng))
    kind = rng.random()
    if kind < 0.6:
        turns = [
            (
                rng.choice(["my name is {}", "i am {}", "hello, my name is {}", "hi, i'm {}", "call me {}", "hi, my name is {}"]).format(
                    name
                ),
                f"Nice to meet you, {name}! How can I help you?",
            )
        ]
        ask, reply = rng.choice(["what is my name", "do you remember my name", "who am i", "what's my name"]), f"Your name is {name}."
    elif kind < 0.8:
        thing = rng.choice("red blue green yellow black white purple orange pink brown grey".split())
        turns = [
            (
                rng.choice(["my favourite colour is {}", "i like the colour {}", "i love {}"]).format(thing),
                f"{capital(thing)} is a nice colour!",
            )
        ]
        ask, reply = "what is my favourite colour", f"Your favourite colour is {thing}."
    else:
        animal = rng.choice(["dog", "cat", "rabbit", "hamster", "horse", "parrot"])
        turns = [
            (
                rng.choice([f"my {animal} is called {name}", f"i have a {animal} called {name}", f"i have a {animal}. its name is {name}"]),
                f"{name} is a nice name for a {animal}!",
            )
        ]
        ask, reply = rng.choice([f"what is the name of my {animal}", f"how is my {animal} called"]), f"Your {animal} is called {name}."
    if rng.random() < 0.55:
        turns.append((ask, reply))
    return turns


ONSETS = "b bl br c ch cl cr d dr f fl fr g gl gr h j k kl kr l m n p pl pr qu r s sc sh sk sl sm sn sp st t th tr v w z".split()
VOWELS = "a e i o u ai ea ee io ou".split()
ENDINGS = "b ck d f g l ll m n ng nd nt p r rd rm s st t x z ton er or ium oid ine ase ex".split()


def made_up_word(rng: random.Random) -> str:
    middle = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 2)))
    return middle + rng.choice(ONSETS[:10]) + rng.choice(VOWELS[:5]) + rng.choice(ENDINGS)


def made_up_person(names: list[str], rng: random.Random) -> str:
    return f"{rng.choice(names)} {capital(made_up_word(rng))}"
