"""What is done when the clock was ahead and has been set back: moments that have not come yet are brought back to now.

A machine whose clock once stood a year ahead would else poll, evaluate and send nothing for a year, in silence.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder.count.bins import start_of
from brandmelder.model import BIN, Delivery, DeliveryState
from brandmelder.notify.delivery import next_moment
from brandmelder.store import deliveries, intake, meta, series, sources

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
    for row in sources.read_sources(connection).values():
        if row.last_success_at is None or row.last_success_at <= now:
            continue
        read = None if row.read_until is None else min(row.read_until, start_of(now) - BIN)
        contact = None if row.first_contact is None else min(row.first_contact, now)
        sources.save_source(
            connection,
            replace(row, next_poll_at=now, last_success_at=now, read_until=read, first_contact=contact),
        )


def _brought_back(one: Delivery, now: datetime) -> Delivery:
    return replace(
        one,
        due_at=min(one.due_at, now) if one.created_at > now or (one.attempt_at or now) > now else one.due_at,
        created_at=min(one.created_at, now),
        first_attempt_at=one.first_attempt_at and min(one.first_attempt_at, now),
        attempt_at=one.attempt_at and min(one.attempt_at, now),
        swept_at=one.swept_at and min(one.swept_at, now),
    )
