"""What one kind of spike says of one bin, and how it becomes a finding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from brandmelder.detect.advance import RECOVERY
from brandmelder.detect.kinds import ordinary
from brandmelder.model import Finding, Spike, SpikeKind

if TYPE_CHECKING:
    from brandmelder.detect.kinds.ordinary import Ordinary, Prior

LEAST = 3
"""Never page for fewer negatives; only a key mention may (product rule)."""


class Verge(NamedTuple):
    """How far a score is toward a page."""

    chance: float
    bar: float

    @property
    def pages(self) -> bool:
        """Beyond the opening threshold."""
        return self.chance > self.bar

    @property
    def is_high(self) -> bool:
        """Beyond the recovery threshold."""
        return self.chance > RECOVERY * self.bar


def verge(known: Ordinary, score: float, prior: Prior, budget: float) -> Verge:
    """Hold a score against the days so far."""
    return Verge(ordinary.chance(known, score, prior), ordinary.bar(known, budget))


class Counted(NamedTuple):
    """The figures of a window."""

    seconds: int
    observed: int
    usual: tuple[int, int]
    expected: float
    seen: float = 1.0
    whole: int = 0
    subject: str = ""


def finding(kind: SpikeKind, edges: tuple[int, int], counted: Counted, *, at: Verge, days: int) -> Finding:
    """Return the finding of the bin between the two edges, in seconds of the epoch."""
    until = datetime.fromtimestamp(edges[1], UTC)
    window = timedelta(seconds=counted.seconds)
    spike = Spike(
        kind=kind,
        since=until - window,
        until=until,
        window=window,
        observed=counted.observed,
        usual_low=counted.usual[0],
        usual_high=counted.usual[1],
        expected=counted.expected,
        score=at.chance,
        rarity=timedelta(days=min(36_500.0, 10.0 ** min(at.chance, 6.0))),
        history=timedelta(days=days),
        is_partial=counted.seen < 0.999,
        whole=counted.whole,
        subject=counted.subject,
    )
    return Finding(
        start=datetime.fromtimestamp(edges[0], UTC),
        spike=spike,
        pages=at.pages,
        is_high=at.is_high,
        flagged=at.pages,
        seen=counted.seen,
    )
