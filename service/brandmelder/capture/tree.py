"""What a query becomes: its nodes, and the words of which one must occur wherever it matches."""

from __future__ import annotations

import enum

from msgspec import Struct


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


Spoken = Word | Phrase
"""What has a place among the words of a text."""


class Near(Struct, frozen=True):
    """One of `left` and one of `right` at most `distance` words apart, in either order."""

    left: tuple[Spoken, ...]
    right: tuple[Spoken, ...]
    distance: int


class FieldName(enum.StrEnum):
    """What is known of a mention beside its words."""

    AUTHOR = "author"
    SOURCE = "source"
    LANGUAGE = "language"
    URL = "url"
    REACH = "reach"


class Field(Struct, frozen=True):
    """A field that has a value. A number for reach stands in `least` and `most`, both inclusive."""

    name: FieldName
    value: str
    least: int | None = None
    most: int | None = None


class And(Struct, frozen=True):
    """All of the parts."""

    parts: tuple[Node, ...]


class Or(Struct, frozen=True):
    """One of the parts at least."""

    parts: tuple[Node, ...]


class Not(Struct, frozen=True):
    """Not the term: in a finished tree only a term stands under a Not."""

    term: Term


class Everything(Struct, frozen=True):
    """Whatever is written there: `*` at the beginning of a query."""


Term = Word | Phrase | Sign | Near | Field
Node = Term | And | Or | Not
Anchor = Word | Sign


def negate(node: Node) -> Node:
    """Return the opposite of `node`, with every negation pushed down to a term."""
    match node:
        case Not():
            return node.term
        case And():
            return Or(tuple(map(negate, node.parts)))
        case Or():
            return And(tuple(map(negate, node.parts)))
        case _:
            return Not(node)


def anchors_of(node: Node) -> tuple[Anchor, ...]:
    """Return words of which one must occur wherever `node` matches, as few and as rare as possible; () if none."""
    match node:
        case Not() | Field():
            return ()
        case Phrase():
            return (min(node.words, key=_commonness),)
        case Near():
            return min(_anchors_of_one(node.left), _anchors_of_one(node.right), key=_cost)
        case And():
            sets = [anchors for anchors in map(anchors_of, node.parts) if anchors]
            return min(sets, key=_cost, default=())
        case Or():
            return _anchors_of_one(node.parts)
        case _:
            return (node,)


def demands(node: Node) -> bool:
    """Tell whether `node` names something that has to be: a word that occurs or a field that has a value."""
    match node:
        case Not():
            return False
        case And():
            return any(map(demands, node.parts))
        case Or():
            return all(map(demands, node.parts))
        case _:
            return True


def fields_of(node: Node | Everything) -> frozenset[Field]:
    """Return every field that `node` asks for, with its value."""
    match node:
        case Field():
            return frozenset({node})
        case Not():
            return fields_of(node.term)
        case And() | Or():
            return frozenset().union(*map(fields_of, node.parts))
        case _:
            return frozenset()


def sources_named(node: Node | Everything) -> frozenset[str]:
    """Return the sources that `node` names."""
    return frozenset(field.value for field in fields_of(node) if field.name is FieldName.SOURCE)


def _anchors_of_one(parts: tuple[Node, ...]) -> tuple[Anchor, ...]:
    branches = [anchors_of(part) for part in parts]
    return tuple(dict.fromkeys(anchor for branch in branches for anchor in branch)) if all(branches) else ()


def _cost(anchors: tuple[Anchor, ...]) -> float:
    return sum(map(_commonness, anchors))


def _commonness(anchor: Anchor) -> float:
    """A guess at how many texts hold it: each further letter makes a word four times as rare."""
    return 4.0 ** -min(len(anchor.text), 12)
