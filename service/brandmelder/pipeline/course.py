"""A monitor's bins over a span, with what is usual and what could be seen: for reports, the page and the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.detect import scan
from brandmelder.incident.picture import UNSEEN, YOUNG
from brandmelder.model import BIN, Bin, Hole, MonitorId, Occasion, Picture, SpikeKind
from brandmelder.pipeline.known import rules_of
from brandmelder.pipeline.sense import decode
from brandmelder.pipeline.view import SHARES_OVER, bins_of, read_usual, sights_of
from brandmelder.store import series, sources
from brandmelder.store.series import MonitorRow
from brandmelder.store.sources import SourceRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.detect.kinds.watching import KindRules
    from brandmelder.pipeline.parts import Parts, Watch

WIDTHS = (
    timedelta(minutes=5),
    timedelta(minutes=20),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
)
"""The bars that the design knows: an hour by five minutes to eight weeks by days."""


class Stretch(Struct, frozen=True, kw_only=True):
    """Bins of a monitor, of one width, and what is usual in each."""

    monitor: MonitorId
    width: timedelta
    bins: tuple[Bin, ...]
    usual: tuple[tuple[int, int], ...]
    """The range of labelled negatives; empty while there is too little to compare with."""
    holes: tuple[Hole, ...] = ()
    events: tuple[Occasion, ...] = ()


class Course:
    """What is known of one monitor, to read stretches of it with: one decoded memory for many questions."""

    def __init__(self, connection: Connection, parts: Parts, watch: Watch, now: datetime) -> None:
        self._connection, self._watch, self._now = connection, watch, now
        row = series.read_monitor(connection, watch.id) or MonitorRow(id=watch.id, rules=watch.fingerprint)
        self._rules = rules_of(connection, watch, now)
        self._state = _state(row, self._rules)
        self._first = min(series.first_bins(connection, watch.id).values(), default=now)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        # A source that the configuration names and the service has not met yet was never read.
        unmet = {ident: SourceRow(id=ident, next_poll_at=now) for ident in watch.sources}
        self.sights = sights_of(
            unmet | sources.read_sources(connection),
            sources.open_gaps(connection, now - SHARES_OVER),
            parts,
            usual=read_usual(connection, watch, day),
            news_since=row.news_since,
        )

    def usual(self, until: datetime, window: timedelta) -> tuple[int, int] | None:
        """Return the usual range in a window that ends at `until`; None while too little is known."""
        if self._state is None or until - self._first < YOUNG:
            return None
        return scan.usual(self._state, until, window, self._rules.volume)

    def stretch(self, since: datetime, until: datetime, width: timedelta) -> Stretch:
        """Return the bins of [since, until), each `width` wide; `since` lies on the edge of one.

        A bin's exposure is the mean of what could be seen of it.
        """
        counts = series.counts(self._connection, self._watch.id, since, until)
        fine = bins_of(counts, since, until, sights=self.sights)
        count = max(0, (until - since) // width)
        wide = tuple(_joined(fine, since + number * width, width) for number in range(count))
        usual = [self.usual(one.end, width) for one in wide]
        return Stretch(
            monitor=self._watch.id,
            width=width,
            bins=wide,
            usual=() if None in usual else tuple(one for one in usual if one is not None),
            holes=self._holes(since, until),
            events=tuple(
                Occasion(at=event.since, until=event.until, name=event.name)
                for event in self._rules.volume.events
                if event.since < until and event.until > since
            ),
        )

    def loudest(self, since: datetime, until: datetime, window: timedelta) -> datetime | None:
        """Return where the window with the most negatives in [since, until) ends; None if there were none."""
        counts = series.counts(self._connection, self._watch.id, since - window, until)
        fine = bins_of(counts, since - window, until, sights=self.sights)
        span = max(1, window // BIN)
        best: tuple[float, datetime] | None = None
        for place in range(span, len(fine) + 1):
            number = sum(one.labelled for one in fine[place - span : place])
            if number > (best[0] if best is not None else 0):
                best = number, fine[place - 1].end
        return None if best is None else best[1]

    def _holes(self, since: datetime, until: datetime) -> tuple[Hole, ...]:
        blind = (
            Hole(source=row.source, since=row.blind_since, until=self._now)
            for row in self.sights.rows
            if row.blind_since
        )
        gaps = (Hole(source=gap.source, since=gap.since, until=gap.until) for gap in self.sights.gaps)
        return tuple(hole for hole in (*blind, *gaps) if hole.since < until and hole.until > since)


def _state(row: MonitorRow, rules: KindRules) -> scan.DetectorState | None:
    """Return what the detector takes for usual; None before it has learnt, or if it must learn anew."""
    if row.state is None:
        return None
    try:
        return decode(row.state, rules).volume
    except ValueError:
        return None


def _joined(bins: Sequence[Bin], start: datetime, width: timedelta) -> Bin:
    """Return the bins of [start, start + width) as one; what could be seen of it is their mean."""
    mine = [one for one in bins if start <= one.start < start + width]
    return Bin(
        start=start,
        width=width,
        total=sum(one.total for one in mine),
        negative=sum(one.negative for one in mine),
        labelled=sum(one.labelled for one in mine),
        reach=sum(one.reach for one in mine),
        exposure=sum(one.exposure for one in mine) / len(mine) if mine else 0.0,
    )


def picture_of(stretch: Stretch, *, kind: SpikeKind) -> Picture | None:
    """Return a stretch as a picture; None for no bins at all."""
    if not stretch.bins:
        return None
    return Picture(
        until=stretch.bins[-1].end,
        width=stretch.width,
        counts=tuple(
            round(one.total if kind is SpikeKind.TOTAL else one.labelled) if one.exposure > 0 else UNSEEN
            for one in stretch.bins
        ),
        usual=stretch.usual if kind is not SpikeKind.TOTAL else (),
        holes=stretch.holes,
        events=stretch.events,
    )


def width_for(span: timedelta, *, most: int) -> timedelta:
    """Return the narrowest width of the design by which `span` has at most `most` bars."""
    return next((width for width in WIDTHS if span / width <= most), WIDTHS[-1])


def edge_before(moment: datetime, width: timedelta) -> datetime:
    """Return the last edge of a bar at or before a moment, counted from the epoch."""
    past = int(moment.timestamp()) % int(width.total_seconds())
    return moment.replace(microsecond=0) - timedelta(seconds=past)
