"""What sources hear by themselves: messages that are sent to them, and nudges that a poll would find something."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from brandmelder.capture.source import Nudges
from brandmelder.errors import StoreError
from brandmelder.pipeline.receive import receivers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from brandmelder.capture.source import Sent
    from brandmelder.clock import Clock
    from brandmelder.model import SourceId
    from brandmelder.pipeline import Pipeline

log = structlog.get_logger()


class Ears:
    """Everything that a pipeline's sources hear.

    `poll` has a source polled at once, `work` what came judged; `tell` tells an operator of trouble.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        clock: Clock,
        *,
        poll: Callable[[SourceId], None],
        work: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self._pipeline, self._clock, self._poll, self._work, self._tell = pipeline, clock, poll, work, tell

    def open(self) -> list[asyncio.Task[None]]:
        """Begin to hear; cancel what is returned to end it."""
        parts = self._pipeline.parts
        hearing = [self._receive(place, idents) for place, idents in receivers(parts).items()]
        hearing += [self._listen(source) for source in parts.sources.values() if isinstance(source, Nudges)]
        return [asyncio.create_task(one) for one in hearing]

    def _receive(self, place: str, idents: list[SourceId]) -> Coroutine[None, None, None]:
        # A web server is only loaded where somebody is to be heard.
        from brandmelder.capture.reception import Place, Reception  # noqa: PLC0415

        reception = Reception(idents, self._take)
        return self._shielded(partial(reception.run, Place.of(place), self._pipeline.parts.on_failure), idents[0])

    async def _take(self, source: SourceId, sent: Sent) -> None:
        try:
            await self._pipeline.receive(source, sent, self._clock.now())
        except StoreError as error:  # the sender only hears that it is to come again
            self._tell(str(error))
            raise
        self._work()

    def _listen(self, source: Nudges) -> Coroutine[None, None, None]:
        return self._shielded(partial(source.listen, partial(self._poll, source.id)), source.id)

    async def _shielded(self, hear: Callable[[], Awaitable[None]], source: SourceId) -> None:
        try:
            await hear()
        except Exception:
            log.exception("source.deaf", source=source)
            self._pipeline.parts.on_failure(
                f'source "{source}" does not hear any more; restart the service, report this'
            )
