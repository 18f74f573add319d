"""Evaluate, and commit 3: an incident, its timeline, its deliveries and how far we evaluated, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.count.bins import EPOCH, settled_until, start_of, watermark
from brandmelder.detect import scan
from brandmelder.detect.kinds import backlog, key
from brandmelder.errors import Conflict
from brandmelder.incident import joining, lifecycle, snooze
from brandmelder.incident.choice import choose, renamed, under_event
from brandmelder.incident.transitions import RUNNING, Change
from brandmelder.model import (
    BIN,
    Act,
    Bin,
    Evidence,
    Finding,
    Incident,
    IncidentId,
    MonitorId,
    SourceClass,
    SpikeKind,
    Track,
    Transition,
)
from brandmelder.pipeline.gather import Gatherer, Seen
from brandmelder.pipeline.known import rules_of
from brandmelder.pipeline.promise import promise_change
from brandmelder.pipeline.sense import Remembered, Topics, decode, encode, look, seed, seens, step
from brandmelder.pipeline.single import read_singles
from brandmelder.pipeline.view import SHARES_OVER, WHOLE, Sights, Usual, bins_of, read_usual, sights_of
from brandmelder.store import incidents, newest, series, sources
from brandmelder.store.series import MonitorRow, SourceCount

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.detect.kinds.watching import KindRules, SeenBin
    from brandmelder.pipeline.parts import Parts, Watch

log = structlog.get_logger()

REVIEWED = timedelta(days=7)
"""How far back what came late is judged again."""
UNNUMBERED = IncidentId("")
RETRIES = 3


class Situation(Struct, frozen=True, kw_only=True):
    """All that one evaluation of one monitor reads."""

    row: MonitorRow
    sights: Sights
    counts: Sequence[SourceCount]
    incidents: Mapping[Track, Incident | None]
    topics: Topics = ()
    is_ready: bool


class Written(Struct, frozen=True, kw_only=True):
    """An incident as commit 3 writes it; `expected` is the stored revision, None for a new incident."""

    incident: Incident
    evidence: Evidence | None
    transitions: Sequence[Transition]
    expected: int | None
    is_told: bool
    """Whether channels are promised something; else it is only what the incident remembers."""


class Evaluator:
    """Evaluates monitors one after another; keeps their decoded states between ticks."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.gatherer = Gatherer(parts)
        self.states: dict[MonitorId, tuple[int, Remembered]] = {}
        self.usual: dict[MonitorId, Usual] = {}
        self.known: dict[MonitorId, tuple[date, KindRules]] = {}

    async def evaluate(self, monitors: Collection[MonitorId], now: datetime) -> None:
        """Evaluate every newly settled bin of the monitors, and look at the running ones."""
        for ident in sorted(monitors):
            for attempt in range(RETRIES):
                try:
                    await self._evaluate_one(self.parts.watches[ident], now)
                    break
                except Conflict:
                    self.states.pop(ident, None)
                    log.info("evaluation.repeated", monitor=ident, attempt=attempt)

    async def _evaluate_one(self, watch: Watch, now: datetime) -> None:
        situation = await self.parts.database.run(self._read, watch, now)
        if not situation.is_ready:
            return
        rules = await self._known(watch, situation, now)
        watch = replace(watch, kinds=rules, rules=rules.volume)
        state = await self._state(watch, situation, now)
        turn = _Turn(self, watch, situation, memory=state, now=now)
        await turn.review()
        await turn.settle()
        await turn.look_ahead()
        await turn.look_closely()
        await turn.finish()
        self.states[watch.id] = (turn.row.revision, turn.memory)

    def _read(self, connection: Connection, watch: Watch, now: datetime) -> Situation:
        rows = sources.read_sources(connection)
        row = series.read_monitor(connection, watch.id) or MonitorRow(id=watch.id, rules=watch.fingerprint)
        mine = [rows[ident] for ident in watch.sources]
        is_ready = row.evaluated_through is not None or all(
            one.history_done
            or (one.blind_since is not None and now - one.blind_since > self.parts.places[one.id].patience)
            for one in mine
        )
        if is_ready and row.evaluated_through is None:
            begin = start_of(min((one.first_contact for one in mine if one.first_contact), default=now))
            row = replace(row, evaluated_through=begin, news_since=begin)
        since_day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        usual = self.usual.get(watch.id)
        if usual is None or usual.day != since_day or row.state is None:
            usual = self.usual[watch.id] = read_usual(connection, watch, since_day)
        gaps = sources.open_gaps(connection, now - SHARES_OVER)
        sights = sights_of(rows, gaps, self.parts, usual=usual, news_since=row.news_since)
        since = row.evaluated_through or now
        if row.dirty_since is not None:
            since = min(since, start_of(row.dirty_since) - scan.WINDOW)
        return Situation(
            row=row,
            sights=sights,
            counts=series.counts(connection, watch.id, since, now + BIN) if is_ready else (),
            incidents={track: incidents.latest(connection, watch.id, track) for track in tracks_of(watch)},
            topics=_topics(connection, watch, row, now) if is_ready else (),
            is_ready=is_ready,
        )

    async def _known(self, watch: Watch, situation: Situation, now: datetime) -> KindRules:
        """Return the rules with what is known beforehand; looked up once a day, and when a period was marked."""
        known = self.known.get(watch.id)
        if known is None or known[0] != now.date() or situation.row.state is None:
            known = self.known[watch.id] = now.date(), await self.parts.database.run(rules_of, watch, now)
        return known[1]

    async def _state(self, watch: Watch, situation: Situation, now: datetime) -> Remembered:
        row, kept = situation.row, self.states.get(watch.id)
        if kept is not None and kept[0] == row.revision and row.state is not None:
            return kept[1]
        if row.state is not None:
            try:
                return decode(row.state, watch.kinds)
            except ValueError as error:
                log.info("detector.reseeded", monitor=watch.id, reason=str(error))
        history = await self.parts.database.run(series.counts, watch.id, EPOCH, now + BIN)
        topics = await self.parts.database.run(_topics, watch, replace(row, evaluated_through=EPOCH), now)
        memory = await asyncio.to_thread(seed, history, topics, row, sights=situation.sights, rules=watch.kinds)
        # A monitor that was evaluated before has told of its single mentions; a new one has told of none.
        return replace(memory, mark=await self.parts.database.run(newest.last_mention) if row.revision else 0)


