"""The timer: APScheduler calls the pipeline when something is due. What is due stands in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from msgspec import Struct

from brandmelder.errors import BrandmelderError
from brandmelder.pipeline.ears import Ears
from brandmelder.store import sources

if TYPE_CHECKING:
    from brandmelder.clock import Clock
    from brandmelder.model import Click, SourceId
    from brandmelder.notify.listener import Listener
    from brandmelder.pipeline import Pipeline

log = structlog.get_logger()

T = TypeVar("T")

LISTENS = timedelta(seconds=2)
"""How often it is asked whether a command in another process left work."""
LONGEST_GOODBYE = timedelta(seconds=25)
"""How long a stop waits for what is under way: a send takes 20 s at most."""
AFTER_TROUBLE = timedelta(seconds=15)
"""When work that failed as a whole (a full disk, a locked file) is tried again."""
FORGOTTEN = timedelta(minutes=2)
"""Trouble that stayed away for so long is said anew. Not at the next success: reads succeed where writes fail."""


LOOKS_AT_CLOCK = timedelta(seconds=30)
"""How often it is seen to that the clock goes on. A smaller step back than this only delays by itself."""


class _Delivered(Struct, frozen=True):
    """One round over the deliveries came to its end; None if nothing is promised."""

    next_at: datetime | None


class Regular(Struct, frozen=True, kw_only=True):
    """Work at fixed intervals, beside the way of a mention."""

    name: str
    every: timedelta
    first: timedelta = timedelta(0)
    """How long after the start it is done first; zero for a whole interval."""
    work: Callable[[datetime], Awaitable[object]]


class Timer:
    """Runs a pipeline until it is stopped: one job for each source, one for the evaluation, one for the deliveries."""

    def __init__(self, pipeline: Pipeline, clock: Clock, *, regular: Sequence[Regular] = ()) -> None:
        self._pipeline, self._clock, self._regular = pipeline, clock, regular
        # Two instances: what is called while the same work is under way waits for its lock and finds the rest. Channels
        # do not wait for one another, so each of them may hang in an instance of its own.
        instances = 2 + len(pipeline.parts.notifiers)
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": instances, "misfire_grace_time": None},
        )
        self._stopped = asyncio.Event()
        self._clicked, self._applied = asyncio.Event(), asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy = 0
        self._told: dict[str, datetime] = {}
        """What was said, and when there was reason to say it last."""
        self._polling: dict[SourceId, bool] = {}
        """The sources that are being polled, and whether they are to be polled once more."""

    async def run(self) -> None:
        """Start, and return when `stop` was called and the work in hand has ended."""
        self._scheduler.start()
        await self._plan()
        await self._hear()
        ears = [asyncio.ensure_future(self._listen_to(one)) for one in self._pipeline.hearer.lines()]
        ears += [asyncio.ensure_future(work()) for work in (self._apply_clicks, self._answer_clicks, self._watch_clock)]
        ears += Ears(self._pipeline, self._clock, poll=self._poll_now, work=self._work_now, tell=self._say).open()
        await self._stopped.wait()
        self._scheduler.pause()
        for ear in ears:
            ear.cancel()
        await asyncio.gather(*ears, return_exceptions=True)
        await self._in_hand()
        self._scheduler.shutdown(wait=False)

    async def _plan(self) -> None:
        """Plan all work from what the database says."""
        rows = await self._pipeline.parts.database.run(sources.read_sources)
        for ident in self._pipeline.parts.sources:
            self._at(rows[ident].next_poll_at, f"poll:{ident}", self._poll, ident)
        for name, work in (("work", self._work), ("deliver", self._deliver), ("keep", self._keep)):
            self._at(self._clock.now(), name, work)
        listens = IntervalTrigger(seconds=LISTENS.total_seconds(), start_date=self._clock.now())
        self._scheduler.add_job(self._listen, listens, id="listen", replace_existing=True)
        for one in self._regular:
            first = self._clock.now() + (one.first or one.every)
            every = IntervalTrigger(seconds=one.every.total_seconds(), start_date=first)
            self._scheduler.add_job(self._do, every, [one], id=one.name, max_instances=1, replace_existing=True)

    async def _watch_clock(self) -> None:
        """Plan anew when the clock is set back: what is planned by its old hands would not happen for as long."""
        is_behind = False
        while True:
            before = self._clock.now()
            await self._clock.reach(before + LOOKS_AT_CLOCK)
            now = self._clock.now()
            is_behind = is_behind or now < before
            if is_behind:  # until it is done: the disk may be full, the file locked
                is_behind = await self._shielded(self._bring_back(now)) is None
                await self._shielded(self._plan())

    async def _bring_back(self, now: datetime) -> bool:
        await self._pipeline.clock_went_back(now, is_seen=True)
        return True

    async def _in_hand(self) -> None:
        """Return when what is under way has ended, or would take too long: a send cut off costs its alert a look."""
        try:
            async with asyncio.timeout(LONGEST_GOODBYE.total_seconds()):
                await self._idle.wait()
        except TimeoutError:
            log.warning("stop.waits_no_longer", sources=sorted(self._polling))

    def wake(self) -> None:
        """Have told at once what was promised meanwhile: somebody acted on the page."""
        self._nudge("deliver", self._deliver)

    def brought(self) -> None:
        """Have judged at once what came by another way than a poll."""
        self._pipeline.brought()
        self._work_now()

    def stop(self) -> None:
        """Have `run` return."""
        self._stopped.set()

    def _at(self, moment: datetime, ident: str, function: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        if self._stopped.is_set():
            return
        moment = max(moment, self._clock.now())
        self._scheduler.add_job(function, DateTrigger(moment), arguments, id=ident, replace_existing=True)

    def _nudge(self, ident: str, function: Callable[[], Awaitable[None]]) -> None:
        """Have work done at once, beside what is planned: under its own name, so that neither replaces the other."""
        self._at(self._clock.now(), f"{ident}:now", function)

    async def _poll(self, source: SourceId) -> None:
        if source in self._polling:  # a nudge came meanwhile: one more poll follows the one in hand
            self._polling[source] = True
            return
        self._polling[source] = False
        now = self._clock.now()
        following = await self._shielded(self._pipeline.poll(source, now))
        was_nudged = self._polling.pop(source) and not self._is_held(source)
        self._at(now if was_nudged else following or now + AFTER_TROUBLE, f"poll:{source}", self._poll, source)
        self._nudge("work", self._work)

    def _is_held(self, source: SourceId) -> bool:
        return self._pipeline.parts.meter.is_held(source, self._clock.now())

    def _poll_now(self, source: SourceId) -> None:
        if self._is_held(source):  # its next poll is planned for when it may be asked again
            return
        self._at(self._clock.now(), f"poll:{source}", self._poll, source)

    def _work_now(self) -> None:
        self._nudge("work", self._work)

    async def _work(self) -> None:
        now = self._clock.now()
        following = await self._shielded(self._pipeline.work(now))
        self._at(following or now + AFTER_TROUBLE, "work", self._work)
        self._nudge("deliver", self._deliver)

    async def _deliver(self) -> None:
        now = self._clock.now()
        delivered = await self._shielded(self._delivered(now))
        following = now + AFTER_TROUBLE if delivered is None else delivered.next_at
        if following is not None:  # with nothing promised there is nothing to wait for: who promises, nudges
            self._at(following, "deliver", self._deliver)
        self._nudge("keep", self._keep)

    async def _delivered(self, now: datetime) -> _Delivered:
        return _Delivered(await self._pipeline.deliver(now, self._clock.now))

    async def _keep(self) -> None:
        now = self._clock.now()
        kept = await self._shielded(self._pipeline.keep(now))
        if kept is None:
            self._at(now + AFTER_TROUBLE, "keep", self._keep)
            return
        if kept.next_at is not None:
            self._at(kept.next_at, "keep", self._keep)
        if kept.has_promised:
            self._nudge("deliver", self._deliver)

    async def _listen(self) -> None:
        self._pipeline.beat(self._clock.now())
        if await self._shielded(self._pipeline.parts.database.was_changed_by_others()):
            self._nudge("work", self._work)
        elif self._pipeline.is_delivering:  # while one channel hangs, the others have their moments
            self._nudge("deliver", self._deliver)
            self._nudge("keep", self._keep)

    async def _do(self, one: Regular) -> None:
        await self._shielded(one.work(self._clock.now()))

    async def take(self, click: Click) -> bool:
        """Write down what a person asked, and have it done at once."""
        is_new = await self._pipeline.hearer.take(click, self._clock.now())
        if is_new:
            await self._hear()
        return is_new

    def notice(self, text: str) -> None:
        """Tell an operator what keeps a channel from hearing."""
        self._say(text)

    async def _hear(self) -> None:
        """Have the inbox looked at. An event and no job: one that is skipped since others run would leave a click."""
        self._clicked.set()

    async def _apply_clicks(self) -> None:
        """Apply what is in the inbox, whenever something came; the alert is edited while people are told."""
        while True:
            await self._clicked.wait()
            self._clicked.clear()
            now = self._clock.now()
            applied = await self._shielded(self._pipeline.hearer.apply(now))
            if applied is None:
                self._at(now + AFTER_TROUBLE, "hear", self._hear)
            elif applied:
                self._nudge("deliver", self._deliver)
            self._applied.set()

    async def _answer_clicks(self) -> None:
        """Tell people what came of their clicks, whenever some were applied."""
        while True:
            await self._applied.wait()
            self._applied.clear()
            now = self._clock.now()
            if await self._shielded(self._answered(now)) is None:
                self._at(now + AFTER_TROUBLE, "answer", self._answer_again)

    async def _answered(self, now: datetime) -> bool:
        await self._pipeline.hearer.answer(now)
        return True

    async def _answer_again(self) -> None:
        self._applied.set()

    async def _listen_to(self, listener: Listener) -> None:
        try:
            await listener.listen(self)
        except Exception:
            log.exception("timer.deaf")
            self.notice("clicks do not arrive any more; restart the service and report this")

    async def _shielded(self, work: Awaitable[T]) -> T | None:
        """Await a piece of work; trouble is said once and the work is repeated later, nothing is lost."""
        self._busy += 1
        self._idle.clear()
        try:
            result = await work
        except BrandmelderError as error:
            self._say(str(error))
        except Exception:
            log.exception("timer.bug")
        else:
            return result
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()
        return None

    def _say(self, text: str) -> None:
        now = self._clock.now()
        self._told = {told: at for told, at in self._told.items() if abs(now - at) < FORGOTTEN}
        is_new = text not in self._told
        self._told[text] = now
        if is_new:
            log.error("work.put_off", reason=text)
            self._pipeline.parts.on_failure(text)
