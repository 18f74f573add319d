"""Tells people once why a source that answers is doubted, and once when it no longer is (decision 0095).

It is silent, or brings few, against its own rhythm (detect/rhythm.py); its clock is wrong, or what it brings is dated
ahead; what lets us in ends soon. Blindness with an error is told by blindness.py, and then nothing else is said of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.detect import rhythm as rhythms
from brandmelder.detect.rhythm import Hour
from brandmelder.model import Doubt, DoubtKind, SourceId
from brandmelder.notify import doubt as words
from brandmelder.pipeline.blindness import by_channels
from brandmelder.pipeline.bulletins import give, written
from brandmelder.pipeline.states import every_of
from brandmelder.store import doubts, intake, sources
from brandmelder.store.intake import hour_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brandmelder.detect.rhythm import Rhythm
    from brandmelder.notify.message import Message
    from brandmelder.pipeline.apart import Apart
    from brandmelder.pipeline.duty import Scene
    from brandmelder.pipeline.parts import Parts, Place
    from brandmelder.store.intake import Intake
    from brandmelder.store.sources import SourceRow

    Running = Mapping[DoubtKind, Doubt]

log = structlog.get_logger()

LOOKS = timedelta(minutes=5)
"""How often a doubt that holds is looked at: its end is told as soon."""
HOUR = timedelta(hours=1)
STAGES = (1, 3, 14)
"""So many days before what lets us in ends people are told, each once."""
SURE_AFTER = 2
"""A wrong clock is told when it was wrong for so many intervals, thus at the third poll."""
AGREE = timedelta(minutes=2)
AHEAD_HOURS, AHEAD_LEAST = 6, 3
NORMAL_AFTER = timedelta(days=14)
"""What has been few for so long is what is usual now."""
TEACHES_AFTER, TEACH_FROM = timedelta(days=7), 3
"""Quiet times shorter than this teach nothing, for they should not be; so many in a month are how the source is."""
BACK_BURSTS, BACK_AFTER = 6.0, timedelta(hours=6)
"""A silence is over when so much should have come again, or after so long, and a third of it did."""


class Found(Struct, frozen=True, kw_only=True):
    """What one look at one source brought; `next_at` is when to look again."""

    begun: tuple[Doubt, ...] = ()
    over: tuple[Doubt, ...] = ()
    replaced: tuple[Doubt, ...] = ()
    """Those that end without a word."""
    next_at: datetime | None = None


class Doubter:
    """Looks at the sources that answer. What it keeps between looks only saves work."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._rhythms: dict[SourceId, tuple[int, Rhythm | None]] = {}
        """What each source usually brings, learnt once a day from the days before."""
        self._next: dict[SourceId, datetime] = {}

    def forget(self) -> None:
        """Look at everything anew: the clock went back."""
        self._rhythms.clear()
        self._next.clear()

    def look(self, scene: Scene, apart: Apart) -> datetime | None:
        """Tell what is doubted and what no longer is; returns when to look again, None if it could not be told."""
        following = apart.do("what is told of doubted sources", self._look, scene, apart)
        if following is None:
            self.forget()
        return following

    def _look(self, scene: Scene, apart: Apart) -> datetime:
        connection, now = scene.connection, scene.now
        rows = {ident: row for ident, row in sources.read_sources(connection).items() if ident in self.parts.sources}
        running = doubts.running(connection)
        found = [Found(replaced=tuple(one for (ident, _), one in running.items() if ident not in rows))]
        ours = _is_our_clock(self.parts, rows)
        for ident, row in rows.items():
            mine = {kind: one for (source, kind), one in running.items() if source == ident}
            found += apart.do(f'source "{ident}"', self._look_at, scene, row, mine, is_ours=ours) or ()
        _commit(scene, found)
        moments = [one.next_at for one in found if one.next_at is not None and one.next_at > now]
        return min([*moments, *self._next.values(), now + HOUR])

    def _look_at(self, scene: Scene, row: SourceRow, running: Running, *, is_ours: bool) -> list[Found]:
        now, place = scene.now, self.parts.places[row.id]
        found = [_clock(row, place, running, now, is_ours=is_ours), _expiry(row, place, running, now)]
        return found + self._flow(scene, row, running)

    def _flow(self, scene: Scene, row: SourceRow, running: Running) -> list[Found]:
        """Look at what a source brings, when it is time to."""
        now, due = scene.now, self._next.get(row.id)
        if due is not None and now < due <= now + HOUR:
            return []
        if row.blind_since is not None or row.last_success_at is None or not row.history_done:
            self._next[row.id] = now + LOOKS
            return []
        first = min(hour_of(now) - rhythms.WINDOWS[-1] - 1, hour_of(_last(scene, row.id) or now))
        hours = intake.hours_since(scene.connection, row.id, first)
        found = [_ahead(row, hours, running, now)]
        if self.parts.places[row.id].tells_silence:
            found.append(self._rhythmic(scene, row, hours, running))
        holds = any(one.begun for one in found) or running.keys() - {DoubtKind.EXPIRING, DoubtKind.CLOCK}
        following = [one.next_at for one in found if one.next_at is not None and one.next_at > now]
        self._next[row.id] = min([*following, now + LOOKS] if holds else [*following, _next_hour(now)])
        return found

    def _rhythmic(self, scene: Scene, row: SourceRow, hours: Sequence[Intake], running: Running) -> Found:
        now, rhythm = scene.now, self._rhythm(scene, row)
        last = max((one.last_at for one in hours if one.last_at is not None), default=None)
        silent, thin = running.get(DoubtKind.SILENT), running.get(DoubtKind.FEW)
        seen = seen_hours(hours, row.first_contact or now, every_of(row, self.parts.places[row.id]))
        whole = [one for one in seen if one.at < hour_of(now)]
        if silent is not None:
            return _silent(silent, rhythm, hours, whole, now)
        if rhythm is None:
            return Found()
        if thin is not None:
            after_it = [one for one in whole if one.at >= hour_of(thin.since)]
            return _thin(thin, now, is_back=rhythms.is_back(rhythm, after_it))
        due = _silent_at(rhythm, last, seen, row.last_success_at or now)
        if last is not None and due is not None and due <= (row.last_success_at or now):
            usual = _usual_of(rhythm, last, now)
            return Found(begun=(Doubt(source=row.id, kind=DoubtKind.SILENT, since=last, told_at=now, usual=usual),))
        quiet = [until for _, until in doubts.quiet_times(scene.connection, row.id, now)]
        after = max((hour_of(until) for until in quiet), default=0)
        fewer = rhythms.few(rhythm, [one for one in whole if one.at > after])
        if fewer is not None and whole[-1].at == hour_of(now) - 1:
            since = now.replace(minute=0, second=0, microsecond=0) - fewer.hours * HOUR
            one = Doubt(source=row.id, kind=DoubtKind.FEW, since=since, told_at=now)
            return Found(begun=(replace(one, count=fewer.came, usual=fewer.usual, hours=fewer.hours),))
        return Found(next_at=due)

    def _rhythm(self, scene: Scene, row: SourceRow) -> Rhythm | None:
        """Return what a source usually brings, as known at the beginning of the day (UTC)."""
        now, today = scene.now, hour_of(scene.now) // 24
        day, known = self._rhythms.get(row.id, (-1, None))
        if day == today:
            return known
        hours = intake.hours_since(scene.connection, row.id, hour_of(now - rhythms.MEMORY))
        seen = seen_hours(hours, row.first_contact or now, every_of(row, self.parts.places[row.id]))
        odd = [
            (hour_of(since), hour_of(until))
            for since, until in doubts.quiet_times(scene.connection, row.id, now)
            if until - since < TEACHES_AFTER and until > now - rhythms.MEMORY
        ]
        odd = odd if len(odd) < TEACH_FROM else []
        usable = [
            one for one in seen if one.at < today * 24 and not any(since <= one.at <= until for since, until in odd)
        ]
        region = next((watch.rules.region for watch in self.parts.watches.values()), "")
        learnt = rhythms.learn(usable, self.parts.zone.key, region)
        self._rhythms[row.id] = (today, learnt)
        return learnt


