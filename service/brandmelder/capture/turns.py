"""Whose turn it is at a host: one request at a time, and not too many in a while, whoever asks.

A token bucket holds back bursts: so many requests at once, then so many a second. It is for other people's hosts; a
place inside the house, which its operator allowed by name, is only asked one request at a time.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Host = tuple[str, int]

MOST_HOSTS = 4096
"""Of so many hosts it is remembered how much they were asked."""


class Manners(Struct, frozen=True, kw_only=True):
    """How much a host is asked."""

    burst: int = 30
    per_second: float = 2.0


class Turns:
    """One for the process: sources of one host share its turns."""

    def __init__(self, manners: Manners = Manners()) -> None:  # noqa: B008 - frozen
        self._manners = manners
        self._locks: WeakValueDictionary[Host, asyncio.Lock] = WeakValueDictionary()
        self._buckets: dict[Host, tuple[float, float]] = {}
        """How many requests a host may be asked at once, and when that was so, by the loop's clock."""

    @asynccontextmanager
    async def at(self, host: Host, *, is_ours: bool = False) -> AsyncIterator[None]:
        """Wait for the turn at a host and keep it."""
        lock = self._locks.get(host)
        if lock is None:
            lock = self._locks[host] = asyncio.Lock()
        async with lock:
            if not is_ours:
                wait = self._take(host, asyncio.get_running_loop().time())
                if wait > 0:
                    await asyncio.sleep(wait)  # noqa: TID251 - the host's pace, nothing that is due
            yield

    def _take(self, host: Host, now: float) -> float:
        """Take one request from a host's bucket; returns how many seconds to wait before it may go out."""
        full, speed = float(self._manners.burst), self._manners.per_second
        held, at = self._buckets.pop(host, (full, now))
        held = min(full, held + (now - at) * speed) - 1.0
        self._buckets[host] = (held, now)  # at the end: the first is the one asked longest ago
        if len(self._buckets) > MOST_HOSTS:
            del self._buckets[next(iter(self._buckets))]
        return max(0.0, -held / speed)
