"""What is forgotten of staff once the audit has forgotten it (0110): who acted, what they noted, when they stood in.

What happened and when stays; in the place of a name stands what everybody on call is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from sqlalchemy import delete, select, update

from brandmelder.model import Act, Delivery, Incident, Transition
from brandmelder.store import meta, unreadable
from brandmelder.store.database import seconds
from brandmelder.store.page_schema import note
from brandmelder.store.schema import delivery, duty_override, incident, silence, transition

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

_MARK = "staff_forgotten_through"
_ENGINE = "brandmelder"
_NAMING = frozenset({Act.HAND_OVER, Act.SILENCE, Act.SNOOZE, Act.ASK, Act.LAPSE, Act.ESCALATE})
"""Acts whose note names staff."""
_encode = msgspec.msgpack.Encoder().encode
_step = msgspec.msgpack.Decoder(Transition).decode
_incident = msgspec.msgpack.Decoder(Incident).decode
_delivery = msgspec.msgpack.Decoder(Delivery).decode


def forget(connection: Connection, before: datetime, *, anonymous: str, limit: int = 500) -> int:
    """Take the names of staff out of what happened before a moment; returns how many changes of incidents it was.

    At most `limit` of them, the oldest first; what is left is for the next round. A silence and a stand-in go whole,
    and so do notes.
    """
    connection.execute(delete(note).where(note.c.at < seconds(before)))
    connection.execute(delete(silence).where(silence.c.ends < seconds(before)))
    connection.execute(delete(duty_override).where(duty_override.c.ends < seconds(before)))
    after = int(meta.read(connection, _MARK) or 0)
    rows = connection.execute(
        select(transition)
        .where(transition.c.at > after, transition.c.at < seconds(before))
        .order_by(transition.c.at)
        .limit(limit)
    ).all()
    if len(rows) == limit and rows[0].at != rows[-1].at:  # a moment is forgotten whole, or in the next round
        rows = [row for row in rows if row.at < rows[-1].at]
    if not rows:
        return 0
    steps = unreadable.readable(connection, "transition", rows, lambda row: (row, _step(row.body)), keys=2)
    for row, step in steps:
        here = (transition.c.incident == row.incident) & (transition.c.revision == row.revision)
        connection.execute(update(transition).where(here).values(body=_encode(_masked(step, anonymous))))
    _forget_incidents(connection, sorted({row.incident for row in rows}), before, anonymous)
    meta.write(connection, _MARK, str(rows[-1].at))
    return len(rows)


def _masked(step: Transition, anonymous: str) -> Transition:
    said = step.note
    if step.act in _NAMING:
        said = anonymous if step.act is Act.HAND_OVER and said else ""
    elif step.act is Act.DISMISS:
        said = said.partition(":")[0]  # the reason; behind it stand a person's own words
    return replace(step, by=_role(step.by, anonymous), person="", note=said)


def _role(name: str, anonymous: str) -> str:
    return name if name in {"", _ENGINE} else anonymous


def _forget_incidents(connection: Connection, idents: Iterable[str], before: datetime, anonymous: str) -> None:
    """Do the same for incidents that ended before the moment, and for whom their alerts called."""
    for ident in idents:
        bodies = connection.execute(select(incident.c.id, incident.c.body).where(incident.c.id == ident))
        found = unreadable.readable(connection, "incident", bodies, lambda row: _incident(row.body))
        one = found[0] if found else None
        if one is None or one.closed_at is None or one.closed_at >= before:
            continue
        masked = replace(
            one,
            acknowledged_by=one.acknowledged_by and _role(one.acknowledged_by, anonymous),
            acknowledged_person="",
            closed_by=one.closed_by and _role(one.closed_by, anonymous),
            snooze=None,
        )
        connection.execute(update(incident).where(incident.c.id == ident).values(body=_encode(masked)))
        promised = connection.execute(select(delivery.c.key, delivery.c.body).where(delivery.c.incident == ident)).all()
        for told in unreadable.readable(connection, "delivery", promised, lambda row: _delivery(row.body)):
            body = _encode(replace(told, persons=()))
            connection.execute(update(delivery).where(delivery.c.key == told.key).values(body=body))
