"""How a source is after a poll, good or bad, and when it is asked next. Pure: every rule about its states is here."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.count.bins import EPOCH
from brandmelder.errors import AuthRefused, Gone, RateLimited, SourceError
from brandmelder.model import SourceId, SourceState
from brandmelder.pipeline.pace import Pace, saving, says

if TYPE_CHECKING:
    from brandmelder.capture.source import Poll
    from brandmelder.pipeline.pace import Limit
    from brandmelder.pipeline.parts import Place
    from brandmelder.store.sources import SourceRow

LONGEST_BACKOFF = timedelta(minutes=15)
FAR_APART = 2
"""A source that saves its budget is known incomplete when it is asked so many times more seldom than it should be."""
BACKLOG = timedelta(hours=1)
"""How far behind the last mention that was read must lie for what follows to be a backlog, and not a busy day."""
FAILING_AFTER = 3
"""So many failed polls in a row, or intervals without a good one, make a source failing."""


def first_poll(source: SourceId, every: timedelta, now: datetime) -> datetime:
    """Return when a new source is first visited: within seconds, for people wait for it, but not all at once."""
    return now + min(every, timedelta(seconds=5)) * _phase(source)


def next_poll(source: SourceId, every: timedelta, now: datetime) -> datetime:
    """Return the source's next slot after `now`, in whole seconds as the store keeps them.

    Slots are tied to absolute time, so that restarts do not bunch the sources.
    """
    offset = timedelta(seconds=int(every.total_seconds() * _phase(source)))
    return EPOCH + (now - EPOCH - offset) // every * every + offset + every


def _phase(source: SourceId) -> float:
    digest = hashlib.sha256(source.encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32


def after_poll(row: SourceRow, poll: Poll, now: datetime, place: Place, pace: Pace | None = None) -> SourceRow:
    """Return what is remembered of a source after a good poll; `pace` is its interval where that has changed."""
    pace = pace or Pace(every=place.every)
    read_until = row.read_until
    if poll.read_until is not None:
        read_until = max(poll.read_until, row.read_until or poll.read_until)
    next_poll_at = now + pace.every if pace.saves else next_poll(row.id, pace.every, now)
    next_poll_at = now if poll.more else next_poll_at
    note = poll.degraded or next((gap.reason for gap in poll.gaps), "")
    if pace.saves and pace.every > FAR_APART * place.every:
        note = note or saving(pace, place.every)
    state = SourceState.DEGRADED if note else SourceState.OK
    empty = row.empty_polls + 1 if not (poll.mentions or poll.more) else 0
    return replace(
        row,
        cursor=poll.cursor or row.cursor,
        read_until=read_until,
        first_contact=row.first_contact or now,
        history_done=row.history_done or not poll.more,
        next_poll_at=max(next_poll_at, poll.not_before or next_poll_at),
        last_success_at=now,
        failures=0,
        state=state,
        state_since=row.state_since if state is row.state and row.state_since else now,
        good_since=row.good_since or now,
        blind_since=None,
        fault="",
        every=pace.every,
        empty_polls=empty,
        note=note,
    )


def reads_backlog(row: SourceRow, now: datetime) -> bool:
    """Whether a source that was just polled has more to give, and is still far behind: it was away, or we were."""
    return row.next_poll_at <= now and row.read_until is not None and now - row.read_until > BACKLOG


def every_of(row: SourceRow, place: Place) -> timedelta:
    """Return the longer of the interval a source is asked at and the one it should be."""
    return max(place.every, row.every or place.every)


def after_spending(row: SourceRow, limit: Limit, now: datetime) -> SourceRow:
    """Return what is remembered of a source whose budget is spent: it is asked again in the next period."""
    return replace(
        row,
        state=SourceState.PAUSED,
        state_since=row.state_since if row.state is SourceState.PAUSED and row.state_since else now,
        next_poll_at=limit.until + timedelta(seconds=int(60 * _phase(row.id))),
        blind_since=row.blind_since or row.last_success_at or now,
        good_since=None,
        fault="spent",
        note=f"has spent its {says(limit)}; it is asked again on {limit.until:%d %b} at 00:00 UTC, "
        f"or after a restart with more {limit.key}",
    )


def after_failure(row: SourceRow, error: Exception, now: datetime, place: Place) -> SourceRow:
    """Return what is remembered of a source after a failed poll: it is asked again, ever more seldom, for ever."""
    failures = row.failures + 1
    wait = min(place.every * 2 ** min(failures - 1, 10), max(place.every, LONGEST_BACKOFF))
    next_poll_at = now + wait
    blind_since = row.blind_since or row.last_success_at or now
    every = every_of(row, place)
    is_failing = failures >= FAILING_AFTER or now - blind_since >= FAILING_AFTER * every
    state = SourceState.FAILING if is_failing else row.state
    if isinstance(error, AuthRefused | Gone):
        state, next_poll_at = SourceState.PAUSED, now + max(place.every, LONGEST_BACKOFF)
    if isinstance(error, RateLimited):
        next_poll_at = max(now + place.every, error.until)
    return replace(
        row,
        failures=failures,
        state=state,
        state_since=row.state_since if state is row.state and row.state_since else now,
        good_since=None,
        next_poll_at=next_poll_at,
        blind_since=blind_since,
        fault=type(error).__name__ if isinstance(error, SourceError) else "bug",
        note=str(error),
    )
