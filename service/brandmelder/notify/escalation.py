"""Whom to call next, and when: for what nobody acknowledged, and for what somebody acknowledged and left alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Act, ChannelId, Course, DeliveryKind, PersonId, RotaId, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from brandmelder.model import Delivery, Incident, Transition

UNCONFIRMED = timedelta(minutes=5)
"""If no channel has confirmed the alert for so long, the steps are counted from then: others may get through."""
BURNING = frozenset({Course.RISING, Course.CLIMBING, Course.HIGH})
_ROUNDS = frozenset({Act.OPEN, Act.REOPEN, Act.LAPSE, Act.SPEAK, Act.WAKE, Act.UNDO})
"""What begins the steps anew."""
_CALLS_ITSELF = frozenset({Act.OPEN, Act.SPEAK, Act.UNDO})
"""Where the message that is sent anyway calls the first people, or somebody is there: nobody is called at once."""
ENGINE = "brandmelder"
OVER, BROKEN = "over", "broken"
"""Why people are told again: the silence has ended, or what happens is severe enough."""


class Target(Struct, frozen=True, kw_only=True):
    """Who a step calls: whoever is on call by a rota, one person, or a channel without anybody in particular."""

    rota: RotaId | None = None
    person: PersonId | None = None
    channel: ChannelId | None = None


class Step(Struct, frozen=True, kw_only=True):
    """One step of an escalation."""

    to: tuple[Target, ...]
    after: timedelta
    """Since the alert was confirmed by any channel."""


class Escalation(Struct, frozen=True, kw_only=True):
    """What one line of routing does about an incident that nobody takes."""

    steps: tuple[Step, ...] = ()
    repeats: timedelta | None = None
    """So long after the last step they begin anew; None stands for never."""
    lapses: timedelta = timedelta(hours=2)
    """After so long without a sign of whoever acknowledged, while it burns, they are asked…"""
    patience: timedelta = timedelta(minutes=10)
    """…and after so long without an answer nobody is on it any more."""

    @property
    def first(self) -> tuple[Target, ...]:
        """Whom the alert itself calls."""
        return tuple(target for step in self.steps if not step.after for target in step.to)

    @property
    def everybody(self) -> tuple[Target, ...]:
        """All who can be called, in the order of the steps."""
        return tuple(target for step in self.steps for target in step.to)


class Due(Struct, frozen=True, kw_only=True):
    """What is to be done about an incident now, and when to look again if it is nothing."""

    act: Act | None = None
    """ESCALATE, ASK or LAPSE."""
    number: int = 0
    """Of an escalation's step, counted on through repetitions."""
    at: datetime | None = None
    """When the next thing is due; None if time alone brings nothing."""

    def step(self, escalation: Escalation) -> Step:
        """Return the step that is meant."""
        return escalation.steps[self.number % len(escalation.steps)]


def due(
    incident: Incident,
    timeline: Sequence[Transition],
    confirmed: datetime | None,
    *,
    escalation: Escalation,
    now: datetime,
) -> Due:
    """Return what is due for an incident that people are told of; `confirmed` is when any channel had its alert.

    Of what is silenced, snoozed, or told within another's alert nothing is due; while it is calm, nobody is called.
    """
    if incident.silenced_since is not None or incident.snooze is not None or incident.under is not None:
        return Due()
    if incident.state is State.OPEN:
        return _unacknowledged(incident, timeline, confirmed, escalation=escalation, now=now)
    if incident.state is State.ACKNOWLEDGED:
        return _left_alone(incident, timeline, escalation, now)
    return Due()


def _unacknowledged(
    incident: Incident,
    timeline: Sequence[Transition],
    confirmed: datetime | None,
    *,
    escalation: Escalation,
    now: datetime,
) -> Due:
    begin = next((step for step in reversed(timeline) if step.act in _ROUNDS), None)
    if begin is None or not escalation.steps or incident.calm_since is not None:
        return Due()
    start = max(begin.at, min(confirmed or now + UNCONFIRMED, incident.opened_at + UNCONFIRMED))
    calls = [step.at for step in timeline if step.act is Act.ESCALATE and step.revision > begin.revision]
    done = len(calls)
    if begin.act in _CALLS_ITSELF and not _was_told_before(timeline, begin, confirmed):
        done += sum(1 for step in escalation.steps if not step.after)
    round_, place = divmod(done, len(escalation.steps))
    if round_ and escalation.repeats is None:
        return Due()
    cycle = escalation.steps[-1].after + (escalation.repeats or timedelta(0))
    at = start + round_ * cycle + escalation.steps[place].after
    if round_:
        at = max(at, calls[-1] + _between(escalation, place))
    if confirmed is None and start > now:
        return Due(at=start)
    return Due(act=Act.ESCALATE, number=done) if at <= now else Due(at=at)


def _between(escalation: Escalation, place: int) -> timedelta:
    """Return how long whoever was called has before the next is; rounds that were missed are not made up for."""
    before = escalation.steps[place - 1].after if place else -(escalation.repeats or timedelta(0))
    return escalation.steps[place].after - before


def _was_told_before(timeline: Sequence[Transition], begin: Transition, confirmed: datetime | None) -> bool:
    """Whether a severity broke the silence of what stood already: its edit and its word in the thread call nobody."""
    if begin.act is not Act.SPEAK or begin.note != BROKEN or confirmed is None:
        return False
    silenced = (step for step in reversed(timeline) if step.act is Act.SILENCE and step.revision < begin.revision)
    before = next(silenced, None)
    return before is not None and confirmed <= before.at


def _left_alone(incident: Incident, timeline: Sequence[Transition], escalation: Escalation, now: datetime) -> Due:
    signs = [step.at for step in timeline if step.by != ENGINE]
    active = max([*signs, incident.acknowledged_at or incident.opened_at])
    if incident.asked_at is not None and incident.asked_at >= active:
        at = incident.asked_at + escalation.patience
        return Due(act=Act.LAPSE) if at <= now else Due(at=at)
    at = active + escalation.lapses
    if at > now:
        return Due(at=at)
    burns = incident.course in BURNING and incident.calm_since is None
    return Due(act=Act.ASK) if burns else Due()


def confirmed_at(deliveries: Iterable[Delivery]) -> datetime | None:
    """Return when any channel first had an incident's alert; None before."""
    moments = (one.confirmed_at for one in deliveries if one.kind is DeliveryKind.OPEN and one.confirmed_at)
    return min(moments, default=None)
