"""Which way an incident moves: rising, climbing slowly, staying high, subsiding or calm."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.model import Course

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import Pace

HOUR = timedelta(hours=1)
"""Peaks are told as the most in an hour; only what climbed over longer windows is told in those."""
REMEMBERED = timedelta(hours=3)
"""How far back a trail reaches."""
_SHORT = timedelta(minutes=20)
_STALE = timedelta(minutes=90)
_SLOW = timedelta(hours=2)

FALLING = frozenset({Course.SUBSIDING, Course.CALM})
"""The courses that mean it is getting better."""


def course(trail: Sequence[Pace], *, before: Course, is_calm: bool) -> Course:
    """Return the course after the newest pace of `trail` (oldest first), given the one `before`.

    Compared is what the window counted 20 to 90 min earlier (rising, subsiding) and at least two hours earlier
    (climbing); of windows of two lengths, what their last hours counted. A change counts when it is beyond a quarter,
    beyond the square root and at least two mentions, so that chance does not turn it. What subsides goes on subsiding
    until it grows again.
    """
    if is_calm:
        return Course.CALM
    newest = trail[-1]
    short = pace_before(trail[:-1], newest.start, window=newest.window)
    if short is not None and grows(*compared(newest, short)):
        return Course.RISING
    shrinks = short is not None and grows(*reversed(compared(newest, short)))
    halved = 2 * newest.observed <= max(pace.observed for pace in trail if pace.window == newest.window)
    if shrinks or halved or before in FALLING:
        return Course.SUBSIDING
    long = trail[0]
    if newest.start - long.start >= _SLOW and grows(*compared(newest, long)):
        return Course.CLIMBING
    return before if short is None else Course.HIGH


def compared(newest: Pace, before: Pace) -> tuple[float, float]:
    """Return what a pace and an earlier one counted, comparably.

    A long window still holds a storm that is over: 61 in two hours are no growth over 14 in one.
    """
    if newest.window != before.window and newest.hour is not None and before.hour is not None:
        return newest.hour, before.hour
    return newest.observed, before.observed * (newest.window / before.window)


def grows(now: float, before: float) -> bool:
    """Return whether a count is larger than before by more than chance and a quarter."""
    return now - before >= max(2.0, 0.25 * before, math.sqrt(max(0.0, before)))


def pace_before(trail: Sequence[Pace], moment: datetime, *, window: timedelta) -> Pace | None:
    """Return the newest pace whose bin starts 20 to 90 min before `moment`, one of the same window if there is any."""
    candidates = [pace for pace in trail if _SHORT <= moment - pace.start <= _STALE]
    alike = [pace for pace in candidates if pace.window == window]
    chosen = alike or candidates
    return chosen[-1] if chosen else None
