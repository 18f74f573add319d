"""How often each monitor would have alerted at each sensitivity, and which one its marked incidents ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.detect.budget import PRESETS
from brandmelder.model import Incident, MonitorId, State
from brandmelder.pipeline.openings import Openings, openings_of, read_past

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts, Watch

LATE = timedelta(hours=6)
"""An alert so long after an incident's onset still tells of it."""


class Tuning(Struct, frozen=True, kw_only=True):
    """What one monitor would have done at each sensitivity."""

    monitor: MonitorId
    days: float
    alerts: Mapping[str, int]
    """How many storms would have been told at `calm`, `balanced` and `alert`."""
    crises: int = 0
    """Incidents of that time that people took for real."""
    false_alarms: int = 0
    """Incidents of that time that people marked as no crisis."""
    told_crises: Mapping[str, int]
    told_false_alarms: Mapping[str, int]
    proposal: str | None = None
    """The sensitivity that the marked incidents ask for; None if they ask for nothing."""


def openings(connection: Connection, parts: Parts, now: datetime) -> tuple[Openings, ...]:
    """Return for each evaluated monitor when every sensitivity would have opened a storm."""
    found = (_openings(connection, parts, watch, now) for watch in parts.watches.values())
    return tuple(one for one in found if one is not None)


def _openings(connection: Connection, parts: Parts, watch: Watch, now: datetime) -> Openings | None:
    past = read_past(connection, parts, watch, now)
    return None if past is None else openings_of(past, {name: 1 / days for name, days in PRESETS.items()})


def judged(found: Openings, marked: Sequence[Incident]) -> Tuning:
    """Hold the alerts of each sensitivity against what people said of the incidents of that time.

    Proposed is the calmest sensitivity that still tells every crisis which any of them tells; without a marked false
    alarm nothing is proposed.
    """
    mine = [one for one in marked if one.monitor == found.monitor and found.since <= one.onset < found.until]
    false = [one for one in mine if one.state is State.DISMISSED]
    crises = [one for one in mine if one.state is not State.DISMISSED and one.acknowledged_by is not None]
    told = {name: _told(crises, at) for name, at in found.at.items()}
    ordered = sorted(found.at, key=lambda name: -PRESETS[name])
    enough = [name for name in ordered if told[name] == max(told.values())]
    return Tuning(
        monitor=found.monitor,
        days=(found.until - found.since) / timedelta(days=1),
        alerts={name: len(at) for name, at in found.at.items()},
        crises=len(crises),
        false_alarms=len(false),
        told_crises=told,
        told_false_alarms={name: _told(false, at) for name, at in found.at.items()},
        proposal=enough[0] if false and enough else None,
    )


def _told(incidents: Sequence[Incident], openings: Sequence[datetime]) -> int:
    return sum(any(one.onset <= at <= (one.closed_at or one.onset) + LATE for at in openings) for one in incidents)
