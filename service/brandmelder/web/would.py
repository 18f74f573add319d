"""How often a monitor would have paged at other sensitivities: reckoned beside the pages, once a day, and remembered.

It is the pipeline's own code over stored counts and takes seconds of a processor for eight weeks (decision 0102).
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog
from msgspec import Struct

from brandmelder.errors import BrandmelderError
from brandmelder.pipeline.openings import Openings, read_past
from brandmelder.web.reckon import reckoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from brandmelder.model import MonitorId
    from brandmelder.pipeline.parts import Parts, Watch

log = structlog.get_logger()

BACK: Final = timedelta(days=56)
HALF, PRESENT, DOUBLE = "half", "present", "double"
TIMES: Final = {HALF: 0.5, PRESENT: 1.0, DOUBLE: 2.0}
"""Of the budget of false alarms that the configuration gives."""


class Answer(Struct, frozen=True, kw_only=True):
    """What is known: the newest finding, if there is one, and whether a newer one is being reckoned."""

    found: Openings | None
    """None for a monitor that was never evaluated, or while the first is being reckoned."""
    is_pending: bool


class Would:
    """Remembers for each monitor when it would have paged; a finding holds for a day and one configuration."""

    def __init__(self) -> None:
        self._found: dict[MonitorId, tuple[tuple[date, str], Openings | None]] = {}
        self._reckoning: dict[MonitorId, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    def ask(self, parts: Parts, watch: Watch, now: datetime, *, told: Callable[[MonitorId], None]) -> Answer:
        """Return what is known, and begin to reckon what is not; `told` is called once that is done.

        While a new day is being reckoned, the finding of the day before is told; one of another configuration is not.
        """
        version = now.date(), watch.fingerprint
        kept = self._found.get(watch.id)
        if kept is not None and kept[0] == version:
            return Answer(found=kept[1], is_pending=False)
        if not self.is_pending(watch.id):
            work = self._reckon(parts, watch, now, version, told=told)
            self._reckoning[watch.id] = asyncio.create_task(work)
        is_same = kept is not None and kept[0][1] == watch.fingerprint
        return Answer(found=kept[1] if kept is not None and is_same else None, is_pending=True)

    def stop(self) -> None:
        """Reckon no more: the page is closed."""
        for task in self._reckoning.values():
            task.cancel()

    def is_pending(self, monitor: MonitorId) -> bool:
        """Whether a monitor's finding is being reckoned."""
        task = self._reckoning.get(monitor)
        return task is not None and not task.done()

    async def _reckon(
        self, parts: Parts, watch: Watch, now: datetime, version: tuple[date, str], *, told: Callable[[MonitorId], None]
    ) -> None:
        budgets = {name: times * watch.rules.budget for name, times in TIMES.items()}
        async with self._turn:  # one at a time: pages and evaluations want the processor, too
            try:
                past = await parts.database.look(read_past, parts, watch, now, back=BACK)
                found = None if past is None else await reckoned(past, budgets)
            except BrandmelderError as error:
                log.warning("web.not_reckoned", monitor=watch.id, reason=str(error))
                return
        self._found[watch.id] = version, found
        self._reckoning.pop(watch.id, None)
        told(watch.id)
