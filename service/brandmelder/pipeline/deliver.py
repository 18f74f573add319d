"""Deliver, and commit 4: what became of each promise. Look before sending again; sweep what was ever unclear."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder import metrics
from brandmelder.errors import BrandmelderError, Conflict, RowUnreadable, StoreBusy, StoreFull
from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId, Page
from brandmelder.notify import delivery as life
from brandmelder.notify.notifier import Found, NotDelivered, Sent, Unclear, Unreadable
from brandmelder.notify.pace import Pace, order_of
from brandmelder.notify.patience import LONGEST_WAIT
from brandmelder.pipeline.call_stand_ins import call_stand_ins
from brandmelder.pipeline.orphans import let_go
from brandmelder.pipeline.render import render
from brandmelder.store import calls, deliveries, incidents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Notifier, Outcome
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

BREATH = timedelta(seconds=2)
"""How long an opening waits for the message in whose thread it goes."""
TURNS = 50
"""At most so many rounds over one channel, or over one incident in it, before everybody else has a turn."""


class Deliverer:
    """Carries promises to channels. Channels are independent: one that hangs holds up nobody else."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._paces: dict[ChannelId, Pace] = {}
        self._busy: set[ChannelId] = set()

    @property
    def busy(self) -> frozenset[ChannelId]:
        """The channels that are at work in this moment."""
        return frozenset(self._busy)

    def clock_went_back(self) -> None:
        """Let every channel be free: until when it rests was told by a clock that was wrong."""
        self._paces.clear()

    async def recover(self, now: datetime) -> None:
        """Treat what was being sent when the last process died as unclear, and try refused openings once more.

        A restart is how a mended token comes into effect: an alarm still burning that a channel refused is told then.
        """
        notifiers = self.parts.notifiers.values()
        repeating = frozenset(notifier.id for notifier in notifiers if notifier.is_idempotent)
        await self.parts.database.run(_recover, now, repeating)

    async def deliver(self, now: datetime, reads: Callable[[], datetime] | None = None) -> None:
        """Do all that wants attention at `now`, in channels that are not at work already.

        `reads` tells the time while the work takes time: an attempt's moment is when its bytes go out, for the quiesce
        and every Retry-After are reckoned from there. Without it time stands still.
        """
        reads = reads or (lambda: now)
        await self.parts.database.run(call_stand_ins, self.parts, now)
        wanting = await self.parts.database.run(deliveries.wanting, now, besides=self.busy)
        channels: dict[ChannelId, dict[IncidentId, None]] = defaultdict(dict)
        for one in wanting:
            channels[one.channel].setdefault(one.incident)
        work = (self._channel(channel, group, now, reads) for channel, group in channels.items())
        for trouble in await asyncio.gather(*work, return_exceptions=True):
            if trouble is not None:  # the others had their turn
                raise trouble

    async def _channel(
        self, channel: ChannelId, group: Collection[IncidentId], now: datetime, reads: Callable[[], datetime]
    ) -> None:
        if channel in self._busy:
            return
        self._busy.add(channel)
        try:
            notifier = self.parts.notifiers.get(channel)
            if notifier is not None:
                await self._work(notifier, group, now, reads)
                return
            for incident in group:
                await self.parts.database.run(let_go, self.parts, incident, channel, now)
        finally:
            self._busy.discard(channel)

    async def _work(
        self, notifier: Notifier, group: Collection[IncidentId], now: datetime, reads: Callable[[], datetime]
    ) -> None:
        """Send what may go, the most urgent first; after a failure the others have their turn at the next call."""
        pace = self._paces.setdefault(notifier.id, Pace(notifier.spacing))
        ready = {incident: await self._tidied(notifier, incident, now) for incident in group}
        for _ in range(TURNS):
            heads = [waiting[0] for waiting in ready.values() if waiting]
            if not heads:
                return
            now = reads()
            if not pace.is_free(now):
                for one in pace.put_off((one for waiting in ready.values() for one in waiting), now):
                    await self._save(one, expected=DeliveryState.DUE)
                return
            head = min(heads, key=order_of)
            pace.take(now)
            outcome = await self._attempt(notifier, head, reads)
            now = reads()
            if isinstance(outcome, NotDelivered) and outcome.retry_after is not None:
                pace.rest(now + min(outcome.retry_after, LONGEST_WAIT))
            if outcome is not None and not isinstance(outcome, Sent):
                return
            ready[head.incident] = await self._tidied(notifier, head.incident, now)

    async def _tidied(self, notifier: Notifier, incident: IncidentId, now: datetime) -> tuple[Delivery, ...]:
        """Look, sweep, supersede and bury what wants it; returns what may be sent now, in order."""
        for _ in range(TURNS):
            group = await self.parts.database.run(deliveries.of_incident, incident, notifier.id)
            if await self._looked_after(notifier, group, now):
                continue
            orders = life.orders(group, now)
            for one in orders.changed:
                await self._save(one, expected=DeliveryState.DUE)
            if not orders.changed:
                return orders.go
        log.error("delivery.endless", incident=incident, channel=notifier.id)
        return ()

    async def _looked_after(self, notifier: Notifier, group: list[Delivery], now: datetime) -> bool:
        """Do the first thing beside sending that a group wants; says whether there was one."""
        for one in group:
            if one.state is DeliveryState.SENDING and life.is_forgotten(one, now):
                after = life.recover(one, now, is_idempotent=notifier.is_idempotent)
                return await self._save(after, expected=DeliveryState.SENDING)
            if one.state is DeliveryState.UNCLEAR and life.looks_at(one) <= now:
                await self._look(notifier, one, group, now)
                return True
            sweep = life.sweeps_at(one)
            if sweep is not None and sweep <= now:
                await self._sweep(notifier, one, group, now)
                return True
        return False

    async def _attempt(self, notifier: Notifier, one: Delivery, reads: Callable[[], datetime]) -> Outcome | None:
        """Make one attempt; returns its outcome, None if somebody else was faster."""
        now = reads()
        root = await self.parts.database.run(_root, one)
        if root is None:
            await self._save(replace(one, due_at=now + BREATH), expected=DeliveryState.DUE)
            return None
        one = replace(one, root=root or None)
        try:
            message, revision = await render(self.parts, one, now)
        except (StoreBusy, StoreFull):
            raise
        except Exception as error:  # noqa: BLE001 - what cannot be written must not keep from people what can be
            await self._put_off(one, error, now)
            return None
        sending = life.begin(one, now, revision=revision)
        if not await self._save(sending, expected=DeliveryState.DUE):
            return None
        group = await self.parts.database.run(deliveries.of_incident, one.incident, one.channel)
        try:
            outcome = await self._send(notifier, sending, group, message)
        except Exception as error:  # noqa: BLE001 - whatever a channel stumbles over, its message may have arrived
            _log_once(sending, error)
            outcome = Unclear(f"the channel's own error, {type(error).__name__}")
        after = life.after(sending, outcome, reads(), is_idempotent=notifier.is_idempotent)
        await self._save(after, expected=DeliveryState.SENDING)
        if not self.parts.is_draft:
            _count(after, outcome)
        log.info(
            "delivery.tried", key=one.key, kind=one.kind.value, outcome=type(outcome).__name__, state=after.state.value
        )
        if after.state is DeliveryState.DEAD:
            self.parts.on_failure(
                f"channel {one.channel!r}: {one.kind.value} of {one.incident} is dead: {after.last_error}"
            )
        return outcome

    async def _put_off(self, one: Delivery, error: Exception, now: datetime) -> None:
        """Count as an attempt that failed what could not even be written; it is tried again, behind everything else."""
        reason = str(error) if isinstance(error, BrandmelderError) else f"{type(error).__name__}, please report it"
        after = life.after(life.begin(one, now), NotDelivered(f"cannot be written: {reason}"), now)
        _log_once(after, error)
        if after.attempts == 1 or after.state is DeliveryState.DEAD:
            what = f"{one.kind.value} of {one.incident} is {after.state.value}"
            self.parts.on_failure(f"channel {one.channel!r}: {what}: {after.last_error}")
        await self._save(after, expected=DeliveryState.DUE)

    async def _send(self, notifier: Notifier, one: Delivery, group: list[Delivery], message: Message) -> Outcome:
        standing = life.parent(group)
        if life.is_edit(one):
            if standing is None:
                return NotDelivered("the alert does not stand yet")
            return await notifier.update(standing, message, key=one.key, form=one.form)
        thread = life.thread(group) if life.is_reply(one) else one.root
        return await notifier.push(message, key=one.key, thread=thread, form=one.form)

    async def _look(self, notifier: Notifier, one: Delivery, group: list[Delivery], now: datetime) -> None:
        found = await self._find(notifier, one, group)
        after = life.after_look(one, found, now, is_editable=notifier.can_update)
        await self._save(after, expected=DeliveryState.UNCLEAR)

    async def _sweep(self, notifier: Notifier, one: Delivery, group: list[Delivery], now: datetime) -> None:
        found = await self._find(notifier, one, group)
        for twin in life.twins(one, found.refs) if isinstance(found, Found) else ():
            if isinstance(await notifier.delete(twin), Sent):
                metrics.DELIVERY_TWINS.inc()
            else:
                found = Unreadable("a twin could not be deleted")
        await self._save(life.after_sweep(one, found, now), expected=one.state)

    async def _find(self, notifier: Notifier, one: Delivery, group: list[Delivery]) -> Found | Unreadable:
        if notifier.is_idempotent:
            return Found(())
        if not notifier.can_find:
            return Unreadable("this channel cannot be searched")
        thread = life.thread(group) if life.is_reply(one) else one.root
        try:
            return await notifier.find(one.key, since=life.look_since(one), thread=thread)
        except Exception as error:  # noqa: BLE001 - a history that breaks its channel cannot be read
            _log_once(one, error)
            return Unreadable(f"the channel's own error, {type(error).__name__}")

    async def _save(self, one: Delivery, *, expected: DeliveryState) -> bool:
        try:
            await self.parts.database.run(_save, one, expected)
        except Conflict:
            log.warning("delivery.overtaken", key=one.key)
            return False
        return True


