"""Gives the look back on a day or a week when its line of cron says so; one that was missed is given once, late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from brandmelder.count.responses import Responses, Utterance, coverage
from brandmelder.model import Covers, Incident, Label, Mention, State
from brandmelder.notify.cron import next_after
from brandmelder.notify.digest import Loudest, Period, Watched, digest, usual_of
from brandmelder.pipeline.accounts import account_days
from brandmelder.pipeline.bulletins import give, written
from brandmelder.store import incidents, mentions, meta, series, sources

if TYPE_CHECKING:
    from brandmelder.notify.bulletin import Reader
    from brandmelder.notify.message import Message
    from brandmelder.pipeline.apart import Apart
    from brandmelder.pipeline.duty import Scene
    from brandmelder.pipeline.parts import DigestPlan, Watch
    from brandmelder.store.series import Volume

EARLIER = {Covers.DAY: 28, Covers.WEEK: 8}
"""How many earlier times of the same length are the usual."""
_LATE = timedelta(days=1)
_HOUR = timedelta(hours=1)
_NOT_TOLD = frozenset({State.PENDING, State.DISCARDED})
_MOST_ASKED = 5000


def give_digests(scene: Scene, apart: Apart) -> datetime | None:
    """Give what is due, each apart; returns when the next one is."""
    moments = [apart.do(f'the look back by "{plan.cron}"', _look_at, scene, plan) for plan in scene.parts.digests]
    return min((moment for moment in moments if moment is not None), default=None)


def _look_at(scene: Scene, plan: DigestPlan) -> datetime | None:
    zone, now = scene.parts.zone, scene.now
    name = f"digest:{plan.covers.value}:{plan.cron}:{','.join(plan.channels)}"
    seen = meta.read(scene.connection, name)
    if seen is None or int(seen) > now.timestamp():
        # What was before the service knew of the plan is not looked back on; by a clock that was ahead it knew nothing.
        meta.write(scene.connection, name, str(int(now.timestamp())))
        return next_after(plan.cron, now, zone)
    last = max(datetime.fromtimestamp(int(seen), UTC), now - _LATE)
    due = None
    following = next_after(plan.cron, last, zone)
    while following is not None and following <= now:
        due, following = following, next_after(plan.cron, following, zone)
    if due is not None:
        meta.write(scene.connection, name, str(int(due.timestamp())))
        _give(scene, plan, due.astimezone(UTC))
    return following


def _give(scene: Scene, plan: DigestPlan, until: datetime) -> None:
    period = period_of(scene, plan.covers, until)
    ident = f"digest:{plan.covers.value}:{int(until.timestamp())}"

    def write(reader: Reader) -> Message:
        return digest(ident, period, brand=reader.brand, voice=reader.voice)

    give(scene, written(scene, ident, write, channels=dict.fromkeys(plan.channels)))


def period_of(scene: Scene, covers: Covers, until: datetime) -> Period:
    """Return all that is told of the time before `until`, by the calendar of the configured zone."""
    connection, parts = scene.connection, scene.parts
    since = _before(scene, until, covers.length)
    told = tuple(one for one, _ in incidents.all_incidents(connection) if _concerns(one, since=since, until=until))
    responses = _responses(scene, since, until)
    rows = sources.read_sources(connection).values()
    return Period(
        covers=covers,
        since=since,
        until=until,
        incidents=told,
        watched=tuple(_watched(scene, watch, covers, until) for watch in parts.watches.values()),
        loudest=_loudest(scene, since, until),
        blind=tuple(
            (parts.places[row.id].title, row.blind_since)
            for row in rows
            if row.blind_since is not None and row.id in parts.places
        ),
        asked=responses.asked,
        answered=responses.answered,
        oldest_unanswered=responses.oldest_unanswered,
        sources={ident: place.title for ident, place in parts.places.items()},
        accounts=account_days(scene, since, until),
    )


def _before(scene: Scene, moment: datetime, length: timedelta) -> datetime:
    """Return the same time of day so many days earlier, on the clock of the zone."""
    return (moment.astimezone(scene.parts.zone) - length).astimezone(UTC)


def _concerns(one: Incident, *, since: datetime, until: datetime) -> bool:
    has_ended_before = one.closed_at is not None and one.closed_at < since
    return one.state not in _NOT_TOLD and one.under is None and one.opened_at < until and not has_ended_before


def _watched(scene: Scene, watch: Watch, covers: Covers, until: datetime) -> Watched:
    volume = _volume(scene, watch, covers, until, 0)
    first = min(series.first_bins(scene.connection, watch.id).values(), default=until)
    earlier = [
        _volume(scene, watch, covers, until, number)
        for number in range(1, EARLIER[covers] + 1)
        if _before(scene, until, covers.length * (number + 1)) >= first
    ]
    total = sum(one.total for one in earlier)
    return Watched(
        title=watch.title,
        total=round(volume.total),
        negative=round(volume.negative),
        usual=usual_of([round(one.negative) for one in earlier]),
        usual_share=sum(one.negative for one in earlier) / total if total else None,
    )


def _volume(scene: Scene, watch: Watch, covers: Covers, until: datetime, number: int) -> Volume:
    """Return what was counted in the `number`-th time before the one that ends at `until`."""
    since = _before(scene, until, covers.length * (number + 1))
    return series.volume(scene.connection, watch.id, since, _before(scene, until, covers.length * number))


def _loudest(scene: Scene, since: datetime, until: datetime) -> Loudest | None:
    """Return the loudest whole hour of any monitor."""
    best: Loudest | None = None
    for watch in scene.parts.watches.values():
        hours: dict[datetime, float] = {}
        for one in series.counts(scene.connection, watch.id, since, until):
            hour = one.start - (one.start - since) % _HOUR
            hours[hour] = hours.get(hour, 0.0) + one.labelled
        for hour, count in hours.items():
            if round(count) > (best.negative if best is not None else 0):
                best = Loudest(title=watch.title, at=hour, negative=round(count))
    return best


def _responses(scene: Scene, since: datetime, until: datetime) -> Responses:
    """Return how far our accounts answered, where they ever wrote: elsewhere nobody could have."""
    connection = scene.connection
    answering = mentions.own_sources(connection)
    asked = {
        (one.source, one.external_id): one
        for watch in scene.parts.watches.values()
        for _, one, verdict in mentions.judged_between(connection, watch.id, since, until, limit=_MOST_ASKED)
        if verdict.label is Label.NEGATIVE and not one.own and one.source in answering
    }
    own: list[Mention] = []
    for source in sorted(answering):
        own += mentions.responses_to(connection, source, [ident for where, ident in asked if where == source])
    return coverage([_utterance(one) for one in asked.values()], [_utterance(one) for one in own])


def _utterance(one: Mention) -> Utterance:
    return Utterance(source=one.source, external_id=one.external_id, at=one.published_at, parent_id=one.parent_id)
