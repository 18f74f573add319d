"""Evaluate, and commit 3: an incident, its timeline, its deliveries and how far we evaluated, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.count.bins import EPOCH, settled_until, start_of, watermark
from brandmelder.detect import scan
from brandmelder.errors import Conflict
from brandmelder.incident import joining, lifecycle, snooze
from brandmelder.incident.transitions import RUNNING, Change
from brandmelder.model import BIN, Act, Bin, Evidence, Finding, Incident, IncidentId, MonitorId, SourceClass, Transition
from brandmelder.pipeline.gather import Gatherer, Seen
from brandmelder.pipeline.promise import promise_change
from brandmelder.pipeline.view import SHARES_OVER, WHOLE, Sights, Usual, bins_of, read_usual, sights_of
from brandmelder.store import incidents, series, sources
from brandmelder.store.series import MonitorRow, SourceCount

if TYPE_CHECKING:
    from sqlalchemy import Connection

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
    incident: Incident | None
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
        self.states: dict[MonitorId, tuple[int, scan.DetectorState]] = {}
        self.usual: dict[MonitorId, Usual] = {}

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
        state = await self._state(watch, situation, now)
        turn = _Turn(self, watch, situation, state=state, now=now)
        await turn.review()
        await turn.settle()
        await turn.look_ahead()
        await turn.finish()
        self.states[watch.id] = (turn.row.revision, turn.state)

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
            incident=incidents.latest(connection, watch.id),
            is_ready=is_ready,
        )

    async def _state(self, watch: Watch, situation: Situation, now: datetime) -> scan.DetectorState:
        row = situation.row
        kept = self.states.get(watch.id)
        if kept is not None and kept[0] == row.revision and row.state is not None:
            return kept[1]
        if row.state is not None:
            try:
                return scan.decode(row.state)
            except ValueError as error:
                log.info("detector.reseeded", monitor=watch.id, reason=str(error))
        history = await self.parts.database.run(series.counts, watch.id, EPOCH, now + BIN)
        return await asyncio.to_thread(seed, history, row, situation.sights, watch.rules)


def seed(
    history: Sequence[SourceCount], row: MonitorRow, sights: Sights, rules: scan.DetectorRules
) -> scan.DetectorState:
    """Learn a baseline silently from everything that is known up to where evaluation stands."""
    state = scan.new_state()
    if not history or row.evaluated_through is None or row.news_since is None:
        return state
    begin, news = start_of(history[0].start), row.news_since
    for one in bins_of(history, begin, news, sights=sights):
        state, _ = scan.step(state, one, rules)
    state = scan.close_history(state, rules)
    for one in bins_of(history, max(begin, news), row.evaluated_through, sights=sights):
        state, _ = scan.step(state, one, rules)
    return state


class _Turn:
    """One evaluation of one monitor: bins are stepped in order, and each transition is committed where it happens."""

    def __init__(
        self, evaluator: Evaluator, watch: Watch, situation: Situation, *, state: scan.DetectorState, now: datetime
    ) -> None:
        self.parts, self.gatherer = evaluator.parts, evaluator.gatherer
        self.watch, self.situation, self.now = watch, situation, now
        self.row, self.incident = situation.row, situation.incident
        self.stored = situation.incident
        patience = {ident: self.parts.places[ident].patience for ident in watch.sources}
        mark, left_out = watermark(situation.sights.rows, now=now, patience=patience)
        self.sights = replace(situation.sights, left_out=left_out)
        self.through = situation.row.evaluated_through or now
        self.until = max(self.through, settled_until(mark, now=now, settle=self.parts.settle))
        self.state = self._revised(state)
        self.dirty = situation.row.revision == 0

    def _revised(self, state: scan.DetectorState) -> scan.DetectorState:
        since, news = self.situation.row.dirty_since, self.row.news_since
        if since is None or news is None:
            return state
        return scan.revise(state, self._bins(max(start_of(since), news), self.through))

    def _bins(self, since: datetime, until: datetime, *, running: bool = False) -> tuple[Bin, ...]:
        return bins_of(self.situation.counts, since, until, sights=self.sights, running=running)

    async def review(self) -> None:
        """Judge again what changed after its time had come: a backlog, comments that a moderator released late.

        Past findings are not rewritten; what pages only now is told now, as delayed.
        """
        changed, news = self.situation.row.dirty_since, self.row.news_since
        if changed is None or news is None:
            return
        begin = max(start_of(changed), news, self.through - REVIEWED)
        bins = self._bins(max(begin - scan.WINDOW, news), self.through)
        for finding in await asyncio.to_thread(scan.review, self.state, bins, self.watch.rules):
            if finding.start >= begin:
                await self._consider(finding)

    async def settle(self) -> None:
        """Step every settled bin."""
        for one in self._bins(self.through, self.until):
            self.state, finding = scan.step(self.state, one, self.watch.rules)
            self.through = one.end
            self.dirty = True
            await self._consider(finding)

    async def look_ahead(self) -> None:
        """Look at the bins that still run: they may open an incident and never close one, and they teach nothing."""
        ahead = self._bins(self.through, start_of(self.now) + BIN, running=True)
        is_running = self.incident is not None and self.incident.state in RUNNING
        if not is_running and not any(one.negative for one in ahead):
            return
        state = self.state
        for one in ahead[:-1]:
            state, settled = scan.step(state, one, self.watch.rules)
            await self._consider(replace(settled, spike=replace(settled.spike, is_open_bin=True)))
        for one in ahead[-1:]:
            await self._consider(scan.look(state, one, self.watch.rules))

    async def finish(self) -> None:
        """Commit how far we came, and what an incident remembers beyond what people read."""
        remembers = self.incident is not None and self.incident != self.stored
        if self.dirty or remembers or self.row.dirty_since is not None:
            await self._commit(None)

    async def _consider(self, finding: Finding) -> None:
        campaign = await self.gatherer.campaign(self.watch, finding) if finding.pages or finding.is_high else None
        is_partial = self._is_partial(finding)
        finding = replace(finding, spike=replace(finding.spike, is_partial=is_partial, campaign=campaign))
        change = lifecycle.consider(
            self.incident, finding, now=self.now, rules=self.watch.lifecycle, number=lambda: UNNUMBERED
        )
        change = snooze.disturb(change, self._classes(), self.now)
        self.incident = change.incident
        if change.incident is None:
            return
        if change.transitions or self._shows_more(change.incident):
            await self._commit(change)

    def _classes(self) -> set[SourceClass]:
        """Return the classes of sources in which negative mentions came since the last evaluation."""
        begin = self.incident.onset if self.incident is not None else self.now
        return {
            self.parts.places[one.source].source_class
            for one in self.situation.counts
            if one.negative and one.start >= begin and one.source in self.parts.places
        }

    def _is_partial(self, finding: Finding) -> bool:
        """Whether a source was blind inside the window; what lies before the first news is history, not blindness."""
        spike, news = finding.spike, self.row.news_since
        begin = start_of(spike.since if news is None else max(spike.since, news))
        settled = min(spike.until, self.until)
        if begin < settled and not self.sights.is_whole(begin, settled):
            return True
        return max(begin, settled) < spike.until and self.sights.expected_exposure(settled) < WHOLE

    def _shows_more(self, incident: Incident) -> bool:
        """Whether people would read other figures than the ones that were committed last."""
        stored = self.stored
        return stored is None or (
            (incident.spike.observed, incident.peak, incident.course)
            != (stored.spike.observed, stored.peak, stored.course)
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

    async def _commit(self, change: Change | None) -> None:
        """Commit 3. Without a change, only what the detector and the incident remember."""
        incident, evidence = self.incident, None
        transitions: Sequence[Transition] = ()
        if change is not None and incident is not None:
            incident, transitions = await self._numbered(incident, change.transitions)
            if not transitions:
                incident = replace(incident, revision=incident.revision + 1)
            if transitions or self.gatherer.is_stale(incident, self.now):
                seen = Seen(sights=self.sights, state=self.state)
                evidence = await self.gatherer.gather(self.watch, incident, seen, self.now)
                incident = self._dated(lifecycle.with_total(incident, evidence.negatives), evidence, transitions)
                joined = joining.join(Change(incident=incident, transitions=tuple(transitions)), evidence, self.now)
                incident, transitions = joined.incident or incident, joined.transitions
        row = replace(self.row, state=scan.encode(self.state), evaluated_through=self.through)
        is_new = incident is not None and (self.stored is None or self.stored.id != incident.id)
        written = None
        if incident is not None and incident != self.stored:
            written = Written(
                incident=incident,
                evidence=evidence,
                transitions=transitions,
                expected=None if is_new or self.stored is None else self.stored.revision,
                is_told=change is not None,
            )
        self.row = await self.parts.database.run(_commit_evaluation, row, self.parts, written, self.now)
        self.dirty = False
        self.incident = self.stored = incident
        for step in transitions:
            log.info("incident.changed", incident=step.incident, act=step.act.value, monitor=self.watch.id)


def _commit_evaluation(
    connection: Connection, row: MonitorRow, parts: Parts, written: Written | None, now: datetime
) -> MonitorRow:
    if written is not None:
        incidents.save_incident(
            connection,
            written.incident,
            written.evidence,
            written.transitions,
            expected_revision=written.expected,
        )
        if written.is_told:
            promise_change(connection, parts, written.incident, written.transitions, now)
    return series.save_monitor(connection, row)
