"""Who is told, when: people, rotas, escalation, quiet hours and silences as the configuration holds them."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from brandmelder.model import Person, PersonId, RotaId
from brandmelder.notify.channels.mail_options import MailAddress
from brandmelder.notify.rest import WorkingHours
from brandmelder.notify.rota import Rota
from brandmelder.notify.silence import QuietHours
from brandmelder.options import Day, Duration, Options

if TYPE_CHECKING:
    from collections.abc import Mapping

WEEKDAYS: Mapping[str, int] = {
    name: day
    for day, names in enumerate(
        (("mon", "mo"), ("tue", "di"), ("wed", "mi"), ("thu", "do"), ("fri", "fr"), ("sat", "sa"), ("sun", "so"))
    )
    for name in names
}
DAILY = frozenset({"daily", "täglich"})
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_HINT = "as in mon-fri, [sat, sun] or all"


def _weekday(word: str) -> int:
    if word not in WEEKDAYS:
        raise ValueError(f'"{word}" is no day; write mon, tue, wed, thu, fri, sat, sun')
    return WEEKDAYS[word]


def _days(value: Any) -> frozenset[int]:
    if isinstance(value, frozenset):
        return value
    words = value if isinstance(value, (list, tuple)) else str(value).split(",")
    found: set[int] = set()
    for word in (str(one).strip().casefold() for one in words):
        first, dash, last = (part.strip() for part in word.partition("-"))
        if word == "all":
            found |= set(range(7))
        elif dash:
            begin, end = _weekday(first), _weekday(last)
            found |= {day % 7 for day in range(begin, begin + (end - begin) % 7 + 1)}
        else:
            found.add(_weekday(first))
    if not found:
        raise ValueError(f"no day at all; write days {_HINT}")
    return frozenset(found)


def format_days(days: frozenset[int]) -> str:
    """Write days as the configuration does: `all`, `mon-fri`, `sat, sun`."""
    names = {day: name for name, day in WEEKDAYS.items() if len(name) == 3}
    listed = sorted(days)
    if len(listed) == 7:
        return "all"
    is_run = len(listed) > 2 and listed[-1] - listed[0] == len(listed) - 1
    return f"{names[listed[0]]}-{names[listed[-1]]}" if is_run else ", ".join(names[day] for day in listed)


def _clock(value: Any) -> time:
    if isinstance(value, time):
        return value
    match = _CLOCK.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f'"{value}" is no time of day; write hours and minutes, as in "09:00"')
    return time(int(match[1]), int(match[2]))


class Handover(NamedTuple):
    """When turns change: a weekday (None: every day) and a time."""

    weekday: int | None
    clock: time


def _handover(value: Any) -> Handover:
    if isinstance(value, Handover):
        return value
    day, _, clock = str(value).strip().casefold().partition(" ")
    if not clock:
        raise ValueError(f'"{value}" says not when turns change; write a day and a time, as in mon 09:00')
    return Handover(None if day in DAILY else _weekday(day), _clock(clock))


def _calendar(value: str) -> str:
    scheme, separator, rest = value.strip().partition("://")
    if separator and (scheme.lower() not in {"http", "https"} or not rest):
        raise ValueError("is neither a web address nor a file; write https://… or the path of an .ics file")
    return value.strip()


_TEXT = {"type": "string"}
Days = Annotated[
    frozenset[int],
    BeforeValidator(_days),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}),
]
Clock = Annotated[time, BeforeValidator(_clock), WithJsonSchema({**_TEXT, "pattern": r"^([01]?\d|2[0-3]):[0-5]\d$"})]
HandoverText = Annotated[Handover, BeforeValidator(_handover), WithJsonSchema(_TEXT)]
Severity = Annotated[int, Field(ge=1, le=5)]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Listed = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}),
]


# ---------------------------------------------------------------- as people write it


class PersonBlock(Options):
    """Somebody who can be called."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """What messages call them, and by what the title of a calendar's event names them."""
    slack: Annotated[str | None, Field(pattern=r"^[UW][A-Z0-9]{2,20}$")] = None
    """Their member id in Slack (profile, three dots, copy member ID): messages call them there."""
    mail: MailAddress | None = None
    """Their mail address: mail channels write to them when they are called, a calendar's event invites them by it."""
    zone: str | None = None
    """The zone whose night is theirs; the configuration's by default."""
    language: Literal["de", "en"] | None = None
    """The language of what is sent to them alone; the configuration's by default."""
    channels: tuple[str, ...] = ()
    """Channels of their own, such as a phone: what calls them goes there as well."""


