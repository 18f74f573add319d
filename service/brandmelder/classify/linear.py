"""The default judge: a linear model on hashed n-grams and a compiled word list. Small, local, no download.

`logit_c = Σ w_cf·idf_f / sqrt(Σ idf_f²) + entries_c + kinds_c`, against neutral. All sums run over integers, so a text
gets the same verdict whatever batch it stands in.
"""

from __future__ import annotations

import functools
import hashlib
import io
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from brandmelder.classify import features, tone
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

FILE: Final = "linear.npz"
SHA256: Final = "unset"
"""Of the model file that belongs to this version of the code; training prints it."""
COUNT_CAP: Final = 8
"""Occurrences of a kind beyond which nothing changes."""
SUM_CAP: Final = 15
"""Sum of good or bad weights beyond which nothing changes."""
SCALE: Final = 4096
"""Integer units per logit."""
GRAM_LEVELS: Final = 127
IDF_LEVELS: Final = 8

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


class Head:
    """The part of the model that judges one language; `grams` is missing where only the word list judges."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> None:
        self.words = tone.WordList(arrays, prefix)
        self._entries = _scaled(arrays, f"{prefix}_entries")
        self._table = _scaled(arrays, f"{prefix}_table").reshape(-1, 3)
        self._grid = _scaled(arrays, f"{prefix}_grid")
        self._lengths = _scaled(arrays, f"{prefix}_lengths")
        self._good = np.asarray(arrays[f"{prefix}_good"], np.int64)
        self._bad = np.asarray(arrays[f"{prefix}_bad"], np.int64)
        self._defend = int(arrays[f"{prefix}_defend"])
        self._grams: NDArray[np.int64] | None = None
        if f"{prefix}_grams" in arrays:
            self._grams = _packed(np.asarray(arrays[f"{prefix}_grams"], np.int64))
            self._gram_scale = float(arrays[f"{prefix}_grams_scale"])
            self._insults = np.asarray(arrays[f"{prefix}_insults"], np.int64)
            self._insult_scale = float(arrays[f"{prefix}_insults_scale"])
        self._offsets = np.arange(self.words.kinds, dtype=np.intp) * (COUNT_CAP + 1)
        self.calibration = np.asarray(arrays[f"{prefix}_calibration"], np.float64)

    def score(self, texts: Sequence[str]) -> Scores:
        """Score texts of this language; any number, any length."""
        parts = [self._score(part) for part in chunks(texts)]
        if not parts:
            return Scores(np.zeros((0, 3)), np.zeros(0, np.uint32), np.zeros(0, np.bool_))
        if len(parts) == 1:
            return parts[0]
        return Scores(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _score(self, texts: Sequence[str]) -> Scores:
        batch = features.read(texts)
        tokens = features.tokens(batch)
        found = self.words.match(batch, tokens)
        counts = self.words.counts(tokens, found)
        logits = (self._dense(counts, tokens) + self._entry_sums(tokens, found)) / SCALE
        if self._grams is not None:
            slots = tokens.hashes >> np.uint32(32 - features.SLOT_BITS)
            logits[:, :2] += self._gram_logits(batch, tokens, slots)
            logits[:, 2] += self._insult_logits(tokens, slots)
        return Scores(logits, self._topics(tokens, found), counts[:, self._defend] > 0)

    def _dense(self, counts: NDArray[np.int64], tokens: features.Tokens) -> NDArray[np.int64]:
        capped = np.minimum(counts, COUNT_CAP)
        good = np.minimum(counts @ self._good, SUM_CAP)
        bad = np.minimum(counts @ self._bad, SUM_CAP)
        lengths = np.minimum(tokens.last - tokens.first, len(self._lengths) - 1)
        kinds: NDArray[np.int64] = self._table[capped + self._offsets].sum(axis=1)
        return kinds + self._grid[good, bad] + self._lengths[lengths]

    def _entry_sums(self, tokens: features.Tokens, found: tone.Found) -> NDArray[np.int64]:
        rows = found.words + np.where(found.negated, self.words.entries, 0)
        return tone.per_text(self._entries[rows] + self._entries[found.pairs], tokens)

    def _gram_logits(
        self, batch: features.Batch, tokens: features.Tokens, slots: NDArray[np.uint32]
    ) -> NDArray[np.float64]:
        """Return Σ w·idf / sqrt(Σ idf²), shape (texts, 2), from three lanes of one 64-bit table."""
        assert self._grams is not None
        lanes = self._grams[features.gram_slots(batch)].sum(axis=0)
        bounds = np.empty(2 * len(batch.starts), np.intp)
        bounds[::2] = batch.starts
        bounds[1::2] = batch.ends
        sums = np.add.reduceat(lanes, bounds)[::2] + tone.per_text(self._grams[slots], tokens)
        counts = len(features.LENGTHS) * (batch.ends - batch.starts) + (tokens.last - tokens.first)
        weights = np.stack([sums >> (2 * _LANE), (sums >> _LANE) & _LANE_MASK], axis=1) - _BIAS * counts[:, None]
        norm = np.sqrt(np.maximum(sums & _LANE_MASK, 1) / IDF_LEVELS)
        return weights * (self._gram_scale / norm)[:, None]

    def _insult_logits(self, tokens: features.Tokens, slots: NDArray[np.uint32]) -> NDArray[np.float64]:
        counts = np.maximum(tokens.last - tokens.first, 1)
        return tone.per_text(self._insults[slots], tokens) * (self._insult_scale / np.sqrt(counts))

    def _topics(self, tokens: features.Tokens, found: tone.Found) -> NDArray[np.uint32]:
        bits = self.words.topics[found.words] | self.words.topics[found.pairs]
        padded = np.append(bits, np.uint32(0))
        bounds = np.empty(2 * len(tokens.first), np.intp)
        bounds[::2] = tokens.first
        bounds[1::2] = tokens.last
        out: NDArray[np.uint32] = np.bitwise_or.reduceat(padded, bounds)[::2]
        out[tokens.first == tokens.last] = 0
        return out

    def reasons(self, text: str) -> tuple[tuple[str, float], ...]:
        """Return at most five words that moved the logit of negative, strongest first, each with its share."""
        batch = features.read([text])
        tokens = features.tokens(batch)
        count = int(tokens.last[0])
        if not count:
            return ()
        found = self.words.match(batch, tokens)
        rows = found.words + np.where(found.negated, self.words.entries, 0)
        moved = (self._entries[rows] + self._entries[found.pairs])[:count, 0] / SCALE
        moved += self._kind_moves(rows)[:count]
        moved += self._gram_moves(batch, tokens)[:count]
        names = [_word(batch, tokens, index) for index in range(count)]
        totals: dict[str, float] = {}
        for name, value in zip(names, moved.tolist(), strict=True):
            if name.strip("~'.,!?-"):
                totals[name] = totals.get(name, 0.0) + value
        whole = sum(map(abs, totals.values())) or 1.0
        best = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))[:5]
        return tuple((name, round(value / whole, 3)) for name, value in best if abs(value) > 0.02 * whole)

    def _kind_moves(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        single = self._table.reshape(-1, COUNT_CAP + 1, 3)[:, 1, 0] / SCALE
        kinds = self.words.kind_rows[rows]
        balance = kinds @ (self._bad - self._good)
        sign = self._grid[0, np.clip(balance, 0, SUM_CAP), 0] - self._grid[0, 0, 0]
        other = self._grid[np.clip(-balance, 0, SUM_CAP), 0, 0] - self._grid[0, 0, 0]
        out: NDArray[np.float64] = kinds @ single + np.where(balance > 0, sign, np.where(balance < 0, other, 0)) / SCALE
        return out

    def _gram_moves(self, batch: features.Batch, tokens: features.Tokens) -> NDArray[np.float64]:
        """Give every token the n-grams that begin in it."""
        if self._grams is None:
            return np.zeros(len(tokens.begins))
        lanes = self._grams[features.gram_slots(batch)]
        weights = (lanes >> (2 * _LANE)).sum(axis=0) - _BIAS * len(features.LENGTHS)
        norm = np.sqrt(max(1, int((lanes[:, : int(batch.ends[0])] & _LANE_MASK).sum())) / IDF_LEVELS)
        running = np.concatenate([[0], np.cumsum(weights)])
        stops = np.minimum(tokens.begins + tokens.lengths, len(weights))
        slots = tokens.hashes >> np.uint32(32 - features.SLOT_BITS)
        whole = (self._grams[slots] >> (2 * _LANE)) - _BIAS
        out: NDArray[np.float64] = (running[stops] - running[tokens.begins] + whole) * (self._gram_scale / norm)
        return out


class Model(NamedTuple):
    """The shipped model: one head per language, what texts are like that nothing is known of, and its version."""

    heads: dict[str, Head]
    prior: tuple[float, float, float]
    topics: tuple[str, ...]
    label_bias: tuple[float, float]
    insult_threshold: float
    version: str


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


@functools.cache
def load() -> Model:
    """Read the model of the package. Raises BrandmelderError if the file is not the one this version was made with."""
    content = files("brandmelder.classify").joinpath("model", FILE).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise BrandmelderError(f"the model file {FILE} is not the one of this version; install Brandmelder again")
    return build(content)


def build(content: bytes) -> Model:
    """Build a model from the bytes of its file; nothing in it is executed."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    prior = arrays["prior"].tolist()
    bias = arrays["label_bias"].tolist()
    return Model(
        heads={prefix: Head(arrays, prefix) for prefix in ("de", "en")},
        prior=(prior[0], prior[1], prior[2]),
        topics=tuple(str(name) for name in arrays["topic_names"].tolist()),
        label_bias=(bias[0], bias[1]),
        insult_threshold=float(arrays["insult_threshold"]),
        version=hashlib.sha256(content).hexdigest()[:12],
    )


def _scaled(arrays: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.int64]:
    """Return weights in integer units of 1/SCALE logit."""
    values = np.asarray(arrays[name], np.float64) * float(arrays[f"{name}_scale"])
    return np.rint(values * SCALE).astype(np.int64)


def _packed(grams: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pack (negative, positive, idf²) of every slot into three lanes of 21 bits."""
    idf = (grams[2] / 16) ** 2 * IDF_LEVELS
    return ((grams[0] + _BIAS) << (2 * _LANE)) | ((grams[1] + _BIAS) << _LANE) | np.rint(idf).astype(np.int64)


def _word(batch: features.Batch, tokens: features.Tokens, index: int) -> str:
    begin = int(tokens.begins[index])
    units = batch.units[begin : begin + int(tokens.lengths[index])]
    return units.tobytes().decode("utf-16-le", "replace")
