"""How the calendars of the rotas are read: by the house's client, or from a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from brandmelder.model import SourceId
from brandmelder.notify.ical import CalendarUnreadable
from brandmelder.pipeline.calendars import Edition

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.model import RotaId
    from brandmelder.pipeline.calendars import ReadCalendar
    from brandmelder.settings import Settings
    from brandmelder.settings.duty import CalendarSettings
    from brandmelder.store.rotas import Copy
    from brandmelder.wiring.outside import Outside

NOT_MODIFIED = 304


def build_calendars(settings: Settings, reach: Outside) -> dict[RotaId, ReadCalendar]:
    """Build what reads the calendars of the rotas: by the house's client, or from a file."""
    return {
        ident: _fetched(ident, calendar, reach) if calendar.is_address else _from_file(calendar)
        for ident, calendar in settings.duty.calendars.items()
    }


def _fetched(rota: RotaId, calendar: CalendarSettings, reach: Outside) -> ReadCalendar:
    fetch = reach.http.bind(source=SourceId(f"rota {rota}"), allow_private=calendar.allow_private)

    async def read(kept: Copy | None, now: datetime) -> Edition:
        headers = {"accept": "text/calendar"}
        if kept is not None:
            validators = {"if-none-match": kept.etag, "if-modified-since": kept.modified}
            headers |= {name: value for name, value in validators.items() if value}
        answer = await fetch(calendar.place, now=now, headers=headers)
        content = None if answer.status == NOT_MODIFIED else answer.body
        said = answer.headers
        return Edition(content=content, etag=said.get("etag", ""), modified=said.get("last-modified", ""))

    return read


def _from_file(calendar: CalendarSettings) -> ReadCalendar:
    async def read(_kept: Copy | None, _now: datetime) -> Edition:
        try:
            return Edition(content=await asyncio.to_thread(Path(calendar.place).read_bytes))
        except OSError as error:
            raise CalendarUnreadable(f"{calendar.place} cannot be read: {error.strerror}") from error

    return read
