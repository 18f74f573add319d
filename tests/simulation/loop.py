"""An event loop whose time jumps: nothing waits, everything that is ready runs in an order drawn from the seed."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.interval


class Deadlock(Exception):
    """Nothing is ready, and nothing will ever be."""


class Spinning(Exception):
    """Something runs without end while no time passes."""


MOST_TURNS = 20_000
"""How often the loop may turn between two seconds of the world."""


class VirtualLoop(asyncio.BaseEventLoop):
    """One life of the process. Time is the world's, so that the next life goes on where this one ended."""

    def __init__(self, time, rng):
        super().__init__()
        self._selector = self
        self._world_time, self._shuffle, self._random = time, rng.shuffle, rng.random
        self._turns, self._second = 0, 0
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self):
        return self._world_time.seconds

    def select(self, timeout):
        """Jump to the next moment at which something is due; then let chance say who goes first."""
        if timeout is None:
            raise Deadlock
        self._turns += 1
        if timeout > 0:
            self._world_time.seconds += timeout
            if int(self._world_time.seconds) != self._second:
                self._turns, self._second = 0, int(self._world_time.seconds)
        elif self._turns > MOST_TURNS:
            raise Spinning(f"{MOST_TURNS} turns within one second")
        elif len(self._ready) > 1:
            ready = list(self._ready)
            self._shuffle(ready)
            self._ready.clear()
            self._ready.extend(ready)
        return ()

    def run_in_executor(self, executor, func, *arguments):
        """A thread is work that ends a little later."""
        future = self.create_future()

        def work():
            if future.cancelled():
                return
            try:
                future.set_result(func(*arguments))
            except Exception as error:
                future.set_exception(error)

        self.call_later(self._random() * 0.02, work)
        return future

    def die(self):
        """Let nothing more run: what was ready is gone, as after a kill."""
        for handle in self._ready:
            handle.cancel()
        self.stop()

    def _process_events(self, events):
        """There are none."""

    def _write_to_self(self):
        """There are no threads that would wake it."""


class WorldTime:
    """Seconds of the world; `offset` is how wrong the machine's clock is."""

    def __init__(self, start):
        self.start, self.seconds, self.offset = start, 0.0, timedelta(0)

    @property
    def true(self):
        return self.start + timedelta(seconds=self.seconds)

    def now(self):
        """Tell what the machine's clock says."""
        return self.true + self.offset

    async def reach(self, moment):
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))


class _Datetime(datetime):
    """What APScheduler takes for the machine's clock."""

    time: ClassVar[WorldTime]

    @classmethod
    def now(cls, tz=None):
        return cls.time.now().astimezone(tz or UTC)


@contextmanager
def scheduler_time(time):
    """Let APScheduler live in the world's time."""
    _Datetime.time = time
    modules = (apscheduler.schedulers.base, apscheduler.executors.base, apscheduler.triggers.interval)
    for module in modules:
        module.datetime = _Datetime
    try:
        yield
    finally:
        for module in modules:
            module.datetime = datetime
