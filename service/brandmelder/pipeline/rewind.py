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
from brandmelder.notify.delivery import next_moment, sweeps_at
from brandmelder.store import blindness, deliveries, doubts, incidents, intake, meta, series, sources

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = structlog.get_logger()

TOLERATED = timedelta(seconds=90)
"""Clocks are corrected by so much without anybody noticing; waiting it out is simpler."""
LOOKED_BACK = timedelta(days=1)
"""So far back what was tried before is looked for from then on: under which hand that was nobody knows."""
_WAITING = (DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNCLEAR)
_LIVE = (*_WAITING, DeliveryState.SENT)


def rewind(connection: Connection, now: datetime, *, is_seen: bool = False) -> bool:
    """Bring back what lies ahead of `now`, if we once lived at a later moment; says whether it was so.

    `is_seen` says that the clock was seen to go back: then what was tried before is looked for from longer ago, even if
    nothing lies ahead.
    """
    last = _latest(connection)
    ahead = timedelta(0) if last is None else last - now
    if ahead > TOLERATED:
        _wake_sources(connection, now)
        intake.undo(connection, now)
        blindness.redate(connection, now)
        doubts.redate(connection, now)
        _bring_back_monitors(connection, now)
        _bring_back_incidents(connection, now, ahead)
        meta.progressed(connection, now)
        log.warning("clock.went_back", ahead=str(ahead))
    if ahead > TOLERATED or is_seen:
        _bring_back_deliveries(connection, now)
    return ahead > TOLERATED


def _bring_back_monitors(connection: Connection, now: datetime) -> None:
    for row in series.read_monitors(connection).values():
        if (row.evaluated_through or now) <= now:
            continue
        # What it learnt of hours that have not been is forgotten: it learns anew from its bins.
        back = replace(row, evaluated_through=start_of(now), state=None)
        if back.news_since is not None:
            back = replace(back, news_since=min(back.news_since, start_of(now)))
        series.save_monitor(connection, back)


def _bring_back_deliveries(connection: Connection, now: datetime) -> None:
    for state in _LIVE:
        for one in deliveries.in_state(connection, state):
            earlier = _brought_back(one, now)
            if earlier != one:
                deliveries.save_delivery(connection, earlier, next_moment(earlier), expected=state)


def _latest(connection: Connection) -> datetime | None:
    """Return the latest moment of which we know that we lived then.

    A process that dies again and again while the clock is ahead may have read a source, or written into a timeline, or
    tried to send, and never have got through.
    """
    known = [meta.last_progress(connection), incidents.last_change(connection)]
    for row in sources.read_sources(connection).values():
        known += [row.last_success_at, row.state_since]
    for state in _WAITING:
        for one in deliveries.in_state(connection, state):
            known += [one.created_at, one.attempt_at]
    return max((one for one in known if one is not None), default=None)


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
        found = incidents.find_readable(connection, ident)
        if found is not None:
            back = rewound(found[0], now, ahead=ahead)
            incidents.save_incident(connection, back, None, (), expected_revision=back.revision)


def _earlier(moment: datetime | None, now: datetime) -> datetime | None:
    return None if moment is None else min(moment, now)


def _brought_back(one: Delivery, now: datetime) -> Delivery:
    first = one.first_attempt_at
    is_sought = one.state in _WAITING or sweeps_at(one) is not None
    return replace(
        one,
        due_at=min(one.due_at, now),
        created_at=min(one.created_at, now),
        first_attempt_at=min(first, now - LOOKED_BACK) if first and is_sought else _earlier(first, now),
        attempt_at=_earlier(one.attempt_at, now),
        confirmed_at=_earlier(one.confirmed_at, now),
        fallback_at=_earlier(one.fallback_at, now),
        swept_at=_earlier(one.swept_at, now),
    )
