"""The bars of a monitor's picture over one of five ranges, with what was usual, not seen, and known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.incident.picture import UNSEEN, YOUNG, Frame
from brandmelder.model import Gap, Hole, MonitorId, Occasion, SourceId
from brandmelder.store import bars, series, sources
from brandmelder.store.series import MonitorRow
from brandmelder.store.sources import SourceRow

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Watch
    from brandmelder.store.bars import Counts
    from brandmelder.web.bands import Bands, Known

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
RANGES: Final[Mapping[str, tuple[timedelta, int]]] = MappingProxyType(
    {
        "1h": (timedelta(minutes=5), 12),
        "6h": (timedelta(minutes=20), 18),
        "24h": (_HOUR, 24),
        "7d": (6 * _HOUR, 28),
        "8w": (_DAY, 56),
    }
)
"""How wide a bar is, and how many there are."""


class Bars(Struct, frozen=True, kw_only=True):
    """What is drawn of one monitor."""

    frame: Frame
    counts: tuple[int, ...]
    usual: tuple[tuple[int, int], ...] = ()
    holes: tuple[Hole, ...] = ()
    events: tuple[Occasion, ...] = ()
    is_running: bool = True
    age: timedelta = timedelta(0)
    """How much history there is."""
    is_relearnt: bool = False
    """Whether what is usual is not known although there is history: after an upgrade, until the next evaluation."""

    def is_beyond(self, place: int) -> bool:
        """Whether a bar is beyond what is usual."""
        return bool(self.usual) and self.counts[place] > self.usual[place][1]


class Behind(Struct, frozen=True, kw_only=True):
    """What the bars of all monitors are read with."""

    rows: Mapping[SourceId, SourceRow]
    gaps: Sequence[Gap]
    monitors: Mapping[MonitorId, MonitorRow]


def frame_at(name: str, moment: datetime, zone: ZoneInfo) -> Frame:
    """Return the bars of a range of which the last holds `moment`; long bars begin with the reader's day."""
    width, count = RANGES[name]
    local = moment.astimezone(zone)
    begin = local.replace(hour=0, minute=0, second=0, microsecond=0)
    until = begin + (1 + (local - begin) // width) * width
    return Frame(until=until.astimezone(moment.tzinfo), width=width, count=count)


def read_behind(connection: Connection, since: datetime) -> Behind:
    """Read what the bars of all monitors are read with."""
    return Behind(
        rows=sources.read_sources(connection),
        gaps=sources.open_gaps(connection, since),
        monitors=series.read_monitors(connection),
    )


def read_bars(  # noqa: PLR0913 -- each is a thing of its own
    connection: Connection,
    watch: Watch,
    frame: Frame,
    *,
    bands: Bands,
    behind: Behind,
    now: datetime,
    total: bool = False,
) -> Bars:
    """Return the bars of one monitor; `total` counts all mentions in place of the negative ones."""
    counted = read_counts(connection, [watch], frame)[watch.id]
    return bars_of(connection, watch, frame, counted, bands=bands, behind=behind, now=now, total=total)


def read_counts(connection: Connection, watches: Iterable[Watch], frame: Frame) -> dict[str, Counts]:
    """Read what was counted in the bars of several monitors, at once."""
    slots = bars.Slots(since=frame.since, width=frame.width, number=frame.count)
    return bars.counts(connection, [watch.id for watch in watches], slots)


def bars_of(  # noqa: PLR0913 -- each is a thing of its own
    connection: Connection,
    watch: Watch,
    frame: Frame,
    counted: Counts,
    *,
    bands: Bands,
    behind: Behind,
    now: datetime,
    total: bool = False,
) -> Bars:
    """Return the bars of one monitor from what was counted in them."""
    row = behind.monitors.get(watch.id)
    known = bands.known(connection, watch, now)
    numbers = counted.total if total else counted.negative
    usual = () if total else bands.usual(watch, row, frame.ends, frame.width, now=now)
    mine = [behind.rows[ident] for ident in watch.sources if ident in behind.rows]
    gaps = [gap for gap in behind.gaps if gap.source in watch.sources]
    return Bars(
        frame=frame,
        counts=tuple(
            number if number or _is_seen(end - frame.width, end, mine, gaps, known) else UNSEEN
            for number, end in zip(numbers, frame.ends, strict=True)
        ),
        usual=usual,
        holes=_holes(mine, gaps, frame, now),
        events=tuple(
            Occasion(at=event.since, until=event.until, name=event.name)
            for event in known.rules.events
            if frame.since <= event.since <= frame.until
        ),
        is_running=frame.until > now,
        age=known.age(now),
        is_relearnt=not usual and not total and known.age(now) >= YOUNG,
    )


def _is_seen(since: datetime, until: datetime, rows: Sequence[SourceRow], gaps: Sequence[Gap], known: Known) -> bool:
    """Whether some source was read over some part of a bar."""
    for row in rows:
        begin = min((one for one in (known.usual.first_bin.get(row.id), row.first_contact) if one), default=None)
        if begin is None or row.read_until is None or row.read_until <= since or begin >= until:
            continue
        if not any(gap.source == row.id and gap.since <= since and gap.until >= until for gap in gaps):
            return True
    return False


def _holes(rows: Sequence[SourceRow], gaps: Sequence[Gap], frame: Frame, now: datetime) -> tuple[Hole, ...]:
    blind = [Hole(source=row.id, since=row.blind_since, until=now) for row in rows if row.blind_since]
    missed = [Hole(source=gap.source, since=gap.since, until=gap.until) for gap in gaps]
    return tuple(hole for hole in (*blind, *missed) if hole.since < frame.until and hole.until > frame.since)
