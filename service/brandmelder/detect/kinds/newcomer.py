"""A new source or topic joins: where nobody criticised for weeks, several do within a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.detect.kinds.judged import LEAST
from brandmelder.detect.kinds.ordinary import Prior
from brandmelder.detect.kinds.tails import count_surprise

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIOR = Prior(0.0, 0.6)
_HALF_LIFE = 28.0
_RARE = 1 / 7
"""Negatives a day beyond which a source or topic is an old acquaintance."""
_MOST = 60


class Newcomers(Struct, frozen=True, array_like=True):
    """How often each source and topic was criticised, and what came in the last day."""

    days: float = 0.0
    known: dict[str, float] = {}
    """Faded counts."""
    recent: dict[str, tuple[tuple[int, float], ...]] = {}
    """Hour and count, of the last day, of what is rare."""
    hour: int = -1
    met: dict[str, int] = {}
    """The hour in which a newcomer was told of."""


class Heard(NamedTuple):
    """The newcomer least expected."""

    name: str
    number: int
    score: float
    usual: float
    """Usual negatives a day."""
    may_page: bool


def listen(newcomers: Newcomers, hour: int, pace: int, brought: Mapping[str, float]) -> Newcomers:
    """Add what a bin brought, by name; names never heard before are new."""
    known, recent = newcomers.known, newcomers.recent
    days = newcomers.days
    if hour != newcomers.hour:
        passed = 1 if newcomers.hour < 0 else min(hour - newcomers.hour, 4 * pace)
        fade = 0.5 ** (passed / (_HALF_LIFE * pace))
        days = days * fade + passed / pace
        since = hour - pace
        left = {name: [(at, count) for at, count in events if at <= since] for name, events in recent.items()}
        known = {name: count * fade for name, count in known.items()}
        for name, events in left.items():
            known[name] = known.get(name, 0.0) + sum(count for _, count in events)
        recent = {
            name: kept for name, events in recent.items() if (kept := tuple(one for one in events if one[0] > since))
        }
    for name, count in brought.items():
        if count > 0 and (name in recent or len(recent) < _MOST):
            recent = recent | {name: _added(recent.get(name, ()), hour, count)}
    return replace(newcomers, days=days, known=known, recent=recent, hour=hour)


def _added(events: tuple[tuple[int, float], ...], hour: int, count: float) -> tuple[tuple[int, float], ...]:
    if events and events[-1][0] == hour:
        return (*events[:-1], (hour, events[-1][1] + count))
    return (*events, (hour, count))


def close_history(newcomers: Newcomers) -> Newcomers:
    """Make old acquaintances of all that was heard so far."""
    known = dict(newcomers.known)
    for name, events in newcomers.recent.items():
        known[name] = known.get(name, 0.0) + sum(count for _, count in events)
    return replace(newcomers, known=known, recent={})


def meet(newcomers: Newcomers, name: str, pace: int) -> Newcomers:
    """Remember that a newcomer was told of: for a week it is none any more."""
    recently = {one: hour for one, hour in newcomers.met.items() if newcomers.hour - hour < 7 * pace}
    return replace(newcomers, met={name: newcomers.hour} | recently)


def hear(newcomers: Newcomers) -> Heard:
    """Return the newcomer least expected, by the gamma-Poisson predictive of a day."""
    best = Heard("", 0, 0.0, 0.0, may_page=False)
    for name in sorted(newcomers.recent):
        count = sum(one for _, one in newcomers.recent[name])
        shape, days = newcomers.known.get(name, 0.0) + 0.5, newcomers.days + 1.0
        usual = newcomers.known.get(name, 0.0) / days
        is_old = newcomers.hour - newcomers.met.get(name, newcomers.hour) > 1
        is_over = newcomers.hour - newcomers.recent[name][-1][0] > 1
        if usual > _RARE or is_old or is_over:
            continue
        mean = shape / days
        score = count_surprise(count, mean, mean + mean / days)
        if score > best.score:
            best = Heard(name, round(count), score, usual, may_page=round(count) >= LEAST)
    return best
