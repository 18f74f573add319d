"""Gives notices that are about no single incident: what still burns, changes of duty, rotas that need a hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.errors import StoreError
from brandmelder.incident import watch
from brandmelder.model import (
    Act,
    ChannelId,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Incident,
    IncidentId,
    PersonId,
    State,
)
from brandmelder.notify import bulletin
from brandmelder.notify.bulletin import Happened, Reader, Standing, Trouble
from brandmelder.notify.delivery import key_of
from brandmelder.notify.message import Message
from brandmelder.notify.rota import Rota, holes, next_change, turn_at
from brandmelder.notify.routing import channels_of
from brandmelder.pipeline.calendars import FRESH
from brandmelder.pipeline.duty import AHEAD, BACK, Scene, first_called, plan_of, roster_of
from brandmelder.pipeline.promise import scheduled
from brandmelder.store import calls, deliveries, incidents, intake, meta, rotas, silences, sources, usage

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.model import Turn
    from brandmelder.pipeline.apart import Apart
    from brandmelder.pipeline.parts import Parts

HOLES_AHEAD = timedelta(days=7)
LOOKS = timedelta(hours=1)
"""How often the plans are looked through for holes."""
PAGES_KEPT = timedelta(days=365)
"""How long it is known when people were called; they are data about employees."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode


class Notice(Struct, frozen=True, kw_only=True):
    """One notice, in the language of each channel that gets it."""

    ident: str
    messages: Mapping[str, Message]
    """By language."""
    channels: Mapping[ChannelId, str]
    """And the language of each."""
    persons: tuple[PersonId, ...] = ()
    """Whom it calls."""

    def key_in(self, channel: ChannelId) -> str:
        """Return the key of its delivery to a channel."""
        return key_of(self._named(self.channels[channel]), DeliveryKind.NOTICE, step=None, channel=channel)

    def _named(self, language: str) -> IncidentId:
        return IncidentId(f"{self.ident}:{language}")

    def promised(self, now: datetime) -> list[Delivery]:
        """Return its deliveries."""
        return [
            Delivery(
                key=self.key_in(channel),
                incident=self._named(language),
                channel=channel,
                kind=DeliveryKind.NOTICE,
                revision=0,
                state=DeliveryState.DUE,
                due_at=now,
                created_at=now,
                persons=self.persons,
            )
            for channel, language in self.channels.items()
        ]


def give(scene: Scene, notice: Notice) -> None:
    """Keep a notice and promise it to its channels; what was given before is not given again."""
    keep(scene.connection, notice, scene.now)


def keep(connection: Connection, notice: Notice, now: datetime) -> None:
    """Do the same where there is no scene."""
    for language, message in notice.messages.items():
        calls.give_notice(connection, f"{notice.ident}:{language}", _encode(message), now)
    deliveries.promise(connection, scheduled(notice.promised(now)))


def read_notice(connection: Connection, ident: str) -> Message:
    """Return what a notice says. Raises StoreError if it is not there."""
    body = calls.notice_body(connection, ident)
    if body is None:
        raise StoreError(f"a delivery speaks of notice {ident}, which is not in the database; restore a backup")
    return _decode(body)


# ------------------------------------------------------------------ what still burns


def still_burning(scene: Scene, burning: Sequence[Incident]) -> Notice:
    """Return the one message at the end of a silence."""
    whom: dict[PersonId, None] = {}
    channels: dict[ChannelId, None] = {}
    for incident in burning:
        found = first_called(scene, incident.monitor)
        whom |= dict.fromkeys(found.persons if incident.state is State.OPEN else ())
        channels |= dict.fromkeys((*channels_of(incident.monitor, scene.parts.routes), *found.channels))
    ident = f"burning:{int(scene.now.timestamp())}"
    callees = scene.parts.duty.callees(whom)
    notice = written(
        scene, ident, lambda reader: bulletin.still_burning(ident, burning, reader, callees), channels=channels
    )
    return replace(notice, persons=tuple(whom))


# ------------------------------------------------------------------ changes of duty


def duty_bulletins(scene: Scene, apart: Apart) -> datetime | None:
    """Give a note where duty has changed, an alarm where a plan needs a hand; returns when to look again."""
    apart.do("what is to be forgotten", _forget, scene)
    moments = [apart.do(f'rota "{rota.id}"', _look_at, scene, rota) for rota in scene.parts.duty.rotas.values()]
    return min((moment for moment in moments if moment is not None), default=None)


def _forget(scene: Scene) -> None:
    """Once a day, forget the calls of a year ago, what sources took then, and what they brought before last month."""
    today = scene.now.date().isoformat()
    if meta.read(scene.connection, "pages_kept") != today:
        calls.forget_pages(scene.connection, scene.now - PAGES_KEPT)
        usage.forget(scene.connection, scene.now.date())
        intake.forget(scene.connection, scene.now)
        meta.write(scene.connection, "pages_kept", today)


def _look_at(scene: Scene, rota: Rota) -> datetime:
    now = scene.now
    turns = plan_of(scene.connection, scene.parts.duty, rota, since=now - BACK, until=now + AHEAD)
    _note_change(scene, rota, turns)
    _alarm(scene, rota, turns)
    changes = next_change(turns, now)
    return min(now + LOOKS, changes) if changes is not None else now + LOOKS


