"""Texts become hashed features: one array of UTF-16 units, prefix sums for every n-gram, no loop over texts.

A batch is joined to one array of code units `c`. With `G[i+1] = G[i] + (c[i]+7)·B^i (mod 2^32)` the k-gram at `i` is
`(G[i+k] - G[i])·B^(-i)`: an odd B has an inverse, so equal strings get equal hashes wherever they stand. Texts are
separated by more NULs than the longest n-gram has units, so no n-gram sees a neighbour and the batch does not matter.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SLOT_BITS: Final = 18
SLOTS: Final = 1 << SLOT_BITS
LENGTHS: Final = (3, 4, 5)
"""Lengths of the character n-grams, in UTF-16 units, consecutive."""
RAW_LIMIT: Final = 1200
"""Characters of a text that are read at all."""
LIMIT: Final = 600
"""Units of a normalised text that count."""
CHUNK: Final = 1 << 15
"""Units worked on at once: their arrays stay in the second-level cache."""

_SHIFT: Final = np.uint32(32 - SLOT_BITS)
_BASE: Final = 0x9E3779B1
_MIX: Final = np.uint32(0x85EBCA6B)
_PAIR: Final = np.uint32(0xC2B2AE35)
_NEGATED: Final = np.uint32(0x27D4EB2F)
_GRAM_FACTORS: Final = (0x2C1B3C6D, 0x297A2D39, 0x7FEB352D)
_CAPACITY: Final = 6 * (CHUNK + 2 * RAW_LIMIT)
"""A musical note beyond the basic plane is composed to three of its kind, each of two units."""
_SEPARATOR: Final = " \0\0\0\0 "
_LINK = re.compile(r"https?://\S+")
_WWW = re.compile(r"www\.\S+")
_TAIL = re.compile(r"\.(?:de|com|at|ch|net|org|eu|io|ly)/\S*")
_HANDLE = re.compile(r"@\w+:?")
_ESCAPE = re.compile(r"&(lt|gt|quot|amp);")
_SPELLED_OUT: Final = (("…", "..."), ("ß", "ss"), ("ẞ", "ss"))
_ESCAPED: Final = {"lt": "<", "gt": ">", "quot": '"', "amp": "&"}

U16 = np.uint16
U32 = np.uint32


class Kind:
    """Classes of code units; a token is a run of one class."""

    BLANK: Final = 0
    WORD: Final = 1
    STOP: Final = 2
    """`. ! ? ,`: ends a negation."""
    SIGN: Final = 3
    """What emoticons and other signs are made of."""
    SOLO: Final = 4
    """A token of its own wherever it stands: emoji."""


class Batch(NamedTuple):
    """Normalised texts in one array. `starts` and `ends` bound the texts within `units`."""

    units: NDArray[np.uint16]
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    sums: NDArray[np.uint32]
    """Prefix sums G, one longer than `units`."""


class Tokens(NamedTuple):
    """Words, emoticons, stops and emoji in the order of the texts."""

    begins: NDArray[np.intp]
    lengths: NDArray[np.intp]
    hashes: NDArray[np.uint32]
    is_stop: NDArray[np.bool_]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    """`first[i]` to `last[i]`, exclusive, are the tokens of text i."""


_DROPPED: Final = 0xFFFF


class _Tables(NamedTuple):
    fold: NDArray[np.uint16]
    """What every code unit becomes."""
    kind: NDArray[np.uint8]
    composes: NDArray[np.bool_]
    """The unit may be changed by composition (NFC), alone or with what stands before it."""


@cache
def _tables() -> _Tables:
    """Return folding and class of every code unit, as bench/judgement/units.py wrote them.

    They are shipped, not computed, so that another Python's Unicode tables change no verdict.
    """
    with files("brandmelder.classify").joinpath("model", "units.npz").open("rb") as file:
        archive = np.load(file, allow_pickle=False)
        fold = archive["shift"] + np.arange(65536, dtype=U16)
        return _Tables(fold, archive["kind"], archive["composes"])


@cache
def _powers() -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Return B^i, B^(-i), and B^(-i) times the factor of each n-gram length."""
    powers = np.full(_CAPACITY, _BASE, U32)
    inverses = np.full(_CAPACITY, pow(_BASE, -1, 1 << 32), U32)
    powers[0] = inverses[0] = 1
    powers = np.multiply.accumulate(powers, dtype=U32)
    inverses = np.multiply.accumulate(inverses, dtype=U32)
    factors = np.array(_GRAM_FACTORS, U32)[:, None]
    return powers, inverses, inverses[None, :] * factors


