"""Reads the calendars of rotas, hourly; the last good copy is kept, whatever a later try brings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.errors import BrandmelderError
from brandmelder.notify.ical import CalendarUnreadable, roster
from brandmelder.store import rotas
from brandmelder.store.rotas import Copy

if TYPE_CHECKING:
    from brandmelder.model import RotaId
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

EVERY = timedelta(hours=1)
AFTER_TROUBLE = timedelta(minutes=10)
FRESH = timedelta(hours=24)
"""A copy older than this is told of."""
_LOOK = timedelta(days=15)


class Edition(Struct, frozen=True, kw_only=True):
    """What a calendar's place answered; `content` None means that it has not changed."""

    content: bytes | None
    etag: str = ""
    modified: str = ""


ReadCalendar = Callable[[Copy | None, datetime], Awaitable[Edition]]
"""Reads one calendar, given the copy that is kept of it. Raises BrandmelderError."""


async def read_calendars(parts: Parts, now: datetime) -> datetime | None:
    """Read every calendar that is due; returns when the next one is, None if there is none."""
    if not parts.calendars:
        return None
    kept = await parts.database.run(rotas.copies)
    due = [ident for ident in parts.calendars if _due_at(parts, kept.get(ident), ident, now) <= now]
    for copy in await asyncio.gather(*(_read(parts, ident, kept.get(ident), now) for ident in due)):
        await parts.database.run(rotas.keep_copy, copy)
        kept[copy.rota] = copy
    return min(_due_at(parts, kept.get(ident), ident, now) for ident in parts.calendars)


def _due_at(parts: Parts, copy: Copy | None, ident: RotaId, now: datetime) -> datetime:
    if copy is None or copy.place != parts.duty.places[ident]:
        return now
    return copy.tried_at + (AFTER_TROUBLE if copy.trouble else EVERY)


async def _read(parts: Parts, ident: RotaId, kept: Copy | None, now: datetime) -> Copy:
    place = parts.duty.places[ident]
    if kept is None or kept.place != place:
        kept = Copy(rota=ident, place=place, tried_at=now)
    try:
        edition = await parts.calendars[ident](kept if kept.content else None, now)
        if edition.content is None:
            return replace(kept, good_at=now, tried_at=now, trouble="")
        people, zone = tuple(parts.duty.people.values()), parts.duty.rotas[ident].zone
        await asyncio.to_thread(roster, edition.content, people, zone, since=now, until=now + _LOOK)
    except CalendarUnreadable as error:
        said = str(error)
        trouble = said if said.startswith(place) else f"{place} {said}"
    except BrandmelderError as error:
        trouble = str(error)
    else:
        return replace(
            kept,
            content=edition.content,
            etag=edition.etag,
            modified=edition.modified,
            good_at=now,
            tried_at=now,
            trouble="",
        )
    log.warning("calendar.unreadable", rota=ident, reason=trouble)
    parts.on_failure(f'rota "{ident}": {trouble}')
    return replace(kept, tried_at=now, trouble=trouble)
