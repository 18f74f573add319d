"""What of a query can be asked of a platform's own search: never less than the query takes, so that nothing is lost.

Words, phrases, tags and handles are asked for; what must not be, fields, beginnings of words and distances are matched
here, on what the platform brings. Platforms do not know that `Störung` and `Stoerung` are one word: both are asked for.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Final

from brandmelder.capture.tree import And, Everything, Field, Near, Node, Not, Or, Phrase, Sign, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SPELLINGS: Final = 8
"""A word or phrase that can be written in more ways is not asked for, if something else is."""
_PAIRS: Final = {"ae": "ä", "oe": "ö", "ue": "ü", "ss": "ß"}
_SPLIT: Final = re.compile("(ae|oe|ue|ss)")

Term = Word | Phrase | Sign


class Untranslatable(Exception):
    """Says which query cannot be asked, and what to do."""


def wanted(trees: Iterable[Node | Everything]) -> Node:
    """Return what one search must bring for all queries. Raises Untranslatable."""
    parts: list[Node] = []
    for tree in trees:
        if isinstance(tree, Everything):
            raise Untranslatable("a query that begins with * asks for everything, which no search gives")
        part = positive(tree)
        if part is None:
            raise Untranslatable("a query asks for no whole word, so there is nothing to search for")
        parts.append(part)
    if not parts:
        raise Untranslatable("no monitor reads it, so there is nothing to search for")
    return _joined(Or, parts)


def positive(node: Node) -> Node | None:
    """Return a tree of whole words, phrases, tags and handles that holds wherever `node` does; None if none does."""
    match node:
        case Not() | Field():
            return None
        case Word() | Sign():
            return None if node.is_prefix or len(spellings(node)) > SPELLINGS else node
        case Phrase():
            return _phrase(node)
        case Near():
            return _joined_or_none(And, [_any(node.left), _any(node.right)])
        case And():
            return _joined_or_none(And, [positive(part) for part in node.parts])
        case Or():
            return _any(node.parts)


def by_text(node: Node) -> Node | None:
    """Return a tree that asks for words alone and holds wherever `node` does; None if none does: then any text might.

    What a source cannot tell while it sorts out (who wrote it, how far it reaches) is asked of what it kept.
    """
    match node:
        case Field():
            return None
        case Not():
            return None if isinstance(node.term, Field) else node
        case And():
            return _joined_or_none(And, [by_text(part) for part in node.parts])
        case Or():
            found = [by_text(part) for part in node.parts]
            return None if None in found else _joined(Or, [part for part in found if part is not None])
        case _:
            return node


def _any(parts: Sequence[Node]) -> Node | None:
    found = [positive(part) for part in parts]
    return None if None in found else _joined(Or, [part for part in found if part is not None])


def _joined_or_none(kind: type[And | Or], parts: Iterable[Node | None]) -> Node | None:
    found = [part for part in parts if part is not None]
    return _joined(kind, found) if found else None


def _joined(kind: type[And | Or], parts: Sequence[Node]) -> Node:
    flat = tuple(dict.fromkeys(one for part in parts for one in (part.parts if isinstance(part, kind) else (part,))))
    return flat[0] if len(flat) == 1 else kind(flat)


def _phrase(phrase: Phrase) -> Node | None:
    """Return the runs of whole words; of one that can be spelt in too many ways its plainest word."""
    runs: list[list[Word]] = [[]]
    for word in phrase.words:
        if word.is_prefix:
            runs.append([])
        else:
            runs[-1].append(word)
    found: list[Node | None] = []
    for run in filter(None, runs):
        whole: Term = Phrase(tuple(run)) if len(run) > 1 else run[0]
        if len(spellings(whole)) > SPELLINGS:
            plainest = min(run, key=lambda word: (len(spellings(word)), -len(word.text)))
            whole = plainest
        has_letters = any(word.text.isalnum() for word in run)
        found.append(whole if has_letters and len(spellings(whole)) <= SPELLINGS else None)
    return _joined_or_none(And, found)


def spellings(term: Term) -> tuple[str, ...]:
    """Return the ways in which a term is written where umlauts and ß are letters of their own."""
    if isinstance(term, Phrase):
        rows = product(*(_spelt(word.text) for word in term.words))
        return tuple(dict.fromkeys(_written(row) for row in rows))
    return _spelt(term.text)


def _spelt(text: str) -> tuple[str, ...]:
    parts = [(part, _PAIRS[part]) if part in _PAIRS else (part,) for part in _SPLIT.split(text)]
    count = 1
    for part in parts:
        count *= len(part)
    return tuple("".join(row) for row in product(*parts)) if count <= 4 * SPELLINGS else (text,) * (SPELLINGS + 1)


def _written(row: Sequence[str]) -> str:
    return re.sub(r" ?([&+]) ?", r"\1", " ".join(row))


def any_of(node: Node) -> tuple[Term, ...]:
    """Return terms of which one occurs wherever `node` holds: for a platform that searches for one thing at a time."""
    match node:
        case And():
            return min((any_of(part) for part in node.parts), key=_burden)
        case Or():
            return tuple(dict.fromkeys(term for part in node.parts for term in any_of(part)))
        case Word() | Phrase() | Sign():
            return (node,)
        case _:
            raise TypeError(f"{type(node).__name__} is nothing to be asked for")


def _burden(terms: Sequence[Term]) -> tuple[int, int]:
    longest = min(max(map(len, spellings(term))) for term in terms)
    return sum(len(spellings(term)) for term in terms), -longest


def matched_here(trees: Iterable[Node | Everything]) -> tuple[str, ...]:
    """Name what a search cannot be asked for: exclusions, fields, beginnings of words, distances."""
    return tuple(dict.fromkeys(part for tree in trees for part in _left(tree)))


def _left(node: Node | Everything) -> Iterator[str]:
    match node:
        case Not():
            yield f"-{_shown(node.term)}"
        case Field():
            yield _shown(node)
        case Word() | Sign():
            yield from [_shown(node)] if positive(node) is None else []
        case Phrase():
            yield from [_shown(node)] if positive(node) != node else []
        case Near():
            yield _shown(node)
        case And() | Or():
            for part in node.parts:
                yield from _left(part)
        case _:
            return


def _shown(node: Node) -> str:
    match node:
        case Word() | Sign():
            return node.text + ("*" if node.is_prefix else "")
        case Phrase():
            return f'"{" ".join(map(_shown, node.words))}"'
        case Near():
            sides = [" OR ".join(map(_shown, side)) for side in (node.left, node.right)]
            return f"({sides[0]}) NEAR/{node.distance} ({sides[1]})"
        case Field():
            return f"{node.name}:{node.value}"
        case _:
            return "…"


# ------------------------------------------------------------------ platforms


def for_x(node: Node) -> str:
    """Write a tree in X's own syntax: blank is and, OR or, quotes a phrase; it splits texts at signs as we do."""
    match node:
        case And():
            return " ".join(for_x(part) for part in node.parts)
        case Or():
            return f"({' OR '.join(_in_or(part) for part in node.parts)})"
        case Word() | Phrase() | Sign():
            written = [_quoted(text) for text in spellings(node)]
            return written[0] if len(written) == 1 else f"({' OR '.join(written)})"
        case _:
            raise TypeError(f"{type(node).__name__} is nothing to be asked for")


