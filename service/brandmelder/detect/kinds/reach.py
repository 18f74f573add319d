"""Reach-weighted volume: few critics with a wide reach. Reach has a heavy tail, so it is judged by its logarithm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from brandmelder.detect.kinds.judged import LEAST
from brandmelder.detect.kinds.ordinary import Prior

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.detect.kinds.hours import Hour, Window

PRIOR = Prior(0.85, 0.35)
WIDE = 10_000
"""Less reach than this is no news."""
_LONGEST = 6
_HALF_LIFE = 28.0
_MOST = 20.0
_MARGIN = 1.645


class Reaches(Struct, frozen=True, array_like=True):
    """Reach of the negative mentions for each expected mention, and how its logarithm wavers, learnt a day later."""

    reach: float = 0.0
    mean: float = 0.0
    days: float = 0.0


class Heard(NamedTuple):
    """The loudest window: its place, the decimal logarithm of its excess, the usual reach."""

    place: int
    score: float
    expected: float
    may_page: bool


def learn(reaches: Reaches, lesson: Hour, pace: int) -> Reaches:
    """Learn from an hour of the past, winsorised at twenty times the usual."""
    if lesson.flagged or lesson.mean <= 0:
        return reaches
    fade = 0.5 ** (1 / (_HALF_LIFE * pace))
    rate = _rate(reaches)
    most = _MOST * rate * (lesson.mean + 1) if reaches.days > 2 else lesson.reach
    return Reaches(
        reach=reaches.reach * fade + min(lesson.reach, most),
        mean=reaches.mean * fade + lesson.mean,
        days=reaches.days * fade + 1 / pace,
    )


def _rate(reaches: Reaches) -> float:
    return max(1.0, reaches.reach / max(reaches.mean, 1e-6))


def hear(reaches: Reaches, windows: Sequence[Window]) -> Heard:
    """Return the window whose reach is furthest beyond the usual, by ratio; one mention's worth is always usual."""
    rate = _rate(reaches)
    best, loudest = 0, 0.0
    for place, window in enumerate(windows):
        _, negative, _ = window.recent
        if window.length > _LONGEST or window.seen < 0.5 or not negative:
            continue
        score = math.log10((window.reach + rate) / (rate * (window.mean + 1)))
        if score > loudest:
            best, loudest = place, score
    window = windows[best]
    expected = rate * window.mean
    is_wide = window.reach >= max(WIDE, 3 * expected) and round(window.negative) >= LEAST
    return Heard(best, loudest, expected, is_wide)


def usual_reach(expected: float, ordinary_ratio: float) -> tuple[int, int]:
    """Return the usual range: from nothing to what an ordinary day reaches at its loudest."""
    return 0, round(expected * max(1.0, 10.0**ordinary_ratio))
