"""The linear model of one language: hashed n-grams and a compiled word list become logits.

`logit_c = Σ w_cf·idf_f / sqrt(Σ idf_f²) + entries_c + kinds_c`, against neutral. All sums run over integers, so a text
gets the same verdict whatever batch it stands in.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from brandmelder.classify import features, wordlist
from brandmelder.classify.adapt import Calibration, Correction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

REASONS: Final = 5
REASON_SHARE: Final = 0.03
"""Share of all movement below which a word is no reason."""
COUNT_CAP: Final = 8
"""Occurrences of a kind beyond which nothing changes."""
SUM_CAP: Final = 15
"""Sum of good or bad weights beyond which nothing changes."""
SCALE: Final = 4096
"""Integer units per logit."""
KIND_UNIT: Final = 0.22
"""What one occurrence of a kind is to a brand's correction, beside an n-gram vector of length 1."""
GRAM_LEVELS: Final = 127
IDF_LEVELS: Final = 8

_SHIFT: Final = np.uint32(32 - features.SLOT_BITS)
_SILENT: Final = frozenset({"~u", "~m", ".", ",", "..", "!", "!!", "?", "??", "-", ":", '"', "#", "&", "(", ")", "'"})
_LOOKED_AT: Final = 9
"""Tokens from which the reasons are taken: some repeat one another, some are mere punctuation."""
_TYPICAL_IDF: Final = 3.5
"""Root mean square of idf in a text, where an explanation need not be exact."""
_KIND_STEPS: Final = np.rint(SCALE * KIND_UNIT * np.log2(1 + np.arange(COUNT_CAP + 1))).astype(np.int64)
_LANE: Final = 21
_LANE_MASK: Final = (1 << _LANE) - 1
_BIAS: Final = 1 << 8


class Scores(NamedTuple):
    """Logits of negative and positive against neutral, and of insult against none: shape (texts, 3)."""

    logits: NDArray[np.float64]
    topics: NDArray[np.uint32]
    """One bit per topic."""
    defends: NDArray[np.bool_]
    """The text holds a phrase that takes the brand's side."""


class Reading(NamedTuple):
    """A batch with its tokens and the entries found in it."""

    batch: features.Batch
    tokens: features.Tokens
    found: wordlist.Found


