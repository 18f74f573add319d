"""Gathers what stands behind an incident's count: mentions, answers, what was usual before, earlier incidents."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.count.responses import Utterance, coverage
from brandmelder.detect import scan
from brandmelder.incident.evidence import Answered, EvidenceInputs, Judged, gather
from brandmelder.incident.phrases import Background, background
from brandmelder.incident.picture import Behind, frame_of, shows_band
from brandmelder.incident.similar import Likeness, likeness
from brandmelder.incident.transitions import ENDED
from brandmelder.model import BIN, Bin, Campaign, Evidence, Finding, Hole, Incident, Label, Mention, Occasion, SpikeKind
from brandmelder.pipeline.view import Sights, bins_of
from brandmelder.store import incidents, mentions, series, tallies

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts, Watch

SPARK = timedelta(hours=6)
BEFORE = timedelta(days=28)
"""How far back the usual words are looked for."""
REFRESH = timedelta(minutes=5)
MOST_SHOWN, MOST_COMPARED, MOST_EARLIER = 2000, 2000, 200
LEAST_BY_ONE, LEAST_POSTS = 5, 20
"""So many negative posts, of which less than half is counted, make an account over-active; so many, a campaign."""
INLINE = 200
"""So many mentions are gathered on the spot; more go to a thread, so that the loop keeps its beat."""


class Found(Struct, frozen=True, kw_only=True):
    """What the database knows about an incident."""

    judged: tuple[Judged, ...]
    tally: tallies.Tally
    own: tuple[Mention, ...]
    bins: tuple[Bin, ...]
    earlier: tuple[Likeness, ...]


class Seen(Struct, frozen=True, kw_only=True):
    """What an evaluation saw: how far its sources were read, and what the detector takes for usual."""

    sights: Sights
    state: scan.DetectorState


class Gatherer:
    """Gathers evidence; remembers the usual words of the incident in hand, which end before its onset."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._usual: tuple[tuple[str, datetime], Background] | None = None
        self._gathered: dict[str, tuple[datetime, timedelta]] = {}
        """When evidence was gathered last, and how long it may then stand beside newer figures."""

    def clock_went_back(self) -> None:
        """Gather anew: when evidence was gathered last was told by a clock that was wrong."""
        self._gathered.clear()

    def is_stale(self, incident: Incident, now: datetime) -> bool:
        """Whether newer figures alone are worth gathering again: at once while they are few, and so cheaply read.

        Else an alert says 16 in its first line, and 10 below. Of very many it is every five minutes, in long incidents
        more seldom.
        """
        at, patience = self._gathered.get(incident.id, (None, REFRESH))
        if patience >= REFRESH:
            patience = max(patience, (now - incident.onset) / 60)
        return at is None or now - at >= patience

    async def gather(self, watch: Watch, incident: Incident, seen: Seen, now: datetime) -> Evidence:
        """Return the evidence of an incident as of `now`."""
        sights = seen.sights
        found = await self.parts.database.run(_read, watch, incident, sights, now)
        patience = REFRESH * len(found.judged) / MOST_SHOWN
        self._gathered = {incident.id: (now, patience)} | {
            ident: one for ident, one in self._gathered.items() if now - one[0] < BEFORE and ident != incident.id
        }
        inputs = EvidenceInputs(
            incident=incident,
            judged=found.judged,
            mentions=found.tally.mentions,
            negatives=found.tally.negatives,
            bins=found.bins,
            background=await self._background(watch, incident),
            answered=_answered(found),
            sight=sights.rows,
            own_names=(self.parts.brand, watch.title, watch.id),
            earlier=found.earlier,
            behind=await asyncio.to_thread(_behind, watch, incident, seen, now),
        )
        if len(found.judged) <= INLINE:
            return gather(inputs)
        return await asyncio.to_thread(gather, inputs)

    async def campaign(self, watch: Watch, finding: Finding) -> Campaign | None:
        """Return the few accounts that most of a finding comes from, if it does."""
        spike = finding.spike
        if spike.kind is not SpikeKind.NEGATIVE:
            return None
        found = await self.parts.database.run(tallies.activity, watch.id, spike.since, spike.until, least=LEAST_BY_ONE)
        if found.posts < LEAST_POSTS or 2 * found.counted < found.all_counted:
            return None
        return Campaign(accounts=found.accounts, posts=found.posts)

    async def _background(self, watch: Watch, incident: Incident) -> Background:
        key = (watch.id, incident.onset)
        if self._usual is None or self._usual[0] != key:
            before = await self.parts.database.run(
                mentions.judged_between, watch.id, incident.onset - BEFORE, incident.onset, limit=MOST_COMPARED
            )
            usual = await asyncio.to_thread(background, [one.text for _, one, _ in before])
            self._usual = (key, usual)
        return self._usual[1]


def _read(connection: Connection, watch: Watch, incident: Incident, sights: Sights, now: datetime) -> Found:
    until = now + BIN
    judged = [
        found
        for found in mentions.judged_between(connection, watch.id, incident.onset, until, limit=MOST_SHOWN)
        if not found[1].history
    ]
    own: list[Mention] = []
    for source in sorted({one.source for _, one, _ in judged}):
        asked = [
            one.external_id for _, one, verdict in judged if one.source == source and verdict.label is Label.NEGATIVE
        ]
        own += mentions.responses_to(connection, source, asked)
    tally = tallies.Tally(len(judged), sum(verdict.label is Label.NEGATIVE for _, _, verdict in judged))
    if len(judged) == MOST_SHOWN:
        tally = tallies.tally(connection, watch.id, incident.onset, until)
    since = min(incident.spike.until - SPARK, frame_of(incident.spike).since)
    ended = incidents.all_incidents(connection, limit=MOST_EARLIER)
    return Found(
        judged=tuple(Judged(id=ident, mention=one, verdict=verdict) for ident, one, verdict in judged),
        tally=tally,
        own=tuple(own),
        bins=bins_of(series.counts(connection, watch.id, since, until), since, incident.spike.until, sights=sights),
        earlier=tuple(
            likeness(one, evidence) for one, evidence in ended if one.id != incident.id and one.state in ENDED
        ),
    )


def _behind(watch: Watch, incident: Incident, seen: Seen, now: datetime) -> Behind:
    """Return what stands behind the bars of the picture: the usual of each, what could not be read, known events."""
    frame, sights = frame_of(incident.spike), seen.sights
    blind = (Hole(source=row.source, since=row.blind_since, until=now) for row in sights.rows if row.blind_since)
    gaps = (Hole(source=gap.source, since=gap.since, until=gap.until) for gap in sights.gaps)
    return Behind(
        usual=scan.usuals(seen.state, frame.ends, frame.width, watch.rules) if shows_band(incident.spike) else (),
        holes=(*blind, *gaps),
        events=tuple(Occasion(at=event.since, until=event.until, name=event.name) for event in watch.rules.events),
    )


def _answered(found: Found) -> Answered:
    negatives = [_utterance(one.mention) for one in found.judged if one.verdict.label is Label.NEGATIVE]
    responses = coverage(negatives, [_utterance(one) for one in found.own])
    return Answered(answered=responses.answered, oldest_unanswered=responses.oldest_unanswered, first=responses.first)


def _utterance(one: Mention) -> Utterance:
    return Utterance(source=one.source, external_id=one.external_id, at=one.published_at, parent_id=one.parent_id)