def _save(connection: Connection, one: Delivery, expected: DeliveryState) -> None:
    """Write what became of a delivery; a call that stands there has reached those whom it calls."""
    if expected is DeliveryState.SENDING and one.fallback_at is None:
        # While it was sent, a stand-in may have been called: the attempt began without that note.
        stored = deliveries.find(connection, one.key)
        one = replace(one, fallback_at=stored.fallback_at if stored is not None else None)
    deliveries.save_delivery(connection, one, life.next_moment(one), expected=expected)
    if one.persons and one.state is DeliveryState.SENT and one.confirmed_at is not None:
        # One call in several channels is one look.
        key = f"{one.incident}:{int(one.created_at.timestamp())}"
        calls.reached(connection, [Page(person=who, at=one.confirmed_at, key=key) for who in one.persons])


def _log_once(one: Delivery, error: Exception) -> None:
    """Log an error that no channel should raise; where it stands only at the first attempt."""
    log.error("delivery.bug", key=one.key, attempts=one.attempts, exc_info=error if one.attempts == 1 else None)


def _count(after: Delivery, outcome: Outcome) -> None:
    """Measure one attempt, and how long an opening took to be confirmed."""
    metrics.DELIVERIES.labels(after.channel, type(outcome).__name__).inc()
    if after.state is DeliveryState.UNCLEAR:
        metrics.DELIVERY_UNCLEAR.inc()
    if after.kind is DeliveryKind.OPEN and after.confirmed_at is not None:
        metrics.ALERT_LATENCY.observe((after.confirmed_at - after.created_at).total_seconds())


