"""Who is called next to an incident, and when, as things stand: what the page tells whoever waits."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Act
from brandmelder.notify.escalation import confirmed_at, due
from brandmelder.notify.routing import escalation_of
from brandmelder.pipeline.duty import called, hush_now

if TYPE_CHECKING:
    from brandmelder.notify.escalation import Due, Escalation
    from brandmelder.pipeline.duty import Scene
    from brandmelder.pipeline.render import Facts

_LOOKS = 3
"""What is due may first be the moment from which the steps are counted, and then a step."""


class NextCall(Struct, frozen=True, kw_only=True):
    """What happens next if nobody does anything."""

    act: Act
    """ESCALATE: the next are called; ASK: whoever acknowledged is asked; LAPSE: they are taken to be gone; SPEAK:
    the silence ends, and until then nobody is called."""
    at: datetime
    names: tuple[str, ...] = ()
    """Whom it calls: people, then channels without anybody in particular."""


def next_call(scene: Scene, facts: Facts) -> NextCall | None:
    """Return what happens next to an incident that nobody touches; None if nothing will."""
    incident, now = facts.incident, scene.now
    if incident.silenced_since is not None:
        hush = hush_now(scene, incident, facts.evidence)
        return NextCall(act=Act.SPEAK, at=hush.until) if hush is not None else None
    escalation = escalation_of(incident.monitor, scene.parts.routes)
    confirmed, at = confirmed_at(facts.told), now
    for _ in range(_LOOKS):
        found = due(incident, facts.timeline, confirmed, escalation=escalation, now=at)
        if found.act is not None:
            return NextCall(act=found.act, at=at, names=_names(scene, found, escalation, at))
        if found.at is None:
            return None
        at = found.at
    return None


def _names(scene: Scene, found: Due, escalation: Escalation, at: datetime) -> tuple[str, ...]:
    if found.act is not Act.ESCALATE:
        return ()
    meant, duty = called(scene.connection, scene.parts.duty, found.step(escalation).to, at), scene.parts.duty
    theirs = {channel for one in meant.persons if one in duty.people for channel in duty.people[one].channels}
    names = scene.parts.fallbacks.names
    return duty.names(meant.persons) + tuple(
        names.get(channel, channel) for channel in meant.channels if channel not in theirs
    )
