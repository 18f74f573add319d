"""Which entries of a compiled word list a text holds: words, stems, endings, pairs, negated or not, counted by kind.

The list is compiled to hashes by the trainer, so that matching is array work: a bitmap throws out most words, a table
over the first bits of the sorted hashes finds the rest. The hash of a word's first (last) four letters says of which
lengths stems (endings) may fit; the longest wins, and a stem before an ending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from brandmelder.classify import features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STEM_LENGTHS: Final = tuple(range(4, 15))
"""Lengths of stems, in code units."""
STEM_MARK: Final = np.uint32(0x5BD1E995)
"""Tells the stem `gut*` from the word `gut`."""
ENDING_MARK: Final = np.uint32(0x3C6EF372)
"""Tells the ending `*ausfall` from the word `ausfall`."""
COMPOUND: Final = 8
"""Letters from which a word is looked up by its ending."""
LANE_BITS: Final = 10
LANES: Final = 6
"""Kinds counted in one 64-bit number, each in its lane."""
SCOPE: Final = 3
"""Words that a negation reaches."""
SCOPE_BACK: Final = 4
"""How far behind a duty or a verb its negator may stand: `antwortet seit Tagen keiner`."""
SCOPE_CLOSING: Final = 6
"""How far a negator that ends its clause reaches back."""

_STEM_BITS: Final = np.uint32(16)
_BITS: Final = np.uint32(1) << np.arange(len(STEM_LENGTHS), dtype=np.uint32)
_WITHIN: Final = np.array(
    [(1 << max(0, length - STEM_LENGTHS[0] + 1)) - 1 for length in range(STEM_LENGTHS[-1] + 1)], np.uint32
)
"""By the length of a word, the lengths of stems it can hold, one bit each."""
_WITHIN_COMPOUND: Final = np.where(np.arange(len(_WITHIN)) >= COMPOUND, _WITHIN, 0).astype(np.uint32)
_MARKS: Final = np.array([STEM_MARK, ENDING_MARK])
_SHIFTS: Final = np.arange(LANES, dtype=np.int64) * LANE_BITS
_LANE_MASK: Final = (1 << LANE_BITS) - 1
_SHIFT: Final = np.uint32(32 - features.SLOT_BITS)


class Found(NamedTuple):
    """Entries in a batch: `words` per token and `pairs` per token and its successor; 0 is none."""

    words: NDArray[np.intp]
    pairs: NDArray[np.intp]
    negated: NDArray[np.bool_]
    behind: NDArray[np.bool_]
    """The token stands behind a `but`."""


class WordList:
    """A compiled list: sorted hashes, the entry of each, and the kinds of each entry (row 0 is no entry).

    `kinds[e, k]` says how often entry e counts for kind k; row `e + entries` is the same entry under a negation, and
    `e + 2·entries` the same behind a `but`.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> None:
        self.keys = np.append(np.asarray(arrays[f"{prefix}_keys"], np.uint32), np.uint32(0xFFFFFFFF))
        self.ids = np.append(np.asarray(arrays[f"{prefix}_ids"], np.intp), 0)
        kinds = np.asarray(arrays[f"{prefix}_kinds"], np.uint8)
        self.kind_rows = kinds
        """What each row counts for, shape (rows, kinds)."""
        self.entries = len(kinds) // 4
        self.kinds = kinds.shape[1]
        self.is_but = np.asarray(arrays[f"{prefix}_buts"], np.bool_)
        self.is_negator = np.asarray(arrays[f"{prefix}_negators"], np.bool_)
        self.topics = np.asarray(arrays[f"{prefix}_topics"], np.uint32)
        self.lanes = _packed(kinds)
        cells = self.keys[:-1] >> _SHIFT
        self._filter = np.zeros(features.SLOTS, np.bool_)
        self._filter[cells] = True
        counts = np.bincount(cells, minlength=features.SLOTS)
        self._places = (np.cumsum(counts) - counts).astype(np.int32)
        """Where the hashes of a slot begin among the sorted ones."""
        self._is_crowded = np.append(cells[1:] == cells[:-1], [False, False])
        """The next hash shares the slot."""
        self.is_denied_later = np.asarray(arrays[f"{prefix}_denied_later"], np.bool_)
        self._parts = _lengths(arrays, f"{prefix}_stem") | (_lengths(arrays, f"{prefix}_tail") << _STEM_BITS)
        """By the first or last four letters: lengths of stems in the lower half, of endings in the upper."""

    def match(self, batch: features.Batch, tokens: features.Tokens) -> Found:
        """Return the entry of each token and of each pair of neighbours within a text."""
        count = len(tokens.hashes)
        hashes = np.empty(2 * count, np.uint32)
        hashes[:count] = tokens.hashes
        if count:
            pair_hashes(tokens.hashes, out=hashes[count:-1])
            hashes[-1] = 0
        hits = self._find(hashes)
        words, pairs = hits[:count], hits[count:]
        if count:
            pairs[tokens.last - 1] = 0
        self._match_parts(batch, tokens, words)
        return Found(words, pairs, self._negated(tokens, words), self._behind(tokens, words))

    def rows(self, found: Found) -> NDArray[np.intp]:
        """Return the row of `kinds` of each token."""
        out: NDArray[np.intp] = found.words + self.entries * (found.negated + 2 * found.behind)
        return out

    def counts(self, tokens: features.Tokens, found: Found) -> NDArray[np.int64]:
        """Return how often each kind occurs, shape (texts, kinds)."""
        return self.unpacked(
            per_text(self.lanes[self.rows(found)] + self.lanes[found.pairs], tokens.first, tokens.last)
        )

    def unpacked(self, totals: NDArray[np.int64]) -> NDArray[np.int64]:
        """Spread sums of `lanes` to one column per kind."""
        spread = (totals[:, :, None] >> _SHIFTS) & _LANE_MASK
        return spread.reshape(len(totals), -1)[:, : self.kinds]

    def _find(self, hashes: NDArray[np.uint32]) -> NDArray[np.intp]:
        out = np.zeros(len(hashes), np.intp)
        likely = self._filter.take(hashes >> _SHIFT, mode="clip").nonzero()[0]
        wanted = hashes.take(likely)
        places = self._places.take(wanted >> _SHIFT, mode="clip")
        is_found = self.keys.take(places) == wanted
        rest = (~is_found & self._is_crowded.take(places)).nonzero()[0]
        if len(rest):
            places[rest] = np.searchsorted(self.keys, wanted[rest])
            is_found[rest] = self.keys[places[rest]] == wanted[rest]
        out[likely] = self.ids.take(places) * is_found
        return out

    def _match_parts(self, batch: features.Batch, tokens: features.Tokens, words: NDArray[np.intp]) -> None:
        """Enter stems and endings where no whole word was found."""
        long = ((words == 0) & (tokens.lengths >= STEM_LENGTHS[0])).nonzero()[0]
        begins, lengths, count = tokens.begins.take(long), tokens.lengths.take(long), len(long)
        places = np.concatenate([begins + lengths, begins])  # endings before stems: what is written last stays
        places[:count] -= STEM_LENGTHS[0]
        ends = features.spans(batch, places, STEM_LENGTHS[0])
        bits = self._parts.take(ends >> _SHIFT, mode="clip")
        bits[:count] >>= _STEM_BITS
        bits &= np.concatenate([_WITHIN_COMPOUND.take(lengths, mode="clip"), _WITHIN.take(lengths, mode="clip")])
        some = bits.nonzero()[0]
        if not len(some):
            return
        cells: NDArray[np.intp] = (bits.take(some)[:, None] & _BITS).ravel().nonzero()[0]
        rows, steps = cells // len(STEM_LENGTHS), cells % len(STEM_LENGTHS)
        some = some.take(rows)
        steps += STEM_LENGTHS[0]
        starts = places.take(some)
        is_ending = some < count
        starts += is_ending * (STEM_LENGTHS[0] - steps)
        hits = self._find(features.spans(batch, starts, steps) ^ _MARKS.take(is_ending))
        good = hits.nonzero()[0]
        words[long.take(some.take(good) % count)] = hits.take(good)  # ascending lengths: the longest is written last

    def _behind(self, tokens: features.Tokens, words: NDArray[np.intp]) -> NDArray[np.bool_]:
        buts = self.is_but.take(words)
        if not buts.any():
            return buts
        ones = buts.astype(np.intp)
        so_far: NDArray[np.intp] = np.cumsum(ones) - ones
        lengths = tokens.last - tokens.first
        firsts = np.repeat(so_far.take(tokens.first, mode="clip"), lengths)
        out = np.zeros(len(words), np.bool_)
        inside = np.arange(len(firsts)) + np.repeat(tokens.first - np.cumsum(lengths) + lengths, lengths)
        out[inside] = so_far.take(inside) > firsts
        return out

    def _negated(self, tokens: features.Tokens, words: NDArray[np.intp]) -> NDArray[np.bool_]:
        negators = self.is_negator.take(words)
        if not negators.any():
            return negators
        is_open = ~tokens.is_stop
        reached, negated = negators, np.zeros(len(words), np.bool_)
        open_to_left = is_open.copy()
        open_to_left[tokens.first[tokens.first < len(words)]] = False
        for _ in range(SCOPE):
            shifted = np.zeros_like(reached)
            np.logical_and(reached[:-1], open_to_left[1:], out=shifted[1:])
            reached = shifted
            negated |= reached
        is_open[tokens.last[tokens.last > 0] - 1] = False
        later = self.is_denied_later.take(words)
        if later.any():
            negated |= later & _reached_back(negators, is_open, SCOPE_BACK)
        # A negator that ends its clause denies what stands before it: `freundlich war das nicht`.
        closing = negators & np.append(tokens.is_stop[1:], True)
        closing[tokens.last[tokens.last > 0] - 1] |= negators[tokens.last[tokens.last > 0] - 1]
        return negated | _reached_back(closing, is_open, SCOPE_CLOSING) if closing.any() else negated


