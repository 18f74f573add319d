"""Renders a delivery's message in the moment it is sent, from what is stored then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.errors import StoreError
from brandmelder.model import Act, Delivery, DeliveryKind, Evidence, Incident, MentionId, SourceSight, Transition
from brandmelder.notify.call import Hole, call, with_holes
from brandmelder.notify.compose import Beside, Case, Context, compose, rule_words
from brandmelder.notify.message import Subject
from brandmelder.notify.news import ENGINE, first_told
from brandmelder.notify.repeat import marked
from brandmelder.notify.routing import escalation_of
from brandmelder.notify.stand_in import labelled
from brandmelder.notify.story import Story
from brandmelder.pipeline.bulletins import read_notice
from brandmelder.pipeline.duty import Scene, first_called
from brandmelder.pipeline.view import sight_of
from brandmelder.store import deliveries, incidents, mentions
from brandmelder.store.sources import read_sources

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from brandmelder.notify.message import Message
    from brandmelder.pipeline.parts import Parts


_CALLING = frozenset({DeliveryKind.OPEN, DeliveryKind.ESCALATE})
_GIVEN_UP = frozenset({Act.LAPSE, Act.REOPEN})


class Facts(Struct, frozen=True, kw_only=True):
    """What is stored of an incident."""

    incident: Incident
    evidence: Evidence
    timeline: tuple[Transition, ...]
    texts: Mapping[MentionId, str]
    cases: tuple[Case, ...]
    told: tuple[Delivery, ...]
    """What was promised of it, to every channel."""
    beside: tuple[Incident, ...] = ()
    on_call: str = ""
    """Who is on call for it now."""
    holes: tuple[Hole, ...] = ()
    """Rotas by which nobody is."""


async def render(parts: Parts, delivery: Delivery, now: datetime) -> tuple[Message, int]:
    """Return the message of a delivery and the revision of the incident that it shows.

    Texts are read now, so what was deleted at its platform meanwhile is not told.
    """
    if delivery.kind is DeliveryKind.NOTICE:
        message = await parts.database.run(read_notice, delivery.incident)
        told = await parts.database.run(deliveries.of_incident, delivery.incident)
        message = labelled(message, delivery, told, names=parts.fallbacks.names, now=now.astimezone(parts.zone))
        return marked(message, delivery), 0
    facts = await parts.database.run(read_facts, delivery.incident, parts, now)
    context = replace(context_of(parts, facts, now), transition=_told(facts.timeline, delivery))
    callees = parts.duty.callees(delivery.persons)
    step = _caused(facts.timeline, delivery)
    if delivery.kind is DeliveryKind.ESCALATE and step is not None:
        story = Story(facts.incident, facts.evidence, context)
        patience = escalation_of(facts.incident.monitor, parts.routes).patience
        message = call(story, step, callees=callees, patience=patience)
    else:
        message = compose(facts.incident, facts.evidence, kind=delivery.kind, context=context, quotes=facts.texts)
    if delivery.kind in _CALLING:
        message = with_holes(replace(message, calls=callees), facts.holes)
    message = replace(message, subject=subject_of(facts.incident, delivery.kind))
    message = labelled(message, delivery, facts.told, names=parts.fallbacks.names, now=now.astimezone(parts.zone))
    return marked(message, delivery), facts.incident.revision


def context_of(
    parts: Parts, facts: Facts, now: datetime, *, language: str = "", zone: ZoneInfo | None = None
) -> Context:
    """Return what the house knows beside an incident, for a reader of `language` in `zone`; by default the house's."""
    language = language or parts.language
    watch = parts.watches.get(facts.incident.monitor)
    acknowledged = (step.at for step in facts.timeline if step.act is Act.ACKNOWLEDGE)
    given_up = (step.at for step in reversed(facts.timeline) if step.act in _GIVEN_UP)
    silenced = (step.at for step in reversed(facts.timeline) if step.act is Act.SILENCE)
    return Context(
        brand=parts.brand,
        title=watch.title if watch else facts.incident.monitor,
        language=language,
        zone=zone or parts.zone,
        now=now,
        on_call=facts.on_call or parts.on_call,
        source_names={ident: place.title for ident, place in parts.places.items()},
        rule=rule_words(watch.rules.budget, language) if watch else "",
        query=watch.query if watch else "",
        runbook_url=watch.runbook if watch else "",
        holding_statement=watch.holding_statement if watch else "",
        details_url=parts.links.details(facts.incident) if parts.links else "",
        first_acknowledged_at=next(acknowledged, None),
        given_up_at=next(given_up, None),
        silenced_since=next(silenced, None),
        first_observed=first_told(facts.timeline, facts.incident.spike.observed),
        cases=facts.cases,
        beside=tuple(_beside(parts, one) for one in facts.beside),
    )


