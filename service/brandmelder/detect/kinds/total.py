"""Total volume: more mentions of any tone than usual at this hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from brandmelder.detect.kinds.ordinary import Prior
from brandmelder.detect.kinds.tails import count_surprise
from brandmelder.detect.tail import central_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.detect.kinds.hours import Window

PRIOR = Prior(2.0, 0.9)
FEWEST = 10
_BETWEEN = 0.04
"""Relative excess variance of a whole window: what its hours have in common."""


class Heard(NamedTuple):
    """The loudest window: its place, score and usual range."""

    place: int
    score: float
    usual: tuple[int, int]
    may_page: bool


def hear(windows: Sequence[Window], spread: float) -> Heard:
    """Return the window whose volume is least ordinary; `spread` is the relative excess variance of an hour."""
    best, loudest = 0, 0.0
    for place, window in enumerate(windows):
        total, _, mean = window.recent
        if window.seen < 0.5 or total <= mean:
            continue
        score = count_surprise(window.total, window.mean, _variance(window, spread))
        if score > loudest:
            best, loudest = place, score
    window = windows[best]
    usual = central_range(window.mean, _variance(window, spread))
    return Heard(best, loudest, usual, window.total >= max(FEWEST, usual[1] + 1))


def _variance(window: Window, spread: float) -> float:
    return window.mean + spread * window.square + _BETWEEN * window.mean * window.mean
