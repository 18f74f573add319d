"""What sources ask of the net, what it may cost, which time it is there: noted where requests go out and answers come.

Polls read it where they are committed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from brandmelder.model import SourceId


class Meter:
    """One for the process. The pipeline says what a source may still spend, and takes what it has asked."""

    def __init__(self) -> None:
        self._requests: Counter[SourceId] = Counter()
        self._left: dict[SourceId, float | None] = {}
        self._offsets: dict[SourceId, timedelta] = {}
        self._held: dict[SourceId, datetime] = {}

    def count(self, source: SourceId) -> None:
        """Count one request."""
        self._requests[source] += 1

    def take(self, source: SourceId) -> int:
        """Return how many requests went out since they were last taken."""
        return self._requests.pop(source, 0)

    def allow(self, source: SourceId, dollars: float | None) -> None:
        """Say what the source's budget has left, in US dollars; None without one."""
        self._left[source] = dollars

    def spend(self, source: SourceId, dollars: float) -> None:
        """Take off what an answer cost."""
        left = self._left.get(source)
        if left is not None:
            self._left[source] = max(0.0, left - dollars)

    def left(self, source: SourceId) -> float | None:
        """Return what the source may still spend, in US dollars; None without a budget in money."""
        return self._left.get(source)

    def hold(self, source: SourceId, until: datetime | None) -> None:
        """Note until when a service wants to be left alone; None where it said nothing of that."""
        if until is None:
            self._held.pop(source, None)
        else:
            self._held[source] = until

    def release(self) -> None:
        """Forget until when whom to leave alone: the clock by which that was reckoned was wrong."""
        self._held.clear()

    def is_held(self, source: SourceId, now: datetime) -> bool:
        """Whether a service wants to be left alone now, whatever else says that there is something to ask for."""
        until = self._held.get(source)
        return until is not None and now < until

    def begin(self, source: SourceId) -> None:
        """Begin a poll: which time it is there is asked anew."""
        self._offsets.pop(source, None)

    def note_clock(self, source: SourceId, offset: timedelta) -> None:
        """Keep by how much a server's clock is ahead of ours; of a poll's answers the first, the nearest to `now`."""
        self._offsets.setdefault(source, offset)

    def offset(self, source: SourceId) -> timedelta | None:
        """Return by how much its server's clock was ahead of ours in this poll; None where none said."""
        return self._offsets.get(source)
