"""Keeps watch over what people leave alone: who is called next, whose acknowledgement lapses, when a silence ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.errors import BrandmelderError
from brandmelder.incident import watch
from brandmelder.model import Act, ChannelId, Delivery, DeliveryKind, Incident, State, Transition
from brandmelder.notify.escalation import BROKEN, OVER, Due, confirmed_at, due
from brandmelder.notify.routing import channels_of, escalation_of
from brandmelder.notify.silence import next_edge
from brandmelder.pipeline.apart import SOON, Apart
from brandmelder.pipeline.blindness import sight_bulletins
from brandmelder.pipeline.bulletins import duty_bulletins, give, still_burning
from brandmelder.pipeline.calendars import read_calendars
from brandmelder.pipeline.digests import give_digests
from brandmelder.pipeline.doubts import Doubter
from brandmelder.pipeline.duty import Called, Scene, called, first_called, hush_now, quiet_of, why
from brandmelder.pipeline.promise import made, openings, promise_change, scheduled
from brandmelder.store import deliveries, incidents, silences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.incident.transitions import Change
    from brandmelder.model import Evidence
    from brandmelder.notify.escalation import Escalation
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

STANDSTILL = timedelta(minutes=2)
"""Without a sign of life for so long, the process did not run: the timer gives one every few seconds."""


class Kept(Struct, frozen=True, kw_only=True):
    """What one look brought."""

    next_at: datetime | None
    has_promised: bool


class Keeper:
    """Looks at the running incidents as time passes. What it finds depends on nothing but the database and `now`."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.doubter = Doubter(parts)
        self.started: datetime | None = None
        """Since when this process polls: what was due before it is not late."""
        self._pulse: datetime | None = None

    def beat(self, now: datetime) -> None:
        """Know that the process runs; that it stood still (a suspended machine) is as if it had just started."""
        if self._pulse is not None and not timedelta(0) <= now - self._pulse <= STANDSTILL:
            self.started = now
        self._pulse = now

    async def keep(self, now: datetime) -> Kept:
        """Do all that is due, and say when to look again."""
        if self._pulse is not None:
            self.beat(now)
        reads_at = await read_calendars(self.parts, now)
        try:
            next_at, has_promised = await self.parts.database.run(
                _keep_and_tell, self.parts, self.doubter, now, self.started or now
            )
        except BrandmelderError:  # nothing of it stands: what was looked at is looked at again
            self.doubter.forget()
            raise
        moments = [moment for moment in (next_at, reads_at) if moment is not None]
        return Kept(next_at=min(moments, default=None), has_promised=has_promised)


def _keep_and_tell(
    connection: Connection, parts: Parts, doubter: Doubter, now: datetime, started: datetime
) -> tuple[datetime | None, bool]:
    """Do what is due; returns when to look again, and whether something is to be sent at once that was not before."""
    before = deliveries.next_attention(connection)
    next_at = _keep(Scene(connection, parts, now), doubter, started)
    after = deliveries.next_attention(connection)
    return next_at, after is not None and after <= now and (before is None or before > now)


def _keep(scene: Scene, doubter: Doubter, started: datetime) -> datetime | None:
    running = [
        found
        for found in incidents.all_incidents(scene.connection, running_only=True)
        if watch.is_told_of(found[0].state) and found[0].under is None
    ]
    apart = Apart.of(scene)
    moments = [apart.do("when a silence begins or ends", _next_edge, scene, running)]
    ended: list[Incident] = []
    for incident, evidence in running:
        moments.append(apart.do(f"incident {incident.id}", _look_at, scene, incident, evidence, ended))
    if apart.do("what still burns after a silence", _tell_what_still_burns, scene, ended) is None:
        for incident in ended:
            apart.do(f"incident {incident.id}, which still burns,", _tell_what_still_burns, scene, [incident])
    moments += [duty_bulletins(scene, apart), give_digests(scene, apart)]
    moments.append(apart.do("what is told of blind sources", sight_bulletins, scene, started))
    moments.append(doubter.look(scene, apart))
    if apart.has_stumbled:
        moments.append(scene.now + SOON)
    return min((moment for moment in moments if moment is not None), default=None)


def _look_at(scene: Scene, incident: Incident, evidence: Evidence, ended: list[Incident]) -> datetime | None:
    """Take one look; an incident whose silence has ended by itself is added to `ended`."""
    look = _Look(scene, incident, evidence)
    following = look.take()
    ended += look.ended
    return following