class TurnsBlock(Options):
    """People who follow one another."""

    handover: HandoverText
    """When turns change: a day and a time of the rota's zone, as in `mon 09:00`, or `daily 09:00`."""
    begins: Day
    """The day of the first turn, as in `"2026-11-30"`; before it nobody is on call."""
    people: Annotated[tuple[str, ...], Field(min_length=1)]
    """Whose turn it is, one after the other, then from the first again."""


class RotaBlock(Options):
    """A plan of duty: turns written here, or a calendar kept elsewhere."""

    zone: str | None = None
    """The zone of its hours; the configuration's by default."""
    turns: TurnsBlock | None = None
    """The turns, if they are written here."""
    calendar: Annotated[str, AfterValidator(_calendar)] | None = None
    """The address (https://…) or the file of an iCalendar whose events are the turns; needs brandmelder[calendars]."""
    allow_private: bool = False
    """Let the calendar's address be a private or loopback one."""
    fallback: tuple[str, ...] = ()
    """Who is called while nobody is on call; the message says so."""


class StepBlock(Options):
    """One step of an escalation."""

    to: Listed
    """Who is called: `rota:NAME` (whoever is on call), `person:NAME`, or `channel:NAME`; one, or a list."""
    after: Duration = timedelta(0)
    """How long after the alert was confirmed by any channel nobody may have acknowledged; `0m` is the alert itself."""


class QuietBlock(Options):
    """Hours of the week in which only what is severe enough is told; what still burns at their end is told then."""

    days: Days = frozenset(range(7))
    """On which days they begin: `mon-fri`, `[sat, sun]`, `all`."""
    since: Annotated[Clock, Field(alias="from")]
    """When they begin, as in `"22:00"`."""
    to: Clock
    """When they end, as in `"07:00"`; not later than `from` means the next day."""
    zone: str | None = None
    """The zone of these times; by default that of whoever is on call."""
    monitors: tuple[str, ...] | None = None
    """For which monitors; all by default."""
    breaks_at: Severity | None = 4
    """The severity (1 to 5) from which people are told all the same."""


class SilencesBlock(Options):
    """What silences may do that people make by command."""

    longest: Duration = timedelta(hours=24)
    """How long a silence over everything may last."""
    breaks_at: Severity | None = 5
    """The severity (1 to 5) that breaks a silence, if it does not say otherwise."""


class WorkingHoursBlock(Options):
    """When people work anyway: rest is what lies between."""

    days: Days = frozenset(range(5))
    """On which days they begin: `mon-fri`."""
    since: Annotated[Clock, Field(alias="from")] = time(9)
    """When work begins."""
    to: Clock = time(17)
    """When work ends."""


# --------------------------------------------------------------------- as it is meant


class CalendarSettings(Options):
    """Where a rota's calendar is kept."""

    place: str
    allow_private: bool = False

    @property
    def is_address(self) -> bool:
        """Whether it is fetched; else it is a file."""
        return "://" in self.place


class DutySettings(Options):
    """Who is told, when; every name leads somewhere."""

    people: dict[PersonId, Person] = Field(default_factory=dict)
    rotas: dict[RotaId, Rota] = Field(default_factory=dict)
    calendars: dict[RotaId, CalendarSettings] = Field(default_factory=dict)
    quiet: tuple[QuietHours, ...] = ()
    longest_silence: timedelta = timedelta(hours=24)
    silences_broken_at: int | None = 5
    working: WorkingHours = WorkingHours()
    rest_reader: PersonId | None = None
    people_in_figures: bool = True


def zone_named(name: str) -> ZoneInfo | None:
    """Return a zone of the IANA list; None if there is none of this name."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None
