"""Incidents, their evidence and their timelines; one running for each monitor and track, by constraint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog
from sqlalchemy import bindparam, func, or_, select, text, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError

from brandmelder.errors import Conflict
from brandmelder.model import Evidence, Incident, IncidentId, MonitorId, State, Track, Transition
from brandmelder.store import meta, schema, unreadable
from brandmelder.store.database import maybe_moment, seconds
from brandmelder.store.schema import incident, transition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.store.unreadable import AnyRow

log = structlog.get_logger()

_encode = msgspec.msgpack.Encoder().encode
_incident = msgspec.msgpack.Decoder(Incident).decode
_evidence = msgspec.msgpack.Decoder(Evidence).decode
_transition = msgspec.msgpack.Decoder(Transition).decode

HUNDRED = 100
_NUMBERS = "number:"
RUNNING = (State.PENDING, State.OPEN, State.ACKNOWLEDGED)

_IS_RUNNING = or_(*(incident.c.state == state.value for state in RUNNING))
_LATEST = (
    select(incident.c.id, incident.c.body, incident.c.evidence)
    .where(
        incident.c.monitor == bindparam("monitor"),
        incident.c.track == bindparam("track"),
        incident.c.state != unreadable.ASIDE,
    )
    .order_by(_IS_RUNNING.desc(), incident.c.opened_at.desc(), incident.c.id.desc())
    .limit(1)
)
_WHOLE = select(incident.c.id, incident.c.body, incident.c.evidence)
_ONE = _WHOLE.where(incident.c.id == bindparam("ident"))
_ASIDE = _WHOLE.where(incident.c.state == unreadable.ASIDE)
_PUT = update(incident).where(incident.c.id == bindparam("ident")).values(state=bindparam("put"))
_ALL = _WHOLE.order_by(incident.c.opened_at.desc(), incident.c.id.desc()).limit(bindparam("limit"))
_ALL_RUNNING = _ALL.where(text(schema.RUNNING))
_OPENED_SINCE = incident.c.opened_at >= bindparam("since")
_ALL_SINCE, _ALL_RUNNING_SINCE = _ALL.where(_OPENED_SINCE), _ALL_RUNNING.where(_OPENED_SINCE)
_ANY = select(incident.c.id).where(or_(_IS_RUNNING, incident.c.opened_at >= bindparam("since"))).limit(1)
_RUNS = (
    select(incident.c.id)
    .where(incident.c.monitor == bindparam("monitor"), incident.c.track == bindparam("track"), _IS_RUNNING)
    .limit(1)
)
_BURNING = select(incident.c.monitor).where(_IS_RUNNING, incident.c.state != State.PENDING.value).distinct()
_STEPS = select(transition.c.incident, transition.c.revision, transition.c.body)
_TIMELINE = _STEPS.where(transition.c.incident == bindparam("ident")).order_by(transition.c.revision)
_SINCE = _STEPS.where(transition.c.at >= bindparam("since")).order_by(
    transition.c.at, transition.c.incident, transition.c.revision
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
    """Return a monitor's running incident on a track, else its last one (index incident_by_monitor).

    One that nobody can read is set aside: else it would keep the monitor from ever opening another.
    """
    asked = {"monitor": monitor, "track": track.value}
    while (row := connection.execute(_LATEST, asked).one_or_none()) is not None:
        for one, _ in unreadable.readable(connection, "incident", [row], _read):
            return one
        connection.execute(_PUT, {"ident": row.id, "put": unreadable.ASIDE})
        log.error("incident.set_aside", incident=row.id, todo=unreadable.WHAT_TO_DO)
    return None


def put_back(connection: Connection) -> None:
    """Let what was set aside and can be read again take its place, unless another one runs there by now."""
    for one, _ in unreadable.readable(connection, "incident", connection.execute(_ASIDE).all(), _read):
        if one.state in RUNNING and connection.scalar(_RUNS, {"monitor": one.monitor, "track": one.kind.track.value}):
            continue
        connection.execute(_PUT, {"ident": one.id, "put": one.state.value})
        log.info("incident.put_back", incident=one.id)


def find(connection: Connection, ident: str) -> tuple[Incident, Evidence] | None:
    """Return one incident with its evidence; None if there is none. Raises RowUnreadable."""
    row = connection.execute(_ONE, {"ident": ident}).one_or_none()
    return None if row is None else unreadable.only(connection, "incident", row, _read)


def find_readable(connection: Connection, ident: str) -> tuple[Incident, Evidence] | None:
    """Return the same, and None for what cannot be read: for whoever goes on to others."""
    found = unreadable.readable(connection, "incident", connection.execute(_ONE, {"ident": ident}).all(), _read)
    return found[0] if found else None


def _read(row: AnyRow) -> tuple[Incident, Evidence]:
    return _incident(row.body), _evidence(row.evidence)


def all_incidents(
    connection: Connection, *, since: datetime | None = None, running_only: bool = False, limit: int = 1000
) -> list[tuple[Incident, Evidence]]:
    """Return incidents with their evidence, newest first (those that run by the index incident_one_running)."""
    asked = {"limit": limit}
    statement = _ALL_RUNNING if running_only else _ALL
    if since is not None:
        statement = _ALL_RUNNING_SINCE if running_only else _ALL_SINCE
        asked["since"] = seconds(since)
    return unreadable.readable(connection, "incident", connection.execute(statement, asked), _read)


def has_any(connection: Connection, *, since: datetime) -> bool:
    """Say whether an incident runs, or one opened at `since` or later."""
    return connection.scalar(_ANY, {"since": seconds(since)}) is not None


def burning(connection: Connection) -> set[MonitorId]:
    """Return the monitors with an incident that people are told of and that has not ended."""
    return {MonitorId(name) for name in connection.scalars(_BURNING)}


def timeline(connection: Connection, ident: IncidentId) -> list[Transition]:
    """Return an incident's transitions, oldest first."""
    return _steps(connection, connection.execute(_TIMELINE, {"ident": ident}))


def transitions_since(connection: Connection, since: datetime) -> list[Transition]:
    """Return what happened to all incidents at or after `since`, oldest first."""
    return _steps(connection, connection.execute(_SINCE, {"since": seconds(since)}))


def _steps(connection: Connection, rows: Iterable[AnyRow]) -> list[Transition]:
    return unreadable.readable(connection, "transition", rows, lambda row: _transition(row.body), keys=2)


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
