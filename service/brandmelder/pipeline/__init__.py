"""The only place that knows two stages. Four commits carry a mention from its source to a channel.

poll      commit 1   mentions, readings, removals, gap, cursor, next poll         pipeline/poll.py
judge     commit 2   verdicts, ledger, bins                                       pipeline/judge.py
evaluate  commit 3   incident, timeline, deliveries, how far we evaluated         pipeline/evaluate.py
deliver   commit 4   what became of a delivery                                    pipeline/deliver.py
keep                 whom to call as time passes, silences that end, duty         pipeline/keep.py

What people do comes the other way: a click is written down, applied, answered        pipeline/hear.py

A crash between any two lines repeats work and loses nothing.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from brandmelder.count.bins import start_of
from brandmelder.errors import BrandmelderError
from brandmelder.model import BIN, MonitorId, SourceId
from brandmelder.pipeline.aftermath import follow_up
from brandmelder.pipeline.aside import put_back
from brandmelder.pipeline.deliver import Deliverer
from brandmelder.pipeline.evaluate import Evaluator
from brandmelder.pipeline.hear import Hearer
from brandmelder.pipeline.judge import judge
from brandmelder.pipeline.keep import Keeper, Kept
from brandmelder.pipeline.newcomer import welcome
from brandmelder.pipeline.poll import poll_source
from brandmelder.pipeline.receive import receive
from brandmelder.pipeline.recheck import recheck_source
from brandmelder.pipeline.recount import recount_changed
from brandmelder.pipeline.retired import retire
from brandmelder.pipeline.rewind import rewind
from brandmelder.pipeline.states import first_poll, reads_backlog
from brandmelder.store import deliveries, keys, sources

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.capture.source import Sent
    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.sources import SourceRow

log = structlog.get_logger()

PROGRESS = timedelta(seconds=30)
"""How often it is written down that the chain gets through."""


class Pipeline:
    """Moves everything that is due one stage on. Live and backtest call the same methods."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._evaluator = Evaluator(parts)
        self._deliverer = Deliverer(parts)
        self.hearer = Hearer(parts)
        self._keeper = Keeper(parts)
        self._next_settled: datetime | None = None
        self._progressed: datetime | None = None
        self._news, self._judged = 1, 0
        """How many polls brought something to judge, and how many of them were judged."""
        self._is_caught_up = False
        self._behind: set[SourceId] = set()
        """The sources that read a backlog."""
        self._touched: set[MonitorId] = set()
        """The monitors for which something was counted since they were evaluated."""
        self._evaluating = asyncio.Lock()
        self._keeping = asyncio.Lock()

    async def start(self, now: datetime) -> None:
        """Pick up where the last process stopped: new sources and channels, deliveries cut off.

        What was left to judge, and changed queries to count by, are the first work's: that may take hours, and what
        stands ready for people goes out meanwhile.
        """
        self._keeper.started = now
        await self.clock_went_back(now)
        due = {ident: first_poll(ident, place.every, now) for ident, place in self.parts.places.items()}
        await self.parts.database.run(put_back)
        await self.parts.database.run(sources.register, due)
        await self.parts.database.run(sources.wake_spent, now)
        await self.parts.database.run(keys.adopt, self.parts.author_key)
        await self._deliverer.recover(now)
        await self.parts.database.run(_follow_configuration, self.parts, now)

    async def clock_went_back(self, now: datetime, *, is_seen: bool = False) -> None:
        """Bring back to `now` what was stored under a clock that was ahead; `is_seen`: it was seen to go back."""
        self._next_settled = self._progressed = None
        self._keeper.doubter.forget()
        if await self.parts.database.run(rewind, now, is_seen=is_seen):
            self._deliverer.clock_went_back()
            self.parts.meter.release()
            self._evaluator.gatherer.clock_went_back()
            self.parts.on_failure(f"the clock went back to {now:%Y-%m-%d %H:%M} UTC: what was planned is planned anew")

    async def tick(self, now: datetime) -> datetime:
        """Move everything due at `now` one stage on; returns the next moment at which something is due."""
        rows = await self.parts.database.run(sources.read_sources)
        due = [rows[ident] for ident in self.parts.sources if rows[ident].next_poll_at <= now]
        polled = await asyncio.gather(*(self._poll(row, now) for row in due))
        moments = [after.next_poll_at for after in polled]
        moments += [rows[ident].next_poll_at for ident in self.parts.sources if rows[ident].next_poll_at > now]
        moments.append(await self.work(now))
        attention = await self.deliver(now)
        kept = await self.keep(now)
        moments += [moment for moment in (kept.next_at, attention) if moment is not None]
        return now if kept.has_promised else max(now, min(moments))

    def brought(self) -> None:
        """Know that mentions came by another way than a poll: the next work judges them."""
        self._news += 1

    async def poll(self, source: SourceId, now: datetime) -> datetime:
        """Visit one source; returns its next moment."""
        row = await self.parts.database.run(sources.read_source, source)
        return (await self._poll(row, now)).next_poll_at

    async def receive(self, source: SourceId, sent: Sent, now: datetime) -> None:
        """Keep what a source was sent. Raises SourceError, StoreError."""
        self._news += await receive(self.parts, source, sent, now)

    async def _poll(self, row: SourceRow, now: datetime) -> SourceRow:
        after, has_news = await poll_source(self.parts, row, now)
        was_edited = after.history_done and not after.failures and await recheck_source(self.parts, row.id, now)
        self._news += has_news or was_edited
        (self._behind.add if reads_backlog(after, now) else self._behind.discard)(after.id)
        return after

    async def work(self, now: datetime) -> datetime:
        """Judge what is new, evaluate what it touches (all, once a bin has settled); returns the next moment.

        What a backlog touches waits until it is read, or a bin has settled: each evaluation judges all its days anew.
        """
        async with self._evaluating:
            await self.catch_up()
            news = self._news
            if news > self._judged:
                self._touched |= await judge(self.parts)
                self._judged = news
            due = {ident for ident in self._touched if self._behind.isdisjoint(self.parts.watches[ident].sources)}
            if self._next_settled is None or now >= self._next_settled:
                due = set(self.parts.watches)
            trouble = await self._evaluate(due, now)
            self._touched -= due if trouble is None else set()
            is_time = self._progressed is None or now - self._progressed >= PROGRESS
            has_progressed = is_time and trouble is None
            awake = await self.parts.database.run(follow_up, self.parts, now, has_progressed=has_progressed)
            if trouble is not None:
                raise trouble
            self._progressed = now if has_progressed else self._progressed
            self._next_settled = start_of(now - self.parts.settle) + BIN + self.parts.settle
            return self._next_settled if awake is None else min(self._next_settled, awake)

    async def catch_up(self) -> None:
        """Judge what the last process left, and count anew by what the configuration says now: the first work's."""
        if not self._is_caught_up:
            await judge(self.parts)
            await recount_changed(self.parts)
            self._is_caught_up = True

    async def _evaluate(self, due: set[MonitorId], now: datetime) -> Exception | None:
        """Evaluate monitors, whatever one of them stumbles over; returns the first such error: it is tried again."""
        trouble: Exception | None = None
        for ident in sorted(due):
            try:
                await self._evaluator.evaluate((ident,), now)
            except BrandmelderError:  # a full disk, a locked file: it concerns them all
                raise
            except Exception as error:  # noqa: BLE001 - what one monitor stumbles over must not blind the others
                log.warning("evaluation.failed", monitor=ident, error=type(error).__name__)
                trouble = trouble or error
        return trouble

    async def deliver(self, now: datetime, reads: Callable[[], datetime] | None = None) -> datetime | None:
        """Send what is due, look for what is unclear, sweep twins; returns the next moment. `reads` tells the time.

        May be called while it runs: channels that are at work are left alone, the others have their turn.
        """
        attention = await self.parts.database.run(deliveries.next_attention)
        if attention is None or attention > now:
            return attention
        await self._deliverer.deliver(now, reads)
        return await self.parts.database.run(deliveries.next_attention, besides=self._deliverer.busy)

    @property
    def is_delivering(self) -> bool:
        """Whether a channel is at work."""
        return bool(self._deliverer.busy)

    async def keep(self, now: datetime) -> Kept:
        """Call whom it is time to call, end silences, note changes of duty; says when to look again."""
        async with self._keeping:
            return await self._keeper.keep(now)

    def beat(self, now: datetime) -> None:
        """Know that the timer runs: after a standstill no source is taken for late that could not be asked."""
        self._keeper.beat(now)

    async def let_go(self) -> None:
        """Let go of the channels; the database stays open."""
        for notifier in self.parts.notifiers.values():
            await notifier.close()

    async def close(self) -> None:
        """Let go of the channels and the database."""
        await self.let_go()
        self.parts.database.close()


def _follow_configuration(connection: Connection, parts: Parts, now: datetime) -> None:
    """End what is watched no more, tell new channels of what runs, and group what the last process had no time to."""
    retire(connection, parts, now)
    welcome(connection, parts, parts.notifiers, now)
    follow_up(connection, parts, now, has_progressed=False)
