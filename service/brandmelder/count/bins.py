"""Into which bin a mention falls, how far time is settled, and how much of a bin could be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import BIN, Bin, MonitorId, SourceId, SourceSight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where bins are aligned, and how far a source has been read that was never read."""


class Count(Struct, frozen=True, kw_only=True):
    """What one source adds to one bin of one monitor; every figure is multiplied by the verdicts' weights."""

    monitor: MonitorId
    source: SourceId
    start: datetime
    total: float = 0.0
    negative: float = 0.0
    """Σ weight · P(negative)."""
    labelled: float = 0.0
    """Σ weight of the mentions labelled negative; rounded only when all sources are summed."""
    reach: float = 0.0
    """Σ weight · P(negative) · reach."""


def start_of(moment: datetime, width: timedelta = BIN) -> datetime:
    """Return the start of the bin that holds `moment`: aligned to the UTC epoch, in UTC.

    Raises ValueError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; bins are aligned to UTC")
    return EPOCH + (moment - EPOCH) // width * width


def watermark(
    sights: Sequence[SourceSight], *, now: datetime, patience: Mapping[SourceId, timedelta]
) -> tuple[datetime, frozenset[SourceId]]:
    """Return how far every source that counts has been read, and the sources that are left out.

    Left out is what has been blind for longer than its patience: time goes on without it. A source never read holds
    time at the epoch until then. Without any source left, time goes on to `now` and nothing of it was seen.
    """
    left_out = frozenset(
        sight.source
        for sight in sights
        if sight.blind_since is not None and now - sight.blind_since > patience[sight.source]
    )
    read = [sight.read_until or EPOCH for sight in sights if sight.source not in left_out]
    return min((*read, now)), left_out


def settled_until(mark: datetime, *, now: datetime, settle: timedelta) -> datetime:
    """Return the moment before which bins are settled: read by all, and `settle` old. Aligned down to a bin."""
    return start_of(min(mark, now - settle))


def exposure(seen: Mapping[SourceId, float], shares: Mapping[SourceId, float]) -> float:
    """Return the share of the usual volume that was seen, 0 to 1; `seen` says which part of each source was, 0 to 1.

    `shares` holds the usual volume of every source of the monitor, in any unit. While nothing is known of the volumes,
    every source counts alike; a monitor without sources sees everything there is.
    """
    if not shares:
        return 1.0
    usual = sum(max(0.0, share) for share in shares.values())
    if usual <= 0:
        return sum(seen.get(source, 0.0) for source in shares) / len(shares)
    return min(1.0, sum(max(0.0, share) * seen.get(source, 0.0) for source, share in shares.items()) / usual)


def gapless(
    counts: Iterable[Count], since: datetime, until: datetime, *, exposure_of: Callable[[datetime], float]
) -> tuple[Bin, ...]:
    """Return one monitor's bins from `since` to before `until`, all sources summed, empty bins filled with zeros.

    `since` and `until` are aligned down to bins; counts outside are left out. `exposure_of` is asked with bin starts.
    """
    first, end = start_of(since), start_of(until)
    sums: dict[datetime, list[float]] = {}
    for count in counts:
        if first <= count.start < end:
            figures = sums.setdefault(count.start, [0.0, 0.0, 0.0, 0.0])
            for place, figure in enumerate((count.total, count.negative, count.labelled, count.reach)):
                figures[place] += figure
    return tuple(
        _bin(start, sums.get(start, (0.0, 0.0, 0.0, 0.0)), exposure_of(start))
        for start in (first + number * BIN for number in range(max(0, (end - first) // BIN)))
    )


def _bin(start: datetime, figures: Sequence[float], seen: float) -> Bin:
    total, negative, labelled, reach = figures
    return Bin(start=start, total=total, negative=negative, labelled=round(labelled), reach=reach, exposure=seen)
