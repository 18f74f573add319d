"""How often each monitor would have alerted at each sensitivity, and which one its marked incidents ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.count.bins import EPOCH, start_of
from brandmelder.detect.budget import PRESETS
from brandmelder.incident import lifecycle
from brandmelder.incident.choice import choose, renamed
from brandmelder.model import Act, Incident, IncidentId, MonitorId, State, Track
from brandmelder.pipeline.known import rules_of
from brandmelder.pipeline.sense import seed, seens, step
from brandmelder.pipeline.view import SHARES_OVER, bins_of, read_usual, sights_of
from brandmelder.store import newest, series, sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.detect.kinds.watching import KindRules, SeenBin
    from brandmelder.pipeline.parts import Parts, Watch
    from brandmelder.pipeline.sense import Remembered

LATE = timedelta(hours=6)
"""An alert so long after an incident's onset still tells of it."""


class Tuning(Struct, frozen=True, kw_only=True):
    """What one monitor would have done at each sensitivity."""

    monitor: MonitorId
    days: float
    alerts: Mapping[str, int]
    """How many storms would have been told at `calm`, `balanced` and `alert`."""
    crises: int = 0
    """Incidents of that time that people took for real."""
    false_alarms: int = 0
    """Incidents of that time that people marked as no crisis."""
    told_crises: Mapping[str, int]
    told_false_alarms: Mapping[str, int]
    proposal: str | None = None
    """The sensitivity that the marked incidents ask for; None if they ask for nothing."""


class Openings(Struct, frozen=True, kw_only=True):
    """When one monitor's storms would have been opened between `since` and `until`, by sensitivity."""

    monitor: MonitorId
    since: datetime
    until: datetime
    at: Mapping[str, tuple[datetime, ...]]


def openings(connection: Connection, parts: Parts, now: datetime) -> tuple[Openings, ...]:
    """Return for each evaluated monitor when every sensitivity would have opened a storm."""
    found = (_openings(connection, parts, watch, now) for watch in parts.watches.values())
    return tuple(one for one in found if one is not None)


def _openings(connection: Connection, parts: Parts, watch: Watch, now: datetime) -> Openings | None:
    row = series.read_monitor(connection, watch.id)
    if row is None or row.news_since is None or row.evaluated_through is None:
        return None
    news, through = row.news_since, row.evaluated_through
    usual = read_usual(connection, watch, now.replace(hour=0, minute=0, second=0, microsecond=0))
    gaps = sources.open_gaps(connection, news - SHARES_OVER)
    sights = sights_of(sources.read_sources(connection), gaps, parts, usual=usual, news_since=news)
    history = series.counts(connection, watch.id, EPOCH, through)
    topics = newest.topics_between(connection, watch.id, EPOCH, through)
    rules = rules_of(connection, watch, now)
    memory = seed(history, topics, replace(row, evaluated_through=news), sights=sights, rules=rules)
    bins = seens(bins_of(history, start_of(news), through, sights=sights), history, topics, sights=sights)
    at = {name: alerts(memory, bins, with_budget(rules, 1 / days), watch.lifecycle) for name, days in PRESETS.items()}
    return Openings(monitor=watch.id, since=news, until=through, at=at)


def with_budget(rules: KindRules, budget: float) -> KindRules:
    """Return rules that put up with another number of false alarms a day."""
    return replace(rules, volume=replace(rules.volume, budget=budget))


def alerts(
    memory: Remembered, bins: Sequence[SeenBin], rules: KindRules, held: lifecycle.LifecycleRules
) -> tuple[datetime, ...]:
    """Return when storms would have been opened, over settled bins, by the very rules that run live."""
    incident: Incident | None = None
    opened: list[datetime] = []
    for one in bins:
        memory, findings = step(memory, one, rules)
        finding = choose(incident, [each for each in findings if each.spike.kind.track is Track.STORM])
        change = lifecycle.consider(
            renamed(incident, finding), finding, now=one.bin.end, rules=held, number=lambda: IncidentId("backtest")
        )
        incident = change.incident
        opened += [made.at for made in change.transitions if made.act is Act.OPEN]
    return tuple(opened)


def judged(found: Openings, marked: Sequence[Incident]) -> Tuning:
    """Hold the alerts of each sensitivity against what people said of the incidents of that time.

    Proposed is the calmest sensitivity that still tells every crisis which any of them tells; without a marked false
    alarm nothing is proposed.
    """
    mine = [one for one in marked if one.monitor == found.monitor and found.since <= one.onset < found.until]
    false = [one for one in mine if one.state is State.DISMISSED]
    crises = [one for one in mine if one.state is not State.DISMISSED and one.acknowledged_by is not None]
    told = {name: _told(crises, at) for name, at in found.at.items()}
    ordered = sorted(found.at, key=lambda name: -PRESETS[name])
    enough = [name for name in ordered if told[name] == max(told.values())]
    return Tuning(
        monitor=found.monitor,
        days=(found.until - found.since) / timedelta(days=1),
        alerts={name: len(at) for name, at in found.at.items()},
        crises=len(crises),
        false_alarms=len(false),
        told_crises=told,
        told_false_alarms={name: _told(false, at) for name, at in found.at.items()},
        proposal=enough[0] if false and enough else None,
    )


def _told(incidents: Sequence[Incident], openings: Sequence[datetime]) -> int:
    return sum(any(one.onset <= at <= (one.closed_at or one.onset) + LATE for at in openings) for one in incidents)
