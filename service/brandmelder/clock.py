"""What time it is. The only file that asks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time to the pipeline; everything below takes `now` as an argument."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    async def reach(self, moment: datetime) -> None:
        """Return when `moment` has come."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    async def reach(self, moment: datetime) -> None:
        """Sleep until `moment`; a moment in the past returns at once."""
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))


class ReplayClock:
    """A clock that does not wait: it stands still until it is moved, and never moves back."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment the replay has reached."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Jump forward to `moment`; a moment in the past leaves the clock where it is."""
        self._now = max(self._now, moment.astimezone(UTC))

    async def reach(self, moment: datetime) -> None:
        """Jump to `moment`."""
        self.move_to(moment)


class PacedClock(ReplayClock):
    """A clock that jumps, but lets `speed` seconds pass per second of the wall, so that a person can watch.

    What is done between two jumps counts as waiting: on a slow machine nobody waits twice.
    """

    def __init__(self, start: datetime, speed: float) -> None:
        super().__init__(start)
        self.speed = speed
        self._reached: float | None = None

    async def reach(self, moment: datetime) -> None:
        """Wait the accelerated while until `moment`, then stand there."""
        loop = asyncio.get_running_loop()
        began = loop.time() if self._reached is None else self._reached
        due = began + (moment - self.now()).total_seconds() / self.speed
        await asyncio.sleep(max(0.0, due - loop.time()))
        self.move_to(moment)
        self._reached = loop.time()
