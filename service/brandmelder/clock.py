"""What time it is. The only file that asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time to the pipeline; everything below takes `now` as an argument."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


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


class FastClock:
    """The machine's clock, started at `start` and running `speed` times as fast: for the demo."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start, self._speed = start.astimezone(UTC), speed
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the accelerated moment."""
        elapsed: timedelta = datetime.now(UTC) - self._began
        return self._start + elapsed * self._speed

    def real_seconds(self, span: timedelta) -> float:
        """Return how long `span` of this clock takes on the wall, in seconds."""
        return span.total_seconds() / self._speed
