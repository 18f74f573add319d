"""Which monitors a mention concerns: all queries at once, in time linear in the text.

One Aho-Corasick scan (Aho and Corasick 1975) over the folded texts finds the anchors, words of which one must occur for
a query to match. Only the queries so proposed are then asked, as closures over the text's words. Nothing backtracks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import cached_property
from string import printable
from typing import TYPE_CHECKING, assert_never
from urllib.parse import quote

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind
from msgspec import Struct

from brandmelder.capture.folding import TOKEN, fold
from brandmelder.capture.query import Query, parse
from brandmelder.capture.tree import (
    Anchor,
    And,
    Everything,
    Field,
    FieldName,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Sign,
    Spoken,
    Word,
    fields_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from brandmelder.model import MonitorId

__all__ = ["Matcher", "Particulars", "Query", "parse"]

_BETWEEN = "\n\x1e\n"
_CHUNK = 500


class Particulars(Struct, frozen=True):
    """What is known of a mention beside its words; `author` as it is kept, thus a pseudonym."""

    author: str = ""
    source: str = ""
    language: str = ""
    url: str = ""
    reach: int | None = None


_NOTHING_KNOWN = Particulars()


class Matcher:
    """All queries of a configuration, ready to be held against mentions. Raises QueryError for one it cannot read.

    `named` turns the name in `author:` into what is kept of authors.
    """

    def __init__(
        self, queries: Mapping[MonitorId, str | Query], *, named: Callable[[str], str] = lambda name: name
    ) -> None:
        read = {monitor: parse(query) if isinstance(query, str) else query for monitor, query in queries.items()}
        self._monitors = tuple(read)
        self._tests = tuple(_test(query.tree, named) for query in read.values())
        self.asks_for = frozenset(field.name for query in read.values() for field in fields_of(query.tree))
        """The fields that some query looks at; the others need not be known."""
        asked: dict[Anchor, list[int]] = {}
        for number, query in enumerate(read.values()):
            for anchor in query.anchors:
                asked.setdefault(anchor, []).append(number)
        self._anchors = tuple(asked.items())
        self._always = frozenset(number for number, query in enumerate(read.values()) if not query.anchors)
        self._scan = AhoCorasick(
            [anchor.text for anchor in asked],
            matchkind=MatchKind.Standard,
            store_patterns=False,
            implementation=Implementation.ContiguousNFA,
        )

    def monitors(self, texts: Sequence[str], particulars: Sequence[Particulars] = ()) -> list[tuple[MonitorId, ...]]:
        """Return for each text (cleaned, see normalise.py) the monitors it concerns, in the order of `queries`."""
        found: list[tuple[MonitorId, ...]] = []
        for start in range(0, len(texts), _CHUNK):
            found.extend(self._chunk(texts[start : start + _CHUNK], particulars[start : start + _CHUNK]))
        return found

    def _chunk(self, texts: Sequence[str], particulars: Sequence[Particulars]) -> Iterator[tuple[MonitorId, ...]]:
        folded = fold(_BETWEEN.join(texts)).split(_BETWEEN)
        if len(folded) != len(texts):
            folded = [fold(text).replace(_BETWEEN, " ") for text in texts]
        proposed = self._propose(folded)
        for number, text in enumerate(folded):
            asked = self._always.union(proposed.get(number, ()))
            known = particulars[number] if particulars else _NOTHING_KNOWN
            words = _Words(text, known) if asked else None
            yield tuple(self._monitors[query] for query in sorted(asked) if words and self._tests[query](words))

    def _propose(self, folded: Sequence[str]) -> dict[int, set[int]]:
        """Return the queries whose anchor occurs, by number of the text."""
        joined = _BETWEEN.join(folded)
        proposed: dict[int, set[int]] = {}
        number, end = 0, len(folded[0])
        for pattern, start, stop in self._occurrences(joined):
            anchor, queries = self._anchors[pattern]
            if not _is_whole(joined, start, stop, anchor):
                continue
            while stop > end:
                number += 1
                end += len(_BETWEEN) + len(folded[number])
            proposed.setdefault(number, set()).update(queries)
        return proposed

    def _occurrences(self, text: str) -> list[tuple[int, int, int]]:
        """Return every occurrence of an anchor: its number, where it starts and stops."""
        try:
            return self._scan.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:  # half a character, which the scan refuses; places stay what they are
            return self._occurrences(text.encode("utf-8", "replace").decode())


def _is_whole(text: str, start: int, stop: int, term: Anchor) -> bool:
    """Tell whether the occurrence begins and ends where words do (a prefix need not end)."""
    before = text[start - 1] if start else " "
    after = text[stop] if stop < len(text) and not term.is_prefix else " "
    if isinstance(term, Sign):
        return not (before.isalnum() or before in "_&/" or after.isalnum() or after == "_")
    return not (before.isalnum() or after.isalnum()) or not term.text[-1].isalnum()


# ------------------------------------------------------------------ one text


class _Words:
    """A folded text as the closures see it; what only few queries need is made when it is first asked for."""

    def __init__(self, text: str, known: Particulars) -> None:
        self.text = text
        self.known = known

    @cached_property
    def row(self) -> list[str]:
        return TOKEN.findall(self.text)

    @cached_property
    def all(self) -> frozenset[str]:
        return frozenset(self.row)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, word in enumerate(self.row):
            places.setdefault(word, []).append(place)
        return places

    @cached_property
    def sorted(self) -> list[str]:
        return sorted(self.all)

    def beginning(self, prefix: str) -> Iterator[str]:
        """Return the distinct words that begin with `prefix`."""
        for number in range(bisect_left(self.sorted, prefix), len(self.sorted)):
            if not self.sorted[number].startswith(prefix):
                return
            yield self.sorted[number]


# ------------------------------------------------------------------ closures

Test = Callable[[_Words], bool]


def _test(tree: Node | Everything, named: Callable[[str], str]) -> Test:
    return (lambda _words: True) if isinstance(tree, Everything) else _compile(tree, named)


def _compile(node: Node, named: Callable[[str], str]) -> Test:  # noqa: PLR0911 - one line a node
    match node:
        case Word():
            return _word(node)
        case Phrase():
            return _phrase(node.words)
        case Sign():
            return _sign(node)
        case Near():
            return _near(node)
        case Field():
            return _field(node, named)
        case Not():
            return _not(_compile(node.term, named))
        case And():
            return _all(tuple(_compile(part, named) for part in node.parts))
        case Or():
            return _any(tuple(_compile(part, named) for part in node.parts))
        case _:
            assert_never(node)


def _word(word: Word) -> Test:
    text = word.text
    if word.is_prefix:
        return lambda words: text in words.text and next(words.beginning(text), None) is not None
    if not text.isalnum():
        return lambda words: text in words.all
    return lambda words: _stands_in(words.text, text)


def _stands_in(text: str, word: str) -> bool:
    """Tell whether a run of letters and digits is one of the words of a text, without dividing it into words."""
    start = text.find(word)
    while start >= 0:
        stop = start + len(word)
        if not (text[start - 1 : start].isalnum() or text[stop : stop + 1].isalnum()):
            return True
        start = text.find(word, start + 1)
    return False


def _phrase(parts: tuple[Word, ...]) -> Test:
    starts = _starts(parts)
    return lambda words: next(starts(words), None) is not None


def _starts(parts: tuple[Word, ...]) -> Callable[[_Words], Iterator[int]]:
    """Return how to find where the parts stand in a row: at each place of the longest, the others at fixed distances.

    Each place comes once, in no order.
    """
    pivot = max(range(len(parts)), key=lambda number: len(parts[number].text))
    others = [(number - pivot, part.text, part.is_prefix) for number, part in enumerate(parts) if number != pivot]
    key = parts[pivot]
    whole = frozenset(part.text for part in parts if not part.is_prefix)

    def fits(row: Sequence[str], place: int) -> bool:
        if place < pivot or place + len(parts) - pivot > len(row):
            return False
        for distance, text, is_prefix in others:
            word = row[place + distance]
            if not (word.startswith(text) if is_prefix else word == text):
                return False
        return True

    def starts(words: _Words) -> Iterator[int]:
        if not whole <= words.all:
            return
        for word in words.beginning(key.text) if key.is_prefix else (key.text,):
            yield from (place - pivot for place in words.places.get(word, ()) if fits(words.row, place))

    return starts


def _near(near: Near) -> Test:
    """Look through both sides' places from left to right; two that overlap are not two."""
    left, right = _spans(near.left), _spans(near.right)

    def test(words: _Words) -> bool:
        ours = left(words)
        theirs = right(words) if ours else []
        return _are_near(ours, theirs, near.distance) or _are_near(theirs, ours, near.distance)

    return test


