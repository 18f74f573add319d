"""Follows the numbers of accounts: keeps readings, tells of a jump once, and gathers what a look back says of them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.detect.jumps import DAY, HISTORY, jump, value_at
from brandmelder.notify.accounts import SILENT, AccountDay, Leap, leap_notice
from brandmelder.notify.routing import channels_of
from brandmelder.pipeline.bulletins import give, written
from brandmelder.store import meta, readings
from brandmelder.store.database import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId, Reading, SourceId
    from brandmelder.notify.bulletin import Reader
    from brandmelder.notify.message import Message
    from brandmelder.pipeline.apart import Apart
    from brandmelder.pipeline.duty import Scene
    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.readings import Account

LIVE = timedelta(days=2)
"""An account that was not read for so long has left the configuration, or its source is blind: it is not shown."""


def follow_readings(scene: Scene, found: Sequence[Reading], apart: Apart) -> None:
    """Keep what was read, and tell of what jumped on an account of ours."""
    connection = scene.connection
    if not found:
        return
    readings.save_readings(connection, found)
    ours = {(one.source, one.account, one.name) for one in found if one.own and one.name != SILENT}
    for account in readings.accounts(connection):
        for metric in account.latest:
            if (account.source, account.name, metric) in ours:
                apart.do(f"{metric} of account {account.name} ({account.source})", _look_at, scene, account, metric)


def _look_at(scene: Scene, account: Account, metric: str) -> None:
    points = readings.readings_series(scene.connection, account, metric, scene.now - HISTORY)
    found = jump([one.at for one in points], [one.value for one in points], scene.now)
    if found is None:
        return
    # A change stays within the day that is looked at: it is told once, and again only if there is another a day later.
    told_of = f"{account.source} {account.name} {metric}".encode()
    name = f"jump:{hashlib.blake2b(told_of, digest_size=10).hexdigest()}"
    told = meta.read(scene.connection, name)
    if told is not None and seconds(scene.now) - int(told) < DAY.total_seconds():
        return
    meta.write(scene.connection, name, str(seconds(scene.now)))
    leap = Leap(
        title=account.title,
        place=scene.parts.places[account.source].title,
        metric=metric,
        before=found.before,
        after=found.after,
        usual=(found.usual_low, found.usual_high),
    )
    ident = f"{name}:{seconds(scene.now)}"

    def write(reader: Reader) -> Message:
        return leap_notice(ident, leap, reader)

    give(scene, written(scene, ident, write, channels=dict.fromkeys(_channels(scene.parts, account.source))))


def _channels(parts: Parts, source: SourceId) -> list[ChannelId]:
    """Return the channels that hear of the monitors which watch a source; of all, if none does."""
    watching = [watch.id for watch in parts.watches.values() if source in watch.sources] or list(parts.watches)
    return [channel for monitor in watching for channel in channels_of(monitor, parts.routes)]


def account_days(scene: Scene, since: datetime, until: datetime) -> tuple[AccountDay, ...]:
    """Return how the accounts stand at the end of a time, and what changed in it."""
    told: list[AccountDay] = []
    for account in readings.accounts(scene.connection):
        newest = max(point.at for point in account.latest.values())
        if account.source in scene.parts.places and until - newest <= LIVE:
            told.append(_day(scene, account, since, until))
    return tuple(told)


def _day(scene: Scene, account: Account, since: datetime, until: datetime) -> AccountDay:
    numbers: list[tuple[str, float, float | None]] = []
    jumped: list[str] = []
    for metric, point in account.latest.items():
        if metric == SILENT:
            continue
        points = readings.readings_series(scene.connection, account, metric, until - HISTORY)
        times, values = [one.at for one in points], [one.value for one in points]
        before = value_at(times, values, since)
        numbers.append((metric, point.value, None if before is None else point.value - before))
        if account.own and jump(times, values, until) is not None:
            jumped.append(metric)
    silent = account.latest.get(SILENT)
    return AccountDay(
        title=account.title,
        place=scene.parts.places[account.source].title,
        own=account.own,
        numbers=tuple(numbers),
        silent=None if silent is None else int(silent.value),
        abandoned_after=scene.parts.places[account.source].abandoned_after,
        jumped=tuple(jumped),
    )
