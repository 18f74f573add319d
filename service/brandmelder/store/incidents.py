"""Incidents, their evidence and their timelines; one running for each monitor and track, by constraint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import bindparam, func, or_, select, text, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError

from brandmelder.errors import Conflict
from brandmelder.model import Evidence, Incident, IncidentId, MonitorId, State, Track, Transition
from brandmelder.store import meta, schema
from brandmelder.store.database import maybe_moment, seconds
from brandmelder.store.schema import incident, transition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_encode = msgspec.msgpack.Encoder().encode
_incident = msgspec.msgpack.Decoder(Incident).decode
_evidence = msgspec.msgpack.Decoder(Evidence).decode
_transition = msgspec.msgpack.Decoder(Transition).decode

HUNDRED = 100
_NUMBERS = "number:"
RUNNING = (State.PENDING, State.OPEN, State.ACKNOWLEDGED)

_IS_RUNNING = or_(*(incident.c.state == state.value for state in RUNNING))
_LATEST = (
    select(incident.c.body)
    .where(incident.c.monitor == bindparam("monitor"), incident.c.track == bindparam("track"))
    .order_by(_IS_RUNNING.desc(), incident.c.opened_at.desc(), incident.c.id.desc())
    .limit(1)
)
_ONE = select(incident).where(incident.c.id == bindparam("ident"))
_ALL = (
    select(incident.c.body, incident.c.evidence)
    .order_by(incident.c.opened_at.desc(), incident.c.id.desc())
    .limit(bindparam("limit"))
)
_ALL_RUNNING = _ALL.where(text(schema.RUNNING))
_OPENED_SINCE = incident.c.opened_at >= bindparam("since")
_ALL_SINCE, _ALL_RUNNING_SINCE = _ALL.where(_OPENED_SINCE), _ALL_RUNNING.where(_OPENED_SINCE)
_ANY = select(incident.c.id).where(or_(_IS_RUNNING, incident.c.opened_at >= bindparam("since"))).limit(1)
_BURNING = select(incident.c.monitor).where(_IS_RUNNING, incident.c.state != State.PENDING.value).distinct()
_TIMELINE = select(transition.c.body).where(transition.c.incident == bindparam("ident")).order_by(transition.c.revision)
_SINCE = (
    select(transition.c.body)
    .where(transition.c.at >= bindparam("since"))
    .order_by(transition.c.at, transition.c.incident, transition.c.revision)
)
_LAST_CHANGE = select(func.max(transition.c.at))
_SAVE = (
    update(incident)
    .where(incident.c.id == bindparam("ident"), incident.c.revision == bindparam("expected"))
    .values({name: bindparam(name) for name in ("state", "revision", "opened_at", "body")})
)
_REDATE = (
    update(transition)
    .where(transition.c.incident == bindparam("ident"), transition.c.revision == bindparam("number"))
    .values(at=bindparam("moment"), body=bindparam("told"))
)
_SAVE_WITH_EVIDENCE = _SAVE.values(evidence=bindparam("evidence"))
_NEW = insert(incident)
_NEW_TRANSITIONS = insert(transition)


def latest(connection: Connection, monitor: MonitorId, track: Track = Track.STORM) -> Incident | None:
    """Return a monitor's running incident on a track, else its last one (index incident_by_monitor)."""
    body = connection.scalar(_LATEST, {"monitor": monitor, "track": track.value})
    return None if body is None else _incident(body)


def find(connection: Connection, ident: str) -> tuple[Incident, Evidence] | None:
    """Return one incident with its evidence."""
    row = connection.execute(_ONE, {"ident": ident}).one_or_none()
    return None if row is None else (_incident(row.body), _evidence(row.evidence))


def all_incidents(
    connection: Connection, *, since: datetime | None = None, running_only: bool = False, limit: int = 1000
) -> list[tuple[Incident, Evidence]]:
    """Return incidents with their evidence, newest first (those that run by the index incident_one_running)."""
    asked = {"limit": limit}
    statement = _ALL_RUNNING if running_only else _ALL
    if since is not None:
        statement = _ALL_RUNNING_SINCE if running_only else _ALL_SINCE
        asked["since"] = seconds(since)
    return [(_incident(body), _evidence(evidence)) for body, evidence in connection.execute(statement, asked)]


