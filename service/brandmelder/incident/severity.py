"""How severe a spike is, 1 (slight) to 5 (very high): excess, ratio, growth and size; never the p-value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from brandmelder.incident.course import compared, grows, pace_before
from brandmelder.model import Pace, SpikeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.model import Finding, Spike

_STEPS = (2.0, 2.8, 3.6, 5.0)
"""Points at which severities 2, 3, 4 and 5 begin."""
_SIZES = ((5, 1), (10, 2), (20, 3))
"""Below so many mentions, severity is at most so much: a handful of posts is no storm, however unusual."""
_WIDE = (100_000, 1_000_000)
"""Reach at which a few critics are severe."""
_CAMPAIGN = 2
"""The most that a few over-active accounts are worth: somebody should look, nobody must be woken (T1)."""


def severity(finding: Finding, trail: Sequence[Pace] = ()) -> int:
    """Return the severity of a finding's spike; `trail` holds the findings before it, oldest first.

    Points = 0.45 · log2(1 + excess) + 0.55 · log2(ratio) + 0.5 if it grew by half within 20 to 90 min, where excess is
    what lies beyond the usual range and ratio is observed / upper edge of that range (at least 1).
    33 in 60 min where 5-15 are usual give 2.5 points (severity 2), while growing 3.0 (3); 46 give 3.6 growing (4);
    121 where 4-12 are usual give 4.9 (4). A possible campaign is never above 2; what
    is not counted in negatives has its own, lower scale.
    """
    spike = finding.spike
    match spike.kind:
        case SpikeKind.NEGATIVE:
            return _by_volume(finding, trail)
        case SpikeKind.SHARE | SpikeKind.TOTAL | SpikeKind.NEW_SOURCE:
            return min(3, _by_volume(finding, trail))
        case SpikeKind.REACH:
            return 2 + sum(spike.observed >= reach for reach in _WIDE)
        case SpikeKind.BACKLOG:
            return 2 + (spike.observed >= 10) + (spike.observed >= 50)
        case SpikeKind.SILENCE:
            return 1
        case SpikeKind.KEY_MENTION:
            return _by_key(spike)


def _by_volume(finding: Finding, trail: Sequence[Pace]) -> int:
    spike = finding.spike
    most = _CAMPAIGN if spike.campaign is not None else 5
    excess = max(0, spike.observed - spike.usual_high)
    ratio = max(1.0, spike.observed / max(1, spike.usual_high))
    points = 0.45 * math.log2(1 + excess) + 0.55 * math.log2(ratio) + 0.5 * _grew_by_half(finding, trail)
    by_points = 1 + sum(points >= step for step in _STEPS)
    return min(most, next((min(by_points, limit) for size, limit in _SIZES if spike.observed < size), by_points))


def _by_key(spike: Spike) -> int:
    """Rate a key mention: staff asked to be told of it, so it never waits; a very large account is graver."""
    return 3 + (spike.whole >= _WIDE[-1])


def _grew_by_half(finding: Finding, trail: Sequence[Pace]) -> bool:
    spike = finding.spike
    before = pace_before(trail, finding.start, window=spike.window)
    if before is None:
        return False
    newest = Pace(start=finding.start, observed=spike.observed, window=spike.window, hour=finding.hour)
    now, expected = compared(newest, before)
    return now >= 1.5 * expected and grows(now, expected)
