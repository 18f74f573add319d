"""The query language: what a monitor asks for, read into a tree. `match.py` holds mentions against it.

    nordfunk                     the word in any case, also in @nordfunk, #nordfunk, Nordfunk-Shop; not Nordfunker
    nordfunk*                    every word that begins so
    "nord funk"                  these words in a row; between them only blanks and signs
    #nordfunk   @nordfunk        the tag, the handle, and nothing else
    a b     a AND b              both                     binds tighter than OR
    a OR b                       one of them
    -a      NOT a                not                      binds tightest
    (a OR b) -c                  groups

AND, OR and NOT are written in capitals. Words are compared folded: in lower case, with ä, ö, ü, ß as ae, oe, ue, ss
and other accents dropped, so `Störung`, `Stoerung` and `STÖRUNG` are one word (and `Storung` another). A word with
signs in it (`nord-funk`, `1&1`) is the phrase of its parts. A tag or handle counts where it stands by itself, not
behind a letter, `_`, `&` or `/`. A query must name something that has to occur: `-a` alone is refused.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from lark import Lark, Token, Transformer, UnexpectedCharacters, v_args
from msgspec import Struct

from brandmelder.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

QUERY_CHARACTERS: Final = 20_000
NESTING: Final = 40

# ------------------------------------------------------------------- folding

_UMLAUTS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"))
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
TOKEN: Final = re.compile("[^\\W_]+|[&+\u2600-\u27bf\U0001f000-\U0001faff]")
"""What counts as one word of a folded text: a run of letters and digits, or one of `&`, `+` and the emoji."""


def fold(text: str) -> str:
    """Return `text` (cleaned, see normalise.py) as words are compared: `STÖRUNG` and `Stoerung` both as `stoerung`."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFC", text).casefold()
    for umlaut, pair in _UMLAUTS:
        text = text.replace(umlaut, pair)
    return _BEYOND_ASCII.sub(_fold_run, text)


def _fold_run(run: re.Match[str]) -> str:
    return _fold_rare(run[0])


@functools.lru_cache(maxsize=16_384)
def _fold_rare(run: str) -> str:
    """Fold accents and compatibility forms (𝗡𝗼𝗿𝗱, Ｎord) of letters and digits; signs such as ™ stay signs."""
    plain = "".join(unicodedata.normalize("NFKD", c) if c.isalnum() or c in "\uff03\uff20" else c for c in run)
    for vowel in "aouAOU":
        plain = plain.replace(f"{vowel}\u0308", f"{vowel}e")
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain).casefold().translate(_LETTERS))


# ---------------------------------------------------------------------- tree


class Word(Struct, frozen=True):
    """One folded token, or every token that begins so."""

    text: str
    is_prefix: bool = False


class Phrase(Struct, frozen=True):
    """Two or more tokens in a row."""

    words: tuple[Word, ...]


class Sign(Struct, frozen=True):
    """A tag or a handle with its `#` or `@`, folded, or every one that begins so."""

    text: str
    is_prefix: bool = False


class And(Struct, frozen=True):
    """All of the parts."""

    parts: tuple[Node, ...]


class Or(Struct, frozen=True):
    """One of the parts at least."""

    parts: tuple[Node, ...]


class Not(Struct, frozen=True):
    """Not the term: in a finished tree only a word, a phrase or a sign stands under a Not."""

    term: Word | Phrase | Sign


Node = Word | Phrase | Sign | And | Or | Not
Anchor = Word | Sign


class Query(Struct, frozen=True):
    """A query that was read: its text, its tree, and the words of which one must occur in every match."""

    text: str
    tree: Node
    anchors: tuple[Anchor, ...]


# ------------------------------------------------------------------- grammar

_GRAMMAR = r"""
    ?either: both (_OR both)*
    ?both: one (_AND? one)*
    ?one: (_NOT | _MINUS) one -> negated
        | "(" either ")"
        | WORD -> word
        | PHRASE -> phrase

    _OR.3: /OR(?=[\s()"„“”«»]|$)/
    _AND.3: /AND(?=[\s()"„“”«»]|$)/
    _NOT.3: /NOT(?=[\s()"„“”«»]|$)/
    _MINUS.2: /[-‐‑‒–—−](?=[^\s)])/
    PHRASE.2: /["„“”«»][^"„“”«»]*["„“”«»]/
    WORD: /[^\s()"„“”«»]+/
    %ignore " "
"""
_OPERATORS = {"_OR": "OR", "_AND": "AND", "_NOT": "NOT", "_MINUS": "-"}
_PART = re.compile(rf"({TOKEN.pattern})(\*(?![^\W_]))?")
_SIGN = re.compile(r"(#\w+|@\w+(?:[.@-]\w+)*)(\*?)")
_FIELD = re.compile(r"(?:author|from|source|site|url|lang|language|title):", re.IGNORECASE)
_FOREIGN = {"UND": "AND", "ODER": "OR", "NICHT": "NOT"}


