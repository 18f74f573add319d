"""When a monitor would have paged at other sensitivities: stored counts, stepped by the very code that runs live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.count.bins import EPOCH, start_of
from brandmelder.detect.kinds.watching import KindRules
from brandmelder.incident import lifecycle
from brandmelder.incident.choice import choose, renamed
from brandmelder.model import Act, Incident, IncidentId, MonitorId, Track
from brandmelder.pipeline.known import rules_of
from brandmelder.pipeline.sense import Topics, seed, seens, step
from brandmelder.pipeline.view import SHARES_OVER, Sights, bins_of, read_usual, sights_of
from brandmelder.store import newest, series, sources
from brandmelder.store.series import MonitorRow, SourceCount

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from brandmelder.detect.kinds.watching import SeenBin
    from brandmelder.pipeline.parts import Parts, Watch
    from brandmelder.pipeline.sense import Remembered


class Past(Struct, frozen=True, kw_only=True):
    """All that is read to say what a monitor would have done between `since` and `until`."""

    row: MonitorRow
    since: datetime
    until: datetime
    history: Sequence[SourceCount]
    topics: Topics
    sights: Sights
    rules: KindRules
    lifecycle: lifecycle.LifecycleRules


class Openings(Struct, frozen=True, kw_only=True):
    """When one monitor's storms would have been opened between `since` and `until`, by sensitivity."""

    monitor: MonitorId
    since: datetime
    until: datetime
    at: Mapping[str, tuple[datetime, ...]]


def read_past(
    connection: Connection, parts: Parts, watch: Watch, now: datetime, *, back: timedelta | None = None
) -> Past | None:
    """Read a monitor's past, at most `back` long; None for one that was never evaluated.

    What lies before is learnt from, as a service that was started then would have.
    """
    row = series.read_monitor(connection, watch.id)
    if row is None or row.news_since is None or row.evaluated_through is None:
        return None
    news, until = row.news_since, row.evaluated_through
    usual = read_usual(connection, watch, now.replace(hour=0, minute=0, second=0, microsecond=0))
    gaps = sources.open_gaps(connection, news - SHARES_OVER)
    return Past(
        row=row,
        since=news if back is None else max(news, start_of(until - back)),
        until=until,
        history=series.counts(connection, watch.id, EPOCH, until),
        topics=newest.topics_between(connection, watch.id, EPOCH, until),
        sights=sights_of(sources.read_sources(connection), gaps, parts, usual=usual, news_since=news),
        rules=rules_of(connection, watch, now),
        lifecycle=watch.lifecycle,
    )


def openings_of(past: Past, budgets: Mapping[str, float]) -> Openings:
    """Return when each budget of false alarms (per day) would have opened a storm. Takes seconds for eight weeks."""
    begun = replace(past.row, evaluated_through=past.since)
    memory = seed(past.history, past.topics, begun, sights=past.sights, rules=past.rules)
    bins = bins_of(past.history, start_of(past.since), past.until, sights=past.sights)
    seen = seens(bins, past.history, past.topics, sights=past.sights)
    at = {name: alerts(memory, seen, with_budget(past.rules, one), past.lifecycle) for name, one in budgets.items()}
    return Openings(monitor=past.row.id, since=past.since, until=past.until, at=at)


def with_budget(rules: KindRules, budget: float) -> KindRules:
    """Return rules that put up with another number of false alarms a day."""
    return replace(rules, volume=replace(rules.volume, budget=budget))


def alerts(
    memory: Remembered, bins: Iterable[SeenBin], rules: KindRules, held: lifecycle.LifecycleRules
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
