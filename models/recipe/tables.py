"""Readers for the authored tables in data/: plain text in, plain Python values out."""

from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"

# Subjects that take "are" although they stand in the list as they are.
PLURAL = {"stairs", "scissors", "clothes", "trousers", "glasses", "bacteria", "shoes"}


@dataclass(frozen=True)
class Thing:
    """One common thing: what it is, and one more sentence about it."""

    subject: str  # with its article: "a violin", "the sun", "bread"
    category: str  # "a musical instrument"
    meaning: str
    extra: str

    @property
    def bare(self) -> str:
        return without_article(self.subject)

    @property
    def counted(self) -> bool:
        """True for subjects with "a" or "an": only these have a plural."""
        return self.subject.startswith(("a ", "an "))

    @property
    def short(self) -> str:
        verb = "are" if self.subject in PLURAL else "is"
        return f"{capital(self.subject)} {verb} {self.meaning}."

    @property
    def full(self) -> str:
        return f"{self.short} {self.extra}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def without_article(text: str) -> str:
    for article in ("a ", "an ", "the "):
        if text.startswith(article):
            return text[len(article) :]
    return text


def lines(name: str) -> list[str]:
    return (DATA / name).read_text(encoding="utf-8").splitlines()


def things(name: str) -> list[Thing]:
    """ "# category" headings over "subject | meaning | extra" rows."""
    out, category = [], ""
    for line in lines(name):
        if line.startswith("# "):
            category = line[2:].strip()
        elif line.strip():
            subject, meaning, extra = (part.strip() for part in line.split("|"))
            out.append(Thing(subject, category, meaning, extra))
    return out


def blocks(name: str) -> list[tuple[list[str], str]]:
    """Blocks of "? q | q" lines and one "= answer", which may run over several lines."""
    out, questions, answer = [], [], None
    for line in [*lines(name), ""]:
        if line.startswith("?"):
            questions += [q.strip() for q in line[1:].split(" | ")]
        elif line.startswith("="):
            answer = [line[1:].strip()]
        elif not line.strip():
            if questions and answer:
                out.append((questions, "\n".join(answer)))
            questions, answer = [], None
        elif answer is not None:
            answer.append(line.strip())
    return out


def dialogues(name: str) -> list[list[tuple[str, str]]]:
    """Blocks of alternating "U: ..." and "A: ..." lines."""
    out, turns, user = [], [], None
    for line in [*lines(name), ""]:
        if line.startswith("U: "):
            user = line[3:].strip()
        elif line.startswith("A: ") and user is not None:
            turns.append((user, line[3:].strip()))
        elif not line.strip() and turns:
            out.append(turns)
            turns = []
    return out


def sections(name: str) -> dict[str, list[list[str]]]:
    """ "[name]" headings over "a | b | c" rows."""
    out, rows = {}, []
    for line in lines(name):
        if line.startswith("["):
            rows = out.setdefault(line.strip()[1:-1], [])
        elif line.strip() and not line.startswith("#"):
            rows.append([part.strip() for part in line.split("|")])
    return out


def aliases() -> dict[str, list[str]]:
    """Other names of a thing, by its subject."""
    rows = (line.split(" | ") for line in lines("aliases.txt") if line and not line.startswith("#"))
    return {subject: names.split("; ") for subject, names in rows}


def capitals() -> list[tuple[str, str, str]]:
    return [tuple(line.split("|")) for line in lines("capitals.txt") if line and not line.startswith("#")]
