"""The line of an account's number over eight weeks: drawn once for each reading, and remembered."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from brandmelder.store import readings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.store.readings import Account, Point

BACK: Final = timedelta(days=56)
EVERY: Final = timedelta(hours=12)
"""Of so long one reading is drawn, the last: a line is 160 points wide."""
MOST: Final = 5_000


class Lines:
    """Remembers the line of each number until it is read anew, or the day is over."""

    def __init__(self) -> None:
        self._drawn: dict[tuple[str, str, str], tuple[tuple[datetime, date], float, Markup]] = {}

    def of(self, connection: Connection, account: Account, metric: str, *, now: datetime) -> tuple[float, Markup]:
        """Return a number's value eight weeks ago, or the first that was read since, and its line."""
        point, key = account.latest[metric], (account.source, account.name, metric)
        version = point.at, now.date()
        kept = self._drawn.get(key)
        if kept is None or kept[0] != version:
            points = readings.thinned(connection, account, metric, since=now - BACK, every=EVERY)
            first = points[0].value if points else point.value
            if len(self._drawn) >= MOST:
                self._drawn.clear()
            kept = self._drawn[key] = version, first, line(points)
        return kept[1], kept[2]


def line(points: Sequence[Point]) -> Markup:
    """Draw a stepped line of an account's numbers; of numbers like these the change matters, so it is no bar."""
    values = [one.value for one in points]
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    rise, step = 24.0 / ((high - low) or 1.0), 160.0 / (len(values) - 1)
    drawn = " L".join(f"{place * step:.1f} {26 - (value - low) * rise:.1f}" for place, value in enumerate(values))
    return Markup('<svg class="line" viewBox="0 0 160 28" aria-hidden="true"><path d="M{}"/></svg>').format(drawn)
