"""Hears people: clicks go into the inbox, are applied from there exactly once, and each is answered.

take      commit   the click, before its channel is told that it arrived
apply     commit   what it does to the incident, the deliveries that follow, and the answer, in one transaction
answer    commit   that the person was told

A crash between any two lines repeats work and loses nothing; only an answer may be given twice.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from brandmelder.errors import BrandmelderError, Conflict, RowUnreadable
from brandmelder.incident.people import SNOOZE
from brandmelder.incident.transitions import TABLE, Illegal
from brandmelder.model import Act, Click, State
from brandmelder.notify.details import details
from brandmelder.notify.kinds import figures_in
from brandmelder.notify.listener import Answer, Hears
from brandmelder.notify.replies import Speaker
from brandmelder.notify.voice import Voice, words_of
from brandmelder.options import Role
from brandmelder.pipeline.act import Unknown, Wish, fulfil
from brandmelder.pipeline.parts import Parts
from brandmelder.pipeline.render import context_of, read_facts
from brandmelder.store import clicks, deliveries, incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.model import Incident
    from brandmelder.notify.listener import Listener
    from brandmelder.store.clicks import Inboxed

log = structlog.get_logger()

RETRIES = 3
STALE = timedelta(minutes=10)
"""An answer that comes so late would only puzzle."""
_ASKS = frozenset({Act.DISMISS, Act.HAND_OVER})
"""Buttons behind which a form is opened."""
_LOOKS = frozenset({"details", "status", "help", "unclear"})
_encode = msgspec.msgpack.Encoder().encode
_answer = msgspec.msgpack.Decoder(Answer).decode


class Hearer:
    """Takes, applies and answers clicks."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.listeners: tuple[Listener, ...] = tuple(
            notifier.listener
            for notifier in parts.notifiers.values()
            if isinstance(notifier, Hears) and notifier.listener is not None
        )
        self._applying, self._answering = asyncio.Lock(), asyncio.Lock()

    def lines(self) -> tuple[Listener, ...]:
        """Return one listener for each line: what it hears, it hears for all channels on it."""
        return tuple({one.line: one for one in reversed(self.listeners)}.values())

    async def take(self, click: Click, now: datetime) -> bool:
        """Write a click down; says whether it is new."""
        is_new = await self.parts.database.run(clicks.take, click, now)
        log.info("click.taken" if is_new else "click.repeated", act=click.act, envelope=click.envelope)
        return is_new

    async def apply(self, now: datetime) -> bool:
        """Do what people asked, in the order in which it came; says whether there was anything."""
        async with self._applying:
            waiting = await self.parts.database.run(clicks.waiting)
            for one in waiting:
                await self._apply(one, now)
            return bool(waiting)

    async def _apply(self, one: Inboxed, now: datetime) -> None:
        click = one.click
        listener = self._listener(click.place)
        if listener is None:
            answer = Answer()  # a channel that the configuration has no more: nobody can be told
            await self.parts.database.run(clicks.settle, one.id, _encode(answer))
            return
        # Opening a form cannot wait for names, and needs none.
        by = click.name if _wants_form(click) else await listener.name_of(click.person, click.name)
        other = await listener.name_of(click.other, "") if click.other else ""
        role = listener.role_of(click.person)
        for attempt in range(RETRIES):
            try:
                await self.parts.database.run(_settle, self.parts, one, _Person(by, other, role), now)
                break
            except Conflict:
                log.info("click.repeated_after_conflict", envelope=click.envelope, attempt=attempt)
            except Exception as error:
                if isinstance(error, BrandmelderError) and not isinstance(error, RowUnreadable):
                    raise  # the disk, mostly: then it is done later
                # What cannot be done must not keep from being done what was asked after it.
                log.exception("click.failed", act=click.act, envelope=click.envelope)
                speaker = Speaker(language=self.parts.language, zone=self.parts.zone, now=now)
                await self.parts.database.run(clicks.settle, one.id, _encode(speaker.plain("failed")))
                break

    async def answer(self, now: datetime) -> None:
        """Tell people what came of their clicks."""
        async with self._answering:
            for one in await self.parts.database.run(clicks.unanswered):
                try:
                    await self._answer(one, now)
                except Exception:
                    log.exception("click.unanswered", act=one.click.act, envelope=one.click.envelope)
                await self.parts.database.run(clicks.answered, one.id)
            await self.parts.database.run(clicks.forget, now)

    async def _answer(self, one: Inboxed, now: datetime) -> None:
        answer = _answer(one.answer) if one.answer else Answer()
        listener = self._listener(one.click.place)
        if listener is None or now - one.received_at > STALE:
            return
        if answer.question is not None and await listener.ask(one.click, answer.question):
            return
        is_told = not (answer.text or answer.message) or await listener.answer(one.click, answer)
        if not is_told:
            log.warning("click.unanswered", act=one.click.act, envelope=one.click.envelope)

    def _listener(self, place: str) -> Listener | None:
        return next((one for one in self.listeners if one.covers(place)), None)


