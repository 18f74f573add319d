"""Incidents page by page, newest first: for the API."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, select, tuple_

from brandmelder.model import Evidence, Incident, MonitorId, State
from brandmelder.store import unreadable
from brandmelder.store.database import seconds
from brandmelder.store.schema import incident

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.store.unreadable import AnyRow

_incident = msgspec.msgpack.Decoder(Incident).decode
_evidence = msgspec.msgpack.Decoder(Evidence).decode
_PAGE = (
    select(incident.c.id, incident.c.opened_at, incident.c.body, incident.c.evidence)
    .order_by(incident.c.opened_at.desc(), incident.c.id.desc())
    .limit(bindparam("limit"))
)


class Sought(Struct, frozen=True, kw_only=True):
    """Which incidents are asked for; what is None is not asked."""

    monitor: MonitorId | None = None
    states: frozenset[State] = frozenset(State)
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    """The last one of the page before: when it opened, and its id."""


def page_of(connection: Connection, sought: Sought, *, limit: int) -> list[tuple[Incident, Evidence]]:
    """Return the next incidents with their evidence (of one monitor by the index incident_by_monitor)."""
    statement = _PAGE.where(incident.c.state.in_([one.value for one in sought.states]))
    if sought.monitor is not None:
        statement = statement.where(incident.c.monitor == sought.monitor)
    if sought.since is not None:
        statement = statement.where(incident.c.opened_at >= seconds(sought.since))
    if sought.until is not None:
        statement = statement.where(incident.c.opened_at < seconds(sought.until))
    first = None if sought.after is None else (seconds(sought.after[0]), sought.after[1])

    def ask(count: int, last: AnyRow | None) -> Sequence[AnyRow]:
        after = first if last is None else (last.opened_at, last.id)
        place = tuple_(incident.c.opened_at, incident.c.id)
        behind = statement if after is None else statement.where(place < tuple_(*after))
        return connection.execute(behind, {"limit": count}).all()

    return unreadable.page(
        connection, "incident", ask, lambda row: (_incident(row.body), _evidence(row.evidence)), limit=limit
    )
