"""When a line of cron fires next, on the clock of a zone: `0 8 * * 1-5` is eight in the morning, Monday to Friday."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from apscheduler.triggers.cron import CronTrigger

_FIELDS = 5
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = re.compile(r"(?<![/\d])[0-7](?!\d)")
"""A weekday by its number, which is not a step."""


def check_cron(line: str) -> str:
    """Return a line of cron as it is. Raises ValueError that says what is wrong with it."""
    fields = line.split()
    if len(fields) != _FIELDS:
        raise ValueError(f"{line!r} has {len(fields)} fields and not 5: minute, hour, day, month, weekday")
    try:
        _trigger(line, None)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{line!r} is no line of cron: {error}") from error
    return line


def next_after(line: str, moment: datetime, zone: tzinfo) -> datetime | None:
    """Return the first moment after `moment` at which the line fires; None if it never does.

    A time that a change of the clock leaves out or brings twice fires once.
    """
    trigger = _trigger(line, zone)
    following: datetime | None = trigger.get_next_fire_time(moment, moment)
    while following is not None and following.fold:
        following = trigger.get_next_fire_time(following, following)
    return following


def _trigger(line: str, zone: tzinfo | None) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - a configuration without digests needs none

    minute, hour, day, month, weekday = line.split()
    # APScheduler counts weekdays from Monday, cron from Sunday: names are the same for both.
    named = _DAY.sub(lambda found: _DAYS[int(found[0])], weekday)
    return CronTrigger(
        minute=minute, hour=hour, day=day, month=month, day_of_week=named, second="0", timezone=zone or "UTC"
    )