def tracks_of(watch: Watch) -> tuple[Track, ...]:
    """Return the tracks on which a monitor may have incidents."""
    is_silent = SpikeKind.SILENCE in watch.kinds.kinds
    asked = {Track.SILENCE: is_silent, Track.KEY: watch.keys is not None, Track.ANSWERS: watch.backlog is not None}
    return (Track.STORM, *(track for track, is_asked in asked.items() if is_asked))


def _topics(connection: Connection, watch: Watch, row: MonitorRow, now: datetime) -> Topics:
    if SpikeKind.NEW_SOURCE not in watch.kinds.kinds:
        return ()
    return newest.topics_between(connection, watch.id, row.evaluated_through or now, now + BIN)


class _Turn:
    """One evaluation of one monitor: bins are stepped in order, and each transition is committed where it happens."""

    def __init__(
        self, evaluator: Evaluator, watch: Watch, situation: Situation, *, memory: Remembered, now: datetime
    ) -> None:
        self.parts, self.gatherer = evaluator.parts, evaluator.gatherer
        self.watch, self.situation, self.row, self.now = watch, situation, situation.row, now
        self.incidents, self.stored = dict(situation.incidents), dict(situation.incidents)
        patience = {ident: self.parts.places[ident].patience for ident in watch.sources}
        mark, left_out = watermark(situation.sights.rows, now=now, patience=patience)
        self.sights = replace(situation.sights, left_out=left_out)
        self.through = situation.row.evaluated_through or now
        self.until = max(self.through, settled_until(mark, now=now, settle=self.parts.settle))
        self.memory = replace(memory, volume=self._revised(memory.volume))
        self.dirty = situation.row.revision == 0

    def _revised(self, state: scan.DetectorState) -> scan.DetectorState:
        since, news = self.situation.row.dirty_since, self.row.news_since
        if since is None or news is None:
            return state
        return scan.revise(state, self._bins(max(start_of(since), news), self.through))

    def _bins(self, since: datetime, until: datetime, *, running: bool = False) -> tuple[Bin, ...]:
        return bins_of(self.situation.counts, since, until, sights=self.sights, running=running)

    def _seens(self, since: datetime, until: datetime, *, running: bool = False) -> tuple[SeenBin, ...]:
        bins = self._bins(since, until, running=running)
        return seens(bins, self.situation.counts, self.situation.topics, sights=self.sights, running=running)

    async def review(self) -> None:
        """Judge again what changed after its time had come: a backlog, comments that a moderator released late.

        Past findings are not rewritten; what pages only now is told now, as delayed.
        """
        changed, news = self.situation.row.dirty_since, self.row.news_since
        if changed is None or news is None or SpikeKind.NEGATIVE not in self.watch.kinds.kinds:
            return
        begin = max(start_of(changed), news, self.through - REVIEWED)
        bins = self._bins(max(begin - scan.WINDOW, news), self.through)
        for finding in await asyncio.to_thread(scan.review, self.memory.volume, bins, self.watch.kinds.negative):
            if finding.start >= begin:
                await self._consider((finding,))

    async def settle(self) -> None:
        """Step every settled bin."""
        for one in self._seens(self.through, self.until):
            self.memory, findings = step(self.memory, one, self.watch.kinds)
            self.through = one.bin.end
            self.dirty = True
            await self._consider((*findings, *self._held(one.bin)))

    def _held(self, one: Bin) -> tuple[Finding, ...]:
        """Return what the key mentions of the last hour say of a bin."""
        if self.watch.keys is None:
            return ()
        hits = key.remember(self.memory.hits, (), now=one.end)
        return (key.judge(hits, (), start=one.start, now=one.end),)

    async def look_ahead(self) -> None:
        """Look at the bins that still run: they may open an incident and never close one, and they teach nothing."""
        ahead = self._seens(self.through, start_of(self.now) + BIN, running=True)
        is_running = any(one is not None and one.state in RUNNING for one in self.incidents.values())
        if not is_running and not any(one.bin.total for one in ahead):
            return
        memory = self.memory
        for one in ahead[:-1]:
            memory, settled = step(memory, one, self.watch.kinds)
            early = (one for one in settled if one.spike.kind is not SpikeKind.SILENCE)
            await self._consider([replace(one, spike=replace(one.spike, is_open_bin=True)) for one in early])
        for one in ahead[-1:]:
            await self._consider(look(memory, one, self.watch.kinds))

    async def look_closely(self) -> None:
        """Look at single mentions: what is key, and who has waited too long for an answer."""
        if self.watch.keys is None and self.watch.backlog is None:
            return
        since = self.row.news_since or self.now
        new = await self.parts.database.run(read_singles, self.watch, self.memory, since=since, now=self.now)
        self.dirty = self.dirty or new.mark != self.memory.mark
        hits = key.remember(self.memory.hits, new.hits, now=self.now)
        waiting = backlog.wait(self.memory.waiting, new.questions, new.answered, now=self.now)
        self.memory = replace(self.memory, mark=new.mark, hits=hits, waiting=waiting)
        start = start_of(self.now)
        if new.hits:
            told = key.judge(hits, new.hits, start=start, now=self.now)
            await self._consider([replace(told, spike=replace(told.spike, is_open_bin=True))])
        if self.watch.backlog is not None:
            await self._consider([backlog.judge(waiting, start=start, now=self.now, rules=self.watch.backlog)])

    async def finish(self) -> None:
        """Commit how far we came, and what an incident remembers beyond what people read."""
        for track, incident in self.incidents.items():
            if incident is not None and incident != self.stored[track]:
                await self._commit(None, track)
        if self.dirty or self.row.dirty_since is not None:
            await self._commit(None, Track.STORM)

    async def _consider(self, findings: Sequence[Finding]) -> None:
        """Tell each track's incident what its kinds found in one bin."""
        for track in self.incidents:
            mine = [one for one in findings if one.spike.kind.track is track]
            if mine:
                await self._consider_one(track, choose(self.incidents[track], mine))

    async def _consider_one(self, track: Track, finding: Finding) -> None:
        is_told = track is Track.STORM and (finding.pages or finding.is_high)
        campaign = await self.gatherer.campaign(self.watch, finding) if is_told else None
        is_partial = self._is_partial(finding)
        events = [(one.name, one.since, one.until) for one in self.watch.rules.events]
        spike = replace(finding.spike, is_partial=is_partial, campaign=campaign)
        finding = replace(finding, spike=under_event(spike, events))
        change = lifecycle.consider(
            renamed(self.incidents[track], finding),
            finding,
            now=self.now,
            rules=self.watch.lifecycle,
            number=lambda: UNNUMBERED,
        )
        change = snooze.disturb(change, self._classes(track), self.now)
        self.incidents[track] = change.incident
        if change.incident is None:
            return
        if change.transitions or self._shows_more(change.incident, track):
            await self._commit(change, track)

    def _classes(self, track: Track) -> set[SourceClass]:
        """Return the classes of sources in which negative mentions came since the onset; only a snooze asks."""
        incident, places = self.incidents[track], self.parts.places
        if incident is None or incident.snooze is None:
            return set()
        found = (one for one in self.situation.counts if one.negative and one.start >= incident.onset)
        return {places[one.source].source_class for one in found if one.source in places}

    def _is_partial(self, finding: Finding) -> bool:
        """Whether a source was blind inside the window; what lies before the first news is history, not blindness."""
        spike, news = finding.spike, self.row.news_since
        begin = start_of(spike.since if news is None else max(spike.since, news))
        settled = min(spike.until, self.until)
        if begin < settled and not self.sights.is_whole(begin, settled):
            return True
        return max(begin, settled) < spike.until and self.sights.expected_exposure(settled) < WHOLE

    def _shows_more(self, incident: Incident, track: Track) -> bool:
        """Whether people would read other figures than the ones that were committed last."""
        stored = self.stored[track]
        return stored is None or (
            (incident.kind, incident.spike.observed, incident.peak, incident.course)
            != (stored.kind, stored.spike.observed, stored.peak, stored.course)
        )

    async def _numbered(
        self, incident: Incident, transitions: Sequence[Transition]
    ) -> tuple[Incident, Sequence[Transition]]:
        """Give a new incident its number; should somebody else take it first, commit 3 is refused and repeated."""
        if incident.id != UNNUMBERED:
            return incident, transitions
        prefix = f"{self.parts.short}-{self.now.astimezone(self.parts.zone).year}-"
        ident = IncidentId(f"{prefix}{await self.parts.database.run(incidents.next_number, prefix):03d}")
        return replace(incident, id=ident), [replace(step, incident=ident) for step in transitions]

    def _dated(self, incident: Incident, evidence: Evidence, transitions: Sequence[Transition]) -> Incident:
        """Call what is told for the first time delayed if even its newest mention is old."""
        is_first = any(step.act in {Act.OPEN, Act.REOPEN} for step in transitions)
        if not is_first or evidence.newest is None:
            return incident
        is_late = self.now - evidence.newest > self.watch.lifecycle.late
        return replace(incident, is_delayed=incident.is_delayed or is_late)

    async def _commit(self, change: Change | None, track: Track) -> None:
        """Commit 3. Without a change, only what the detector and the incident remember."""
        incident, stored, evidence = self.incidents[track], self.stored[track], None
        transitions: Sequence[Transition] = ()
        if change is not None and incident is not None:
            incident, transitions = await self._numbered(incident, change.transitions)
            if not transitions:
                incident = replace(incident, revision=incident.revision + 1)
            if transitions or self.gatherer.is_stale(incident, self.now):
                seen = Seen(sights=self.sights, state=self.memory.volume)
                evidence = await self.gatherer.gather(self.watch, incident, seen, self.now)
                incident = self._dated(lifecycle.with_total(incident, evidence.negatives), evidence, transitions)
                joined = joining.join(Change(incident=incident, transitions=tuple(transitions)), evidence, self.now)
                incident, transitions = joined.incident or incident, joined.transitions
        row = replace(self.row, state=encode(self.memory), evaluated_through=self.through)
        is_new = incident is not None and (stored is None or stored.id != incident.id)
        written = None
        if incident is not None and incident != stored:
            written = Written(
                incident=incident,
                evidence=evidence,
                transitions=transitions,
                expected=None if is_new or stored is None else stored.revision,
                is_told=change is not None,
            )
        self.row = await self.parts.database.run(_commit_evaluation, row, self.parts, written, self.now)
        self.dirty = False
        self.incidents[track] = self.stored[track] = incident
        for told in transitions:
            log.info("incident.changed", incident=told.incident, act=told.act.value, monitor=self.watch.id)


def _commit_evaluation(
    connection: Connection, row: MonitorRow, parts: Parts, written: Written | None, now: datetime
) -> MonitorRow:
    if written is not None:
        incidents.save_incident(
            connection, written.incident, written.evidence, written.transitions, expected_revision=written.expected
        )
        if written.is_told:
            promise_change(connection, parts, written.incident, written.transitions, now)
    return series.save_monitor(connection, row)
