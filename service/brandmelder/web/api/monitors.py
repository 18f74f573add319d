"""Monitors, and their series: bins with what is usual and how much of them could be seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct

from brandmelder.model import MonitorId, SpikeKind, Track
from brandmelder.pipeline.course import Course, edge_before
from brandmelder.store import incidents, series
from brandmelder.web.api.operation import Answer, Moment, utc
from brandmelder.web.api.problems import missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.model import Incident
    from brandmelder.pipeline.course import Stretch
    from brandmelder.pipeline.parts import Parts, Watch
    from brandmelder.store.series import MonitorRow
    from brandmelder.web.api.operation import Call, Door

Ident = Annotated[str, Meta(min_length=1, max_length=128, examples=["nordfunk"])]
WIDTHS: Final = {
    "5m": timedelta(minutes=5),
    "20m": timedelta(minutes=20),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
}
_TRACKS: Final = tuple(Track)
MOST_BINS: Final = 500
LONGEST: Final = timedelta(days=56)
"""A series is cut to so much, its newest part."""


class MonitorShown(Struct, frozen=True, kw_only=True):
    """What is watched for, and how it stands."""

    id: str
    title: str
    query: str
    sources: tuple[str, ...]
    kinds: tuple[SpikeKind, ...]
    false_alarms: str
    """The budget, as the configuration says it."""
    evaluated_through: datetime | None
    running: tuple[str, ...]
    """Its running incidents."""


class MonitorList(Struct, frozen=True, kw_only=True):
    """All monitors, in the order of the configuration."""

    items: tuple[MonitorShown, ...]


class SeriesQuery(Struct, frozen=True, kw_only=True):
    """Which stretch, in which bins."""

    since: Moment | None = None
    until: Moment | None = None
    width: Annotated[Literal["5m", "20m", "1h", "6h", "1d"], Meta(description="How wide a bin is.")] = "1h"


class BinShown(Struct, frozen=True, kw_only=True):
    """What was counted in one bin of event time."""

    start: datetime
    total: float
    negative: float
    """Mentions labelled negative, weighed: what people count."""
    usual_low: int | None
    """The usual range of negatives, null while too little is known."""
    usual_high: int | None
    exposure: Annotated[float, Meta(ge=0, le=1)]
    """How much of the usual volume could be seen: at 0 the counts say nothing."""


class Series(Struct, frozen=True, kw_only=True):
    """A gapless run of bins, oldest first; `since` and `until` say which stretch it is."""

    monitor: str
    width: str
    since: datetime
    until: datetime
    bins: tuple[BinShown, ...]


async def list_(call: Call) -> Answer:
    """List monitors."""
    return Answer(body=MonitorList(items=tuple(await call.look(_monitors, call.door.parts))))


async def read(call: Call) -> Answer:
    """Show one monitor."""
    watch = _watch(call)
    return Answer(body=await call.look(_monitor, watch))


async def read_series(call: Call) -> Answer:
    """Show a monitor's bins."""
    watch, query = _watch(call), call.query
    width = WIDTHS[query.width]
    until = call.now if query.until is None else min(utc(query.until), call.now)
    until = max(until, datetime(1990, 1, 1, tzinfo=until.tzinfo))
    until = edge_before(until, width) + width
    longest = min(LONGEST, MOST_BINS * width)
    since = until - longest if query.since is None else max(utc(query.since), until - longest)
    since = edge_before(min(since, until - width), width)
    stretch = await call.look(_stretch, call.door, watch, (since, until, width), call.now)
    return Answer(
        body=Series(monitor=watch.id, width=query.width, since=since, until=until, bins=tuple(_bins(stretch)))
    )


def _watch(call: Call) -> Watch:
    watch = call.door.parts.watches.get(MonitorId(call.path["id"]))
    if watch is None:
        raise missing("monitor", call.path["id"][:60], "see GET /monitors", where="path id")
    return watch


def _monitors(connection: Connection, parts: Parts) -> list[MonitorShown]:
    rows, running = series.read_monitors(connection), _running(connection)
    return [_shown(watch, rows.get(watch.id), running) for watch in parts.watches.values()]


def _monitor(connection: Connection, watch: Watch) -> MonitorShown:
    return _shown(watch, series.read_monitor(connection, watch.id), _running(connection))


def _running(connection: Connection) -> list[Incident]:
    return [one for one, _ in incidents.all_incidents(connection, running_only=True)]


def _shown(watch: Watch, row: MonitorRow | None, running: Sequence[Incident]) -> MonitorShown:
    mine = sorted((one for one in running if one.monitor == watch.id), key=lambda one: _TRACKS.index(one.kind.track))
    return MonitorShown(
        id=watch.id,
        title=watch.title,
        query=watch.query,
        sources=watch.sources,
        kinds=tuple(sorted(watch.kinds.kinds)),
        false_alarms=watch.false_alarms,
        evaluated_through=None if row is None else row.evaluated_through,
        running=tuple(one.id for one in mine),
    )


def _stretch(
    connection: Connection, door: Door, watch: Watch, span: tuple[datetime, datetime, timedelta], now: datetime
) -> Stretch:
    course = Course(connection, door.parts, watch, now, usual=door.usual.get(watch.id))
    door.usual[watch.id] = course.known
    return course.stretch(*span)


def _bins(stretch: Stretch) -> list[BinShown]:
    usual = stretch.usual or (None,) * len(stretch.bins)
    return [
        BinShown(
            start=one.start,
            total=round(one.total, 3),
            negative=round(one.labelled, 3),
            usual_low=None if band is None else band[0],
            usual_high=None if band is None else band[1],
            exposure=min(1.0, max(0.0, round(one.exposure, 3))),
        )
        for one, band in zip(stretch.bins, usual, strict=True)
    ]
