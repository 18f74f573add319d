"""Which mentions are near-copies of one another: MinHash over character 4-grams, clusters grown as mentions stream in.

Broder 1997: the share of equal minima of two texts estimates the Jaccard similarity of their 4-gram sets. An index of
bands proposes candidates; whole signatures decide. What is remembered is bounded: the cluster that was longest without
a new copy goes first. `changes` and `restore` carry it over a restart, without a word of anybody's text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from brandmelder.model import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
EPISODE: Final = 86_400
"""Seconds without a copy after which a text that comes again is new again: its copies are counted from one."""
PROPOSED: Final = 32
"""Most clusters one mention is compared with, the newest: whoever crowds a band must not buy time."""
CHUNK: Final = 1 << 15

_NOISE = re.compile(r"(?:[^\w@]++|https?://\S+|@\w+:?|^rt\b|_|@(?!\w))+")
_ADDRESSED = re.compile(r"https?://\S+|@\w+:?|^rt\b|\s+")
_FACTOR: Final = np.uint32(0x9E3779B1)
_MULTIPLIERS: Final = np.array(
    [(0x9E3779B1 * (2 * index + 1) ^ (0x85EBCA6B * (index + 7))) & 0xFFFFFFFF | 1 for index in range(VALUES)], np.uint32
)
_BAND_FACTORS: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_POSITIONS: Final = np.array([0x01000193, 0x2C1B3C6D, 0x297A2D39, 0x7FEB352D], np.uint32)


class Membership(NamedTuple):
    """Where a mention belongs: the cluster's number, how many came before it of late, and the first one's key."""

    cluster: int
    earlier: int
    first: str
    is_long: bool = True
    """Whether the text has enough words for near-copies; short ones are joined only to exact repeats."""


class _Signed(NamedTuple):
    values: NDArray[np.uint32]
    bands: list[int]


class Prepared(NamedTuple):
    """What places a text: the hash of what copies share, and its signature if it is long enough."""

    exact: int
    signed: _Signed | None


NO_ROW: Final = -1
"""Of a cluster whose text is too short for a signature."""


class _Cluster:
    __slots__ = ("bands", "count", "exact", "first", "last", "number", "row", "touched")

    def __init__(self, number: int, first: str, exact: int, signed: _Signed | None) -> None:
        self.number, self.first, self.exact = number, first, exact
        self.bands: tuple[int, ...] = () if signed is None else tuple(dict.fromkeys(signed.bands))
        self.count = self.last = self.touched = 0
        self.row = NO_ROW


class _Signatures:
    """Signatures in one array, so that many are compared at once; rows that were let go are used again."""

    def __init__(self) -> None:
        self._rows = np.empty((0, VALUES), np.uint32)
        self._free: list[int] = []

    def keep(self, values: NDArray[np.uint32]) -> int:
        if not self._free:
            before = len(self._rows)
            rows = np.empty((max(64, 2 * before), VALUES), np.uint32)
            rows[:before] = self._rows
            self._rows = rows
            self._free.extend(range(len(rows) - 1, before - 1, -1))
        row = self._free.pop()
        self._rows[row] = values
        return row

    def let_go(self, row: int) -> None:
        self._free.append(row)

    def content(self, row: int) -> bytes:
        return bytes(self._rows[row].tobytes())

    def equal(self, rows: list[int], values: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Return how many minima each of the rows has in common with `values`."""
        found: NDArray[np.intp] = (self._rows[rows] == values).sum(axis=1)
        return found