class _Person(msgspec.Struct, frozen=True):
    """Who asks: their name, that of whoever takes over, and what they may do here."""

    by: str
    other: str
    role: Role | None


class _Matter(msgspec.Struct, frozen=True):
    """One click, who sent it, and when it is looked at."""

    parts: Parts
    click: Click
    person: _Person
    now: datetime

    @property
    def speaker(self) -> Speaker:
        return Speaker(language=self.parts.language, zone=self.parts.zone, now=self.now)


def _wants_form(click: Click) -> bool:
    """Whether a button was pressed behind which a form is opened."""
    return click.act in _ASKS and not click.is_form and not click.is_spoken


def _settle(connection: Connection, parts: Parts, one: Inboxed, person: _Person, now: datetime) -> None:
    """Apply one click and note its answer. Raises Conflict if somebody changed the incident meanwhile."""
    answer = _outcome(connection, _Matter(parts, one.click, person, now))
    clicks.settle(connection, one.id, _encode(answer))


def _outcome(connection: Connection, matter: _Matter) -> Answer:
    click, person, speaker = matter.click, matter.person, matter.speaker
    ident = click.incident or deliveries.incident_at(connection, click.place)
    found = incidents.find(connection, ident) if ident else None
    if found is None:
        # A thread that is none of ours: people talk there, and nobody asked us.
        return Answer() if click.is_spoken else speaker.plain("unknown")
    if click.act in {"help", "unclear"}:
        return speaker.plain(click.act)
    if person.role is None or not (person.role.may_act or click.act in _LOOKS):
        return speaker.plain("forbidden")
    return (_look if click.act in _LOOKS else _do)(connection, matter, found[0])


def _do(connection: Connection, matter: _Matter, incident: Incident) -> Answer:
    click, person, speaker, act = matter.click, matter.person, matter.speaker, Act(matter.click.act)
    if _wants_form(click):
        is_legal = (incident.state, act) in TABLE
        return speaker.asks(incident, act) if is_legal else speaker.refused(incident, act)
    wish = Wish(
        incident=incident.id,
        act=act,
        by=person.by,
        note=person.other if act is Act.HAND_OVER else click.note,
        person=click.person,
        other=click.other,
        span=timedelta(seconds=click.seconds) if click.seconds else SNOOZE,
        revision=click.revision,
    )
    outcome = fulfil(connection, matter.parts, wish, matter.now)
    if isinstance(outcome, Illegal | Unknown):
        return speaker.refused(incident, act)
    return speaker.done(outcome, act, is_spoken=click.is_spoken) or Answer()


def _look(connection: Connection, matter: _Matter, incident: Incident) -> Answer:
    parts, now = matter.parts, matter.now
    if matter.click.act == "status":
        voice = Voice(words_of(parts.language), parts.zone, now)
        names = {ident: place.title for ident, place in parts.places.items()}
        has_ended = incident.state in {State.RESOLVED, State.DISMISSED, State.DISCARDED}
        return matter.speaker.status(incident, "" if has_ended else f"{figures_in(incident, voice, names)}.")
    facts = read_facts(connection, incident.id, parts, now)
    return Answer(message=details(facts.incident, facts.evidence, facts.timeline, context_of(parts, facts, now)))
