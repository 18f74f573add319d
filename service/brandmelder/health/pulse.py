"""Whether the event loop still turns, as another thread can tell."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from brandmelder import metrics

BEAT = timedelta(milliseconds=500)
STUCK = timedelta(seconds=5)
"""A loop that is so late answers nobody any more."""


class Pulse:
    """Beats in the event loop; `lag` may be asked from any thread."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to beat in the running loop."""
        self._beat()

    def stop(self) -> None:
        """Beat no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def lag(self) -> timedelta:
        """Return how late the next beat is; zero if it is not."""
        late = time.monotonic() - self._last - BEAT.total_seconds()
        return timedelta(seconds=max(0.0, late))

    def _beat(self) -> None:
        metrics.LOOP_LAG.set(self.lag().total_seconds())
        self._last = time.monotonic()
        self._next = asyncio.get_running_loop().call_later(BEAT.total_seconds(), self._beat)
