"""Tells people once which sources cannot be seen, and once when they are seen again: silence is never calm (G4).

A source is told of three intervals after it was last seen, at once if a person must act. What failed twice beside it
is told in the same message. It is seen again after two good polls; one that was blind twice within an hour must be well
for an hour first, lest a flapping source tells of itself all night (decision 0064).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from brandmelder.model import SourceState
from brandmelder.notify import sight
from brandmelder.notify.routing import channels_of
from brandmelder.notify.sight import SeenAgain, Unseen
from brandmelder.pipeline.bulletins import give, written
from brandmelder.pipeline.states import every_of
from brandmelder.store import blindness, sources
from brandmelder.store.blindness import Blindness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId, SourceId
    from brandmelder.notify.bulletin import Reader
    from brandmelder.notify.message import Message
    from brandmelder.pipeline.duty import Scene
    from brandmelder.pipeline.parts import Parts, Place
    from brandmelder.store.sources import SourceRow

One = TypeVar("One")
log = structlog.get_logger()

INTERVALS = 3
"""So many after a source was last seen, people are told."""
JOINS_AFTER = 2
"""So many failed polls let a source join a message that is given anyway."""
STEADY = timedelta(hours=1)
"""How long a source must be well that was blind shortly before."""


def sight_bulletins(scene: Scene, started: datetime) -> datetime | None:
    """Tell what is blind and what is seen again; returns when to look again.

    `started` is since when this process polls: what was due before is not late.
    """
    connection, parts, now = scene.connection, scene.parts, scene.now
    rows = {ident: row for ident, row in sources.read_sources(connection).items() if ident in parts.sources}
    told = blindness.running(connection)
    ends = blindness.last_ends(connection)
    for gone in told.keys() - rows.keys():  # no longer in the configuration
        blindness.end(connection, gone, now)
    untold = {
        ident: one
        for ident, row in rows.items()
        if ident not in told and (one := unseen(row, parts.places[ident], now, started))
    }
    due = {ident: tells_at(rows[ident], one, parts.places[ident]) for ident, one in untold.items()}
    if any(moment <= now for moment in due.values()):
        _tell_blind(scene, [one for ident, one in untold.items() if due[ident] <= now or _joins(rows[ident])])
    healed = {
        ident: seen_at
        for ident, one in told.items()
        if ident in rows and (seen_at := sure_at(rows[ident], one, ends.get(ident))) is not None
    }
    _tell_seen(scene, [told[ident] for ident, moment in healed.items() if moment <= now], rows)
    return min((moment for moment in (*due.values(), *healed.values()) if moment > now), default=None)


def unseen(row: SourceRow, place: Place, now: datetime, started: datetime) -> Unseen | None:
    """Return that a source cannot be seen, since when and why; None if it can, as far as we know."""
    if row.blind_since is not None:
        is_paused = row.state is SourceState.PAUSED
        return Unseen(source=row.id, since=row.blind_since, fault=row.fault, detail=plain(row), needs_hand=is_paused)
    every = every_of(row, place)
    late_since = max(row.next_poll_at, started)
    seen_at = row.last_success_at
    if seen_at is not None and now - late_since >= 2 * every and now - seen_at >= INTERVALS * every:
        return Unseen(source=row.id, since=seen_at, fault="late")
    return None


def tells_at(row: SourceRow, one: Unseen, place: Place) -> datetime:
    """Return when people are told of a source that cannot be seen."""
    return one.since if row.state is SourceState.PAUSED else one.since + INTERVALS * every_of(row, place)


def sure_at(row: SourceRow, one: Blindness, ended_before: datetime | None) -> datetime | None:
    """Return from when on a source counts as seen again; None if it does not, or one good poll is all there is."""
    good, seen = row.good_since, row.last_success_at
    if row.blind_since is not None or good is None or seen is None or seen <= good or seen <= one.told_at:
        return None
    is_flapping = ended_before is not None and one.since - ended_before < STEADY
    return good + STEADY if is_flapping else good


def plain(row: SourceRow) -> str:
    """Return why a source is as it is, without its own name before it."""
    return row.note.removeprefix(f'source "{row.id}": ').rstrip(".")


def _joins(row: SourceRow) -> bool:
    return row.failures >= JOINS_AFTER


def _tell_blind(scene: Scene, found: Sequence[Unseen]) -> None:
    for one in found:
        blindness.begin(
            scene.connection,
            Blindness(source=one.source, since=one.since, told_at=scene.now, reason=one.detail or one.fault),
        )
        log.warning("source.blind", source=one.source, needs_hand=one.needs_hand)
    groups = by_channels(scene.parts, {one.source: one for one in found})
    for number, (channels, group) in enumerate(groups.items()):
        ident = f"blind:{int(scene.now.timestamp())}:{number}"
        _give(scene, ident, channels, partial(sight.blind_notice, ident, group))


def _tell_seen(scene: Scene, found: Sequence[Blindness], rows: Mapping[SourceId, SourceRow]) -> None:
    if not found:
        return
    gaps = sources.open_gaps(scene.connection, min(one.since for one in found))
    again = {}
    for one in found:
        until = rows[one.source].good_since or scene.now
        blindness.end(scene.connection, one.source, until)
        has_gap = any(gap.source == one.source and gap.since < until and gap.until > one.since for gap in gaps)
        again[one.source] = SeenAgain(source=one.source, since=one.since, until=until, has_gap=has_gap)
        log.info("source.seen", source=one.source)
    for number, (channels, group) in enumerate(by_channels(scene.parts, again).items()):
        ident = f"seen:{int(scene.now.timestamp())}:{number}"
        _give(scene, ident, channels, partial(sight.seen_notice, ident, group))


def by_channels(parts: Parts, found: Mapping[SourceId, One]) -> dict[tuple[ChannelId, ...], list[One]]:
    """Group what concerns sources by the channels whose monitors read them; a source nobody reads concerns all."""
    groups: dict[tuple[ChannelId, ...], list[One]] = {}
    for ident, one in found.items():
        monitors = [watch.id for watch in parts.watches.values() if ident in watch.sources]
        own: Iterable[ChannelId] = (channel for monitor in monitors for channel in channels_of(monitor, parts.routes))
        if not monitors:
            own = (channel for route in parts.routes for channel in route.channels)
        groups.setdefault(tuple(dict.fromkeys(own)), []).append(one)
    return groups


def _give(scene: Scene, ident: str, channels: tuple[ChannelId, ...], write: Callable[[Reader], Message]) -> None:
    give(scene, written(scene, ident, write, channels=dict.fromkeys(channels)))
