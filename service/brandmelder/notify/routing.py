"""Who is told what: which deliveries the changes of an incident promise to which channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Act, ChannelId, Delivery, DeliveryKind, DeliveryState, MonitorId
from brandmelder.notify.delivery import key_of
from brandmelder.notify.escalation import Escalation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from brandmelder.model import Incident, Transition

PROMISED: dict[Act, tuple[DeliveryKind, ...]] = {
    Act.SUSPECT: (),
    Act.DISCARD: (),
    Act.OPEN: (DeliveryKind.OPEN,),
    Act.ACKNOWLEDGE: (DeliveryKind.UPDATE,),
    Act.AGE: (DeliveryKind.UPDATE,),
    Act.CORRECT: (DeliveryKind.UPDATE,),
    Act.SNOOZE: (DeliveryKind.UPDATE,),
    Act.HAND_OVER: (DeliveryKind.UPDATE, DeliveryKind.THREAD),
    Act.WAKE: (DeliveryKind.UPDATE, DeliveryKind.THREAD),
    Act.UNDO: (DeliveryKind.UPDATE, DeliveryKind.THREAD),
    Act.WORSEN: (DeliveryKind.UPDATE, DeliveryKind.THREAD),
    Act.TURN: (DeliveryKind.UPDATE, DeliveryKind.THREAD),
    Act.JOIN: (DeliveryKind.UPDATE, DeliveryKind.THREAD),
    Act.ESCALATE: (DeliveryKind.UPDATE,),
    Act.ASK: (),
    Act.LAPSE: (DeliveryKind.UPDATE,),
    Act.SILENCE: (),
    Act.SPEAK: (),
    Act.REOPEN: (DeliveryKind.UPDATE, DeliveryKind.THREAD),
    Act.RESOLVE: (DeliveryKind.RESOLVE, DeliveryKind.THREAD),
    Act.DISMISS: (DeliveryKind.RESOLVE, DeliveryKind.THREAD),
}
"""What each change is worth: a silent edit of the alert, or a word in its thread as well.

Whom an escalation or a question calls, and what is said when a silence ends, is promised where it is decided.
"""

_EDITS = frozenset({DeliveryKind.UPDATE, DeliveryKind.RESOLVE})
_ENDS = frozenset({Act.RESOLVE, Act.DISMISS})
ENGINE = "brandmelder"
"""Who acts when no person does."""
_NEWS = frozenset({Act.WORSEN, Act.TURN, Act.JOIN, Act.AGE})
"""What a snooze keeps out of the thread; the word that ends it tells the figures."""


class Route(Struct, frozen=True, kw_only=True):
    """Alerts of these monitors go to these channels."""

    channels: tuple[ChannelId, ...]
    monitors: frozenset[MonitorId] | None = None
    """None stands for all."""
    fallback: tuple[ChannelId, ...] = ()
    """Who is told instead of a channel that does not confirm."""
    escalation: Escalation = Escalation()
    only_edits: bool = False
    """Somebody was called there: the alert is kept up to date, and nothing more is said."""


def routes_of(monitor: MonitorId, routes: Sequence[Route]) -> tuple[Route, ...]:
    """Return the routes that concern a monitor."""
    return tuple(route for route in routes if route.monitors is None or monitor in route.monitors)


def escalation_of(monitor: MonitorId, routes: Sequence[Route]) -> Escalation:
    """Return what is done about an incident of a monitor that nobody takes: by the first route that says so."""
    saying = (route.escalation for route in routes_of(monitor, routes) if route.escalation.steps)
    return next(saying, Escalation())


def channels_of(monitor: MonitorId, routes: Sequence[Route]) -> tuple[ChannelId, ...]:
    """Return the channels that hear of a monitor, each once, in the order of the routes."""
    return tuple(dict.fromkeys(channel for route in routes_of(monitor, routes) for channel in route.channels))


def promises(
    incident: Incident,
    transitions: Sequence[Transition],
    routes: Sequence[Route],
    *,
    now: datetime,
    editable: AbstractSet[ChannelId],
) -> tuple[Delivery, ...]:
    """Return the deliveries that an incident's new transitions promise, in the order they are to be sent.

    Channels outside `editable` get no edits; what is worth a word reaches them as a new message. Keys depend on
    nothing but incident, kind, revision and channel: promising twice is promising once.
    """
    wanted = _wanted(transitions, is_snoozed=incident.snooze is not None)
    peoples = {step.revision for step in transitions if step.by != ENGINE}
    heard = channels_of(incident.monitor, [route for route in routes if not route.only_edits])
    return tuple(
        Delivery(
            key=key_of(incident.id, kind, step=None if kind is DeliveryKind.OPEN else revision, channel=channel),
            incident=incident.id,
            channel=channel,
            kind=kind,
            revision=revision,
            state=DeliveryState.DUE,
            due_at=now,
            created_at=now,
            is_prompt=revision in peoples,
        )
        for channel in channels_of(incident.monitor, routes)
        for kind, revision in wanted
        if (channel in editable if kind in _EDITS else channel in heard)
    )


def _wanted(transitions: Sequence[Transition], *, is_snoozed: bool) -> list[tuple[DeliveryKind, int]]:
    """Return kinds and revisions; of edits only the newest.

    A message is rendered when it is sent, so an opening tells what else happened in the same moment, but for its end.
    """
    if any(one.act is Act.OPEN for one in transitions):
        transitions = [one for one in transitions if one.act is Act.OPEN or one.act in _ENDS]
    is_quiet = is_snoozed or any(one.act is Act.WAKE for one in transitions)
    wanted = [
        (kind, one.revision)
        for one in transitions
        for kind in PROMISED[one.act]
        if not (is_quiet and kind is DeliveryKind.THREAD and one.act in _NEWS)
    ]
    last_edit = max((place for place, (kind, _) in enumerate(wanted) if kind in _EDITS), default=-1)
    return [entry for place, entry in enumerate(wanted) if entry[0] not in _EDITS or place == last_edit]