def _in_or(part: Node) -> str:
    if isinstance(part, And):
        return f"({for_x(part)})"
    text = for_x(part)
    return text[1:-1] if isinstance(part, (Word, Phrase, Sign)) and text.startswith("(") else text


def _quoted(text: str) -> str:
    return text if text[0] in "#@" or text.isalnum() else f'"{text}"'


def for_phrases(node: Node) -> tuple[str, ...]:
    """Write a tree as phrases of which each is a search of its own: without quotes."""
    return tuple(dict.fromkeys(text for term in any_of(node) for text in spellings(term)))


def for_reddit(node: Node) -> str:
    """Write a tree in Reddit's syntax: AND and OR are words, quotes a phrase; signs before a word mean nothing."""
    match node:
        case And():
            return f"({' AND '.join(for_reddit(part) for part in node.parts)})"
        case Or():
            return f"({' OR '.join(for_reddit(part) for part in node.parts)})"
        case Word() | Phrase() | Sign():
            written = _bare(spellings(node))
            return written[0] if len(written) == 1 else f"({' OR '.join(written)})"
        case _:
            raise TypeError(f"{type(node).__name__} is nothing to be asked for")


def for_youtube(node: Node) -> str:
    """Write a tree in YouTube's syntax, which has `|` and no brackets: terms of which one occurs in every match."""
    return "|".join(_bare(tuple(text for term in any_of(node) for text in spellings(term))))


def _bare(texts: Iterable[str]) -> list[str]:
    """Return words and quoted phrases without the signs before them: these platforms search for letters."""
    return list(dict.fromkeys(_quoted(text.lstrip("#@")) for text in texts))