def _root(connection: Connection, one: Delivery) -> str | None:
    """Return the ref at the head of the thread an opening goes into, empty for none; None while it does not stand."""
    if not one.under:
        return ""
    try:
        head = deliveries.find(connection, one.under)
    except RowUnreadable:
        head = None
    if head is None or head.state in {DeliveryState.DEAD, DeliveryState.SUPERSEDED}:
        return ""
    return head.ref if head.state is DeliveryState.SENT else None


def _recover(connection: Connection, now: datetime, repeating: Collection[ChannelId]) -> None:
    for one in deliveries.in_state(connection, DeliveryState.SENDING):
        after = life.recover(one, now, is_idempotent=one.channel in repeating)
        deliveries.save_delivery(connection, after, life.next_moment(after), expected=DeliveryState.SENDING)
    for one in deliveries.in_state(connection, DeliveryState.DEAD):
        is_unwanted = (one.last_error or "").startswith(life.DISCARDED)
        if one.kind is DeliveryKind.OPEN and not is_unwanted and _still_burns(connection, one.incident):
            again = life.retry(one, now)
            deliveries.save_delivery(connection, again, life.next_moment(again), expected=DeliveryState.DEAD)


def _still_burns(connection: Connection, incident: IncidentId) -> bool:
    found = incidents.find_readable(connection, incident)
    return found is not None and found[0].state in incidents.RUNNING
