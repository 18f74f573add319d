"""Which deliveries a change of an incident promises, and when each wants attention; what silences hold back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.errors import Conflict
from brandmelder.model import Act, Delivery, DeliveryKind, DeliveryState, State
from brandmelder.notify.delivery import key_of, next_moment
from brandmelder.notify.routing import Route, channels_of, promises
from brandmelder.pipeline.duty import Scene, first_called, hush_now
from brandmelder.store import deliveries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import ChannelId, Incident, PersonId, Transition
    from brandmelder.pipeline.parts import Parts

_SHOWN = frozenset({State.OPEN, State.ACKNOWLEDGED})
_EDITS = frozenset({DeliveryKind.UPDATE, DeliveryKind.RESOLVE})
_ANSWERS = frozenset({Act.ACKNOWLEDGE, Act.HAND_OVER, Act.RESOLVE, Act.DISMISS})
"""After these nobody needs to be called any more."""


def promise_change(
    connection: Connection, parts: Parts, incident: Incident, transitions: Sequence[Transition], now: datetime
) -> None:
    """Promise what an incident's change is worth; calls that are not needed any more are taken back.

    Call it in the transaction that saved the incident, after it was saved. What is told within another's alert
    promises nothing of its own (pipeline/shelter.py).
    """
    if incident.under is not None:
        return
    scene = Scene(connection, parts, now)
    standing = deliveries.of_incident(connection, incident.id)
    if any(step.act in _ANSWERS for step in transitions):
        _take_back(connection, standing)
    if transitions or incident.state in _SHOWN:
        deliveries.promise(connection, scheduled(_wanted(scene, incident, transitions, standing)))


def _wanted(
    scene: Scene, incident: Incident, transitions: Sequence[Transition], standing: Sequence[Delivery]
) -> list[Delivery]:
    told = {one.channel for one in standing if one.kind is DeliveryKind.OPEN}
    wanted = _by_change(scene, incident, transitions, told)
    if hush_now(scene, incident) is not None:
        # An edit disturbs nobody; without an alert there is nothing to edit.
        return [one for one in wanted if one.kind in _EDITS and one.channel in told]
    is_late = incident.silenced_since is not None and incident.state in _SHOWN and not told
    if is_late or any(one.kind is DeliveryKind.OPEN for one in wanted):
        return openings(scene, incident, told=told)
    return wanted


def openings(scene: Scene, incident: Incident, *, told: Iterable[ChannelId] = ()) -> list[Delivery]:
    """Return the alert of an incident for every channel that does not have it, and for those whom it calls."""
    called = first_called(scene, incident.monitor)
    channels = dict.fromkeys((*channels_of(incident.monitor, scene.parts.routes), *called.channels))
    had = set(told)
    return [
        made(incident, DeliveryKind.OPEN, channel, scene.now, persons=called.persons)
        for channel in channels
        if channel in scene.parts.notifiers and channel not in had
    ]


def made(
    incident: Incident, kind: DeliveryKind, channel: ChannelId, now: datetime, *, persons: Sequence[PersonId] = ()
) -> Delivery:
    """Return one promise about an incident as it stands."""
    step = None if kind is DeliveryKind.OPEN else incident.revision
    return Delivery(
        key=key_of(incident.id, kind, step=step, channel=channel),
        incident=incident.id,
        channel=channel,
        kind=kind,
        revision=incident.revision,
        state=DeliveryState.DUE,
        due_at=now,
        created_at=now,
        persons=tuple(persons),
    )


def scheduled(promised: Iterable[Delivery]) -> list[tuple[Delivery, datetime | None]]:
    """Pair each delivery with the moment it wants attention."""
    return [(one, next_moment(one)) for one in promised]


def _by_change(
    scene: Scene, incident: Incident, transitions: Sequence[Transition], told: Iterable[ChannelId]
) -> list[Delivery]:
    """Return what transitions are worth; without any, an edit for newer figures alone."""
    notifiers, now = scene.parts.notifiers, scene.now
    editable = frozenset(ident for ident, notifier in notifiers.items() if notifier.can_update)
    routes = (*scene.parts.routes, Route(channels=tuple(sorted(told)), only_edits=True))
    if transitions:
        return list(promises(incident, transitions, routes=routes, now=now, editable=editable))
    channels = channels_of(incident.monitor, routes)
    return [made(incident, DeliveryKind.UPDATE, channel, now) for channel in channels if channel in editable]


def _take_back(connection: Connection, standing: Sequence[Delivery]) -> None:
    """Let calls that have not gone out yet rest: somebody is on it."""
    for one in standing:
        if one.kind is DeliveryKind.ESCALATE and one.state is DeliveryState.DUE:
            gone = replace(one, state=DeliveryState.SUPERSEDED)
            try:
                deliveries.save_delivery(connection, gone, next_moment(gone), expected=DeliveryState.DUE)
            except Conflict:
                continue
