"""Visits every source once and stores nothing: what `check --live` tells."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.errors import SourceError
from brandmelder.model import SourceId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from brandmelder.capture.source import Source


class Visited(Struct, frozen=True, kw_only=True):
    """What one source answered."""

    source: SourceId
    is_good: bool
    text: str
    mentions: int = 0


async def survey(sources: Mapping[SourceId, Source], now: datetime, zone: tzinfo) -> list[Visited]:
    """Poll every source as on first contact, side by side; returns one finding for each, in their order."""
    return list(await asyncio.gather(*(_visit(source, now, zone) for source in sources.values())))


async def _visit(source: Source, now: datetime, zone: tzinfo) -> Visited:
    try:
        poll = await source.poll(None, now)
    except SourceError as error:
        return Visited(source=source.id, is_good=False, text=str(error))
    count = len(poll.mentions)
    more = " on its first page, and more behind it" if poll.more else ""
    newest = max((one.published_at for one in poll.mentions), default=None)
    since = f", the newest of {newest.astimezone(zone):%Y-%m-%d %H:%M}" if newest else ""
    degraded = f"; known to be incomplete: {poll.degraded}" if poll.degraded else ""
    text = f"would store {count} mention{'s' * (count != 1)}{more}{since}{degraded}"
    return Visited(source=source.id, is_good=True, text=text, mentions=count)