class _Look:
    """One look at one incident."""

    def __init__(self, scene: Scene, incident: Incident, evidence: Evidence) -> None:
        self.scene, self.incident, self.evidence = scene, incident, evidence
        self.duty = scene.parts.duty
        self.escalation: Escalation = escalation_of(incident.monitor, scene.parts.routes)
        self.ended: list[Incident] = []
        """The incident, if its silence has ended by itself."""

    def take(self) -> datetime | None:
        """Do what is due; returns when the next thing is."""
        self._hush()
        connection, now = self.scene.connection, self.scene.now
        timeline = incidents.timeline(connection, self.incident.id)
        confirmed = confirmed_at(deliveries.of_incident(connection, self.incident.id))
        found = due(self.incident, timeline, confirmed, escalation=self.escalation, now=now)
        match found.act:
            case Act.ESCALATE:
                self._escalate(found, timeline)
            case Act.ASK:
                self._save(watch.ask(self.incident, at=now))
                self._call(self._whoever_acknowledged())
            case Act.LAPSE:
                self._save(watch.lapse(self.incident, at=now))
            case _:
                return found.at
        return now

    def _hush(self) -> None:
        """Write down that a silence holds from now on, or holds no more."""
        hush, now = hush_now(self.scene, self.incident, self.evidence), self.scene.now
        if hush is not None:
            self._save(watch.silence(self.incident, why(hush), at=now))
        elif self.incident.silenced_since is not None:
            # What is severe enough is told by what made it so: the silence still holds for anything less.
            is_broken = hush_now(self.scene, replace(self.incident, severity=0), self.evidence) is not None
            self._save(watch.speak(self.incident, BROKEN if is_broken else OVER, at=now))
            self.ended = [] if is_broken or self.incident.snooze is not None else [self.incident]
        if hush is None and not self.ended and not _standing(self.scene, self.incident):
            deliveries.promise(self.scene.connection, scheduled(openings(self.scene, self.incident)))

    def _escalate(self, found: Due, timeline: Sequence[Transition]) -> None:
        whom = called(self.scene.connection, self.duty, found.step(self.escalation).to, self.scene.now)
        self._save(watch.escalate(self.incident, _note(found, timeline), at=self.scene.now))
        self._call(whom)
        log.info("incident.escalated", incident=self.incident.id, step=found.number)

    def _whoever_acknowledged(self) -> Called:
        """Return whoever acknowledged; if the configuration does not know them, whoever is on call."""
        name, person = (self.incident.acknowledged_by or "").casefold(), self.incident.acknowledged_person
        known = [
            one
            for one in self.duty.people.values()
            if (person and person == one.slack) or name in {one.name.casefold(), one.id}
        ]
        if not known:
            return first_called(self.scene, self.incident.monitor)
        own = dict.fromkeys(channel for one in known for channel in one.channels)
        return Called(persons=tuple(one.id for one in known), channels=tuple(own))

    def _call(self, whom: Called) -> None:
        """Promise a call in every channel of the incident, and the alert itself where it does not stand yet."""
        deliveries.promise(self.scene.connection, scheduled(_calls(self.scene, self.incident, whom)))

    def _save(self, change: Change) -> None:
        if change.incident is None or not change.transitions:
            return
        incidents.save_incident(
            self.scene.connection,
            change.incident,
            None,
            change.transitions,
            expected_revision=self.incident.revision,
        )
        self.incident = change.incident
        promise_change(self.scene.connection, self.scene.parts, change.incident, change.transitions, self.scene.now)


def _calls(scene: Scene, incident: Incident, whom: Called) -> list[Delivery]:
    """Return the calls for people about an incident as it stands."""
    standing = _standing(scene, incident)
    channels = dict.fromkeys((*channels_of(incident.monitor, scene.parts.routes), *whom.channels))
    return [
        made(
            incident,
            DeliveryKind.ESCALATE if channel in standing else DeliveryKind.OPEN,
            channel,
            scene.now,
            persons=whom.persons,
        )
        for channel in channels
        if channel in scene.parts.notifiers
    ]


def _standing(scene: Scene, incident: Incident) -> set[ChannelId]:
    """Return the channels in which an incident's alert stands, or was at least tried."""
    promised = deliveries.of_incident(scene.connection, incident.id)
    return {one.channel for one in promised if one.kind is DeliveryKind.OPEN}


def _note(found: Due, timeline: Sequence[Transition]) -> str:
    """Return which step it is, and what led there if it is not the first opening."""
    last = next((step for step in reversed(timeline) if step.act is not Act.WORSEN), None)
    if last is not None and last.act is Act.LAPSE:
        return f"{found.number} lapsed {last.note}"
    if last is not None and last.act in {Act.REOPEN, Act.WAKE}:
        return f"{found.number} again"
    return str(found.number)


def _tell_what_still_burns(scene: Scene, ended: Sequence[Incident]) -> int:
    """Tell at the end of a silence what still burns, in one message, however much it is; returns how much."""
    if len(ended) == 1:
        (incident,) = ended
        whom = first_called(scene, incident.monitor) if incident.state is State.OPEN else Called()
        deliveries.promise(scene.connection, scheduled(_calls(scene, incident, whom)))
    elif ended:
        notice = still_burning(scene, ended)
        give(scene, notice)
        for incident in ended:
            untold = openings(scene, incident, told=_standing(scene, incident))
            below = [replace(one, under=notice.key_in(one.channel), persons=()) for one in untold]
            deliveries.promise(scene.connection, scheduled(below))
    return len(ended)


def _next_edge(scene: Scene, running: Sequence[tuple[Incident, Evidence]]) -> datetime | None:
    """Return when a silence or quiet hours begin or end next; without a running incident it does not matter."""
    if not running:
        return None
    made_ = silences.ending_after(scene.connection, scene.now)
    monitors = dict.fromkeys(incident.monitor for incident, _ in running)
    quiets = [quiet_of(scene, monitor) for monitor in monitors] if scene.parts.duty.quiet else []
    return next_edge(made_, quiets, scene.now)
