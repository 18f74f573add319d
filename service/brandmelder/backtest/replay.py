"""Replay mentions through the very pipeline that runs live, under a clock that does not wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder import wiring
from brandmelder.backtest.recorder import Recorder
from brandmelder.backtest.tuning import openings
from brandmelder.capture.sources.archive import ArchiveSource
from brandmelder.clock import ReplayClock
from brandmelder.count.bins import start_of
from brandmelder.model import BIN, Evidence, Incident, Mention, MonitorId, State, Transition
from brandmelder.pipeline.openings import Openings
from brandmelder.pipeline.parts import SETTLE
from brandmelder.store import incidents, mentions, series
from brandmelder.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from brandmelder.settings import Settings

_NOT_TOLD = frozenset({State.PENDING, State.DISCARDED})
"""What was only suspected: nobody would have heard of it."""


class Told(Struct, frozen=True, kw_only=True):
    """One incident of a replay, with its timeline and its first message."""

    incident: Incident
    evidence: Evidence
    timeline: tuple[Transition, ...]
    message: str = ""


class Replay(Struct, frozen=True, kw_only=True):
    """What a replay found."""

    since: datetime
    until: datetime
    mentions: int
    matched: Mapping[MonitorId, int]
    unknown_sources: Mapping[str, int]
    told: tuple[Told, ...]
    openings: tuple[Openings, ...] = ()


async def replay(
    settings: Settings,
    found: Sequence[Mention],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    on_progress: Callable[[datetime], None] = lambda _moment: None,
) -> Replay:
    """Run `found` through the pipeline from `since` to `until`; what was captured before `since` is history.

    By default it runs from the first capture to the moment at which the last one is settled. Nothing is sent.
    """
    captures = [one.captured_at for one in found]
    begin = start_of(since or min(captures))
    end = until or max(captures) + BIN + SETTLE
    known = {ident: [one for one in found if one.source == ident] for ident in settings.sources}
    database, recorder = Database("sqlite://"), Recorder()
    database.prepare()
    pipeline = wiring.build(
        settings,
        database=database,
        sources={ident: ArchiveSource.from_mentions(ident, mine) for ident, mine in known.items()},
        notifiers=recorder.channels(settings.channels),
    )
    clock = ReplayClock(begin)
    try:
        await pipeline.start(clock.now())
        while clock.now() <= end:
            following = await pipeline.tick(clock.now())
            clock.move_to(max(following, clock.now() + timedelta(seconds=1)) if following <= clock.now() else following)
            on_progress(clock.now())
        told, stored, matched = await database.run(_read, recorder, settings)
        opened = await database.run(openings, pipeline.parts, end)
    finally:
        await pipeline.close()
    return Replay(
        since=begin,
        until=end,
        mentions=stored,
        matched=matched,
        unknown_sources=Counter(one.source for one in found if one.source not in settings.sources),
        told=told,
        openings=opened,
    )


def _read(
    connection: Connection, recorder: Recorder, settings: Settings
) -> tuple[tuple[Told, ...], int, dict[MonitorId, int]]:
    told = tuple(
        Told(
            incident=incident,
            evidence=evidence,
            timeline=tuple(incidents.timeline(connection, incident.id)),
            message=recorder.first.get(incident.id, ""),
        )
        for incident, evidence in reversed(incidents.all_incidents(connection, limit=1_000_000))
        if incident.state not in _NOT_TOLD
    )
    matched = {ident: series.matches(connection, ident) for ident in settings.monitors}
    return told, mentions.count(connection), matched
