"""When nobody is to be told: silences that people made, quiet hours that come again, and what breaks through both."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Evidence, Incident, MonitorId, Silence
from brandmelder.notify.wall import days_around, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from brandmelder.model import Matcher

MOST = timedelta(hours=24)
"""The longest silence over everything, unless the configuration allows more."""


class QuietHours(Struct, frozen=True, kw_only=True):
    """Hours of the week in which only what is severe enough is told."""

    days: frozenset[int]
    """On which days they begin, Monday is 0."""
    since: time
    until: time
    """At or before `since` it means the next day."""
    zone: tzinfo | None = None
    """None stands for the zone of whoever is on call."""
    monitors: frozenset[MonitorId] | None = None
    """None stands for all."""
    broken_at: int | None = None
    """The severity from which people are told all the same; None stands for never."""


class Quiet(Struct, frozen=True, kw_only=True):
    """The quiet hours of one line of routing, and where the night is that they mean."""

    zone: tzinfo
    """Of whoever is on call."""
    hours: tuple[QuietHours, ...] = ()


class Hush(Struct, frozen=True, kw_only=True):
    """Why people are not told of an incident now, and until when as things stand."""

    until: datetime
    silence: Silence | None = None
    """None stands for quiet hours."""


def hush_of(
    incident: Incident,
    evidence: Evidence,
    *,
    silences: Iterable[Silence],
    quiet: Quiet,
    now: datetime,
) -> Hush | None:
    """Return why nobody is told of an incident now, the reason that holds longest; None if people are told."""
    found = [
        Hush(until=one.ends, silence=one)
        for one in silences
        if one.since <= now < one.ends
        and matches(one.matcher, incident, evidence)
        and not _breaks(incident, one.broken_at)
    ]
    for hours in quiet.hours:
        if hours.monitors is not None and incident.monitor not in hours.monitors:
            continue
        until = quiet_until(hours, quiet.zone, now)
        if until is not None and not _breaks(incident, hours.broken_at):
            found.append(Hush(until=until))
    return max(found, key=lambda hush: hush.until, default=None)


def matches(matcher: Matcher, incident: Incident, evidence: Evidence) -> bool:
    """Return whether a matcher means an incident. What has no mentions yet comes from no source, so none is meant."""
    sources = {source for source, count in evidence.sources if count}
    topic = matcher.topic.casefold()
    return (
        (not matcher.monitors or incident.monitor in matcher.monitors)
        and (not matcher.kinds or incident.kind in matcher.kinds)
        and (not matcher.sources or (bool(sources) and sources <= matcher.sources))
        and (not topic or any(topic in phrase.text.casefold() for phrase in evidence.phrases))
        and (matcher.below is None or incident.severity < matcher.below)
    )


def quiet_until(hours: QuietHours, zone: tzinfo, now: datetime) -> datetime | None:
    """Return when the quiet hours that hold at `now` end; None if none do."""
    held = [until for since, until in _spans(hours, zone, now, now) if since <= now < until]
    return max(held, default=None)


def next_edge(silences: Iterable[Silence], quiets: Iterable[Quiet], now: datetime) -> datetime | None:
    """Return when a silence or quiet hours begin or end next, after `now`, within the next eight days."""
    edges = [moment for one in silences for moment in (one.since, one.ends)]
    for quiet in quiets:
        for hours in quiet.hours:
            for span in _spans(hours, quiet.zone, now, now + timedelta(days=8)):
                edges += span
    return min((edge for edge in edges if edge > now), default=None)


def _spans(hours: QuietHours, zone: tzinfo, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    here = hours.zone or zone
    over_night = timedelta(days=1 if hours.until <= hours.since else 0)
    return [
        (moment_of(day, hours.since, here), moment_of(day + over_night, hours.until, here))
        for day in days_around(since, until, here)
        if day.weekday() in hours.days
    ]


def _breaks(incident: Incident, broken_at: int | None) -> bool:
    return broken_at is not None and incident.severity >= broken_at


def refusal(silence: Silence, *, longest: timedelta = MOST) -> str | None:
    """Return why a silence is not taken; None if it is."""
    if not silence.by.strip() or not silence.reason.strip():
        return "a silence needs who made it and why; give --by and --reason"
    if silence.until <= silence.since:
        return f"it would end at {silence.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC, before it begins"
    if silence.matcher.is_everything and silence.until - silence.since > longest:
        hours = round(longest.total_seconds() / 3600)
        return (
            f"what silences everything ends within {hours} h; name a monitor, kind, source or topic, or end it sooner"
        )
    return None