def _note_change(scene: Scene, rota: Rota, turns: Sequence[Turn]) -> None:
    now = scene.now
    turn = turn_at(turns, now)
    name = f"on_call:{rota.id}"
    seen = meta.read(scene.connection, name)
    people = ",".join(turn.people) if turn else ""
    before, _, since = (seen or "").partition("@")
    if seen is not None and before == people:
        return
    began = turn.since if turn is not None and turn.since > now - BACK else now
    meta.write(scene.connection, name, f"{people}@{int(began.timestamp())}")
    if seen is None:
        return
    happened = _happened(scene, datetime.fromtimestamp(int(since), now.tzinfo), people=before)
    give(scene, _handover(scene, rota, (people, before), happened))


def _handover(scene: Scene, rota: Rota, change: tuple[str, str], happened: Happened) -> Notice:
    duty = scene.parts.duty
    comes, goes = (tuple(PersonId(one) for one in people.split(",") if one) for people in change)
    ident = f"turn:{rota.id}:{int(scene.now.timestamp())}"
    gone = duty.names(goes) if duty.people_in_figures else ()
    turn = (rota.id, bulletin.AND.join(duty.names(comes)), bulletin.AND.join(gone))
    own = [channel for one in comes if one in duty.people for channel in duty.people[one].channels]
    stands = _stands(scene)
    return written(
        scene,
        ident,
        lambda reader: bulletin.handover_note(ident, turn, happened, stands, reader),
        channels=dict.fromkeys((*_channels_of_rota(scene.parts, rota), *own)),
    )


def _happened(scene: Scene, since: datetime, *, people: str) -> Happened:
    """Return what happened in the turn of `people`."""
    connection, now = scene.connection, scene.now
    steps = [step for step in incidents.transitions_since(connection, since) if step.at <= now]
    reached = {one.key for one in calls.pages(connection, since, now) if one.person in people.split(",")}
    return Happened(
        since=since,
        opened=sum(1 for step in steps if step.act is Act.OPEN),
        closed=sum(1 for step in steps if step.act in {Act.RESOLVE, Act.DISMISS}),
        calls=len(reached) if scene.parts.duty.people_in_figures else None,
    )


def _stands(scene: Scene) -> Standing:
    running = incidents.all_incidents(scene.connection, running_only=True)
    rows = sources.read_sources(scene.connection).values()
    made = silences.ending_after(scene.connection, scene.now)
    return Standing(
        running=tuple(incident for incident, _ in running if watch.is_told_of(incident.state)),
        silences=tuple(one for one in made if one.since <= scene.now),
        blind=tuple((row.id, row.blind_since) for row in rows if row.blind_since is not None),
    )


# ------------------------------------------------------------- plans that need a hand


def _alarm(scene: Scene, rota: Rota, turns: Sequence[Turn]) -> None:
    """Tell once of each hole of the next days, and once a day of a calendar that cannot be read."""
    now, today = scene.now, scene.now.date().isoformat()
    for hole in holes(turns):
        if hole.until > now and hole.since < now + HOLES_AHEAD:
            # However far back a plan is looked at, a hole keeps its end; one without an end is told of once a day.
            named = str(int(hole.until.timestamp())) if hole.until < now + AHEAD else f"open:{today}"
            _tell(scene, rota, f"hole:{rota.id}:{named}", partial(bulletin.hole, rota.id, hole))
    if rota.id not in scene.parts.calendars:
        return
    copy = rotas.copies(scene.connection).get(rota.id)
    if copy is not None and copy.trouble and (copy.good_at is None or now - copy.good_at > FRESH):
        _tell(scene, rota, f"stale:{rota.id}:{today}", partial(bulletin.stale, rota.id, copy.good_at, copy.trouble))
    read = roster_of(scene.connection, scene.parts.duty, rota, since=now, until=now + HOLES_AHEAD)
    if read.unknown:
        _tell(scene, rota, f"unknown:{rota.id}:{today}", partial(bulletin.unknown, rota.id, read.unknown))


def _tell(scene: Scene, rota: Rota, ident: str, trouble: Callable[[Reader], Trouble]) -> None:
    if calls.is_given(scene.connection, f"{ident}:{scene.parts.language}"):
        return
    notice = written(
        scene,
        ident,
        lambda reader: bulletin.rota_alarm(ident, trouble(reader), reader),
        channels=dict.fromkeys(_channels_of_rota(scene.parts, rota)),
    )
    give(scene, notice)


# ----------------------------------------------------------------------------- parts


def _channels_of_rota(parts: Parts, rota: Rota) -> tuple[ChannelId, ...]:
    """Return the channels of the alerts that call a rota; of all alerts, if none does."""
    calling = [route for route in parts.routes if any(target.rota == rota.id for target in route.escalation.everybody)]
    return tuple(dict.fromkeys(channel for route in calling or parts.routes for channel in route.channels))


def written(
    scene: Scene, ident: str, write: Callable[[Reader], Message], *, channels: Mapping[ChannelId, None]
) -> Notice:
    """Write a notice for channels: that of a person in their language and zone, any other in the house's."""
    parts = scene.parts
    shared = {channel for route in parts.routes for channel in route.channels}
    owners = {channel: one for one in parts.duty.people.values() for channel in one.channels if channel not in shared}
    languages = {
        channel: owners[channel].language if channel in owners else parts.language
        for channel in channels
        if channel in parts.notifiers
    }
    zones = {owners[channel].language: ZoneInfo(owners[channel].zone) for channel in languages if channel in owners}
    messages = {
        language: write(
            Reader(
                brand=parts.brand,
                language=language,
                zone=parts.zone if language == parts.language else zones[language],
                now=scene.now,
                titles={one: watched.title for one, watched in parts.watches.items()},
                sources={one: place.title for one, place in parts.places.items()},
            )
        )
        for language in {parts.language: None} | dict.fromkeys(languages.values())
    }
    return Notice(ident=ident, messages=messages, channels=languages)
