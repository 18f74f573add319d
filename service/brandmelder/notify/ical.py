"""What a calendar says about who is on call: its events become turns, whoever keeps it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from brandmelder.errors import BrandmelderError, to_have
from brandmelder.model import Turn
from brandmelder.notify.inert import inert
from brandmelder.notify.rota import in_utc

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from brandmelder.model import Person, PersonId

MOST_BYTES = 2_000_000
_TOO_OFTEN = re.compile(
    r"^(RRULE|EXRULE)[^\r\n]*[:;](FREQ=(SECONDLY|MINUTELY|HOURLY)|BY(MINUTE|SECOND)=[^;\r\n]*,|INTERVAL=0+(?!\d))",
    re.IGNORECASE | re.MULTILINE,
)
"""No duty changes every hour; such a rule would only keep the machine busy, and one with the interval 0 for ever."""
_DAY = timedelta(days=1)
_FOLD = re.compile(r"\r?\n[ \t]")


class CalendarUnreadable(BrandmelderError):
    """A calendar cannot be read; the sentence has no subject."""


class Roster(Struct, frozen=True, kw_only=True):
    """What a calendar says: turns, and the titles of events that name nobody we know."""

    turns: tuple[Turn, ...]
    unknown: tuple[str, ...] = ()


def roster(content: bytes, people: Sequence[Person], zone: tzinfo, *, since: datetime, until: datetime) -> Roster:
    """Read the events of [since, until). Raises CalendarUnreadable.

    An event is the turn of everybody whose mail address is among its attendees, else of everybody whose name or id
    stands in its title. Times without a zone, and whole days, are the rota's.
    """
    turns: list[Turn] = []
    unknown: dict[str, None] = {}
    # The library takes what has no zone for UTC; the rota's may be up to a day away from that.
    for event in _events(content, since - _DAY, until + _DAY):
        begin, end = in_utc(event["DTSTART"].dt, zone), in_utc(event["DTEND"].dt, zone)
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or begin >= end or end <= since or begin >= until:
            continue
        who = _people_of(event, people)
        if who:
            turns.append(Turn(since=begin, until=end, people=who))
        else:
            unknown[inert(str(event.get("SUMMARY", "")), 60)] = None
    return Roster(turns=tuple(sorted(turns, key=lambda one: (one.since, one.people))), unknown=tuple(unknown))


def _events(content: bytes, since: datetime, until: datetime) -> list[Any]:
    try:
        import icalendar  # noqa: PLC0415 - the extra `calendars`
        import recurring_ical_events  # noqa: PLC0415
    except ImportError as error:
        raise CalendarUnreadable(f"needs a package; {to_have('calendars')}") from error
    if len(content) > MOST_BYTES:
        raise CalendarUnreadable(f"is larger than {MOST_BYTES:,} bytes; publish a calendar of the duty alone")
    text = _FOLD.sub("", content.decode("utf-8", "replace"))
    if "BEGIN:VCALENDAR" not in text.upper():
        raise CalendarUnreadable("is no iCalendar; is the address that of the .ics file?")
    if _TOO_OFTEN.search(text):
        raise CalendarUnreadable("repeats an event every hour or more often; no duty changes so often")
    try:
        calendar = icalendar.Calendar.from_ical(content)
        return list(recurring_ical_events.of(calendar, components=["VEVENT"]).between(since, until))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        # The library says what it stumbled over by many kinds of error, and all of them mean this.
        raise CalendarUnreadable(f"cannot be read: {inert(str(error), 120)}") from error


def _people_of(event: Any, people: Sequence[Person]) -> tuple[PersonId, ...]:
    attendees = event.get("ATTENDEE", [])
    listed = attendees if isinstance(attendees, list) else [attendees]
    mails = {str(one).strip().lower().removeprefix("mailto:") for one in listed}
    invited = tuple(one.id for one in people if one.mail and one.mail.lower() in mails)
    title = str(event.get("SUMMARY", ""))
    return invited or tuple(one.id for one in people if _names(title, one.name) or _names(title, one.id))


def _names(title: str, name: str) -> bool:
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", title, re.IGNORECASE) is not None
