"""What an evaluation sees: bins with their exposure, made from counts and from how far each source was read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.count.bins import Count, exposure, gapless, start_of
from brandmelder.model import BIN, Bin, Gap, MonitorId, SourceId, SourceSight
from brandmelder.store import series

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts, Watch
    from brandmelder.store.series import SourceCount
    from brandmelder.store.sources import SourceRow

SHARES_OVER = timedelta(days=28)
WHOLE = 0.999
"""The exposure from which a bin counts as wholly seen."""


class Sights(Struct, frozen=True, kw_only=True):
    """How far every source of a monitor was seen, from when to when."""

    monitor: MonitorId
    rows: tuple[SourceSight, ...]
    first_contact: Mapping[SourceId, datetime]
    first_bin: Mapping[SourceId, datetime]
    news_since: datetime | None
    gaps: tuple[Gap, ...]
    shares: Mapping[SourceId, float]
    left_out: frozenset[SourceId] = frozenset()

    def exposure_of(self, start: datetime) -> float:
        """Return the share of the usual volume that was read of the bin at `start`; in part where it was read in part.

        What came of a bin that a source is still being read in is counted: without its part it would be too much.
        """
        return exposure(self._parts_at(start), self.shares)

    def seen_at(self, start: datetime) -> list[SourceId]:
        """Return the sources that were read of the whole bin at `start`."""
        return [ident for ident, part in self._parts_at(start).items() if part == 1]

    def _parts_at(self, start: datetime) -> dict[SourceId, float]:
        end = start + BIN
        return {
            row.source: min(1.0, (row.read_until - start) / BIN)
            for row in self.rows
            if row.read_until is not None
            and row.read_until > start
            and self._seen_from(row.source, start) <= start
            and not any(gap.source == row.source and gap.since < end and gap.until > start for gap in self.gaps)
        }

    def is_whole(self, since: datetime, until: datetime) -> bool:
        """Whether every bin of [since, until) was wholly seen. Hours without a hole are not asked bin by bin."""
        return self._has_no_hole(since, until) or all(
            self.exposure_of(since + number * BIN) >= WHOLE for number in range((until - since) // BIN)
        )

    def _has_no_hole(self, since: datetime, until: datetime) -> bool:
        is_news = self.news_since is not None and since >= self.news_since
        return is_news and all(
            row.read_until is not None
            and row.read_until >= until
            and self._seen_from(row.source, since) <= since
            and not any(gap.source == row.source and gap.since < until and gap.until > since for gap in self.gaps)
            for row in self.rows
        )

    def _seen_from(self, source: SourceId, start: datetime) -> datetime:
        contact = self.first_contact.get(source)
        if contact is None:
            return start + BIN
        if self.news_since is not None and start >= self.news_since:
            return start_of(contact)
        return min(start_of(contact), self.first_bin.get(source, contact))

    def expected_exposure(self, _start: datetime) -> float:
        """Return the share that will be read once a running bin is settled: all but what is left out."""
        return exposure({row.source: 1 for row in self.rows if row.source not in self.left_out}, self.shares)


class Steps:
    """The same, stretch by stretch: between two moments at which something may change, it is asked once.

    Eight weeks are 16,000 bins, and mostly nothing changes between them.
    """

    def __init__(self, sights: Sights) -> None:
        self._sights = sights
        moments = [row.read_until for row in sights.rows if row.read_until is not None]
        moments += [*sights.first_contact.values(), *sights.first_bin.values()]
        moments += [moment for gap in sights.gaps for moment in (gap.since, gap.until)]
        moments += [sights.news_since] if sights.news_since is not None else []
        # A moment may matter to the bin that ends at it, holds it, or follows.
        around = {start_of(moment) + place * BIN for moment in moments for place in (-1, 0, 1, 2)}
        self._edges = sorted(around)
        self._seen: dict[int, tuple[SourceId, ...]] = {}
        self._exposure: dict[int, float] = {}

    def seen_at(self, start: datetime) -> tuple[SourceId, ...]:
        """Return the sources that were read of the bin at `start`."""
        place = bisect_right(self._edges, start)
        found = self._seen.get(place)
        if found is None:
            found = self._seen[place] = tuple(self._sights.seen_at(start))
        return found

    def exposure_of(self, start: datetime) -> float:
        """Return the share of the usual volume that was read of the bin at `start`."""
        place = bisect_right(self._edges, start)
        found = self._exposure.get(place)
        if found is None:
            found = self._exposure[place] = self._sights.exposure_of(start)
        return found


def sight_of(row: SourceRow, parts: Parts) -> SourceSight:
    """Return how a source is, as the coverage line shows it."""
    return SourceSight(
        source=row.id,
        source_class=parts.places[row.id].source_class,
        read_until=row.read_until,
        state=row.state,
        blind_since=row.blind_since,
        note=row.note,
    )


class Usual(Struct, frozen=True, kw_only=True):
    """What each source of a monitor usually brings, as of the beginning of `day`."""

    monitor: MonitorId
    day: datetime
    shares: Mapping[SourceId, float]
    first_bin: Mapping[SourceId, datetime]


def read_usual(connection: Connection, watch: Watch, day: datetime) -> Usual:
    """Read the shares of a monitor's sources over the four weeks before `day`; each counts one mention at least."""
    weights = series.shares(connection, watch.id, day - SHARES_OVER, day)
    return Usual(
        monitor=watch.id,
        day=day,
        shares={ident: weights.get(ident, 0.0) + 1.0 for ident in watch.sources},
        first_bin=series.first_bins(connection, watch.id),
    )


def sights_of(
    rows: Mapping[SourceId, SourceRow], gaps: Sequence[Gap], parts: Parts, *, usual: Usual, news_since: datetime | None
) -> Sights:
    """Return how far a monitor's sources were seen."""
    mine = [rows[ident] for ident in usual.shares]
    return Sights(
        monitor=usual.monitor,
        rows=tuple(sight_of(row, parts) for row in mine),
        first_contact={row.id: row.first_contact for row in mine if row.first_contact is not None},
        first_bin=usual.first_bin,
        news_since=news_since,
        gaps=tuple(gap for gap in gaps if gap.source in usual.shares),
        shares=usual.shares,
    )


def bins_of(
    counts: Sequence[SourceCount], since: datetime, until: datetime, *, sights: Sights, running: bool = False
) -> tuple[Bin, ...]:
    """Return a monitor's gapless bins of [since, until).

    From the first bin that may open an incident on, history does not count: it can never alert.
    """
    news = sights.news_since
    return gapless(
        (
            Count(
                monitor=sights.monitor,
                source=one.source,
                start=one.start,
                total=one.total,
                negative=one.negative,
                labelled=one.labelled,
                reach=one.reach,
            )
            for one in counts
            if not (one.history and news is not None and one.start >= news)
        ),
        since,
        until,
        exposure_of=sights.expected_exposure if running else Steps(sights).exposure_of,
    )
