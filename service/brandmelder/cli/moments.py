"""How moments are written on the command line: in the zone of the configuration, or of the rota they are about."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import click

from brandmelder.notify.wall import moment_of
from brandmelder.options import parse_duration

if TYPE_CHECKING:
    from datetime import tzinfo

_FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


def read_moment(text: str, zone: tzinfo, now: datetime, *, option: str) -> datetime:
    """Read `now`, `18:00` (today), `2026-12-24 18:00` or `2026-12-24` as a clock on the wall of `zone` shows it."""
    words = text.strip()
    if words == "now":
        return now
    try:
        return (
            moment_of(now.astimezone(zone).date(), time.fromisoformat(words), zone)
            if ":" in words[:3]
            else _dated(words, zone)
        )
    except ValueError as error:
        said = f"{text!r} is no moment; write now, 18:00, 2026-12-24 or '2026-12-24 18:00'"
        raise click.BadParameter(said, param_hint=option) from error


def _dated(words: str, zone: tzinfo) -> datetime:
    for form in _FORMS:
        try:
            read = datetime.strptime(words, form)  # noqa: DTZ007 - the zone is added below, where a clock may jump
        except ValueError:
            continue
        return moment_of(date(read.year, read.month, read.day), read.time(), zone)
    raise ValueError(words)


def read_span(text: str, *, option: str) -> timedelta:
    """Read a duration such as `2h`."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def say_moment(moment: datetime, zone: tzinfo) -> str:
    """Write a moment for a person: `Mon 2026-12-21 09:00`."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def say_span(span: timedelta) -> str:
    """Write a stretch of time in hours and minutes: `6 h 30 min`."""
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
