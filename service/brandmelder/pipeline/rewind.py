"""What is done when the clock was ahead and has been set back: moments that have not come yet are brought back to now.

A machine whose clock once stood a year ahead would else poll, evaluate and send nothing for a year, in silence.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder.count.bins import start_of
from brandmelder.incident.rewound import redated, rewound
from brandmelder.model import BIN, Delivery, DeliveryState
from brandmelder.notify.delivery import next_moment
from brandmelder.store import blindness, deliveries, doubts, incidents, intake, meta, series, sources

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = structlog.get_logger()

TOLERATED = timedelta(seconds=90)
"""Clocks are corrected by so much without anybody noticing; waiting it out is simpler."""
_LIVE = (DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNCLEAR, DeliveryState.SENT)


def rewind(connection: Connection, now: datetime) -> bool:
    """Bring back what lies ahead of `now`, if we once got through at a later moment; says whether it was so."""
    last = meta.last_progress(connection)
    if last is None or last - now <= TOLERATED:
        return False
    _wake_sources(connection, now)
    intake.undo(connection, now)
    blindness.redate(connection, now)
    doubts.redate(connection, now)
    _bring_back_incidents(connection, now, last - now)
    ahead = [row for row in series.read_monitors(connection).values() if (row.evaluated_through or now) > now]
    for row in ahead:
        # What it learnt of hours that have not been is forgotten: it learns anew from its bins.
        back = replace(row, evaluated_through=start_of(now), state=None)
        if back.news_since is not None:
            back = replace(back, news_since=min(back.news_since, start_of(now)))
        series.save_monitor(connection, back)
    for state in _LIVE:
        for one in deliveries.in_state(connection, state):
            earlier = _brought_back(one, now)
            if earlier != one:
                deliveries.save_delivery(connection, earlier, next_moment(earlier), expected=state)
    meta.progressed(connection, now)
    log.warning("clock.went_back", ahead=str(last - now), monitors=len(ahead))
    return True


def _wake_sources(connection: Connection, now: datetime) -> None:
    """Ask every source now: when it was to be asked, refused or not, was reckoned from hours that have not been."""
    for row in sources.read_sources(connection).values():
        is_ahead = row.last_success_at is not None and row.last_success_at > now
        read = row.read_until
        if is_ahead and read is not None:
            read = min(read, start_of(now) - BIN)
        back = replace(
            row,
            next_poll_at=min(row.next_poll_at, now),
            last_success_at=_earlier(row.last_success_at, now),
            read_until=read,
            first_contact=_earlier(row.first_contact, now),
            state_since=_earlier(row.state_since, now),
            blind_since=_earlier(row.blind_since, now),
            good_since=_earlier(row.good_since, now),
        )
        sources.save_source(connection, back)


def _bring_back_incidents(connection: Connection, now: datetime, ahead: timedelta) -> None:
    """Date now what happened to incidents in hours that have not been: else it blocks whatever follows until then."""
    steps = [step for step in incidents.transitions_since(connection, now) if step.at > now]
    incidents.redate(connection, [redated(step, now) for step in steps])
    running = {one.id for one, _ in incidents.all_incidents(connection, running_only=True)}
    for ident in sorted(running | {step.incident for step in steps}):
        found = incidents.find(connection, ident)
        if found is not None:
            back = rewound(found[0], now, ahead=ahead)
            incidents.save_incident(connection, back, None, (), expected_revision=back.revision)


def _earlier(moment: datetime | None, now: datetime) -> datetime | None:
    return None if moment is None else min(moment, now)


def _brought_back(one: Delivery, now: datetime) -> Delivery:
    return replace(
        one,
        due_at=min(one.due_at, now),
        created_at=min(one.created_at, now),
        first_attempt_at=_earlier(one.first_attempt_at, now),
        attempt_at=_earlier(one.attempt_at, now),
        confirmed_at=_earlier(one.confirmed_at, now),
        fallback_at=_earlier(one.fallback_at, now),
        swept_at=_earlier(one.swept_at, now),
    )
