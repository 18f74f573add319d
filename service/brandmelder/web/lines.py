"""The numbers of accounts over eight weeks: read once for each new reading, and remembered."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from brandmelder.store import readings

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from markupsafe import Markup
    from sqlalchemy import Connection

    from brandmelder.store.readings import Account, Point

BACK: Final = timedelta(days=56)
EVERY: Final = timedelta(hours=3)
"""Of so long one reading is kept, the last: no line is finer, and a day's change is told by that hour's."""
MOST: Final = 2_000


class Lines:
    """Remembers the course of each number until it is read anew, or the day is over."""

    def __init__(self) -> None:
        self._drawn: dict[Hashable, tuple[Sequence[Point], Markup]] = {}
        self._known: dict[tuple[str, str, str], tuple[tuple[datetime, date], Sequence[Point]]] = {}

    def drawn(self, key: Hashable, points: Sequence[Point], draw: Callable[[], Markup]) -> Markup:
        """Return the picture of points as `points` returned them, drawn once."""
        kept = self._drawn.get(key)
        if kept is None or kept[0] is not points:
            if len(self._drawn) >= MOST:
                self._drawn.clear()
            kept = self._drawn[key] = points, draw()
        return kept[1]

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