def parse(query: str) -> Query:
    """Read a query. Raises QueryError with the column of what is wrong and what would be right."""
    query = re.sub(r"\s", " ", query)
    if len(query) > QUERY_CHARACTERS:
        raise QueryError(f"the query is longer than {QUERY_CHARACTERS} characters; split it", query[:60], 60)
    tokens = _tokens(query)
    _check_order(query, tokens)
    tree: Node = _grammar().parse(query)  # type: ignore[assignment]
    anchors = _anchors(tree)
    if not anchors:
        column = next(token.column or 1 for token in tokens if token.type in {"_NOT", "_MINUS"})
        raise QueryError(_WITHOUT_ANCHOR, query, column)
    return Query(query, tree, anchors)


_WITHOUT_ANCHOR = (
    "this would match nearly everything: a query, and each side of an OR, must name something that has to occur, "
    "not only what must not"
)


@functools.cache
def _grammar() -> Lark:
    return Lark(_GRAMMAR, start="either", parser="lalr", lexer="basic", transformer=_Builder())


def _tokens(query: str) -> list[Token]:
    try:
        return list(_grammar().lex(query))
    except UnexpectedCharacters as error:
        raise QueryError("this quotation mark is never closed", query, error.column) from None


def _check_order(query: str, tokens: Sequence[Token]) -> None:
    """Refuse what the grammar would refuse, in words a person can use; and every term that cannot be looked for."""
    opened: list[int] = []
    last: Token | None = None
    for token in tokens:
        column = token.column or 1
        if token.type == "LPAR":
            opened.append(column)
            if len(opened) > NESTING:
                raise QueryError(f"groups are nested more than {NESTING} deep", query, column)
        elif token.type == "RPAR":
            if not opened:
                raise QueryError("this parenthesis closes nothing", query, column)
            _check_filled(query, last)
            opened.pop()
        elif token.type in {"_OR", "_AND"} and (last is None or last.type in {"LPAR", *_OPERATORS}):
            raise QueryError(f"{token} needs something before it", query, column)
        elif token.type in {"WORD", "PHRASE"}:
            _term(token, query)
        last = token
    _check_filled(query, last)
    if opened:
        raise QueryError("this parenthesis is never closed", query, opened[-1])


def _check_filled(query: str, last: Token | None) -> None:
    """Refuse a query or group that ends before it said something."""
    if last is None:
        raise QueryError("the query is empty", query, 1)
    if last.type in _OPERATORS:
        raise QueryError(f"{last} needs something after it", query, last.column or 1)
    if last.type == "LPAR":
        raise QueryError("there is nothing in this group", query, last.column or 1)


# --------------------------------------------------------------------- terms


def _term(token: Token, query: str) -> Word | Phrase | Sign:
    """Return what a word or a phrase of a query looks for."""
    column = token.column or 1
    if token.type == "PHRASE":
        return _words(token[1:-1], query, column)
    if token in _FOREIGN:
        operator = _FOREIGN[token]
        raise QueryError(f'write {operator} for {token}, or "{token}" in quotes for the word itself', query, column)
    if field := _FIELD.match(token):
        raise QueryError(f"there are no fields such as {field[0]} here; put it in quotes to look for it", query, column)
    if "|" in token or token[0] == "!":
        sign, operator = ("|", "OR") if "|" in token else ("!", "NOT")
        raise QueryError(f"write {operator} instead of {sign}", query, column)
    if token[0] not in "#@＃＠":
        return _words(token, query, column)
    sign_found = _SIGN.fullmatch(fold(token))
    if sign_found is None:
        raise QueryError("a tag or handle is # or @ and then letters, digits and _", query, column)
    return Sign(sign_found[1], bool(sign_found[2]))


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


# ----------------------------------------------------------------- the tree


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Builds the tree bottom-up, flat, with every negation pushed down to a term."""

    def word(self, token: Token) -> Node:
        return _term(token, str(token))

    phrase = word

    def negated(self, node: Node) -> Node:
        return _negate(node)

    def both(self, *parts: Node) -> Node:
        return And(tuple(leaf for part in parts for leaf in (part.parts if isinstance(part, And) else (part,))))

    def either(self, *parts: Node) -> Node:
        return Or(tuple(leaf for part in parts for leaf in (part.parts if isinstance(part, Or) else (part,))))


def _negate(node: Node) -> Node:
    match node:
        case Not():
            return node.term
        case And():
            return Or(tuple(map(_negate, node.parts)))
        case Or():
            return And(tuple(map(_negate, node.parts)))
        case _:
            return Not(node)


def _anchors(node: Node) -> tuple[Anchor, ...]:
    """Return words of which one must occur wherever `node` matches, as few and as rare as possible; () if none."""
    match node:
        case Not():
            return ()
        case Phrase():
            return (min(node.words, key=_commonness),)
        case And():
            sets = [anchors for anchors in map(_anchors, node.parts) if anchors]
            return min(sets, key=lambda anchors: sum(map(_commonness, anchors)), default=())
        case Or():
            branches = [_anchors(part) for part in node.parts]
            return tuple(dict.fromkeys(anchor for branch in branches for anchor in branch)) if all(branches) else ()
        case _:
            return (node,)


def _commonness(anchor: Anchor) -> float:
    """A guess at how many texts hold it: each further letter makes a word four times as rare."""
    return 4.0 ** -min(len(anchor.text), 12)
