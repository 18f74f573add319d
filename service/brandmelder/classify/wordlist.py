"""Which entries of a compiled word list a text holds: words, stems and pairs, negated or not, counted by kind.

The list is compiled to hashes by the trainer, so that matching is array work: a bitmap throws out most words, a binary
search decides. A stem is found through the hash of its first four letters, then by length; the longest wins.
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
LANE_BITS: Final = 10
LANES: Final = 6
"""Kinds counted in one 64-bit number, each in its lane."""
SCOPE: Final = 3
"""Words that a negation reaches."""

_STEPS: Final = np.array(STEM_LENGTHS, np.intp)[:, None]
_SHIFTS: Final = np.arange(LANES, dtype=np.int64) * LANE_BITS
_LANE_MASK: Final = (1 << LANE_BITS) - 1
_SHIFT: Final = np.uint32(32 - features.SLOT_BITS)


class Found(NamedTuple):
    """Entries in a batch: `words` per token and `pairs` per token and its successor; 0 is none."""

    words: NDArray[np.intp]
    pairs: NDArray[np.intp]
    negated: NDArray[np.bool_]


class WordList:
    """A compiled list: sorted hashes, the entry of each, and the kinds of each entry (row 0 is no entry).

    `kinds[e, k]` says how often entry e counts for kind k; row `e + entries` is the same entry under a negation.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> None:
        self.keys = np.append(np.asarray(arrays[f"{prefix}_keys"], np.uint32), np.uint32(0xFFFFFFFF))
        self.ids = np.append(np.asarray(arrays[f"{prefix}_ids"], np.intp), 0)
        kinds = np.asarray(arrays[f"{prefix}_kinds"], np.int64)
        self.kind_rows = kinds
        """What each row counts for, shape (rows, kinds)."""
        self.entries = len(kinds) // 2
        self.kinds = kinds.shape[1]
        self.is_negator = np.asarray(arrays[f"{prefix}_negators"], np.bool_)
        self.topics = np.asarray(arrays[f"{prefix}_topics"], np.uint32)
        self.lanes = _packed(kinds)
        self._filter = np.zeros(features.SLOTS, np.bool_)
        self._filter[self.keys >> _SHIFT] = True
        self._stems = np.zeros(features.SLOTS, np.bool_)
        self._stems[np.asarray(arrays[f"{prefix}_stems"], np.uint32) >> _SHIFT] = True

    def match(self, batch: features.Batch, tokens: features.Tokens) -> Found:
        """Return the entry of each token and of each pair of neighbours within a text."""
        count = len(tokens.hashes)
        hits = np.zeros(2 * count, np.intp)
        hits[: 2 * count - 1] = self._find(np.concatenate([tokens.hashes, pair_hashes(tokens.hashes)]))
        words, pairs = hits[:count], hits[count:]
        if count:
            pairs[tokens.last - 1] = 0
        self._match_stems(batch, tokens, words)
        return Found(words, pairs, self._negated(tokens, words))

    def counts(self, tokens: features.Tokens, found: Found) -> NDArray[np.int64]:
        """Return how often each kind occurs, shape (texts, kinds)."""
        rows = found.words + found.negated * self.entries
        return self.unpacked(per_text(self.lanes[rows] + self.lanes[found.pairs], tokens))

    def unpacked(self, totals: NDArray[np.int64]) -> NDArray[np.int64]:
        """Spread sums of `lanes` to one column per kind."""
        spread = (totals[:, :, None] >> _SHIFTS) & _LANE_MASK
        return spread.reshape(len(totals), -1)[:, : self.kinds]

    def _find(self, hashes: NDArray[np.uint32]) -> NDArray[np.intp]:
        out = np.zeros(hashes.size, np.intp)
        likely = np.flatnonzero(self._filter[hashes >> _SHIFT])
        wanted = hashes.ravel()[likely]
        places = np.searchsorted(self.keys, wanted)
        out[likely] = self.ids[places] * (self.keys[places] == wanted)
        return out.reshape(hashes.shape)

    def _match_stems(self, batch: features.Batch, tokens: features.Tokens, words: NDArray[np.intp]) -> None:
        long = np.flatnonzero((words == 0) & (tokens.lengths >= STEM_LENGTHS[0]))
        heads = features.spans(batch, tokens.begins[long], STEM_LENGTHS[0])
        long = long[self._stems[heads >> _SHIFT]]
        if not len(long):
            return
        lengths = np.minimum(tokens.lengths[long], _STEPS)
        hits = self._find(features.spans(batch, tokens.begins[long], lengths) ^ STEM_MARK)
        longest = len(STEM_LENGTHS) - 1 - np.argmax(hits[::-1] > 0, axis=0)
        words[long] = hits[longest, np.arange(len(long))]

    def _negated(self, tokens: features.Tokens, words: NDArray[np.intp]) -> NDArray[np.bool_]:
        reached = self.is_negator[words]
        if not reached.any():
            return reached
        open_to_left = ~tokens.is_stop
        firsts = tokens.first
        open_to_left[firsts[firsts < len(words)]] = False
        negated = np.zeros(len(words), np.bool_)
        for _ in range(SCOPE):
            shifted = np.zeros_like(reached)
            np.logical_and(reached[:-1], open_to_left[1:], out=shifted[1:])
            reached = shifted
            negated |= reached
        return negated


def pair_hashes(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the hash of each token with its successor, one fewer than `hashes`."""
    mixed = hashes[:-1] * np.uint32(3) + hashes[1:]
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


def per_text(values: NDArray[np.int64], tokens: features.Tokens) -> NDArray[np.int64]:
    """Sum `values`, one row per token, over the tokens of each text."""
    padded = np.zeros((len(values) + 1, *values.shape[1:]), np.int64)
    padded[:-1] = values
    sums = np.add.reduceat(padded, bounds_of(tokens), axis=0)[::2]
    sums[tokens.first == tokens.last] = 0
    return sums


def _packed(kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pack the columns of `kinds` into 64-bit numbers, LANES to each."""
    groups = -(-kinds.shape[1] // LANES)
    padded = np.zeros((len(kinds), groups * LANES), np.int64)
    padded[:, : kinds.shape[1]] = kinds
    out: NDArray[np.int64] = (padded.reshape(len(kinds), groups, LANES) << _SHIFTS).sum(axis=2)
    return out