def has_any(connection: Connection, *, since: datetime) -> bool:
    """Say whether an incident runs, or one opened at `since` or later."""
    return connection.scalar(_ANY, {"since": seconds(since)}) is not None


def burning(connection: Connection) -> set[MonitorId]:
    """Return the monitors with an incident that people are told of and that has not ended."""
    return {MonitorId(name) for name in connection.scalars(_BURNING)}


def timeline(connection: Connection, ident: IncidentId) -> list[Transition]:
    """Return an incident's transitions, oldest first."""
    return [_transition(body) for body in connection.scalars(_TIMELINE, {"ident": ident})]


def transitions_since(connection: Connection, since: datetime) -> list[Transition]:
    """Return what happened to all incidents at or after `since`, oldest first."""
    bodies = connection.scalars(_SINCE, {"since": seconds(since)})
    return [_transition(body) for body in bodies]


def last_change(connection: Connection) -> datetime | None:
    """Return the latest moment that stands in any timeline."""
    return maybe_moment(connection.scalar(_LAST_CHANGE))


def next_number(connection: Connection, prefix: str) -> int:
    """Return the number after the highest incident whose id begins with `prefix` (`NF-2026-`), or that of a restart."""
    last = connection.scalar(
        select(func.max(incident.c.id)).where(
            func.length(incident.c.id)
            == select(func.max(func.length(incident.c.id)))
            .where(incident.c.id.startswith(prefix, autoescape=True))
            .scalar_subquery(),
            incident.c.id.startswith(prefix, autoescape=True),
        )
    )
    following = 1 if last is None else int(str(last).removeprefix(prefix)) + 1
    return max(following, int(meta.read(connection, f"{_NUMBERS}{prefix}") or 1))


def skip_numbers(connection: Connection, prefix: str) -> int:
    """Have the next incident bear the first number of the next hundred; returns it.

    After an older state was restored: the numbers in between may stand in chats, and a number is never given twice.
    """
    following = (next_number(connection, prefix) // HUNDRED + 1) * HUNDRED + 1
    meta.write(connection, f"{_NUMBERS}{prefix}", str(following))
    return following


def save_incident(
    connection: Connection,
    one: Incident,
    evidence: Evidence | None,
    transitions: Sequence[Transition],
    *,
    expected_revision: int | None,
) -> None:
    """Write an incident and its new transitions by compare-and-set; `expected_revision` None makes a new one.

    Without `evidence` that of a stored incident stays. Raises Conflict if somebody was faster or the monitor has a
    running incident on that track already.
    """
    values = {
        "state": one.state.value,
        "revision": one.revision,
        "body": _encode(one),
        "opened_at": seconds(one.opened_at),
    }
    if evidence is not None or expected_revision is None:
        values["evidence"] = _encode(evidence or Evidence())
    try:
        if expected_revision is None:
            connection.execute(_NEW, values | {"id": one.id, "monitor": one.monitor, "track": one.kind.track.value})
        else:
            done = connection.execute(
                _SAVE if evidence is None else _SAVE_WITH_EVIDENCE,
                values | {"ident": one.id, "expected": expected_revision},
            )
            if done.rowcount != 1:
                raise Conflict(f"incident {one.id} was changed by somebody else")
    except IntegrityError as error:
        raise Conflict(f"monitor {one.monitor!r} has a running incident already") from error
    if transitions:
        connection.execute(
            _NEW_TRANSITIONS,
            [
                {
                    "incident": step.incident,
                    "revision": step.revision,
                    "at": seconds(step.at),
                    "act": step.act.value,
                    "body": _encode(step),
                }
                for step in transitions
            ],
        )


def redate(connection: Connection, steps: Sequence[Transition]) -> None:
    """Write when transitions happened that were dated by a clock that was wrong."""
    for step in steps:
        asked = {"ident": step.incident, "number": step.revision, "moment": seconds(step.at), "told": _encode(step)}
        connection.execute(_REDATE, asked)