def _joined(texts: Sequence[str]) -> str:
    joined = _SEPARATOR.join([text[:RAW_LIMIT] for text in texts])
    if joined.count("\0") != 4 * (len(texts) - 1):
        joined = _SEPARATOR.join([text[:RAW_LIMIT].replace("\0", " ") for text in texts])
    if not joined.isascii() and _tables().composes[_units(joined)].any():
        joined = unicodedata.normalize("NFC", joined)
    if "&" in joined:
        joined = _ESCAPE.sub(_unescaped, joined)
    if "://" in joined:
        joined = _LINK.sub("~u", joined)
    if "www." in joined:
        joined = _WWW.sub("~u", joined)
    if "/" in joined:
        joined = _TAIL.sub(" ~u", joined)
    if "@" in joined:
        joined = _HANDLE.sub("~m", joined)
    for char, plain in _SPELLED_OUT:
        if char in joined:
            joined = joined.replace(char, plain)
    return f" {joined} \0\0\0\0\0\0"


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPED[match[1]]


def _units(text: str) -> NDArray[np.uint16]:
    return np.frombuffer(text.encode("utf-16-le", "surrogatepass"), U16)


def read(texts: Sequence[str]) -> Batch:
    """Normalise `texts` (at least one, together at most CHUNK + 2·RAW_LIMIT characters) and sum their hashes up."""
    units = _tables().fold.take(_units(_joined(texts)), mode="clip")
    dropped = units == _DROPPED
    if dropped.any():
        units = units[~dropped]
    same = units[1:] == units[:-1]
    surplus = np.zeros(len(units), np.bool_)
    np.logical_and(same[1:], same[:-1], out=surplus[2:])
    surplus[1:] |= same & (units[1:] == 32)
    surplus &= units != 0
    units = units[~surplus]
    zeros = (units == 0).nonzero()[0]
    starts = np.empty(len(texts), np.intp)
    starts[0] = 0
    ends = zeros[::4][: len(texts)]
    starts[1:] = ends[:-1] + 4
    powers, _, _ = _powers()
    sums = np.zeros(len(units) + 1, U32)
    np.cumsum((units.astype(U32) + U32(7)) * powers[: len(units)], dtype=U32, out=sums[1:])
    return Batch(units, starts, np.minimum(ends, starts + LIMIT), sums)


def gram_slots(batch: Batch) -> NDArray[np.uint32]:
    """Return the slots of all character n-grams, shape (lengths, units); those at NULs mean nothing."""
    count = len(batch.units) - LENGTHS[-1]
    sums = batch.sums
    windows = np.ndarray((len(LENGTHS), count), U32, sums, offset=4 * LENGTHS[0], strides=(4, 4))
    slots = windows - sums[:count]
    slots *= _powers()[2][:, :count]
    slots >>= _SHIFT
    return slots


def spans(batch: Batch, begins: NDArray[np.intp], lengths: NDArray[np.intp] | int) -> NDArray[np.uint32]:
    """Return the 32-bit hashes of the strings that begin at `begins`."""
    hashes: NDArray[np.uint32] = (batch.sums[begins + lengths] - batch.sums[begins]) * _powers()[1][begins]
    hashes ^= hashes >> U32(15)
    hashes *= _MIX
    hashes ^= hashes >> U32(13)
    return hashes


def tokens(batch: Batch) -> Tokens:
    """Split the texts into words, signs, stops and emoji."""
    kind = _tables().kind.take(batch.units, mode="clip")
    edge = np.empty(len(kind), np.bool_)
    edge[0] = True
    np.not_equal(kind[1:], kind[:-1], out=edge[1:])
    if kind.max() == Kind.SOLO:
        units = batch.units
        edge |= (kind == Kind.SOLO) & ((units < 0xDC00) | (units > 0xDFFF))
    edges = edge.nonzero()[0]
    kinds = kind[edges]
    lengths = np.empty(len(edges), np.intp)
    lengths[-1] = 1
    np.subtract(edges[1:], edges[:-1], out=lengths[:-1])
    real = kinds != Kind.BLANK
    begins = edges[real]
    lengths = lengths[real]
    first = np.searchsorted(begins, batch.starts)
    last = np.searchsorted(begins, batch.ends)
    return Tokens(begins, lengths, spans(batch, begins, lengths), kinds[real] == Kind.STOP, first, last)
