"""The query language: what a monitor asks for, read into a tree. `match.py` holds mentions against it.

    nordfunk                     the word in any case, also in @nordfunk, #nordfunk, Nordfunk-Shop; not Nordfunker
    nordfunk*                    every word that begins so
    "nord funk"                  these words in a row; between them only blanks and signs
    #nordfunk   @nordfunk        the tag, the handle, and nothing else
    a NEAR/5 b                   both, at most five words apart, in either order; binds tightest
    -a      NOT a                not; binds tighter than AND
    a b     a AND b              both; binds tighter than OR
    a OR b                       one of them
    (a OR b) -c                  groups; beside NEAR a group of words and phrases with OR between them
    author:anna                  written by the account anna, whatever its case; no * here, names are kept as pseudonyms
    source:blog                  brought by the source that the configuration calls blog
    language:de                  in this language: the source says so, or it was recognised
    url:nordfunk.de/hilfe        its address holds these letters
    reach>10000   reach<=500     followers or readers, where the source tells them; unknown is neither more nor less

AND, OR, NOT and NEAR are written in capitals. Words are compared folded: in lower case, with ä, ö, ü, ß as ae, oe, ue,
ss and other accents dropped, so `Störung`, `Stoerung` and `STÖRUNG` are one word (and `Storung` another). A word with
signs in it (`nord-funk`, `1&1`) is the phrase of its parts. A tag or handle counts where it stands by itself, not
behind a letter, `_`, `&` or `/`. A query must name something that has to be there: `-a` alone is refused. A query that
begins with `*` takes everything its sources bring, but what follows it forbids.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from lark import Lark, Token, Transformer, UnexpectedCharacters, v_args
from msgspec import Struct

from brandmelder.capture.normalise import seen
from brandmelder.capture.terms import FIELD, OPERATORS, Misplaced, read_near, read_term
from brandmelder.capture.tree import Anchor, And, Everything, Node, Or, anchors_of, demands, negate
from brandmelder.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

QUERY_CHARACTERS: Final = 20_000
NESTING: Final = 40


class Query(Struct, frozen=True):
    """A query that was read: its text, its tree, and the words of which one must occur in every match.

    Without such words (a query of fields alone, or one that begins with `*`) it is held against every mention.
    """

    text: str
    tree: Node | Everything
    anchors: tuple[Anchor, ...]


# ------------------------------------------------------------------- grammar

_GRAMMAR = r"""
    ?either: both (_OR both)*
    ?both: one (_AND? one)*
    ?one: (_NOT | _MINUS) one -> negated
        | near
    ?near: atom
        | near NEAR atom -> beside
    ?atom: "(" either ")"
        | WORD -> word
        | PHRASE -> word
        | FIELD -> word

    _OR.3: /OR(?=[\s()"„“”«»]|$)/
    _AND.3: /AND(?=[\s()"„“”«»]|$)/
    _NOT.3: /NOT(?=[\s()"„“”«»]|$)/
    NEAR.3: /NEAR(?:\/[0-9]*)?(?=[\s()"„“”«»]|$)/
    _MINUS.2: /[-‐‑‒–—−](?=[^\s)])/
    FIELD.3: /FIELDS/
    PHRASE.2: /["„“”«»][^"„“”«»]*["„“”«»]/
    WORD: /[^\s()"„“”«»]+/
    %ignore " "
""".replace("FIELDS", FIELD)
_CONNECTING = {"_OR", "_AND", "NEAR"}


def parse(query: str) -> Query:
    """Read a query. Raises QueryError with the column of what is wrong and what would be right."""
    query = re.sub(r"\s", " ", seen(query))  # what was copied holds soft hyphens, and texts are rid of them
    if len(query) > QUERY_CHARACTERS:
        raise QueryError(f"the query is longer than {QUERY_CHARACTERS} characters; split it", query[:60], 60)
    everything = re.match(r" *\*(?= |$)", query)
    if everything is not None:
        rest = " " * everything.end() + query[everything.end() :]
        return Query(query, _tree(rest)[0] if rest.strip() else Everything(), ())
    tree, tokens = _tree(query)
    if not demands(tree):
        column = next(token.column or 1 for token in tokens if token.type in {"_NOT", "_MINUS"})
        raise QueryError(_NOTHING_DEMANDED, query, column)
    return Query(query, tree, anchors_of(tree))


_NOTHING_DEMANDED = (
    "this would match nearly everything: a query, and each side of an OR, must name something that has to occur, "
    "not only what must not; if you want everything a source brings, begin with *"
)


def _tree(query: str) -> tuple[Node, Sequence[Token]]:
    tokens = _tokens(query)
    _check_order(query, tokens)
    try:
        tree: Node = _grammar().parse(query)  # type: ignore[assignment]
    except Misplaced as error:
        raise QueryError(str(error), query, error.column) from None
    return tree, tokens


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
        elif token.type in _CONNECTING and (last is None or last.type in {"LPAR", *OPERATORS}):
            raise QueryError(f"{token} needs something before it", query, column)
        elif last is not None and last.type == "NEAR" and token.type in {"_NOT", "_MINUS"}:
            raise QueryError(f"{last} needs a word after it, not what must not be", query, column)
        elif token.type in {"WORD", "PHRASE", "FIELD"}:
            read_term(token, query)
        last = token
    _check_filled(query, last)
    if opened:
        raise QueryError("this parenthesis is never closed", query, opened[-1])


def _check_filled(query: str, last: Token | None) -> None:
    """Refuse a query or group that ends before it said something."""
    if last is None:
        raise QueryError("the query is empty", query, 1)
    if last.type in OPERATORS:
        raise QueryError(f"{last} needs something after it", query, last.column or 1)
    if last.type == "LPAR":
        raise QueryError("there is nothing in this group", query, last.column or 1)


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Builds the tree bottom-up, flat, with every negation pushed down to a term."""

    def word(self, token: Token) -> Node:
        return read_term(token, str(token))

    def negated(self, node: Node) -> Node:
        return negate(node)

    def beside(self, left: Node, near: Token, right: Node) -> Node:
        return read_near(left, near, right)

    def both(self, *parts: Node) -> Node:
        return And(tuple(leaf for part in parts for leaf in (part.parts if isinstance(part, And) else (part,))))

    def either(self, *parts: Node) -> Node:
        return Or(tuple(leaf for part in parts for leaf in (part.parts if isinstance(part, Or) else (part,))))
