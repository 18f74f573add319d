"""The terms of a query: what a word, a phrase, a field and a NEAR look for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from brandmelder.capture.folding import TOKEN, fold
from brandmelder.capture.tree import And, Field, FieldName, Near, Node, Or, Phrase, Sign, Spoken, Word
from brandmelder.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lark import Token

FARTHEST: Final = 100
"""The widest NEAR."""
OPERATORS: Final = frozenset({"_OR", "_AND", "_NOT", "_MINUS", "NEAR"})

_PART = re.compile(rf"({TOKEN.pattern})(\*(?![^\W_]))?")
_SIGN = re.compile(r"(#\w+|@\w+(?:[.@-]\w+)*)(\*?)")
_FOREIGN = {"UND": "AND", "ODER": "OR", "NICHT": "NOT", "NAHE": "NEAR/5"}
_OTHERS = {
    "from": "author",
    "autor": "author",
    "quelle": "source",
    "site": "url",
    "link": "url",
    "lang": "language",
    "sprache": "language",
    "reichweite": "reach",
    "followers": "reach",
}
"""How other products and Germans call our fields."""
_NAMES = "|".join([*FieldName, *_OTHERS, "title", "titel", "domain", "host", "region", "country", "engagement"])
FIELD: Final = (
    rf"(?i:(?:{_NAMES}):(?!\/\/)|(?:reach|reichweite|followers)(?=[<>=]))"
    r'(?:["„“”«»][^"„“”«»]*["„“”«»]|[^\s()"„“”«»]*)'
)
"""A field and its value, as one token of the language; no look-behind, no nested repeats."""
_NUMBER = re.compile(r"(>=|<=|>|<|=)?([0-9]{1,12})(k|m)?", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_SHORTEST_URL = 3


class Misplaced(Exception):
    """A term that stands where it cannot; `column` tells where."""

    def __init__(self, text: str, column: int) -> None:
        self.column = column
        super().__init__(text)


def read_term(token: Token, query: str) -> Word | Phrase | Sign | Field:
    """Return what a word, a phrase or a field of a query looks for. Raises QueryError with the token's column."""
    column = token.column or 1
    if token.type == "PHRASE":
        return _words(token[1:-1], query, column)
    if token.type == "FIELD":
        return _field(str(token), query, column)
    if token in _FOREIGN:
        operator = _FOREIGN[token]
        raise QueryError(f'write {operator} for {token}, or "{token}" in quotes for the word itself', query, column)
    if "|" in token or token[0] == "!":
        sign, operator = ("|", "OR") if "|" in token else ("!", "NOT")
        raise QueryError(f"write {operator} instead of {sign}", query, column)
    if token[0] not in "#@＃＠":
        return _words(token, query, column)
    sign_found = _SIGN.fullmatch(fold(token))
    if sign_found is None:
        raise QueryError("a tag or handle is # or @ and then letters, digits and _", query, column)
    return Sign(sign_found[1], bool(sign_found[2]))


def read_near(left: Node, near: Token, right: Node) -> Node:
    """Return both, close together. Raises Misplaced where a distance or an operand is none."""
    column = near.column or 1
    digits = near.partition("/")[2]
    if not digits or not 1 <= int(digits[:4]) <= FARTHEST:
        raise Misplaced(f"NEAR needs a distance of 1 to {FARTHEST} words, as in NEAR/5", column)
    distance = int(digits)
    match left:
        case Near() as first:
            return And((first, Near(first.right, _spoken(right, column), distance)))
        case And((*_, Near() as before)):
            return And((*left.parts, Near(before.right, _spoken(right, column), distance)))
        case _:
            return Near(_spoken(left, column), _spoken(right, column), distance)


def _spoken(node: Node, column: int) -> tuple[Spoken, ...]:
    parts = node.parts if isinstance(node, Or) else (node,)
    spoken = tuple(part for part in parts if isinstance(part, (Word, Phrase)))
    if len(spoken) < len(parts):
        raise Misplaced('beside NEAR stands a word, a "phrase", or a group of them as in (a OR "b c")', column)
    return spoken


