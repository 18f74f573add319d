"""Which mentions are near-copies of one another: MinHash over character 4-grams, clusters grown as mentions stream in.

Broder 1997: the share of equal minima of two texts estimates the Jaccard similarity of their 4-gram sets. An index of
bands proposes candidates; whole signatures decide. What is remembered is bounded: the oldest cluster goes first.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

VALUES: Final = 64
"""Minima in a signature."""
BAND: Final = 3
"""Minima in a band: 21 bands find a pair of Jaccard .6 with probability .994."""
BANDS: Final = VALUES // BAND
ALIKE: Final = 0.55
"""Share of equal minima from which two mentions are copies."""
GRAM: Final = 4
WORDS: Final = 5
"""Shorter texts ("danke", "ok") are copies of exact repeats only, and never a campaign."""
TEXT_LIMIT: Final = 600
CLUSTERS: Final = 30_000
"""Clusters remembered by default; each costs about 3 KB."""
CHUNK: Final = 1 << 15

_NOISE = re.compile(r"https?://\S+|@\w+:?|^rt\b|[\W_]+")
_FACTOR: Final = np.uint32(0x9E3779B1)
_MULTIPLIERS: Final = np.array(
    [(0x9E3779B1 * (2 * index + 1) ^ (0x85EBCA6B * (index + 7))) & 0xFFFFFFFF | 1 for index in range(VALUES)], np.uint32
)
_BAND_FACTORS: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_POSITIONS: Final = np.array([0x01000193, 0x2C1B3C6D, 0x297A2D39, 0x7FEB352D], np.uint32)


class Membership(NamedTuple):
    """Where a mention belongs: the cluster's number, how many came before it, and the first one's key."""

    cluster: int
    earlier: int
    first: str


class _Signed(NamedTuple):
    values: NDArray[np.uint32]
    bands: list[int]


class _Cluster:
    __slots__ = ("bands", "count", "exact", "first", "number", "signature")

    def __init__(self, number: int, first: str, exact: str, signature: NDArray[np.uint32] | None) -> None:
        self.number, self.first, self.exact, self.signature = number, first, exact, signature
        self.count = 0
        self.bands: tuple[int, ...] = ()


class Copies:
    """Sorts mentions into clusters of near-copies in the order they are given; deterministic, bounded."""

    def __init__(self, limit: int = CLUSTERS) -> None:
        self.limit = limit
        self._next = 0
        self._clusters: OrderedDict[int, _Cluster] = OrderedDict()
        self._exact: dict[str, int] = {}
        self._bands: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._clusters)

    def add(self, keys: Sequence[str], texts: Sequence[str]) -> tuple[Membership, ...]:
        """Place each text; `keys` name the mentions (only the first key of a cluster is kept)."""
        plain = [stripped(text) for text in texts]
        long = [row for row, text in enumerate(plain) if text.count(" ") >= WORDS - 1]
        values = signatures([plain[row] for row in long])
        signed = dict(zip(long, map(_Signed, values, _bands(values).tolist()), strict=True))
        return tuple(self._place(key, plain[row], signed.get(row)) for row, key in enumerate(keys))

    def _place(self, key: str, text: str, signature: _Signed | None) -> Membership:
        cluster = self._clusters.get(self._exact.get(text, -1))
        if cluster is None and signature is not None:
            cluster = self._nearest(signature)
        if cluster is None:
            cluster = self._open(key, text, signature)
        self._clusters.move_to_end(cluster.number)
        earlier = cluster.count
        cluster.count += 1
        return Membership(cluster.number, earlier, cluster.first)

    def _nearest(self, signature: _Signed) -> _Cluster | None:
        known = self._bands
        proposed = {known[band] for band in signature.bands if band in known}
        best, most = None, ALIKE * VALUES
        for number in sorted(proposed):
            cluster = self._clusters[number]
            equal = int(np.count_nonzero(cluster.signature == signature.values))
            if equal >= most:
                best, most = cluster, equal + 1
        return best

    def _open(self, key: str, text: str, signature: _Signed | None) -> _Cluster:
        cluster = _Cluster(self._next, key, text, signature.values if signature else None)
        self._next += 1
        self._clusters[cluster.number] = cluster
        self._exact[text] = cluster.number
        if signature is not None:
            cluster.bands = tuple(band for band in signature.bands if band not in self._bands)
            self._bands.update(dict.fromkeys(cluster.bands, cluster.number))
        while len(self._clusters) > self.limit:
            self._forget(self._clusters.popitem(last=False)[1])
        return cluster

    def _forget(self, cluster: _Cluster) -> None:
        del self._exact[cluster.exact]
        for band in cluster.bands:
            del self._bands[band]


def stripped(text: str) -> str:
    """Return what copies share: lower-case words without links, handles, `rt`, accents of width and signs."""
    plain = unicodedata.normalize("NFKC", text[: 2 * TEXT_LIMIT]).lower()
    return _NOISE.sub(" ", plain.strip()).strip()[:TEXT_LIMIT] if plain else ""


def signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return the minima of each text, shape (texts, 64); texts hold at least one character."""
    parts = [_signatures(part) for part in _chunks(texts)]
    return np.concatenate(parts) if parts else np.zeros((0, VALUES), np.uint32)


def _signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    joined = "".join(f"{text}\0\0\0" for text in texts)
    units = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    count = len(units) - GRAM + 1
    grams = np.zeros(count, np.uint32)
    for offset, factor in enumerate(_POSITIONS):
        grams += units[offset : offset + count] * factor
    grams ^= grams >> np.uint32(15)
    grams *= _FACTOR
    grams ^= grams >> np.uint32(13)
    ends = np.cumsum([len(text) + GRAM - 1 for text in texts])
    lengths = np.array([max(1, len(text) - GRAM + 1) for text in texts])
    starts = ends - np.array([len(text) + GRAM - 1 for text in texts])
    bounds = np.stack([starts, starts + lengths], axis=1).ravel()
    if bounds[-1] >= count:
        grams = np.append(grams, np.uint32(0xFFFFFFFF))
    out = np.empty((VALUES, len(texts)), np.uint32)
    mixed = np.empty_like(grams)
    for index, multiplier in enumerate(_MULTIPLIERS):
        np.multiply(grams, multiplier, out=mixed)
        out[index] = np.minimum.reduceat(mixed, bounds)[::2]
    return np.ascontiguousarray(out.T)


def _bands(values: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return one number per band of each signature, shape (texts, 21); the place of a band is part of it."""
    grouped = values[:, : BANDS * BAND].reshape(len(values), BANDS, BAND).astype(np.uint64)
    mixed = grouped[:, :, 0] * _BAND_FACTORS[0] + grouped[:, :, 1] * _BAND_FACTORS[1] + grouped[:, :, 2]
    mixed = (mixed + np.arange(BANDS, dtype=np.uint64)) * _BAND_FACTORS[2]
    out: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(29))
    return out


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        if part and size + len(text) > CHUNK:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text) + GRAM
    if part:
        yield part
