"""What sources ask of the net and what it may cost: counted where requests go out, read where polls are committed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brandmelder.model import SourceId


class Meter:
    """One for the process. The pipeline says what a source may still spend, and takes what it has asked."""

    def __init__(self) -> None:
        self._requests: Counter[SourceId] = Counter()
        self._left: dict[SourceId, float | None] = {}

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