def _words(text: str, query: str, column: int) -> Word | Phrase:
    folded = fold(text)
    words = tuple(Word(part[1], bool(part[2])) for part in _PART.finditer(folded))
    if folded.count("*") != sum(word.is_prefix for word in words) or any(
        word.is_prefix and len(word.text) < 2 for word in words
    ):
        raise QueryError("a * stands at the end of a word, after two letters or more", query, column)
    if not any(word.text.isalnum() or word.text > "\u2600" for word in words):
        hint = "; a minus stands right before what it excludes, as in -werbung" if text in {"-", "–"} else ""
        raise QueryError(f"there is no letter, digit or emoji in {str(text)!r} to look for{hint}", query, column)
    return words[0] if len(words) == 1 else Phrase(words)


# -------------------------------------------------------------------- fields


def _field(token: str, query: str, column: int) -> Field:
    written, rest = re.match(r"(\w+):?(.*)", token, re.DOTALL).groups()  # type: ignore[union-attr] # FIELD matched
    name, value = written.lower(), rest.strip('"„“”«» ')
    if name not in _READERS:
        meant = f"write {_OTHERS[name]}" if name in _OTHERS else f"there are {', '.join(_READERS)}"
        raise QueryError(f"there is no field {written}; {meant}, or put it in quotes", query, column)
    if not value:
        raise QueryError(f"{written} needs a value right after it, as in {_EXAMPLES[FieldName(name)]}", query, column)
    try:
        return _READERS[FieldName(name)](value)
    except ValueError as error:
        raise QueryError(str(error), query, column) from None


def _author(value: str) -> Field:
    if "*" in value:
        raise ValueError("an author has no *: names are kept as pseudonyms, which only a whole name leads to")
    return Field(FieldName.AUTHOR, value.lstrip("@"))


def _source(value: str) -> Field:
    return Field(FieldName.SOURCE, value)


def _language(value: str) -> Field:
    if not _LANGUAGE.fullmatch(value.lower()):
        raise ValueError("a language is two letters, as in language:de or language:en")
    return Field(FieldName.LANGUAGE, value.lower())


def _url(value: str) -> Field:
    address = re.sub(r"^https?://(www\.)?", "", value.strip("*").lower())
    if len(address) < _SHORTEST_URL:
        raise ValueError("url: needs three letters of an address or more, as in url:nordfunk.de")
    return Field(FieldName.URL, address)


def _reach(value: str) -> Field:
    found = _NUMBER.fullmatch(value.replace(" ", "").replace("_", ""))
    if found is None:
        raise ValueError("reach is held against a number, as in reach>10000 or reach<=500")
    number = int(found[2]) * {"k": 1_000, "m": 1_000_000}.get((found[3] or "").lower(), 1)
    match found[1]:
        case ">":
            return Field(FieldName.REACH, value, least=number + 1)
        case "<":
            return Field(FieldName.REACH, value, most=number - 1)
        case "<=":
            return Field(FieldName.REACH, value, most=number)
        case ">=" | None:
            return Field(FieldName.REACH, value, least=number)
        case _:
            return Field(FieldName.REACH, value, least=number, most=number)


_READERS: Final[dict[str, Callable[[str], Field]]] = {
    FieldName.AUTHOR: _author,
    FieldName.SOURCE: _source,
    FieldName.LANGUAGE: _language,
    FieldName.URL: _url,
    FieldName.REACH: _reach,
}
_EXAMPLES = {
    FieldName.AUTHOR: "author:anna",
    FieldName.SOURCE: "source:blog",
    FieldName.LANGUAGE: "language:de",
    FieldName.URL: "url:nordfunk.de",
    FieldName.REACH: "reach>10000",
}