def _spans(sides: tuple[Spoken, ...]) -> Callable[[_Words], list[tuple[int, int]]]:
    rows = [side.words if isinstance(side, Phrase) else (side,) for side in sides]
    found = [(_starts(row), len(row)) for row in rows]
    return lambda words: sorted((start, start + length) for starts, length in found for start in starts(words))


def _are_near(first: Sequence[tuple[int, int]], then: Sequence[tuple[int, int]], distance: int) -> bool:
    """Tell whether some span of `then` begins behind one of `first`, at most `distance` words from its last word."""
    ends = sorted(end for _, end in first)
    for start, _ in then:
        at = bisect_right(ends, start) - 1
        if at >= 0 and start - ends[at] < distance:
            return True
    return False


def _field(field: Field, named: Callable[[str], str]) -> Test:
    match field.name:
        case FieldName.AUTHOR:
            author = named(field.value)
            return lambda words: words.known.author == author
        case FieldName.SOURCE:
            return lambda words: words.known.source == field.value
        case FieldName.LANGUAGE:
            return lambda words: words.known.language == field.value
        case FieldName.URL:
            ways = {field.value, quote(field.value, safe=printable).lower()}  # paths are kept in ASCII
            return lambda words: any(way in words.known.url.lower() for way in ways)
        case FieldName.REACH:
            least, most = field.least or 0, field.most

            def reaches(words: _Words) -> bool:
                reach = words.known.reach
                return reach is not None and reach >= least and (most is None or reach <= most)

            return reaches
        case _:
            assert_never(field.name)


def _sign(sign: Sign) -> Test:
    def test(words: _Words) -> bool:
        start = words.text.find(sign.text)
        while start >= 0:
            if _is_whole(words.text, start, start + len(sign.text), sign):
                return True
            start = words.text.find(sign.text, start + 1)
        return False

    return test


def _not(test: Test) -> Test:
    return lambda words: not test(words)


def _all(tests: tuple[Test, ...]) -> Test:
    def test(words: _Words) -> bool:
        for part in tests:  # noqa: SIM110 - a loop takes half the time of all()
            if not part(words):
                return False
        return True

    return test


def _any(tests: tuple[Test, ...]) -> Test:
    def test(words: _Words) -> bool:
        for part in tests:  # noqa: SIM110 - likewise
            if part(words):
                return True
        return False

    return test
