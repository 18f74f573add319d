"""The life of one delivery: due, sending, sent, unclear, dead. Every rule about it lives in this file.

    due ──begin──> sending ──Sent──────────────> sent
     ^               │  │────Refused…──────────> dead   (a lesser form of the same key first)
     │               │  └────NotDelivered──────> due    (back-off)
     │               └──Unclear, or found so at start──> unclear
     └── not found ──────── look after the quiesce ────────┘──found──> sent

What may have arrived is looked for before it is sent again; whatever was ever unclear is swept for twins afterwards.
Functions take a delivery and return its next value; none of them reads a clock. Moments they set are whole seconds,
rounded up, so that a store that keeps seconds never wakes too early.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.model import Delivery, DeliveryKind, DeliveryState, Detour, Form
from brandmelder.notify.notifier import (
    Found,
    NotDelivered,
    Outcome,
    RefusedForm,
    RefusedPlace,
    Sent,
    Unclear,
    Uneditable,
    Unreadable,
)
from brandmelder.notify.patience import (
    ATTEMPT,
    LIFE,
    LONGEST_WAIT,
    LOOK_AGAIN,
    LOOK_BACK,
    PATIENCE,
    QUIESCE,
    REPEAT_PATIENCE,
    SWEEP_PATIENCE,
    SWEEPS,
    UPDATE_SPACING,
    URGENCY,
    back_off,
)
from brandmelder.notify.stand_in import stand_in_at
from brandmelder.notify.standing import parent, thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.model import ChannelId, IncidentId

__all__ = ["parent", "thread"]

DISCARDED = "discarded by"
_BREATH = timedelta(seconds=1)
_EDITS = frozenset({DeliveryKind.UPDATE, DeliveryKind.RESOLVE})
_REPLIES = frozenset({DeliveryKind.THREAD, DeliveryKind.ESCALATE})
_ALARMS = frozenset({DeliveryKind.OPEN, DeliveryKind.ESCALATE, DeliveryKind.NOTICE})
"""What is rather told twice than not at all."""
_ALONE = frozenset({DeliveryKind.OPEN, DeliveryKind.NOTICE, DeliveryKind.TEST})
_LIVING = frozenset({DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNCLEAR, DeliveryState.SENT})


def key_of(incident: IncidentId, kind: DeliveryKind, *, step: int | None, channel: ChannelId) -> str:
    """Return the unique key `incident:kind[:step]:channel`; the same promise has the same key for ever."""
    parts = (incident, kind.value, *(() if step is None else (str(step),)), channel)
    return ":".join(parts)


def is_edit(delivery: Delivery) -> bool:
    """Whether it replaces the standing alert; then it may be repeated freely, and no look is needed."""
    return delivery.kind in _EDITS and delivery.detour is None


def is_reply(delivery: Delivery) -> bool:
    """Whether it goes into the thread below the standing alert."""
    return delivery.kind in _REPLIES or delivery.detour is Detour.REPLY


# ------------------------------------------------------------------ one attempt


def begin(delivery: Delivery, now: datetime, *, revision: int | None = None) -> Delivery:
    """Return it as `sending`: commit this before any byte goes out.

    `revision` is the incident's revision that an alert or an edit will show, if later than the promised one: it is
    rendered when it is sent, so the updates it already tells need not follow. A reply tells of its own revision only.
    """
    _expect(delivery, DeliveryState.DUE)
    shown = delivery.revision if delivery.kind in _REPLIES else max(delivery.revision, revision or 0)
    return replace(
        delivery,
        state=DeliveryState.SENDING,
        attempt_at=now,
        first_attempt_at=delivery.first_attempt_at or now,
        first_revision=delivery.first_revision or shown,
        attempts=delivery.attempts + 1,
        revision=shown,
    )


def after(delivery: Delivery, outcome: Outcome, now: datetime, *, is_idempotent: bool = False) -> Delivery:
    """Return what became of a delivery that was being sent.

    Where the same key sent twice is shown once, what may have arrived is simply sent again.
    """
    _expect(delivery, DeliveryState.SENDING)
    if is_idempotent and isinstance(outcome, Unclear):
        outcome = NotDelivered(outcome.reason)
    match outcome:
        case Sent():
            return _stands(delivery, outcome.ref, now, note=outcome.note)
        case NotDelivered():
            return _try_again(delivery, outcome, now)
        case RefusedForm() if delivery.form is not Form.PLAIN:
            return _due(replace(delivery, form=Form.PLAIN), now, outcome.reason)
        case Uneditable() if is_edit(delivery):
            return _unedited(delivery, outcome, now)
        case RefusedForm() | RefusedPlace() | Uneditable():
            return _bury(delivery, outcome.reason)
        case Unclear():
            return _lose_sight(delivery, outcome.reason, now)
        case _:
            assert_never(outcome)


def recover(delivery: Delivery, now: datetime, *, is_idempotent: bool = False) -> Delivery:
    """Return it as it is to be treated at start or take-over: what was being sent then is unclear."""
    if delivery.state is not DeliveryState.SENDING:
        return delivery
    return after(delivery, Unclear("interrupted while it was being sent"), now, is_idempotent=is_idempotent)


def retry(delivery: Delivery, now: datetime) -> Delivery:
    """Return a dead delivery as due, because a person mended the cause; past its life it has one attempt."""
    _expect(delivery, DeliveryState.DEAD)
    return replace(delivery, state=DeliveryState.DUE, due_at=_whole(now), attempts=0, form=Form.FULL)


def discard(delivery: Delivery, by: str) -> Delivery:
    """Return a delivery that a person does not want sent, nor told elsewhere. Raises ValueError for what is told."""
    noted = replace(delivery, fallback_at=delivery.fallback_at or delivery.created_at)
    if delivery.state in {DeliveryState.DUE, DeliveryState.UNCLEAR}:
        return _bury(noted, f"{DISCARDED} {by}")
    if delivery.state is DeliveryState.DEAD:
        reason = f"{DISCARDED} {by}: {delivery.last_error or 'dead'}"
        return replace(noted, state=DeliveryState.SUPERSEDED, last_error=reason)
    raise ValueError(f"delivery {delivery.key} is {delivery.state.value}; only what waits or is dead can be discarded")


def is_forgotten(delivery: Delivery, now: datetime) -> bool:
    """Whether nobody can be sending it any more."""
    return now >= _whole(_attempted(delivery) + QUIESCE)


# -------------------------------------------------------------- looks and sweeps


def look_since(delivery: Delivery) -> datetime:
    """Return from when on the channel's history is to be read for its key."""
    return (delivery.first_attempt_at or delivery.created_at) - LOOK_BACK