def seen_hours(hours: Sequence[Intake], contact: datetime, every: timedelta) -> list[Hour]:
    """Return the hours that were seen: those between two polls no farther apart than usual, and a first history."""
    step = max(2, 2 * -(-every // HOUR))
    seen: list[Hour] = []
    for one in hours:
        if seen and (one.hour - seen[-1].at <= step or one.hour <= hour_of(contact)):
            seen += [Hour(at, 0) for at in range(seen[-1].at + 1, one.hour)]
        seen.append(Hour(one.hour, one.mentions))
    return seen


def _last(scene: Scene, ident: SourceId) -> datetime | None:
    return intake.last_at(scene.connection, ident)


def _silent(held: Doubt, rhythm: Rhythm | None, hours: Sequence[Intake], whole: Sequence[Hour], now: datetime) -> Found:
    """Say whether a silence is over: it brings about what it should again, and not one mention now and then."""
    came = [one for one in hours if one.last_at is not None and one.last_at > held.since]
    if not came:
        return Found()
    again = came[0].first_at or now
    first = again if again > held.since else came[0].last_at or now
    usual = 0.0 if rhythm is None else rhythms.expected(rhythm, first, now)
    is_judged = rhythm is None or usual >= BACK_BURSTS * rhythm.spread or now - first >= BACK_AFTER
    is_back = is_judged and sum(one.mentions for one in came) >= usual / 3
    if not is_back and rhythm is not None:
        is_back = rhythms.is_back(rhythm, [one for one in whole if one.at >= came[0].hour])
    return Found(over=(replace(held, ended_at=first),)) if is_back else Found()


def _thin(held: Doubt, now: datetime, *, is_back: bool) -> Found:
    """Say whether few mentions are over: it brings as usual again, or so few for so long that this is usual now."""
    is_normal = now - held.told_at >= NORMAL_AFTER
    over = replace(held, ended_at=now, hours=0 if is_normal else held.hours)
    return Found(over=(over,)) if is_back or is_normal else Found()


def _silent_at(rhythm: Rhythm, last: datetime | None, seen: Sequence[Hour], now: datetime) -> datetime | None:
    if last is None:
        return None
    return rhythms.silent_at(rhythm, last, [one.at for one in seen if one.at >= hour_of(last)], now)


def _usual_of(rhythm: Rhythm, last: datetime, now: datetime) -> float:
    """Return what an hour of such a silence usually holds."""
    return rhythms.expected(rhythm, last, now) / max((now - last) / HOUR, 1e-6)


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + HOUR


def _clock(row: SourceRow, place: Place, running: Running, now: datetime, *, is_ours: bool) -> Found:
    """Say whether a server's clock differs from ours, and no more."""
    held, offset = running.get(DoubtKind.CLOCK), row.clock_offset
    if held is not None:
        is_over = row.skewed_since is None and row.blind_since is None
        return Found(over=(replace(held, ended_at=now),)) if is_over else Found()
    if row.skewed_since is None or offset is None:
        return Found()
    sure = row.skewed_since + SURE_AFTER * every_of(row, place)
    if sure > now:
        return Found(next_at=sure)
    one = Doubt(source=row.id, kind=DoubtKind.CLOCK, since=row.skewed_since, told_at=now)
    return Found(begun=(replace(one, offset=int(offset.total_seconds()), is_ours=is_ours),))


def _is_our_clock(parts: Parts, rows: Mapping[SourceId, SourceRow]) -> bool:
    """Whether all servers that tell their time agree with one another, at services of two kinds at least."""
    told = {ident: row for ident, row in rows.items() if row.clock_offset is not None}
    offsets = [row.clock_offset for row in told.values() if row.clock_offset is not None]
    if not all(row.skewed_since is not None for row in told.values()) or not offsets:
        return False
    return max(offsets) - min(offsets) <= AGREE and len({type(parts.sources[ident]) for ident in told}) > 1


def ends_at(row: SourceRow | None, place_ends: datetime | None) -> datetime | None:
    """Return when what lets us in ends: as the service says, or as the configuration does, whichever is sooner."""
    known = [one for one in (row.expires_at if row is not None else None, place_ends) if one is not None]
    return min(known, default=None)


def _expiry(row: SourceRow, place: Place, running: Running, now: datetime) -> Found:
    """Say how soon what lets us in ends, at each stage once."""
    held, ends = running.get(DoubtKind.EXPIRING), ends_at(row, place.expires_at)
    left = timedelta.max if ends is None else ends - now
    stage = next((days for days in STAGES if left <= timedelta(days=days)), 0)
    if ends is None or not stage or left <= timedelta(0):
        over = () if held is None else (replace(held, ended_at=now, expires_at=ends),)
        # What has ended is told of as blindness, if it is one.
        return Found(replaced=over) if left <= timedelta(0) else Found(over=over, next_at=_first_stage(ends))
    following = min((ends - timedelta(days=days) for days in STAGES if days < stage), default=None)
    if held is not None and held.expires_at == ends and held.days <= stage:
        return Found(next_at=following)
    since = ends - timedelta(days=stage)
    one = Doubt(source=row.id, kind=DoubtKind.EXPIRING, since=since, told_at=now, expires_at=ends, days=stage)
    return Found(begun=(one,), replaced=() if held is None else (held,), next_at=following)


def _first_stage(ends: datetime | None) -> datetime | None:
    return None if ends is None else ends - timedelta(days=STAGES[-1])


def _ahead(row: SourceRow, hours: Sequence[Intake], running: Running, now: datetime) -> Found:
    """Say whether much of what came lately is dated in the future."""
    lately = [one for one in hours if one.hour > hour_of(now) - AHEAD_HOURS]
    ahead, came = sum(one.ahead for one in lately), sum(one.mentions for one in lately)
    is_so = ahead >= AHEAD_LEAST and 2 * ahead >= came
    held = running.get(DoubtKind.AHEAD)
    if held is not None:
        return Found() if ahead and 2 * ahead >= came else Found(over=(replace(held, ended_at=now),))
    if not is_so:
        return Found()
    return Found(begun=(Doubt(source=row.id, kind=DoubtKind.AHEAD, since=now, told_at=now, count=float(ahead)),))


def _commit(scene: Scene, found: Sequence[Found]) -> None:
    for one in (each for some in found for each in (*some.replaced, *some.over)):
        doubts.end(scene.connection, one, one.ended_at or scene.now)
    begun = [one for some in found for one in some.begun]
    over = [one for some in found for one in some.over]
    for one in begun:
        doubts.begin(scene.connection, one)
        log.warning("source.doubted", source=one.source, kind=one.kind.value)
    for one in over:
        log.info("source.sure", source=one.source, kind=one.kind.value)
    _give(scene, "doubt", begun)
    _give(scene, "sure", over)


def _give(scene: Scene, about: str, found: Sequence[Doubt]) -> None:
    """Tell of doubts in one message for each set of channels."""
    mine: dict[SourceId, list[Doubt]] = {}
    for one in found:
        mine.setdefault(one.source, []).append(one)
    for number, (channels, groups) in enumerate(by_channels(scene.parts, mine).items()):
        ident = f"{about}:{int(scene.now.timestamp())}:{number}"
        told = [one for group in groups for one in group]
        nouns = {ident: scene.parts.places[ident].source_class for ident in mine if ident in scene.parts.places}
        write: partial[Message] = partial(
            words.doubt_notice if about == "doubt" else words.sure_notice, ident, told, nouns
        )
        give(scene, written(scene, ident, write, channels=dict.fromkeys(channels)))