def subject_of(incident: Incident, kind: DeliveryKind) -> Subject:
    """Return what machines read of an incident."""
    spike = incident.spike
    return Subject(
        kind=kind,
        incident=incident.id,
        monitor=incident.monitor,
        state=incident.state,
        severity=incident.severity,
        observed=spike.observed,
        window=spike.window,
        usual_low=spike.usual_low,
        usual_high=spike.usual_high,
        peak=incident.peak,
        onset=incident.onset,
        opened_at=incident.opened_at,
        acknowledged_by=incident.acknowledged_by,
        closed_at=incident.closed_at,
    )


def _told(timeline: tuple[Transition, ...], delivery: Delivery) -> Transition | None:
    """Return the change that a reply in the thread tells of."""
    if delivery.kind is not DeliveryKind.THREAD:
        return None
    return next((step for step in timeline if step.revision == delivery.revision), None)


def _caused(timeline: tuple[Transition, ...], delivery: Delivery) -> Transition | None:
    """Return the change that calls people."""
    return next((step for step in timeline if step.revision == delivery.revision), None)


def read_facts(connection: Connection, ident: str, parts: Parts, now: datetime) -> Facts:
    """Read what is stored of an incident. Raises StoreError if it is not there."""
    found = incidents.find(connection, ident)
    if found is None:
        raise StoreError(f"a delivery speaks of incident {ident}, which is not in the database; restore a backup")
    incident, evidence = found
    if incident.closed_at is None:
        evidence = replace(evidence, sight=_sight(connection, parts, evidence))
    quoted = mentions.texts_of(connection, [quote.mention for quote in evidence.quotes])
    called = first_called(Scene(connection, parts, now), incident.monitor)
    return Facts(
        on_call=", ".join(parts.duty.names(called.persons)),
        holes=called.holes,
        incident=incident,
        evidence=evidence,
        timeline=tuple(incidents.timeline(connection, incident.id)),
        texts={ident: one.text for ident, one in quoted.items()},
        cases=tuple(_cases(connection, evidence.similar)),
        told=tuple(deliveries.of_incident(connection, incident.id)),
        beside=tuple(
            one for one, _ in incidents.all_incidents(connection, running_only=True) if one.under == incident.id
        ),
    )


def _sight(connection: Connection, parts: Parts, evidence: Evidence) -> tuple[SourceSight, ...]:
    """Return how an incident's sources are now: its evidence is gathered only when its figures change."""
    rows = read_sources(connection)
    return tuple(
        sight_of(rows[one.source], parts) if one.source in rows and one.source in parts.places else one
        for one in evidence.sight
    )


def _beside(parts: Parts, incident: Incident) -> Beside:
    watch = parts.watches.get(incident.monitor)
    return Beside(id=incident.id, title=watch.title if watch else incident.monitor, spike=incident.spike)


def _cases(connection: Connection, idents: Iterable[str]) -> Iterator[Case]:
    """Yield what happened before; what is not there any more, or cannot be read, keeps no alert from being told."""
    for ident in idents:
        found = incidents.find_readable(connection, ident)
        if found is not None:
            yield _case(*found)


def _case(incident: Incident, evidence: Evidence) -> Case:
    phrases = evidence.phrases
    return Case(
        id=incident.id,
        opened_at=incident.opened_at,
        duration=(incident.closed_at - incident.opened_at) if incident.closed_at else timedelta(0),
        community=evidence.community,
        what=phrases[0].text if phrases else "",
        ended=incident.state,
        is_by_itself=incident.closed_by == ENGINE,
        label=incident.label or "",
    )
