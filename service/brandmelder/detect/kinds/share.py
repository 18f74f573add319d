"""Negative share without volume: as many mentions as ever, and more of them negative (beta-binomial)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from brandmelder.detect.kinds.ordinary import Prior
from brandmelder.detect.kinds.tails import share_range, share_surprise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.detect.kinds.hours import Hour, Window

PRIOR = Prior(1.4, 0.6)
FEWEST = 5
"""So many negatives must stand in the window."""
_HALF_LIFE = 28.0
_SHARE, _MENTIONS = 0.2, 10.0
_SPREAD, _WEIGHT = 0.03, 30.0
_BETWEEN = 0.004


class Shares(Struct, frozen=True, array_like=True):
    """The usual share and how much it wavers, learnt a day later."""

    negative: float = 0.0
    total: float = 0.0
    spread_sum: float = 0.0
    spread_weight: float = 0.0


class Heard(NamedTuple):
    """The loudest window: its place among the windows, score and usual range; `may_page` if there is enough in it."""

    place: int
    score: float
    usual: tuple[int, int]
    share: float
    may_page: bool


def usual_share(shares: Shares) -> float:
    """Return the share that is usually negative, shrunk toward one in five."""
    share = (shares.negative + _SHARE * _MENTIONS) / (shares.total + _MENTIONS)
    return min(0.95, max(0.01, share))


def spread(shares: Shares) -> float:
    """Return the intraclass correlation of the mentions of an hour."""
    raw = (shares.spread_sum + _SPREAD * _WEIGHT) / (shares.spread_weight + _WEIGHT)
    return min(0.5, max(0.002, raw))


def learn(shares: Shares, lesson: Hour, pace: int) -> Shares:
    """Learn from an hour of the past; flagged ones teach nothing."""
    if lesson.flagged or lesson.total <= 0:
        return shares
    fade = 0.5 ** (1 / (_HALF_LIFE * pace))
    share, part, whole = usual_share(shares), lesson.negative, lesson.total
    ordinary = share * (1 - share)
    square = min((part - whole * share) ** 2, 9 * whole * ordinary * (1 + max(0.0, whole - 1) * spread(shares)) + 4)
    pairs = max(0.0, whole - 1)
    # Weighted so that an hour of n mentions counts like the pairs it holds, but no more than thirty mentions do.
    weight = 1.0 / max(1.0, whole / 30)
    return Shares(
        negative=shares.negative * fade + min(part, whole),
        total=shares.total * fade + whole,
        spread_sum=shares.spread_sum * fade + weight * (square - whole * ordinary) / ordinary * (whole > 1) / whole,
        spread_weight=shares.spread_weight * fade + weight * pairs,
    )


def hear(shares: Shares, windows: Sequence[Window], lift: float = 1.0) -> Heard:
    """Return the window whose share is least ordinary; a known event multiplies the odds by its `lift`."""
    share, wavering = usual_share(shares), spread(shares)
    share = lift * share / (1.0 - share + lift * share)
    best, loudest, is_enough = 0, 0.0, False
    for place, window in enumerate(windows):
        whole = round(window.total)
        part = min(round(window.negative), whole)
        total, negative, _ = window.recent
        if window.seen < 0.5 or not total or negative <= share * total:
            continue
        score = share_surprise(part, whole, share, over(wavering, window.length))
        if score > loudest:
            best, loudest, is_enough = place, score, part >= FEWEST
    whole = round(windows[best].total)
    usual = share_range(whole, share, over(wavering, windows[best].length))
    return Heard(best, loudest, usual, share, is_enough)


def over(spread: float, hours: int) -> float:
    """Return the correlation within a window: what an hour's mentions have in common, its hours share little of."""
    return min(0.5, spread / hours + _BETWEEN)
