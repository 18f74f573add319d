"""The word list, and how a word of a text finds its entry: exactly, by its longest stem, or by its longest ending.

The list stands in words_de.txt, words_en.txt and emoji.txt beside this file; the first of them explains the columns.
"""

from __future__ import annotations

import enum
import functools
import re
import unicodedata
from collections import defaultdict
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

CHARACTERS: Final = 4_000
"""How much of a text is judged."""
TOPICS: Final = (
    "outage", "delay", "price", "billing", "service", "product", "staff", "privacy", "safety", "campaign",
)  # fmt: skip
_FILES: Final = {"words_de.txt": "de", "words_en.txt": "en", "emoji.txt": ""}
_MEMORY: Final = 100_000
_REMEMBERED: Final = 40


class Entry(Struct, frozen=True):
    """One line of the list. `language` is `de`, `en`, or empty for a sign that every language writes."""

    text: str
    weight: float
    classes: tuple[str, ...]
    language: str


class Role(enum.IntFlag):
    """What an entry does besides weighing something; words_de.txt explains each."""

    INCIDENT = enum.auto()
    INSULT = enum.auto()
    DUTY = enum.auto()
    OPENER = enum.auto()
    SOLVED = enum.auto()
    DEFENCE = enum.auto()
    AFTER = enum.auto()
    SARCASM = enum.auto()
    IRONY = enum.auto()
    NEGATOR = enum.auto()
    MORE = enum.auto()
    LESS = enum.auto()
    BUT = enum.auto()
    NUMBER = enum.auto()
    BREAK = enum.auto()
    """Punctuation: the end of every scope."""
    END = enum.auto()
    """Punctuation that ends a sentence."""
    ASKS = enum.auto()
    """A question mark that asks (`?!` does not)."""


_ROLES: Final = {role.name.lower(): role for role in Role if role.name}


class Term(Struct, frozen=True):
    """What a token stands for. `phrases` begin with it: by their second token, the further tokens and the term."""

    text: str
    weight: float = 0.0
    roles: int = 0
    topics: tuple[str, ...] = ()
    phrases: dict[str, list[tuple[tuple[str, ...], Term]]] = {}


@functools.cache
def load_words() -> tuple[Entry, ...]:
    """Return every entry of the list, in the order of the files. Raises ValueError for a line that is not in shape."""
    folder = files("brandmelder.classify")
    return tuple(
        _entry(line, language)
        for name, language in _FILES.items()
        for line in folder.joinpath(name).read_text("utf-8").splitlines()
        if line and not line.startswith("# ") and line != "#"
    )


def _entry(line: str, language: str) -> Entry:
    text, weight, classes = line.split("\t")
    names = () if classes == "-" else tuple(classes.split(","))
    if not -3 <= float(weight) <= 3 or any(name not in TOPICS and name not in _ROLES for name in names):
        raise ValueError(f"the word list cannot be read at {line!r}")
    return Entry(text, float(weight), names, language)


# -------------------------------------------------------------------- tokens

_LINK = re.compile(r"(?:https?://|www\.)\S+")
_HANDLE = re.compile(r"@\w+")
_DROPPED = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_REPLACED = (
    *(("ß", "ss"), ("ä", "ae"), ("ö", "oe"), ("ü", "ue")),
    *(("’", "'"), ("‘", "'"), ("´", "'"), ("…", ".."), ("\u00a0", " ")),
)
_TOKEN = re.compile(
    r"[^\W\d_]+(?:'[^\W\d_]+)*"
    r"|>?[:;=]['-]?[()/dp](?![^\W_])|-\.-|\^\^|<3"
    r"|[!?]+|[.]{2,}|[.,;:\n()]|\d+(?:[.,]\d+)*(?:\.(?= (?:mal|anruf|termin)\b))?"
    r"|[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
)


def fold(text: str) -> str:
    """Return the first 4,000 characters as words are looked up: lower case, ä as ae, ß as ss, no links, no handles."""
    text = text[:CHARACTERS].lower()
    if not text.isascii():
        if "\u0308" in text:
            text = unicodedata.normalize("NFC", text)
        for old, new in _REPLACED:
            text = text.replace(old, new)
        text = _DROPPED.sub("", text)
    if "//" in text or "www." in text:
        text = _LINK.sub(" ", text)
    return _HANDLE.sub(" ", text) if "@" in text else text


