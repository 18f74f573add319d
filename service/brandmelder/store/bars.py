"""A monitor's counts in bars of any width: added up in the database, however long the picture reaches back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, false, func, or_, select

from brandmelder.store.database import seconds
from brandmelder.store.schema import bin_, monitor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_PLACE = ((bin_.c.start - bindparam("since")) // bindparam("width")).label("place")
_COUNTS = (
    select(bin_.c.monitor, _PLACE, *(func.sum(bin_.c[name]) for name in ("labelled", "total", "negative", "reach")))
    .select_from(bin_.outerjoin(monitor, monitor.c.id == bin_.c.monitor))
    .where(
        bin_.c.monitor.in_(bindparam("names", expanding=True)),
        bin_.c.start >= bindparam("since"),
        bin_.c.start < bindparam("until"),
        or_(bin_.c.history == false(), bin_.c.start < func.coalesce(monitor.c.news_since, bindparam("until"))),
    )
    .group_by(bin_.c.monitor, _PLACE)
)


class Sums(Struct, frozen=True, kw_only=True):
    """What was counted in one bar, weighed."""

    total: float
    negative: float
    labelled: float
    reach: float


class Counts(Struct, frozen=True):
    """One number for each bar, oldest first."""

    negative: tuple[int, ...]
    total: tuple[int, ...]


class Slots(Struct, frozen=True, kw_only=True):
    """So many bars of one width, from `since` on."""

    since: datetime
    width: timedelta
    number: int


def counts(connection: Connection, names: Sequence[str], slots: Slots) -> dict[str, Counts]:
    """Return what each monitor counted in every bar (primary key of bin).

    From a monitor's first news on, history does not count: it can never alert.
    """
    found = {name: ([0] * slots.number, [0] * slots.number) for name in names}
    for name, place, labelled, total, *_ in connection.execute(_COUNTS, _asked(names, slots)):
        found[name][0][place], found[name][1][place] = round(labelled), round(total)
    return {name: Counts(tuple(negative), tuple(total)) for name, (negative, total) in found.items()}


def sums(connection: Connection, name: str, slots: Slots) -> dict[int, Sums]:
    """Return what a monitor counted, by the number of the bar; bars without a mention are left out."""
    return {
        place: Sums(total=total, negative=negative, labelled=labelled, reach=reach)
        for _, place, labelled, total, negative, reach in connection.execute(_COUNTS, _asked([name], slots))
    }


def _asked(names: Sequence[str], slots: Slots) -> dict[str, object]:
    wide, since = int(slots.width.total_seconds()), seconds(slots.since)
    return {"names": names, "since": since, "width": wide, "until": since + slots.number * wide}