def _reached_back(negators: NDArray[np.bool_], is_open: NDArray[np.bool_], scope: int) -> NDArray[np.bool_]:
    """Return what stands up to `scope` tokens in front of a negator, no stop or end of a text between."""
    reached, out = negators, np.zeros(len(negators), np.bool_)
    for _ in range(scope):
        shifted = np.zeros_like(reached)
        np.logical_and(reached[1:], is_open[:-1], out=shifted[:-1])
        reached = shifted
        out |= reached
    return out


def _lengths(arrays: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.uint32]:
    """Return, by slot, the lengths of stems or endings, one bit each."""
    out = np.zeros(features.SLOTS, np.uint32)
    slots = np.asarray(arrays[f"{name}s"], np.uint32) >> _SHIFT
    np.bitwise_or.at(out, slots, np.asarray(arrays[f"{name}_lengths"], np.uint32))
    return out


def pair_hashes(hashes: NDArray[np.uint32], out: NDArray[np.uint32] | None = None) -> NDArray[np.uint32]:
    """Return the hash of each token with its successor, one fewer than `hashes`."""
    mixed = np.multiply(hashes[:-1], np.uint32(3), out=out)
    mixed += hashes[1:]
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(15)
    return mixed


def bounds_of(tokens: features.Tokens) -> NDArray[np.intp]:
    """Return where each text's tokens begin and end, for `reduceat` over one row more than there are tokens."""
    bounds = np.empty(2 * len(tokens.first), np.intp)
    bounds[::2] = tokens.first
    bounds[1::2] = tokens.last
    return bounds


def per_text(values: NDArray[np.signedinteger], first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.int64]:
    """Sum rows `first[i]` to `last[i]`, exclusive, of `values` for each text i."""
    bounds = np.empty(2 * len(first), np.intp)
    bounds[::2] = first
    bounds[1::2] = last
    if first[-1] == len(values):  # the last text is empty, and `reduceat` must not start behind the end
        values = np.concatenate([values, np.zeros_like(values, shape=(1, *values.shape[1:]))])
    if last[-1] == len(values):
        bounds = bounds[:-1]
    sums = np.add.reduceat(values, bounds, axis=0, dtype=np.int64)[::2]
    sums[first == last] = 0
    return sums


def _packed(kinds: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pack the columns of `kinds` into 64-bit numbers, LANES to each."""
    out = np.zeros((len(kinds), -(-kinds.shape[1] // LANES)), np.int64)
    for column in range(kinds.shape[1]):
        out[:, column // LANES] |= kinds[:, column].astype(np.int64) << (column % LANES * LANE_BITS)
    return out
