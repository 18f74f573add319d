"""Reads what a noise report tells: every alert of a time, by the monitor that gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.incident.watch import is_told_of
from brandmelder.model import State
from brandmelder.report.noise import Alarm, Heard, Noise
from brandmelder.store import incidents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts

_MOST = 10_000


def read_noise(connection: Connection, parts: Parts, since: datetime, until: datetime) -> Noise:
    """Return what monitors told of in [since, until); what was told within another's alert is none of its own."""
    found = [
        one
        for one, _ in incidents.all_incidents(connection, since=since, limit=_MOST)
        if one.opened_at < until and one.under is None and _was_told(one.state)
    ]
    alarms = {
        ident: tuple(
            Alarm(incident=one, timeline=tuple(incidents.timeline(connection, one.id)))
            for one in found
            if one.monitor == ident
        )
        for ident in parts.watches
    }
    return Noise(
        brand=parts.brand,
        since=since,
        until=until,
        heard=tuple(
            Heard(title=watch.title, budget=watch.rules.budget, alarms=alarms[ident])
            for ident, watch in parts.watches.items()
        ),
    )


def _was_told(state: State) -> bool:
    return is_told_of(state) or state in {State.RESOLVED, State.DISMISSED}