class Head:
    """The part of the model that judges one language; `grams` is missing where only the word list judges."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> None:
        self.words = wordlist.WordList(arrays, prefix)
        self._entries = _scaled(arrays, f"{prefix}_entries")
        self._table = _scaled(arrays, f"{prefix}_table").reshape(-1, 3)
        self._grid = _scaled(arrays, f"{prefix}_grid")
        self._lengths = _scaled(arrays, f"{prefix}_lengths")
        self._good = np.asarray(arrays[f"{prefix}_good"], np.int64)
        self._bad = np.asarray(arrays[f"{prefix}_bad"], np.int64)
        self._defend = int(arrays[f"{prefix}_defend"])
        self._question, self._mock = int(arrays[f"{prefix}_question"]), int(arrays[f"{prefix}_mock"])
        self._has_grams = f"{prefix}_grams" in arrays
        if self._has_grams:
            grams = np.asarray(arrays[f"{prefix}_grams"], np.int8)
            self._idf = grams[2].view(np.uint8)
            """In sixteenths."""
            self._lanes = _packed(grams[0], grams[1], self._idf)
            self._tones = grams[0].astype(np.int16) - grams[1]
            self._gram_scale = float(arrays[f"{prefix}_grams_scale"])
            self._insults = np.asarray(arrays[f"{prefix}_insults"], np.int8)
            self._insult_scale = float(arrays[f"{prefix}_insults_scale"])
        self._groups = self.words.lanes.shape[1]
        folded = np.tile(_folded(self._entries), 2)[:, None]
        """An entry weighs the same behind a `but`; only its kinds differ."""
        self._rows_table = np.concatenate([self.words.lanes, folded], axis=1)
        self._folded_table = _folded(self._table)
        self._folded_grid = _folded(self._grid)
        self._folded_lengths = _folded(self._lengths)
        self._offsets = np.arange(self.words.kinds, dtype=np.intp) * (COUNT_CAP + 1)
        a, b = np.asarray(arrays[f"{prefix}_calibration"], np.float64).tolist()
        self.calibration = Calibration(a, b)
        self.unsure_band = float(arrays[f"{prefix}_unsure_band"])
        self.label_bias = np.asarray(arrays[f"{prefix}_label_bias"], np.float64)

    def score(self, texts: Sequence[str]) -> Scores:
        """Score texts of this language; any number, any length."""
        parts = [self.score_reading(self.read(part)) for part in chunks(texts)]
        if not parts:
            return Scores(np.zeros((0, 3)), np.zeros(0, np.uint32), np.zeros(0, np.bool_))
        if len(parts) == 1:
            return parts[0]
        return Scores(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def read(self, texts: Sequence[str]) -> Reading:
        """Read one run of `chunks`."""
        batch = features.read(texts)
        tokens = features.tokens(batch)
        return Reading(batch, tokens, self.words.match(batch, tokens))

    def shares_known(self, texts: Sequence[str]) -> list[float]:
        """Return, per text, the share of words and signs that stand in the list; emoji stand in every list."""
        shares: list[float] = []
        for part in chunks(texts):
            _, tokens, found = self.read(part)
            known = wordlist.per_text((found.words > 0).astype(np.int64), tokens.first, tokens.last)
            shares += (known / np.maximum(tokens.last - tokens.first, 1)).tolist()
        return shares

    def score_reading(self, reading: Reading) -> Scores:
        """Score the texts of a reading."""
        batch, tokens, found = reading
        totals = self._entry_sums(reading)
        counts = self.words.unpacked(totals[:, : self._groups])
        logits = _unfolded(self._dense(counts, tokens) + totals[:, -1]) / SCALE
        if self._has_grams:
            slots = tokens.hashes >> _SHIFT
            first, last = tokens.first, tokens.last
            words = wordlist.per_text(self._lanes.take(slots, mode="clip"), first, last)
            logits[:, :2] += self._gram_logits(batch, tokens, words)
            insults = wordlist.per_text(self._insults.take(slots, mode="clip"), first, last)
            logits[:, 2] += insults * (self._insult_scale / np.sqrt(np.maximum(last - first, 1)))
        return Scores(logits, self._topics(tokens, found), counts[:, self._defend] > 0)

    def labels(self, scores: Scores, moved: NDArray[np.float64] | float = 0.0) -> list[int]:
        """Return the most likely class (0 negative, 1 neutral, 2 positive) under the bias that training chose.

        `moved` is by how much a brand's correction raised the log-odds of negative.
        """
        raised = scores.logits[:, :2] + self.label_bias
        raised[:, 0] += moved
        shifted = np.insert(raised, 1, 0.0, axis=1)
        return [int(label) for label in shifted.argmax(axis=1)]

    def _entry_sums(self, reading: Reading) -> NDArray[np.int64]:
        """Return, per text, the lanes of kinds and the folded weights of the entries found in it."""
        tokens, found = reading.tokens, reading.found
        hits = (found.words | found.pairs).nonzero()[0]
        values = self._rows_table.take(self.words.rows(found).take(hits), axis=0)
        values += self._rows_table.take(found.pairs.take(hits), axis=0)
        return wordlist.per_text(values, np.searchsorted(hits, tokens.first), np.searchsorted(hits, tokens.last))

    def _dense(self, counts: NDArray[np.int64], tokens: features.Tokens) -> NDArray[np.int64]:
        """Return folded weights of the kinds, their balance and the length, one number per text."""
        good = np.minimum(counts @ self._good, SUM_CAP)
        bad = np.minimum(counts @ self._bad, SUM_CAP)
        lengths = np.minimum(tokens.last - tokens.first, len(self._lengths) - 1)
        cells = np.minimum(counts, COUNT_CAP)
        cells += self._offsets
        out: NDArray[np.int64] = self._folded_table.take(cells).sum(axis=1)
        out += self._folded_grid[moods(counts, self._question, self._mock), good, bad]
        out += self._folded_lengths.take(lengths)
        return out

    def _gram_logits(
        self, batch: features.Batch, tokens: features.Tokens, words: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return Σ w·idf / sqrt(Σ idf²), shape (texts, 2), from three lanes of one 64-bit table."""
        one, two, three = self._lanes.take(features.gram_slots(batch), mode="clip")
        lanes = np.add(one, two, out=one)
        lanes += three
        bounds = np.empty(2 * len(batch.starts), np.intp)
        bounds[::2] = batch.starts
        bounds[1::2] = batch.ends
        sums = np.add.reduceat(lanes, bounds)[::2] + words
        counts = len(features.LENGTHS) * (batch.ends - batch.starts) + (tokens.last - tokens.first)
        norm = self._gram_scale / np.sqrt(np.maximum(sums & _LANE_MASK, 1) / IDF_LEVELS)
        counts *= _BIAS
        out = np.empty((len(sums), 2))
        out[:, 0] = ((sums >> (2 * _LANE)) - counts) * norm
        out[:, 1] = (((sums >> _LANE) & _LANE_MASK) - counts) * norm
        return out

    def vectors(self, reading: Reading) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
        """Return φ of each text: slots and values of its n-grams and words (length 1), then of its kinds."""
        batch, tokens, found = reading
        steps = np.minimum(self.words.counts(tokens, found), COUNT_CAP)
        grams = features.gram_slots(batch)
        words = tokens.hashes >> _SHIFT
        out = []
        for row, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
            cells = np.concatenate([grams[:, start:end].ravel(), words[tokens.first[row] : tokens.last[row]]])
            slots, counts = np.unique(cells, return_counts=True)
            norm = np.sqrt(max(1e-9, float(counts @ (self._idf[slots] / 16) ** 2)))
            values = counts * (self._idf[slots] / 16) / norm
            known, kinds = values > 0, steps[row].nonzero()[0]
            out.append(
                (
                    (*slots[known].tolist(), *(kinds + features.SLOTS).tolist()),
                    (*np.round(values[known], 6).tolist(), *(_KIND_STEPS[steps[row, kinds]] / SCALE).tolist()),
                )
            )
        return out

    def shift(self, reading: Reading, weights: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return δ·φ of each text; weights, in units of 1/SCALE, are those of `table`."""
        batch, tokens, found = reading
        grams, words = features.gram_slots(batch), tokens.hashes >> _SHIFT
        bounds = np.stack([batch.starts, batch.ends], axis=1).ravel()
        both = np.stack([weights[: features.SLOTS], self._lanes & _LANE_MASK])
        sums, norm = np.add.reduceat(both[:, grams].sum(axis=1), bounds, axis=1)[:, ::2] + np.stack(
            [wordlist.per_text(one[words], tokens.first, tokens.last) for one in both]
        )
        steps = _KIND_STEPS.take(np.minimum(self.words.counts(tokens, found), COUNT_CAP))
        kinds = steps @ weights[features.SLOTS :] / SCALE**2
        out: NDArray[np.float64] = sums / SCALE / np.sqrt(np.maximum(norm, 1) / IDF_LEVELS) + kinds
        return out

    def table(self, correction: Correction) -> NDArray[np.int64]:
        """Return the weights that `shift` takes: weight·idf per slot, and the weight of each kind."""
        weights = np.zeros(features.SLOTS + self.words.kinds, np.int64)
        if correction.slots:
            slots = np.array(correction.slots)
            scale = np.where(slots < features.SLOTS, self._idf[np.minimum(slots, features.SLOTS - 1)] / 16, 1.0)
            weights[slots] = np.rint(np.array(correction.values) * scale * SCALE)
        return weights

    def _topics(self, tokens: features.Tokens, found: wordlist.Found) -> NDArray[np.uint32]:
        bits = np.zeros(len(found.words) + 1, np.uint32)
        np.bitwise_or(self.words.topics[found.words], self.words.topics[found.pairs], out=bits[:-1])
        out: NDArray[np.uint32] = np.bitwise_or.reduceat(bits, wordlist.bounds_of(tokens))[::2]
        out[tokens.first == tokens.last] = 0
        return out

    def moves(self, reading: Reading) -> NDArray[np.float64]:
        """Return how far each token moved from positive to negative, in logits: an explanation, no second score."""
        alone = self._row_moves[self.words.rows(reading.found)] + self._row_moves[reading.found.pairs]
        return alone + self._gram_moves(reading)

    def reasons(self, reading: Reading) -> list[tuple[tuple[str, float], ...]]:
        """Return, per text, at most five words that decided it, strongest first, each with its share of the movement.

        Above zero it moved from positive towards negative.
        """
        moves = self.moves(reading)
        tokens = reading.tokens
        places = np.arange(len(moves))
        texts = np.searchsorted(tokens.first, places, side="right") - 1
        inside = (places < tokens.last.take(texts)).nonzero()[0]
        order = inside.take(np.lexsort((-np.abs(moves.take(inside)), texts.take(inside))))
        ends = np.cumsum(tokens.last - tokens.first).tolist()
        sorted_moves, strength = moves.take(order), np.abs(moves.take(order))
        first = tokens.begins.take(order).tolist()
        ends_of = (tokens.begins + tokens.lengths).take(order).tolist()
        values, spelt = sorted_moves.tolist(), _Spelt(reading.batch.units)
        found = []
        for begin, end in zip([0, *ends[:-1]], ends, strict=True):
            stop = min(end, begin + _LOOKED_AT)
            words = spelt.words(first[begin:stop], ends_of[begin:stop])
            found.append(_strongest(words, values[begin:stop], float(strength[begin:end].sum()) or 1.0))
        return found

    @functools.cached_property
    def _row_moves(self) -> NDArray[np.float64]:
        """Return what a row of the word list does on its own, from positive towards negative."""
        tone = np.array([1, -1, 0])
        single = self._table.reshape(-1, COUNT_CAP + 1, 3)[:, 1] @ tone
        grid = (self._grid[0] - self._grid[0, 0, 0]) @ tone
        kinds = self.words.kind_rows.astype(np.int64)
        balance = np.minimum(kinds @ self._good, SUM_CAP), np.minimum(kinds @ self._bad, SUM_CAP)
        whole = np.tile(self._entries @ tone, 2) + kinds @ single + grid[balance]
        whole[:: self.words.entries] = 0
        out: NDArray[np.float64] = whole / SCALE
        return out

    def _gram_moves(self, reading: Reading) -> NDArray[np.float64]:
        """Give every token the n-grams that begin in it."""
        batch, tokens = reading.batch, reading.tokens
        if not self._has_grams:
            return np.zeros(len(tokens.begins))
        weights = self._tones[features.gram_slots(batch)].sum(axis=0, dtype=np.int64)
        running = np.concatenate([[0], np.cumsum(weights)])
        begins = np.minimum(tokens.begins, len(weights))
        stops = np.minimum(tokens.begins + tokens.lengths, len(weights))
        whole = self._tones[tokens.hashes >> _SHIFT]
        units = np.maximum(batch.ends - batch.starts, 1)
        texts = np.searchsorted(tokens.first, np.arange(len(begins)), side="right") - 1
        scale = self._gram_scale / (_TYPICAL_IDF * np.sqrt(len(features.LENGTHS) * units))
        out: NDArray[np.float64] = (running[stops] - running[begins] + whole) * scale[texts]
        return out


def moods(counts: NDArray[np.int64], question: int, mock: int) -> NDArray[np.int64]:
    """Return how each text means its good and bad words: 0 as it says them, 1 in a question, 2 mocking."""
    out = np.minimum(counts[:, question], 1)
    out[counts[:, mock] > 0] = 2
    return out


def chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    """Divide texts into runs that `features.read` takes at once."""
    part: list[str] = []
    size = 0
    for text in texts:
        length = min(len(text), features.RAW_LIMIT) + 8
        if part and size + length > features.CHUNK:
            yield part
            part, size = [], 0
        part.append(text)
        size += length
    if part:
        yield part


def _scaled(arrays: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.int64]:
    """Return weights in integer units of 1/SCALE logit."""
    values = np.asarray(arrays[name], np.float64) * float(arrays[f"{name}_scale"])
    return np.rint(values * SCALE).astype(np.int64)


def _folded(weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fold the last axis (negative, positive, insult) into one number: signed lanes of 21 bits, up to 256 logits."""
    out: NDArray[np.int64] = (weights[..., 0] << (2 * _LANE)) + (weights[..., 1] << _LANE) + weights[..., 2]
    return out


def _unfolded(sums: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the three lanes of sums of `_folded`, shape (texts, 3)."""
    half = 1 << (_LANE - 1)
    out = np.empty((len(sums), 3), np.int64)
    out[:, 2] = ((sums + half) & _LANE_MASK) - half
    rest = (sums - out[:, 2]) >> _LANE
    out[:, 1] = ((rest + half) & _LANE_MASK) - half
    out[:, 0] = (rest - out[:, 1]) >> _LANE
    return out


def _packed(negative: NDArray[np.int8], positive: NDArray[np.int8], sixteenths: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pack (negative, positive, idf²) of every slot into three lanes of 21 bits."""
    squares = np.rint((np.arange(256) / 16) ** 2 * IDF_LEVELS).astype(np.int64)
    out = squares.take(sixteenths)
    out |= (positive.astype(np.int64) + _BIAS) << _LANE
    out |= (negative.astype(np.int64) + _BIAS) << (2 * _LANE)
    return out


def _strongest(words: Sequence[str], values: Sequence[float], whole: float) -> tuple[tuple[str, float], ...]:
    """Return the reasons of one text from its strongest words, of `whole` movement."""
    floor = REASON_SHARE * whole
    totals: dict[str, float] = {}
    for word, value in zip(words, values, strict=True):
        if word not in _SILENT:
            totals[word] = totals.get(word, 0.0) + value
    best = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))[:REASONS]
    return tuple((word, round(value / whole, 3)) for word, value in best if abs(value) > floor)


class _Spelt:
    """The words of a batch of code units; where no sign takes two units, the whole is read once."""

    def __init__(self, units: NDArray[np.uint16]) -> None:
        self._raw = units.astype("<u2", copy=False).tobytes()
        has_pairs = ((units & 0xF800) == 0xD800).any()
        self._whole = None if has_pairs else self._raw.decode("utf-16-le")

    def words(self, begins: Sequence[int], ends: Sequence[int]) -> list[str]:
        bounds = zip(begins, ends, strict=True)
        if self._whole is not None:
            whole = self._whole
            return [whole[begin:end] for begin, end in bounds]
        raw = self._raw
        return [raw[2 * begin : 2 * end].decode("utf-16-le", "replace") for begin, end in bounds]
