"""Who is on call, and whether people are told now: read from the configuration and from what is stored beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from brandmelder.model import ChannelId, Evidence, Incident, MonitorId, Person, PersonId, RotaId
from brandmelder.notify import ical
from brandmelder.notify.call import Hole
from brandmelder.notify.message import Callee
from brandmelder.notify.rota import Rota, plan, turn_at, turns_of
from brandmelder.notify.routing import escalation_of
from brandmelder.notify.silence import Hush, Quiet, QuietHours, hush_of
from brandmelder.store import incidents, rotas, silences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from brandmelder.model import Silence, Turn
    from brandmelder.notify.escalation import Target
    from brandmelder.pipeline.parts import Parts

BACK, AHEAD = timedelta(days=15), timedelta(days=15)
"""How much of a plan is looked at."""


class Duty(Struct, frozen=True, kw_only=True):
    """What the configuration says about who is told, when."""

    people: Mapping[PersonId, Person] = MappingProxyType({})
    rotas: Mapping[RotaId, Rota] = MappingProxyType({})
    places: Mapping[RotaId, str] = MappingProxyType({})
    """Where the calendars of those rotas are kept that have one: an address, or the path of a file."""
    quiet: tuple[QuietHours, ...] = ()
    people_in_figures: bool = True

    def callees(self, persons: Iterable[PersonId]) -> tuple[Callee, ...]:
        """Return those of the configuration's people whom a message calls."""
        known = (self.people[one] for one in persons if one in self.people)
        return tuple(Callee(name=one.name, slack=one.slack, mail=one.mail) for one in known)

    def names(self, persons: Iterable[PersonId]) -> tuple[str, ...]:
        """Return what people are called; who left the configuration is known by their id."""
        return tuple(self.people[one].name if one in self.people else str(one) for one in persons)


@dataclass(frozen=True, slots=True)
class Scene:
    """What one look at one moment works with, inside one transaction."""

    connection: Connection
    parts: Parts
    now: datetime


class Called(Struct, frozen=True, kw_only=True):
    """Whom some targets mean at a moment."""

    persons: tuple[PersonId, ...] = ()
    channels: tuple[ChannelId, ...] = ()
    """Those that targets name, and those of the persons."""
    holes: tuple[Hole, ...] = ()


def plan_of(connection: Connection, duty: Duty, rota: Rota, *, since: datetime, until: datetime) -> tuple[Turn, ...]:
    """Return who is on call by a rota in [since, until): its turns or its calendar's last good copy, and overrides.

    A calendar that was never read, or cannot be, is a hole. An override for somebody who left the configuration holds
    no more: nobody would be called by it.
    """
    turns: Sequence[Turn] = turns_of(rota, since, until)
    if rota.id in duty.places:
        turns = roster_of(connection, duty, rota, since=since, until=until).turns
    known = (one for one in rotas.overrides_after(connection, since) if one.person in duty.people)
    overrides = [one for one in known if one.rota == rota.id]
    return plan(turns, overrides, since, until)


def roster_of(connection: Connection, duty: Duty, rota: Rota, *, since: datetime, until: datetime) -> ical.Roster:
    """Return what the last good copy of a rota's calendar says; nothing if there is none."""
    copy = rotas.copies(connection).get(rota.id)
    if copy is None or not copy.content or copy.place != duty.places.get(rota.id):
        return ical.Roster(turns=())
    people = tuple(duty.people.values())
    # Whole days, so that what was read is found again all day.
    first, last = (one.replace(hour=0, minute=0, second=0, microsecond=0) for one in (since, until))
    try:
        return _roster(copy.content, people, rota, first, last + timedelta(days=2))
    except ical.CalendarUnreadable:
        return ical.Roster(turns=())


@lru_cache(maxsize=128)  # three spans for each rota, and those of the day before
def _roster(content: bytes, people: tuple[Person, ...], rota: Rota, since: datetime, until: datetime) -> ical.Roster:
    return ical.roster(content, people, rota.zone, since=since, until=until)


def on_call(connection: Connection, duty: Duty, rota: Rota, now: datetime) -> tuple[PersonId, ...]:
    """Return who is on call by a rota now; nobody means a hole."""
    turn = turn_at(plan_of(connection, duty, rota, since=now, until=now + timedelta(seconds=1)), now)
    return turn.people if turn is not None else ()


def called(connection: Connection, duty: Duty, targets: Iterable[Target], now: datetime) -> Called:
    """Return whom targets mean now; for a rota with a hole its fallback, and that it is one."""
    persons: dict[PersonId, None] = {}
    channels: dict[ChannelId, None] = {}
    holes: list[Hole] = []
    for target in targets:
        if target.channel is not None:
            channels[target.channel] = None
        if target.person is not None:
            persons[target.person] = None
        if target.rota is not None and target.rota in duty.rotas:
            rota = duty.rotas[target.rota]
            who = on_call(connection, duty, rota, now)
            if not who:
                holes.append(Hole(rota=rota.id, instead=duty.names(rota.fallback)))
            persons |= dict.fromkeys(who or rota.fallback)
    for person in persons:
        if person in duty.people:
            channels |= dict.fromkeys(duty.people[person].channels)
    return Called(persons=tuple(persons), channels=tuple(channels), holes=tuple(holes))


def first_called(scene: Scene, monitor: MonitorId) -> Called:
    """Return whom the alert of a monitor itself calls."""
    escalation = escalation_of(monitor, scene.parts.routes)
    return called(scene.connection, scene.parts.duty, escalation.first or escalation.everybody[:1], scene.now)


def quiet_of(scene: Scene, monitor: MonitorId) -> Quiet:
    """Return the quiet hours of a monitor, in the zone of whoever is on call for it."""
    zone, duty = scene.parts.zone, scene.parts.duty
    if duty.quiet:
        who = first_called(scene, monitor).persons
        zones = [duty.people[one].zone for one in who if one in duty.people]
        zone = ZoneInfo(zones[0]) if zones else zone
    return Quiet(zone=zone, hours=duty.quiet)


def hush_now(scene: Scene, incident: Incident, evidence: Evidence | None = None) -> Hush | None:
    """Return why nobody is told of an incident now; None if people are told."""
    made = silences.ending_after(scene.connection, scene.now)
    if not made and not scene.parts.duty.quiet:
        return None
    if evidence is None:
        found = incidents.find(scene.connection, incident.id)
        evidence = found[1] if found is not None else Evidence()
    quiet = quiet_of(scene, incident.monitor)
    return hush_of(incident, evidence, silences=made, quiet=quiet, now=scene.now)


def why(hush: Hush) -> str:
    """Return a hush as the note of a transition."""
    silence: Silence | None = hush.silence
    return "quiet hours" if silence is None else f"silence {silence.id} by {silence.by}: {silence.reason}"
