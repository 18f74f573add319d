"""Has what every page needs reckoned before somebody asks: what is usual for each monitor, every five minutes anew.

Whoever opens the page at night is the first in hours: without this they would wait for all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from brandmelder.errors import BrandmelderError
from brandmelder.model import BIN
from brandmelder.store import series
from brandmelder.web.live import pause
from brandmelder.web.rows import frame_to

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Watch
    from brandmelder.web.site import Site

log = structlog.get_logger()


async def keep_warm(site: Site) -> None:
    """Reckon at once, and then shortly after every bin has ended; until cancelled."""
    try:
        while True:
            await _try(site)
            await pause((frame_to(site.now()).until - site.now()).total_seconds() + 1.0)
    finally:
        site.would.stop()


async def _try(site: Site) -> None:
    try:
        await warm(site, site.now())
    except BrandmelderError as error:  # a locked file: a page reads it by itself then
        log.warning("web.not_warmed", reason=str(error))


async def warm(site: Site, now: datetime) -> None:
    """Reckon what is usual in the bars of all monitors, one after another: pages come between."""
    for watch in tuple(site.parts.watches.values()):
        await site.parts.database.look(_warm, site, watch, now)


def _warm(connection: Connection, site: Site, watch: Watch, now: datetime) -> None:
    row = series.read_monitor(connection, watch.id)
    site.bands.known(connection, watch, now)
    for moment in (now, now + BIN):  # until the next time, the bars that end now and those that end next are asked for
        frame = frame_to(moment)
        site.bands.usual(watch, row, (*frame.ends, frame.until), frame.width, now=now)
