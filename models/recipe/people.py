"""Names of people in the conversation: told and asked for later, greeted, congratulated; and words repeated."""

import random
from collections.abc import Callable

from skills import COPY, made_up_word
from tables import capital

Turns = list[tuple[str, str]]
SYLLABLES = (
    "an bel ca da el fa ga ha in jo ka la ma na or pa ri sa ta ul va wi ya za bri cle dre fre gri kle mar nor per quen ros ste tri vin wal "
    "ben dor fin gun hil kur len mun nel ott pel rin sten tor von wen lo mi no ri so ti vi ro re le ne se chi sho ryu kwa nji oye aki"
).split()
ENDS = "a e o i us an en in on ia ah ina ette ov ski sen son ez ito iko ert ard ald yn is ar el ek as or".split()
TELL = [
    "my name is {}",
    "my name is {}",
    "my name's {}",
    "i am {}",
    "i'm {}",
    "hello, my name is {}",
    "hi, i'm {}",
    "hi i am {}",
    "hey, i'm {}",
    "hello! i am {}",
    "hey there, my name is {}",
    "good morning, my name is {}",
    "good evening, i am {}",
    "call me {}",
    "you can call me {}",
    "please call me {}",
    "everyone calls me {}",
    "people call me {}",
    "it's {} here",
    "this is {}",
    "{} is my name",
    "i am called {}",
    "nice to meet you, i'm {}",
    "let me introduce myself, i am {}",
    "my first name is {}",
]
ASK = [
    "what is my name",
    "what is my name",
    "what's my name",
    "whats my name",
    "do you remember my name",
    "do you know my name",
    "who am i",
    "do you know who i am",
    "can you tell me my name",
    "tell me my name",
    "what was my name",
    "what was my name again",
    "and what is my name",
    "and what's my name",
    "so what is my name",
    "say my name",
    "how am i called",
    "what am i called",
    "what did i say my name was",
    "remember my name",
    "do you still know my name",
    "which name did i tell you",
]
NOTES = [
    (
        [
            "write a greeting to {}",
            "write a greeting for {}",
            "write a short greeting to {}",
            "greet {}",
            "say hello to {}",
            "say hi to {}",
            "send greetings to {}",
            "write hello to {}",
            "please greet {}",
            "please greet my friend {}",
            "greet my friend {}",
            "can you say hello to {}",
            "can you greet {}",
            "welcome {}",
            "write a welcome to {}",
            "say hello to my friend {}",
            "write a nice greeting to my sister {}",
            "write a few friendly words to {}",
            "give a greeting to my colleague {}",
        ],
        "Hello {}! I wish you a wonderful day.",
    ),
    (
        [
            "say goodbye to {}",
            "say bye to {}",
            "write goodbye to {}",
            "write a farewell to {}",
            "wish {} a good night",
            "say good night to {}",
        ],
        "Goodbye, {}! Take care.",
    ),
    (
        [
            "wish {} a happy birthday",
            "say happy birthday to {}",
            "write a birthday greeting to {}",
            "write a birthday wish for {}",
            "write a birthday card for {}",
            "write a birthday message to {}",
            "it is {}'s birthday, write something",
            "congratulate {} on the birthday",
            "my friend {} has a birthday",
            "write happy birthday to my brother {}",
            "write a birthday card to my friend {}",
        ],
        "Happy birthday, {}! I wish you health, joy and a wonderful year.",
    ),
    (
        [
            "thank {}",
            "say thank you to {}",
            "write a thank you note to {}",
            "write a thank you card for {}",
            "say thanks to {} for me",
            "write a short thank you to {}",
            "thank my neighbour {}",
        ],
        "Dear {}, thank you very much! That was kind of you.",
    ),
    (
        [
            "wish {} good luck",
            "say good luck to {}",
            "write good luck to {}",
            "wish my friend {} luck",
            "write a good luck card for {}",
        ],
        "Good luck, {}! You can do it.",
    ),
    (
        [
            "congratulate {}",
            "say congratulations to {}",
            "write congratulations to {}",
            "congratulate my sister {}",
            "write a card to {} for the new job",
        ],
        "Congratulations, {}! That is wonderful news.",
    ),
    (
        [
            "write get well soon to {}",
            "write a get well card for {}",
            "wish {} to get well",
            "my friend {} is ill, write something",
            "write a get well soon message to {}",
        ],
        "Get well soon, {}! I am thinking of you.",
    ),
    (["say sorry to {}", "write sorry to {}", "write a short apology to {}", "apologise to {}"], "Dear {}, I am sorry. Please forgive me."),
    (
        [
            "say the name {}",
            "repeat the name {}",
            "write the name {}",
            "repeat after me: {}",
            "say {}",
            "say: {}",
            "please say {}",
            "write {}",
        ],
        "{}",
    ),
]
PLAIN = (
    "the weather is nice|i like green tea|good night|we are friends|it is late|my cat is black|i love you|the door is open|you are great|"
    "time to go|cats are funny|the sun is shining|this is fun|dinner is ready|see you soon|the train is late|all is well|keep calm|"
    "birds can sing|water is wet|never give up|have a nice day|the soup is hot|snow is white|i am here|roses are red|hello world"
).split("|")


def any_name(names: list[str], rng: random.Random) -> str:
    """A common name, or one made up of syllables: the model must copy what it reads, not what it knows."""
    roll = rng.random()
    if roll < 0.35:
        return rng.choice(names)
    if roll < 0.85:
        return capital("".join(rng.choices(SYLLABLES, k=rng.randint(1, 2))) + rng.choice(ENDS))
    return capital(made_up_word(rng))


def introduced(names: list[str], between: Callable[[], Turns], rng: random.Random) -> Turns:
    """A name told, sometimes other talk between, and the name asked for."""
    name = any_name(names, rng)
    told = (rng.choice(TELL).format(name), f"Nice to meet you, {name}! How can I help you?")
    roll = rng.random()
    if roll < 0.15:
        return [told]
    turns = [told]
    for _ in range(rng.choice([0, 0, 1, 1, 2]) if roll < 0.9 else 0):
        turns += between()
    if rng.random() < 0.1:
        other = any_name(names, rng)
        turns += [(rng.choice(["now call me {}", "actually, my name is {}", "sorry, my name is {}"]).format(other), f"All right, {other}!")]
        name = other
    return [*turns, (rng.choice(ASK), f"Your name is {name}.")]


def addressed(names: list[str], rng: random.Random) -> Turns:
    """A line or two written to someone."""
    name = any_name(names, rng)
    ways, answer = rng.choice(NOTES)
    return [(rng.choice(ways).format(name), answer.format(name))]


def repeated(nouns: list[str], names: list[str], rng: random.Random) -> Turns:
    """A few words to say again."""
    roll = rng.random()
    if roll < 0.35:
        text = rng.choice(PLAIN)
    elif roll < 0.6:
        text = " ".join(rng.sample(COPY, rng.randint(1, 4)))
    elif roll < 0.85:
        text = " ".join(rng.choice(nouns) for _ in range(rng.randint(1, 3)))
    else:
        text = f"{any_name(names, rng)} {rng.choice(['is nice', 'likes tea', 'is my friend', 'is here', 'sings well', 'lives in Rome'])}"
    frame = rng.choice(
        [
            "repeat after me: {}",
            "say: {}",
            "repeat: {}",
            "repeat this: {}",
            "please repeat: {}",
            "say this: {}",
            'say "{}"',
            "can you repeat: {}",
        ]
    )
    return [(frame.format(text), capital(text))]