class Copies:
    """Sorts mentions into clusters of near-copies in the order they are given; deterministic, bounded."""

    def __init__(self, limit: int = CLUSTERS) -> None:
        self.limit = limit
        self._next = self._placed = 0
        self._clusters: OrderedDict[int, _Cluster] = OrderedDict()
        self._exact: dict[int, int] = {}
        self._signatures = _Signatures()
        self._bands: dict[int, int | tuple[int, ...]] = {}
        """By band the clusters that have it; nearly all have one alone, which then stands there as it is."""
        self._changed: set[int] = set()
        self._forgotten: set[int] = set()

    def __len__(self) -> int:
        return len(self._clusters)

    def add(self, keys: Sequence[str], texts: Sequence[str]) -> tuple[Membership, ...]:
        """Place each text; `keys` name the mentions (only the first key of a cluster is kept)."""
        return tuple(self.place(key, one) for key, one in zip(keys, prepare(texts), strict=True))

    def place(self, key: str, text: Prepared, moment: int = 0) -> Membership:
        """Place one prepared text; `moment` is its event time in seconds, for the episodes."""
        cluster = self._clusters.get(self._exact.get(text.exact, -1))
        if cluster is None and text.signed is not None:
            cluster = self._nearest(text.signed)
        if cluster is None:
            cluster = self._open(key, text)
        self._clusters.move_to_end(cluster.number)
        # Whoever writes old dates into copies neither begins an episode nor ends the one that runs.
        earlier = cluster.count if moment - cluster.last <= EPISODE else 0
        self._placed += 1
        cluster.count, cluster.last, cluster.touched = earlier + 1, max(cluster.last, moment), self._placed
        self._changed.add(cluster.number)
        return Membership(cluster.number, earlier, cluster.first, text.signed is not None)

    def _nearest(self, signed: _Signed) -> _Cluster | None:
        """Return the cluster that has most in common with a text, of equals the oldest; None if none has enough."""
        alone: list[int] = []
        many: list[tuple[int, ...]] = []
        for band in signed.bands:
            holders = self._bands.get(band)
            if isinstance(holders, int):
                alone.append(holders)
            elif holders is not None:
                many.append(holders)
        proposed = set(alone).union(*many)
        if not proposed:
            return None
        clusters = [self._clusters[number] for number in sorted(proposed)[-PROPOSED:]]
        equal = self._signatures.equal([one.row for one in clusters], signed.values)
        best = int(equal.argmax())
        return clusters[best] if equal[best] >= ALIKE * VALUES else None

    def _open(self, key: str, text: Prepared) -> _Cluster:
        cluster = _Cluster(self._next, key, text.exact, text.signed)
        self._next += 1
        self._remember(cluster, text.signed)
        while len(self._clusters) > self.limit:
            self._forget(self._clusters.popitem(last=False)[1])
        return cluster

    def _remember(self, cluster: _Cluster, signed: _Signed | None) -> None:
        self._clusters[cluster.number] = cluster
        self._exact[cluster.exact] = cluster.number
        if signed is not None:
            cluster.row = self._signatures.keep(signed.values)
        for band in cluster.bands:
            holders = self._bands.get(band)
            if holders is None:
                self._bands[band] = cluster.number
            else:
                held = (holders,) if isinstance(holders, int) else holders
                self._bands[band] = (*held, cluster.number)[-PROPOSED:]

    def _forget(self, cluster: _Cluster) -> None:
        del self._exact[cluster.exact]
        if cluster.row != NO_ROW:
            self._signatures.let_go(cluster.row)
        for band in cluster.bands:
            holders = self._bands.get(band)
            if holders == cluster.number:
                del self._bands[band]
            elif isinstance(holders, tuple) and cluster.number in holders:
                at = holders.index(cluster.number)
                rest = holders[:at] + holders[at + 1 :]
                self._bands[band] = rest[0] if len(rest) == 1 else rest
        self._changed.discard(cluster.number)
        self._forgotten.add(cluster.number)

    def _kept(self, cluster: _Cluster) -> Cluster:
        return Cluster(
            number=cluster.number,
            first=cluster.first,
            exact=cluster.exact,
            signature=b"" if cluster.row == NO_ROW else self._signatures.content(cluster.row),
            count=cluster.count,
            last=cluster.last,
            touched=cluster.touched,
        )

    def changes(self) -> tuple[list[Cluster], list[int]]:
        """Return the clusters that changed since the last call, and the numbers of those that were forgotten."""
        changed = [self._kept(self._clusters[number]) for number in sorted(self._changed)]
        forgotten = sorted(self._forgotten)
        self._changed, self._forgotten = set(), set()
        return changed, forgotten

    def restore(self, kept: Iterable[Cluster]) -> None:
        """Remember what `changes` told, after a restart; whatever order it is given in."""
        known = sorted(kept, key=lambda one: one.number)
        values = np.frombuffer(b"".join(one.signature for one in known), np.uint32).reshape(-1, VALUES)
        signed = map(_Signed, values, _bands(values).tolist())
        for one in known:
            mine = next(signed) if one.signature else None
            cluster = _Cluster(one.number, one.first, one.exact, mine)
            cluster.count, cluster.last, cluster.touched = one.count, one.last, one.touched
            self._remember(cluster, mine)
        for one in sorted(known, key=lambda each: each.touched):
            self._clusters.move_to_end(one.number)
            self._placed = one.touched
        self._next = max((one.number + 1 for one in known), default=0)


def prepare(texts: Sequence[str]) -> list[Prepared]:
    """Return what places each text; a batch is much faster than one by one."""
    plain = [stripped(text) for text in texts]
    long = [row for row, text in enumerate(plain) if text.count(" ") >= WORDS - 1]
    values = signatures([plain[row] for row in long])
    signed = dict(zip(long, map(_Signed, values, _bands(values).tolist()), strict=True))
    return [Prepared(_hash(text or _signs(texts[row])), signed.get(row)) for row, text in enumerate(plain)]


def _hash(text: str) -> int:
    """Return 64 bits, signed as databases keep them; they stand for the text, which is not kept."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def stripped(text: str) -> str:
    """Return what copies share: lower-case words without links, handles, `rt`, accents of width and signs."""
    plain = unicodedata.normalize("NFKC", text[: 2 * TEXT_LIMIT]).lower()
    return _NOISE.sub(" ", plain.strip()).strip()[:TEXT_LIMIT] if plain else ""


def _signs(text: str) -> str:
    """Return what a text without words holds beside links and handles: one angry emoji is no copy of a thankful one."""
    return _ADDRESSED.sub("", unicodedata.normalize("NFKC", text[: 2 * TEXT_LIMIT]).lower().strip())[:TEXT_LIMIT]


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
