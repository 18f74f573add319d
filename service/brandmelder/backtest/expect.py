"""What a replay is expected to tell: recorded incidents as tests, so that a changed configuration proves itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Struct
from pydantic import Field

from brandmelder.errors import ConfigurationError
from brandmelder.options import Duration, Options
from brandmelder.settings.calendar import LocalTime
from brandmelder.settings.file import load
from brandmelder.settings.marks import read_marked
from brandmelder.settings.wording import Notes

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from brandmelder.backtest.replay import Replay, Told
    from brandmelder.settings import Settings


class StormBlock(Options):
    """An incident that has to open."""

    monitor: str
    """Whose incident it is."""
    begins: LocalTime
    """When it began, by the clock of `timezone`: an incident that opens earlier does not count."""
    within: Duration = timedelta(hours=1)
    """How long the alarm may take from there."""
    severity: Annotated[int, Field(ge=1, le=5)] = 1
    """What the incident has to reach, 1 to 5."""


class QuietBlock(Options):
    """A span in which no incident may open."""

    monitor: str
    """Whose incidents are meant."""
    begins: LocalTime
    """Where the quiet begins, by the clock of `timezone`."""
    ends: LocalTime
    """Where it ends."""


class ExpectationsFile(Options):
    """A file of expectations."""

    incidents: tuple[StormBlock, ...] = ()
    """What has to be told."""
    quiet: tuple[QuietBlock, ...] = ()
    """When nothing may be told."""


class Checked(Struct, frozen=True, kw_only=True):
    """What became of one expectation, in a sentence."""

    text: str
    is_met: bool


def read_expectations(path: Path, settings: Settings) -> ExpectationsFile:
    """Read the file at `path` (YAML). Raises ConfigurationError with every problem at once."""
    marked = read_marked(load(path).text)
    notes = Notes(marked, str(path))
    for trouble in marked.troubles:
        notes.wrong((), trouble.text, trouble.hint, place=trouble.place)
    if marked.value is None:
        raise ConfigurationError(notes.problems)
    found = notes.accept(ExpectationsFile, marked.value, ())
    if found is not None:
        _look_twice(found, settings, notes)
    if found is None or notes.problems:
        raise ConfigurationError(notes.problems)
    return found


def _look_twice(found: ExpectationsFile, settings: Settings, notes: Notes) -> None:
    named: list[tuple[tuple[Any, ...], str]] = [
        *((("incidents", at, "monitor"), one.monitor) for at, one in enumerate(found.incidents)),
        *((("quiet", at, "monitor"), one.monitor) for at, one in enumerate(found.quiet)),
    ]
    for path, name in named:
        if name not in settings.monitors:
            notes.unknown(path, name, settings.monitors, kind="monitor")
    for at, one in enumerate(found.quiet):
        if one.ends <= one.begins:
            notes.wrong(("quiet", at, "ends"), "it ends before it begins", "name a later time")
    if not named:
        notes.wrong((), "nothing is expected", "write incidents: [...] or quiet: [...]")


def check(found: ExpectationsFile, replay: Replay, zone: ZoneInfo) -> list[Checked]:
    """Hold a replay against what was expected, in the order of the file."""
    storms = [_storm(one, replay.told, zone) for one in found.incidents]
    return [*storms, *(_quiet(one, replay.told, zone) for one in found.quiet)]


def _storm(wanted: StormBlock, told: tuple[Told, ...], zone: ZoneInfo) -> Checked:
    begins = wanted.begins.replace(tzinfo=zone)
    name = f"{wanted.monitor}, {begins:%Y-%m-%d %H:%M}"
    mine = [one.incident for one in told if one.incident.monitor == wanted.monitor and one.incident.opened_at >= begins]
    if not mine:
        return Checked(text=f"{name}: no incident opened", is_met=False)
    first = min(mine, key=lambda one: one.opened_at)
    took = _minutes(first.opened_at - begins)
    if first.opened_at > begins + wanted.within:
        return Checked(
            text=f"{name}: {first.id} opened after {took}, expected within {_minutes(wanted.within)}", is_met=False
        )
    if first.severity < wanted.severity:
        text = f"{name}: {first.id} reached severity {first.severity}, expected at least {wanted.severity}"
        return Checked(text=text, is_met=False)
    return Checked(text=f"{name}: {first.id} opened after {took}, severity {first.severity}", is_met=True)


def _quiet(wanted: QuietBlock, told: tuple[Told, ...], zone: ZoneInfo) -> Checked:
    begins, ends = (moment.replace(tzinfo=zone) for moment in (wanted.begins, wanted.ends))
    name = f"{wanted.monitor}, quiet {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M}"
    opened = [
        f"{one.incident.id} ({_local(one.incident.opened_at, zone)})"
        for one in told
        if one.incident.monitor == wanted.monitor and begins <= one.incident.opened_at < ends
    ]
    return Checked(text=f"{name}: {', '.join(opened) + ' opened' if opened else 'nothing opened'}", is_met=not opened)


def _minutes(span: timedelta) -> str:
    return f"{round(span / timedelta(minutes=1))} min"


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