def looks_at(delivery: Delivery) -> datetime:
    """Return when an unclear delivery may be looked for: never before its message had time to appear."""
    _expect(delivery, DeliveryState.UNCLEAR)
    return max(delivery.due_at, _whole(_attempted(delivery) + QUIESCE))


def after_look(delivery: Delivery, look: Found | Unreadable, now: datetime, *, is_editable: bool = True) -> Delivery:
    """Return what the look tells about an unclear delivery: it stands there, it does not, or nobody can say.

    Where alerts are not edited, no later edit carries what a lost word in the thread said: that, too, is repeated.
    """
    _expect(delivery, DeliveryState.UNCLEAR)
    if isinstance(look, Unreadable):
        return _unseen(delivery, look.reason, now, is_editable=is_editable)
    if look.refs:
        return _found(delivery, look.refs[0], now)
    if now >= _ends_at(delivery):
        return _bury(delivery, "was not found in the channel, and its time is over")
    return _due(delivery, now, "was not found in the channel")


def sweeps_at(delivery: Delivery) -> datetime | None:
    """Return when a delivery that was ever unclear is to be searched for twins; None when that is done."""
    if not delivery.was_unclear or delivery.state not in {DeliveryState.SENT, DeliveryState.DEAD}:
        return None
    moments = (_whole(_attempted(delivery) + sweep) for sweep in SWEEPS)
    left = (moment for moment in moments if delivery.swept_at is None or moment > delivery.swept_at)
    moment = next(left, None)
    return None if moment is None else max(moment, delivery.due_at)


def twins(delivery: Delivery, refs: Sequence[str]) -> tuple[str, ...]:
    """Return which of the messages found under its key (oldest first) are to be deleted.

    The one whose ref the delivery holds stays; if that is not among them, the oldest.
    """
    if not refs:
        return ()
    keep = delivery.ref if delivery.ref in refs else refs[0]
    return tuple(ref for ref in refs if ref != keep)


