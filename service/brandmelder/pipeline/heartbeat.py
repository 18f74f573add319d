"""A sign of life to a place outside, sent only if the whole chain gets through: its absence is the alarm.

What keeps it silent: no progress, a source not asked in its time, a delivery that nobody took in hand, an alert that
nobody was told, a deaf socket, a canary that did not come through. It goes out by GET, as every such service takes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from brandmelder import metrics
from brandmelder.errors import ChannelError
from brandmelder.model import BIN, Delivery, DeliveryKind, DeliveryState
from brandmelder.notify.answers import is_success
from brandmelder.store import deliveries, incidents, meta, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from brandmelder.notify.notifier import Exchange
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

WAITING = timedelta(seconds=120)
"""How long a delivery may wait to be taken in hand, or an alert to be told to anybody."""
OVERDUE = timedelta(minutes=5)
"""How long a poll may be overdue: a walk through a long list takes a while."""
_UNTOLD = (DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNCLEAR, DeliveryState.DEAD)


class Heartbeat:
    """Beats once per call of `beat`; the timer calls it every `every`."""

    def __init__(
        self,
        parts: Parts,
        exchange: Exchange,
        *,
        url: str,
        every: timedelta,
        more: Callable[[datetime], Sequence[str]] = lambda _now: (),
    ) -> None:
        """`more` says what else keeps it away."""
        self.every = every
        self._parts, self._exchange, self._url, self._more = parts, exchange, url, more
        self._said: str | None = None

    async def beat(self, now: datetime) -> str | None:
        """Send the sign of life; returns why it was not sent, or not taken, None if all is well."""
        trouble = await self._parts.database.run(complaint, self._parts, now)
        if trouble is None:
            trouble = next(iter(self._more(now)), None)
        if trouble is None:
            trouble = await self._send()
        if trouble is None:
            metrics.HEARTBEAT_LAST.set(now.timestamp())
        if trouble != self._said and trouble is not None:
            log.warning("heartbeat.missed", reason=trouble)
        self._said = trouble
        return trouble

    async def _send(self) -> str | None:
        try:
            reply = await self._exchange("GET", self._url, headers={})
        except ChannelError as error:
            return f"the heartbeat's address was not reached: {error}"
        return None if is_success(reply) else f"the heartbeat's address answered {reply.status}"


def complaint(connection: Connection, parts: Parts, now: datetime) -> str | None:
    """Return what stops the chain, in a sentence; None if it gets through."""
    progress = meta.last_progress(connection)
    if progress is None or now - progress > BIN + parts.settle + WAITING:
        return "nothing was evaluated " + ("yet" if progress is None else f"since {progress:%H:%M:%S} UTC")
    rows = sources.read_sources(connection)
    late = [ident for ident in parts.sources if ident in rows and now - rows[ident].next_poll_at > OVERDUE]
    if late:
        return f"not polled in time: {', '.join(sorted(late))}"
    waiting = deliveries.next_attention(connection)
    if waiting is not None and now - waiting > WAITING:
        return f"a delivery waits since {waiting:%H:%M:%S} UTC"
    untold = _untold(connection, now)
    return f"nobody was told of {untold.incident} since {untold.created_at:%H:%M:%S} UTC" if untold else None


def _untold(connection: Connection, now: datetime) -> Delivery | None:
    """Return an opening that no channel has confirmed in time although its incident still runs."""
    for state in _UNTOLD:
        for one in deliveries.in_state(connection, state):
            if one.kind is not DeliveryKind.OPEN or now - one.created_at <= WAITING:
                continue
            found = incidents.find_readable(connection, one.incident)
            if found is None or found[0].state not in incidents.RUNNING:
                continue
            group = deliveries.of_incident(connection, one.incident)
            if not any(other.kind is DeliveryKind.OPEN and other.confirmed_at for other in group):
                return one
    return None
