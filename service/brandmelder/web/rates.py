"""How often one browser or one name may ask: a page for people cannot be used to guess passwords or to tire us out."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime, timedelta

MOST_KEYS: Final = 10_000
"""More are never remembered: whoever asks under ever new names is not let fill our memory."""


class Rates:
    """Remembers when each key asked lately."""

    def __init__(self) -> None:
        self._asked: dict[str, deque[datetime]] = {}

    def allows(self, key: str, now: datetime, *, most: int, within: timedelta) -> bool:
        """Say whether a key may ask once more, and remember that it did."""
        times = self._asked.pop(key, None) or deque(maxlen=most)
        self._asked[key] = times  # the newest key stands last
        if len(self._asked) > MOST_KEYS:
            del self._asked[next(iter(self._asked))]
        if len(times) == most and now - times[0] < within:
            return False
        times.append(now)
        return True

    def forgive(self, key: str) -> None:
        """Forget what a key asked: somebody signed in."""
        self._asked.pop(key, None)
