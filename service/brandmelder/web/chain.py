"""Whether the audit's chain is whole: a look at every row, which takes longer than a page may: pages share it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog
from msgspec import Struct

from brandmelder.errors import BrandmelderError
from brandmelder.store import audit
from brandmelder.store.audit import Verified

if TYPE_CHECKING:
    from collections.abc import Callable

    from brandmelder.store.database import Database

log = structlog.get_logger()

WAITED: Final = 0.03
"""Seconds that a page waits for a look that has begun: a small audit is gone through in less."""
FRESH: Final = timedelta(minutes=1)
"""So long the last look is told again."""


class Held(Struct, frozen=True, kw_only=True):
    """What a look at the whole chain found, and when it began."""

    at: datetime
    whole: Verified


class Chain:
    """The last look at the audit's chain."""

    def __init__(self) -> None:
        self._last: Held | None = None
        self._looking: asyncio.Task[None] | None = None

    async def found(self, database: Database, now: Callable[[], datetime]) -> Held | None:
        """Return what the last look found; a new one is begun if that was a while ago. None until the first is done."""
        if self._looking is not None and self._looking.done():
            self._looking = None
        if self._looking is None and (self._last is None or now() - self._last.at >= FRESH):
            self._looking = asyncio.create_task(self._look(database, now()))
        if self._looking is not None:
            await asyncio.wait({self._looking}, timeout=WAITED)
        return self._last

    async def _look(self, database: Database, at: datetime) -> None:
        try:
            self._last = Held(at=at, whole=await database.look(audit.verify))
        except BrandmelderError as error:
            log.warning("web.audit_not_checked", reason=str(error))