def after_sweep(delivery: Delivery, look: Found | Unreadable, now: datetime) -> Delivery:
    """Return it after a sweep whose twins are gone; give `Unreadable` too if a twin could not be deleted.

    A dead delivery whose message turned up after all is sent.
    """
    if isinstance(look, Unreadable):
        if now >= _attempted(delivery) + SWEEP_PATIENCE:
            return replace(delivery, swept_at=now)
        return replace(delivery, due_at=_whole(now + LOOK_AGAIN))
    swept = replace(delivery, swept_at=now)
    if not look.refs:
        return swept
    return _stands(swept, delivery.ref, now) if delivery.ref in look.refs else _found(swept, look.refs[0], now)


def next_moment(delivery: Delivery) -> datetime | None:
    """Return when a delivery wants attention next: a send, a look, a sweep, a stand-in; None when its life is over."""
    moments = (_next_step(delivery), stand_in_at(delivery))
    return min((_whole(moment) for moment in moments if moment is not None), default=None)


def _next_step(delivery: Delivery) -> datetime | None:
    match delivery.state:
        case DeliveryState.DUE:
            return delivery.due_at
        case DeliveryState.SENDING:
            return _whole(_attempted(delivery) + QUIESCE)
        case DeliveryState.UNCLEAR:
            return looks_at(delivery)
        case DeliveryState.SENT | DeliveryState.DEAD:
            return sweeps_at(delivery)
        case DeliveryState.SUPERSEDED:
            return None
        case _:
            assert_never(delivery.state)


# ---------------------------------------------------------- order among deliveries


class Orders(Struct, frozen=True, kw_only=True):
    """What the due deliveries of one incident in one channel may do now; each of them is in one of the two."""

    go: tuple[Delivery, ...] = ()
    """May be begun, in this order."""
    changed: tuple[Delivery, ...] = ()
    """Put off, superseded or dead without a send: to be stored."""


def orders(deliveries: Sequence[Delivery], now: datetime) -> Orders:
    """Decide over all deliveries of one (incident, channel): the opening first, of edits only the newest.

    Replies and edits wait until the alert stands; an end overtakes updates; updates keep 45 s apart.
    """
    due = [one for one in deliveries if one.state is DeliveryState.DUE and one.due_at <= now]
    judged = [(one, _judge(one, deliveries, now)) for one in due]
    go = [one for one, verdict in judged if verdict is one]
    return Orders(
        go=tuple(sorted(go, key=lambda one: (URGENCY[one.kind], one.revision, one.key))),
        changed=tuple(verdict for one, verdict in judged if verdict is not one),
    )


def _judge(delivery: Delivery, group: Sequence[Delivery], now: datetime) -> Delivery:
    """Return the delivery itself if it may go, else what it becomes instead."""
    if delivery.kind in _ALONE:
        return delivery
    if delivery.kind in _EDITS and any(_overtakes(other, delivery) for other in group):
        return replace(delivery, state=DeliveryState.SUPERSEDED, last_error=None)
    if delivery.kind is not DeliveryKind.RESOLVE and now >= _ends_at(delivery):
        return _bury(delivery, "its time is over; the alert itself tells the newest")
    if parent(group) is None:
        return _await_opening(delivery, group, now)
    if is_edit(delivery) and (moment := _free_from(delivery, group)) > now:
        return replace(delivery, due_at=moment)
    return delivery


def _overtakes(other: Delivery, delivery: Delivery) -> bool:
    """Whether `other` shows, or will show, all that the edit `delivery` would."""
    if other is delivery or other.kind not in _EDITS | {DeliveryKind.OPEN} or other.state not in _LIVING:
        return False
    if other.state is DeliveryState.SENT and other.revision >= delivery.revision:
        # A correction is shown only by what was sent after it.
        rendered = (other.first_attempt_at if other.was_unclear else None) or _attempted(other)
        return not delivery.is_correction or rendered >= delivery.created_at
    is_newer = (other.revision, other.kind is DeliveryKind.RESOLVE) > (
        delivery.revision,
        delivery.kind is DeliveryKind.RESOLVE,
    )
    return is_newer and other.kind in _EDITS


def _await_opening(delivery: Delivery, group: Sequence[Delivery], now: datetime) -> Delivery:
    opening = next((one for one in group if one.kind is DeliveryKind.OPEN), None)
    if opening is None or opening.state is DeliveryState.DEAD:
        return _bury(delivery, "the alert never stood in this channel")
    moment = _next_step(opening) or now
    if opening.state is DeliveryState.SENDING:
        moment = now
    return replace(delivery, due_at=_whole(min(max(moment, now + _BREATH), now + LOOK_AGAIN)))


