"""Silence: a monitor or a source that usually writes has brought nothing for too long, though it could be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.detect.kinds.ordinary import Prior
from brandmelder.detect.kinds.tails import silence_surprise

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PRIOR = Prior(1.3, 0.45)
FEWEST = 4.0
"""So many must have been expected."""
SHORTEST = 3600
_BETWEEN = 0.05
_HALF_LIFE = 28.0
_MOST_SOURCES = 40


class Quiet(Struct, frozen=True, array_like=True):
    """What has been expected of one voice since it was last heard."""

    mean: float = 0.0
    square: float = 0.0
    since: int = 0
    """Seconds of the epoch; 0 until it was heard once."""
    heard: float = 0.0
    """What it brought, faded: its share of the whole."""


class Silences(Struct, frozen=True, array_like=True):
    """The monitor as a whole, and its sources by name."""

    whole: Quiet = Quiet()
    sources: dict[str, Quiet] = {}
    total: float = 0.0


class Heard(NamedTuple):
    """How unlikely a silence is, since when, and how many were expected; `variance` is that count's."""

    score: float
    since: int
    mean: float
    variance: float
    may_page: bool


class Elapsed(NamedTuple):
    """A bin that has passed: its end, what was expected of all sources together as far as seen, its width in days."""

    end: int
    mean: float
    days: float


def listen(silences: Silences, bin_: Elapsed, brought: Mapping[str, float], seen: Collection[str]) -> Silences:
    """Add a bin: what each source `brought`; of the others, those `seen` were silent."""
    end, mean, days = bin_
    fade = 0.5 ** (days / _HALF_LIFE)
    total = silences.total * fade + sum(brought.values())
    whole = _next(silences.whole, end, mean, sum(brought.values()), fade=fade)
    names = [*silences.sources, *(name for name in brought if name not in silences.sources)][:_MOST_SOURCES]
    sources = {}
    for name in names:
        before = silences.sources.get(name, Quiet())
        share = before.heard / silences.total if silences.total > 0 else 0.0
        expected = mean * share if name in seen else 0.0
        sources[name] = _next(before, end, expected, brought.get(name, 0.0), fade=fade)
    return Silences(whole=whole, sources=sources, total=total)


def _next(quiet: Quiet, end: int, mean: float, brought: float, *, fade: float) -> Quiet:
    heard = quiet.heard * fade + brought
    if brought > 0:
        return Quiet(since=end, heard=heard)
    if not quiet.since:
        return replace(quiet, heard=heard)
    return Quiet(mean=quiet.mean + mean, square=quiet.square + mean * mean, since=quiet.since, heard=heard)


def hear(quiet: Quiet, end: int, spread: float, parts: int) -> Heard:
    """Return how unlikely the silence is; `spread` is the relative excess variance of an hour of `parts` bins."""
    mean = max(quiet.mean, 1e-9)
    relative = spread * min(1.0, parts * quiet.square / (mean * mean)) + _BETWEEN
    score = silence_surprise(quiet.mean, relative) if quiet.since else 0.0
    is_long = quiet.mean >= FEWEST and end - quiet.since >= SHORTEST
    return Heard(score, quiet.since, quiet.mean, mean + relative * mean * mean, is_long)