def tokenise(folded: str) -> list[str]:
    """Return the words, numbers, emoji, emoticons and punctuation of a folded text."""
    return _TOKEN.findall(folded)


# ---------------------------------------------------------------- dictionary

_PUNCTUATION: Final = {
    mark: Term(mark, roles=int(Role.BREAK)) for mark in (",", ";", ":", "(", ")")
} | {mark: Term(mark, roles=int(Role.BREAK | Role.END)) for mark in (".", "\n")}  # fmt: skip
_REPEATED = re.compile(r"(.)\1+")


class Dictionary(dict[str, Term | None]):
    """The terms of some languages: `dictionary[token]` is its term, or None for a token that says nothing.

    Where two languages know a word, the first wins; before both comes the brand's name, which says nothing. Tokens once
    looked up are remembered, up to 100,000 of at most 40 letters.
    """

    def __init__(self, languages: Iterable[str], brand: str = "") -> None:
        super().__init__(_PUNCTUATION)
        self._stems: dict[str, Term] = {}
        self._endings: dict[str, Term] = {}
        phrases: dict[str, dict[tuple[str, ...], Term]] = defaultdict(dict)
        order = {language: number for number, language in enumerate([*languages, ""])}
        known = [entry for entry in load_words() if entry.language in order]
        known.sort(key=lambda entry: order[entry.language])
        if name := " ".join(tokenise(fold(brand))):
            known.insert(0, Entry(name, 0.0, (), ""))
        for entry in known:
            first, *rest = fold(entry.text).split(" ")
            term = _term(entry)
            if rest:
                phrases[first].setdefault(tuple(rest), term)
            elif first.endswith("*"):
                self._stems.setdefault(first[:-1], term)
            elif first.startswith("*"):
                self._endings.setdefault(first[1:], term)
            else:
                self.setdefault(first, term)
        self._longest = max(map(len, [*self._stems, *self._endings]), default=0)
        for first, found in phrases.items():
            bare = self.get(first) or self._search(first) or Term(first)
            by_second: dict[str, list[tuple[tuple[str, ...], Term]]] = defaultdict(list)
            for further, phrase in sorted(found.items(), key=lambda item: -len(item[0])):
                by_second[further[0]].append((further, phrase))
            self[first] = Term(bare.text, bare.weight, bare.roles, bare.topics, dict(by_second))

    def __missing__(self, token: str) -> Term | None:
        term = self._search(token)
        if term is None and _REPEATED.search(token):
            term = self._squeezed(token)
        if len(self) < _MEMORY and len(token) <= _REMEMBERED:
            self[token] = term
        return term

    def _search(self, token: str) -> Term | None:
        if not token[0].isalpha():
            return _sign(token)
        for length in range(min(len(token), self._longest), 1, -1):
            if token[:length] in self._stems:
                return self._stems[token[:length]]
        for start in range(max(0, len(token) - self._longest), len(token) - 2):
            if token[start:] in self._endings:
                return self._endings[token[start:]]
        return None

    def _squeezed(self, token: str) -> Term | None:
        """Find `schleeecht` and `tolllll` by their plain forms."""
        for form in (_REPEATED.sub(r"\1\1", token), _REPEATED.sub(r"\1", token)):
            term = self.get(form) or self._search(form)
            if term is not None:
                return term
        return None


def _term(entry: Entry) -> Term:
    roles = functools.reduce(lambda roles, name: roles | _ROLES.get(name, 0), entry.classes, 0)
    label = " ".join("…" if word == "0" else word.replace("*", "…") for word in entry.text.split(" "))
    return Term(label, entry.weight, int(roles), tuple(name for name in entry.classes if name in TOPICS))


def _sign(token: str) -> Term | None:
    if token[0].isdigit():
        return Term(token, roles=int(Role.NUMBER))
    if token[0] in "!?":
        return Term(token, roles=int(Role.BREAK | Role.END | (Role.ASKS if "!" not in token else 0)))
    return Term(token, roles=int(Role.BREAK | Role.END)) if token[0] == "." else None