def _free_from(delivery: Delivery, group: Sequence[Delivery]) -> datetime:
    """Return from when on the alert may be edited: after the edit under way, and not too often."""
    shown = [one for one in group if one is not delivery and (one.kind is DeliveryKind.OPEN or is_edit(one))]
    under_way = [_attempted(one) + ATTEMPT for one in shown if one.state is DeliveryState.SENDING]
    if delivery.kind is DeliveryKind.UPDATE and not delivery.is_prompt:
        under_way += [_attempted(one) + UPDATE_SPACING for one in shown if one.state is DeliveryState.SENT]
    return _whole(max(under_way, default=delivery.due_at))


# ------------------------------------------------------------------------ parts


def _expect(delivery: Delivery, state: DeliveryState) -> None:
    if delivery.state is not state:
        raise ValueError(f"delivery {delivery.key} is {delivery.state.value}, not {state.value}")


def _attempted(delivery: Delivery) -> datetime:
    return delivery.attempt_at or delivery.created_at


def _ends_at(delivery: Delivery) -> datetime:
    return delivery.created_at + LIFE[DeliveryKind.OPEN if delivery.is_correction else delivery.kind]


def _whole(moment: datetime) -> datetime:
    return datetime.fromtimestamp(math.ceil(moment.timestamp()), UTC)


def _stands(delivery: Delivery, ref: str, now: datetime, *, note: str | None = None) -> Delivery:
    confirmed = delivery.confirmed_at or now
    return replace(delivery, state=DeliveryState.SENT, ref=ref, last_error=note, confirmed_at=confirmed)


def _found(delivery: Delivery, ref: str, now: datetime) -> Delivery:
    """Return it as standing there by whichever attempt: nothing newer than the first one showed is known to be told."""
    shown = min(delivery.revision, delivery.first_revision or delivery.revision)
    return _stands(replace(delivery, revision=shown), ref, now)


def _due(delivery: Delivery, at: datetime, reason: str) -> Delivery:
    return replace(delivery, state=DeliveryState.DUE, due_at=_whole(at), last_error=reason)


def _unedited(delivery: Delivery, outcome: Uneditable, now: datetime) -> Delivery:
    if not delivery.is_correction:
        detour = Detour.ANEW if outcome.is_gone else Detour.REPLY
        return _due(replace(delivery, detour=detour), now, outcome.reason)
    if outcome.is_gone:  # what is to be taken away is neither told anew nor pointed at in the thread
        return replace(delivery, state=DeliveryState.SUPERSEDED)
    return _bury(delivery, f"{outcome.reason}; take the words away by hand")


def _bury(delivery: Delivery, reason: str) -> Delivery:
    return replace(delivery, state=DeliveryState.DEAD, last_error=reason)


def _try_again(delivery: Delivery, outcome: NotDelivered, now: datetime) -> Delivery:
    if now >= _ends_at(delivery):
        return _bury(delivery, outcome.reason)
    if outcome.retry_after is None:
        return _due(delivery, now + back_off(delivery.key, delivery.attempts), outcome.reason)
    # Being asked to wait says nothing against the channel: it does not count as an attempt.
    waited = replace(delivery, attempts=delivery.attempts - 1)
    return _due(waited, now + min(max(outcome.retry_after, _BREATH), LONGEST_WAIT), outcome.reason)


def _lose_sight(delivery: Delivery, reason: str, now: datetime) -> Delivery:
    if is_edit(delivery):
        return _try_again(delivery, NotDelivered(reason), now)
    looks = _whole(_attempted(delivery) + QUIESCE)
    return replace(delivery, state=DeliveryState.UNCLEAR, was_unclear=True, due_at=looks, last_error=reason)


def _unseen(delivery: Delivery, reason: str, now: datetime, *, is_editable: bool) -> Delivery:
    """Fail open: an alert is rather told twice than not at all; everything else the alert's next edit tells."""
    patience = REPEAT_PATIENCE if delivery.possible_repeat else PATIENCE
    patient_until = _attempted(delivery) + patience
    if now < patient_until:
        again = min(now + LOOK_AGAIN, patient_until)
        return replace(delivery, due_at=_whole(again), last_error=reason)
    is_alert = delivery.kind in _ALARMS or delivery.detour is Detour.ANEW or not is_editable
    if not is_alert or now >= _ends_at(delivery):
        return _bury(delivery, f"may or may not stand there: {reason}")
    return replace(_due(delivery, now, reason), possible_repeat=True)
