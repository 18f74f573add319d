"""How the sources are: read until when, failing since when, what is known to be missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import DoubtKind, SourceClass, SourceState
from brandmelder.notify.inert import inert
from brandmelder.pipeline.doubts import ends_at
from brandmelder.store import doubts, sources
from brandmelder.web.api.operation import Answer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts
    from brandmelder.web.api.operation import Call

_BACK = timedelta(days=28)
_FOR_EVER = timedelta(days=36_500)


class GapShown(Struct, frozen=True, kw_only=True):
    """What we know we missed, in event time."""

    since: datetime
    until: datetime
    reason: str


class DoubtShown(Struct, frozen=True, kw_only=True):
    """Why a source that answers is doubted."""

    kind: DoubtKind
    since: datetime


class SourceShown(Struct, frozen=True, kw_only=True):
    """One source."""

    id: str
    title: str
    source_class: SourceClass
    state: SourceState
    every_seconds: int
    read_until: datetime | None
    last_success_at: datetime | None
    next_poll_at: datetime | None
    failures: int
    blind_since: datetime | None
    """Silence is never calm: since then nothing of it could be seen."""
    note: str
    doubts: tuple[DoubtShown, ...]
    """Why it is doubted though it answers: silent or few against its rhythm, a wrong clock, an access that ends."""
    access_ends_at: datetime | None
    """When what lets us in ends, where that is known."""
    clock_offset_seconds: int | None
    """By how much its server's clock is ahead of ours."""
    gaps: tuple[GapShown, ...]
    """Those of the last four weeks that are not filled."""


class SourceList(Struct, frozen=True, kw_only=True):
    """All sources, in the order of the configuration."""

    items: tuple[SourceShown, ...]


async def list_(call: Call) -> Answer:
    """List sources."""
    return Answer(body=SourceList(items=tuple(await call.look(_sources, call.door.parts, call.now))))


def _sources(connection: Connection, parts: Parts, now: datetime) -> list[SourceShown]:
    rows, gaps = sources.read_sources(connection), sources.open_gaps(connection, now - _BACK)
    shown, held = [], doubts.running(connection)
    for ident, place in parts.places.items():
        row = rows.get(ident)
        shown.append(
            SourceShown(
                id=ident,
                title=place.title,
                source_class=place.source_class,
                state=SourceState.OK if row is None else row.state,
                every_seconds=round(place.every.total_seconds()),
                read_until=None if row is None else row.read_until,
                last_success_at=None if row is None else row.last_success_at,
                next_poll_at=None if row is None else row.next_poll_at,
                failures=0 if row is None else row.failures,
                blind_since=None if row is None else row.blind_since,
                note="" if row is None else inert(row.note, 300),
                doubts=tuple(
                    DoubtShown(kind=one.kind, since=one.since) for one in held.values() if one.source == ident
                ),
                access_ends_at=_known(ends_at(row, place.expires_at), now),
                clock_offset_seconds=None
                if row is None or row.clock_offset is None
                else round(row.clock_offset.total_seconds()),
                gaps=tuple(
                    GapShown(since=gap.since, until=gap.until, reason=inert(gap.reason, 200))
                    for gap in gaps
                    if gap.source == ident
                ),
            )
        )
    return shown


def _known(ends: datetime | None, now: datetime) -> datetime | None:
    return None if ends is None or ends - now > _FOR_EVER else ends
