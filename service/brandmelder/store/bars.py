"""A monitor's counts in bars of any width: added up in the database, however long the picture reaches back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, false, func, or_, select

from brandmelder.store.database import seconds
from brandmelder.store.schema import bin_

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PLACE = ((bin_.c.start - bindparam("since")) // bindparam("width")).label("place")
_COUNTS = (
    select(bin_.c.monitor, _PLACE, func.sum(bin_.c.labelled), func.sum(bin_.c.total))
    .where(
        bin_.c.monitor.in_(bindparam("names", expanding=True)),
        bin_.c.start >= bindparam("since"),
        bin_.c.start < bindparam("until"),
        or_(bin_.c.history == false(), bin_.c.start < bindparam("news")),
    )
    .group_by(bin_.c.monitor, _PLACE)
)


class Counts(Struct, frozen=True):
    """One number for each bar, oldest first."""

    negative: tuple[int, ...]
    total: tuple[int, ...]


class Slots(Struct, frozen=True, kw_only=True):
    """So many bars of one width, from `since` on."""

    since: datetime
    width: timedelta
    number: int


def counts(connection: Connection, names: list[str], slots: Slots, *, news: datetime | None) -> dict[str, Counts]:
    """Return what each monitor counted in every bar (primary key of bin).

    From `news` on history does not count: it can never alert.
    """
    wide, number, since = int(slots.width.total_seconds()), slots.number, seconds(slots.since)
    until = since + number * wide
    asked = {"names": names, "since": since, "width": wide, "until": until}
    asked["news"] = seconds(news) if news is not None else until
    found = {name: ([0] * number, [0] * number) for name in names}
    for name, place, negative, total in connection.execute(_COUNTS, asked):
        found[name][0][place], found[name][1][place] = round(negative), round(total)
    return {name: Counts(tuple(negative), tuple(total)) for name, (negative, total) in found.items()}
