"""Which monitors a mention concerns: all queries at once, in time linear in the text.

One Aho-Corasick scan (Aho and Corasick 1975) over the folded texts finds the anchors, words of which one must occur for
a query to match. Only the queries so proposed are then asked, as closures over the text's words. Nothing backtracks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, assert_never

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from brandmelder.capture.query import TOKEN, Anchor, And, Node, Not, Or, Phrase, Query, Sign, Word, fold, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from brandmelder.model import MonitorId

__all__ = ["Matcher", "Query", "parse"]

_BETWEEN = "\n\x1e\n"
_CHUNK = 500


class Matcher:
    """All queries of a configuration, ready to be held against mentions. Raises QueryError for one it cannot read."""

    def __init__(self, queries: Mapping[MonitorId, str]) -> None:
        read = {monitor: parse(query) for monitor, query in queries.items()}
        self._monitors = tuple(read)
        self._tests = tuple(_compile(query.tree) for query in read.values())
        asked: dict[Anchor, list[int]] = {}
        for number, query in enumerate(read.values()):
            for anchor in query.anchors:
                asked.setdefault(anchor, []).append(number)
        self._anchors = tuple(asked.items())
        self._scan = AhoCorasick(
            [anchor.text for anchor in asked],
            matchkind=MatchKind.Standard,
            store_patterns=False,
            implementation=Implementation.ContiguousNFA,
        )

    def monitors(self, texts: Sequence[str]) -> list[tuple[MonitorId, ...]]:
        """Return for each text (cleaned, see normalise.py) the monitors it concerns, in the order of `queries`."""
        found: list[tuple[MonitorId, ...]] = []
        for start in range(0, len(texts), _CHUNK):
            found.extend(self._chunk(texts[start : start + _CHUNK]))
        return found

    def _chunk(self, texts: Sequence[str]) -> Iterator[tuple[MonitorId, ...]]:
        folded = fold(_BETWEEN.join(texts)).split(_BETWEEN)
        if len(folded) != len(texts):
            folded = [fold(text).replace(_BETWEEN, " ") for text in texts]
        proposed = self._propose(folded)
        for number, text in enumerate(folded):
            if number not in proposed:
                yield ()
                continue
            words = _Words(text)
            yield tuple(self._monitors[query] for query in sorted(proposed[number]) if self._tests[query](words))

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

    def __init__(self, text: str) -> None:
        self.text = text
        self.row: list[str] = TOKEN.findall(text)
        self.all = frozenset(self.row)

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


def _compile(node: Node) -> Test:
    match node:
        case Word():
            return _word(node)
        case Phrase():
            return _phrase(node.words)
        case Sign():
            return _sign(node)
        case Not():
            return _not(_compile(node.term))
        case And():
            return _all(tuple(map(_compile, node.parts)))
        case Or():
            return _any(tuple(map(_compile, node.parts)))
        case _:
            assert_never(node)


def _word(word: Word) -> Test:
    text = word.text
    if word.is_prefix:
        return lambda words: next(words.beginning(text), None) is not None
    return lambda words: text in words.all


def _phrase(parts: tuple[Word, ...]) -> Test:
    """Look around each place of the longest part; the others stand at fixed distances."""
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

    def test(words: _Words) -> bool:
        if not whole <= words.all:
            return False
        keys = words.beginning(key.text) if key.is_prefix else (key.text,)
        return any(fits(words.row, place) for word in keys for place in words.places.get(word, ()))

    return test


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
