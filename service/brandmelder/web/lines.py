"""The numbers of accounts over eight weeks: read once for each new reading, and remembered."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from brandmelder.store import readings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.store.readings import Account, Point

BACK: Final = timedelta(days=56)
EVERY: Final = timedelta(hours=3)
"""Of so long one reading is kept, the last: no line is finer, and a day's change is told by that hour's."""
MOST: Final = 2_000


class Lines:
    """Remembers the course of each number until it is read anew, or the day is over."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[tuple[datetime, date], Sequence[Point]]] = {}

    def points(self, connection: Connection, account: Account, metric: str, *, now: datetime) -> Sequence[Point]:
        """Return a number's readings of eight weeks, thinned, oldest first."""
        version, key = (account.latest[metric].at, now.date()), (account.source, account.name, metric)
        kept = self._known.get(key)
        if kept is None or kept[0] != version:
            if len(self._known) >= MOST:
                self._known.clear()
            points = tuple(readings.thinned(connection, account, metric, since=now - BACK, every=EVERY))
            kept = self._known[key] = version, points
        return kept[1]
