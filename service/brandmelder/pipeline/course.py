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
from brandmelder.pipeline.view import SHARES_OVER, Steps, bins_of, read_usual, sights_of
from brandmelder.store import bars, series, sources
from brandmelder.store.bars import Sums
from brandmelder.store.series import MonitorRow
from brandmelder.store.sources import SourceRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.detect.kinds.watching import KindRules
    from brandmelder.pipeline.parts import Parts, Watch
    from brandmelder.pipeline.view import Usual
    from brandmelder.store.bars import Slots

WIDTHS = (
    timedelta(minutes=5),
    timedelta(minutes=20),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
)
"""The bars that the design knows: an hour by five minutes to eight weeks by days."""


_NOTHING = Sums(total=0.0, negative=0.0, labelled=0.0, reach=0.0)


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

    def __init__(
        self, connection: Connection, parts: Parts, watch: Watch, now: datetime, *, usual: Usual | None = None
    ) -> None:
        """Read it; `usual` is what `read_usual` said earlier that day."""
        self._connection, self._watch, self._now = connection, watch, now
        row = series.read_monitor(connection, watch.id) or MonitorRow(id=watch.id, rules=watch.fingerprint)
        self._rules = rules_of(connection, watch, now)
        self._state = _state(row, self._rules)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if usual is None or usual.day != day or not usual.first_bin:
            usual = read_usual(connection, watch, day)
        self.known = usual
        self._first = min(usual.first_bin.values(), default=now)
        # A source that the configuration names and the service has not met yet was never read.
        unmet = {ident: SourceRow(id=ident, next_poll_at=now) for ident in watch.sources}
        self.sights = sights_of(
            unmet | sources.read_sources(connection),
            sources.open_gaps(connection, now - SHARES_OVER),
            parts,
            usual=usual,
            news_since=row.news_since,
        )

    def usual(self, until: datetime, window: timedelta) -> tuple[int, int] | None:
        """Return the usual range in a window that ends at `until`; None while too little is known."""
        if self._state is None or until - self._first < YOUNG:
            return None
        return scan.usual(self._state, until, window, self._rules.volume)

    def _usuals(self, ends: Sequence[datetime], width: timedelta) -> tuple[tuple[int, int], ...]:
        """Return the usual range of every bar; nothing while too little is known of any of them."""
        if self._state is None or not ends or min(ends) - self._first < YOUNG:
            return ()
        return scan.usuals(self._state, ends, width, self._rules.volume)

    def stretch(self, since: datetime, until: datetime, width: timedelta) -> Stretch:
        """Return the bins of [since, until), each `width` wide; `since` lies on the edge of one.

        A bin's exposure is the mean of what could be seen of it.
        """
        slots = bars.Slots(since=since, width=width, number=max(0, (until - since) // width))
        counted, steps = bars.sums(self._connection, self._watch.id, slots), Steps(self.sights)
        wide = tuple(_bar(counted.get(number), slots, number, steps=steps) for number in range(slots.number))
        return Stretch(
            monitor=self._watch.id,
            width=width,
            bins=wide,
            usual=self._usuals([one.end for one in wide], width),
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


def _bar(counted: Sums | None, slots: Slots, number: int, *, steps: Steps) -> Bin:
    """Return one bar; what could be seen of it is the mean of its bins."""
    start, span = slots.since + number * slots.width, slots.width // BIN
    found = counted or _NOTHING
    return Bin(
        start=start,
        width=slots.width,
        total=found.total,
        negative=found.negative,
        labelled=round(found.labelled),
        reach=found.reach,
        exposure=sum(steps.exposure_of(start + place * BIN) for place in range(span)) / span,
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
