"""Known events and marked periods, as people write them in the configuration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from brandmelder.detect.calendar import check_region
from brandmelder.detect.occasions import Planned, Repeats, check_planned
from brandmelder.model import MonitorId
from brandmelder.options import Day, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brandmelder.settings.marks import Path
    from brandmelder.settings.wording import Notes

    Known = Callable[..., tuple[str, ...]]


def _local(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise ValueError(f'"{value}" is no time; write it as in 2026-12-20T19:58') from error
    if moment.tzinfo is not None:
        raise ValueError(f'"{value}" has a zone; times here are those of timezone, as in 2026-12-20T19:58')
    return moment


_TIME = {"type": "string", "examples": ["2026-12-20T19:58"]}
LocalTime = Annotated[datetime, BeforeValidator(_local), WithJsonSchema(_TIME)]
"""A time by the configuration's zone."""


class EventBlock(Options):
    """Something known beforehand, such as a TV spot or a price letter: more mentions are expected, none are muted."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """What messages call it."""
    start: LocalTime
    """When it begins to show, by the clock of `timezone`."""
    end: LocalTime
    """When it no longer shows."""
    repeats: Literal["never", "daily", "weekly", "yearly"] = "never"
    """How often it comes again, at the same time by the local clock."""
    until: Day | None = None
    """The last day on which it may begin, if it repeats."""
    monitors: Any = None
    """The monitors it concerns, or `all` of them."""
    kind: Annotated[str | None, Field(min_length=1, max_length=40)] = None
    """Events of one kind are learnt from together; its name by default."""
    lift: Annotated[float | None, Field(ge=1, le=1000)] = None
    """How many times the usual is expected. Without it, it is learnt from earlier events of the kind, twofold at
    first."""


class MarkedBlock(Options):
    """A period that was not normal: nothing is learnt from it. Alerts go on."""

    start: LocalTime
    """When it begins, by the clock of `timezone`."""
    end: LocalTime
    """When it is over."""
    monitors: Any = None
    """The monitors it concerns, or `all` of them."""
    why: Annotated[str, Field(max_length=200)] = ""
    """For those who read the file later."""


class EventSettings(Options):
    """One known event, checked; `monitors` None means all."""

    planned: Planned
    monitors: tuple[MonitorId, ...]


class MarkedSettings(Options):
    """One marked period by the local clock, checked."""

    start: datetime
    end: datetime
    monitors: tuple[MonitorId, ...]


def read_events(blocks: Any, notes: Notes, monitors: Mapping[str, Any], known: Known) -> tuple[EventSettings, ...]:
    """Return the events of the `calendar` section; what is wrong goes into the notes."""
    found = []
    for at, block in enumerate(blocks if isinstance(blocks, list) else []):
        path: Path = ("calendar", at)
        one = notes.accept(EventBlock, block, path)
        names = _monitors(block, monitors, (*path, "monitors"), known)
        if one is None:
            continue
        planned = Planned(
            name=one.name,
            kind=one.kind or one.name,
            start=one.start,
            end=one.end,
            repeats=Repeats(one.repeats),
            last=one.until,
            lift=one.lift,
        )
        if one.until is not None and one.repeats == "never":
            notes.wrong((*path, "until"), "until says when an event repeats no more, and this one never does",
                        "add repeats: weekly", on_key=True)  # fmt: skip
        try:
            check_planned(planned)
        except ValueError as error:
            said, _, hint = str(error).partition("; ")
            notes.wrong((*path, "end"), f'the event "{one.name}": {said}', hint)
        found.append(EventSettings(planned=planned, monitors=tuple(MonitorId(name) for name in names)))
    return tuple(found)


def read_marked_periods(
    blocks: Any, notes: Notes, monitors: Mapping[str, Any], known: Known
) -> tuple[MarkedSettings, ...]:
    """Return the marked periods of the configuration; what is wrong goes into the notes."""
    found = []
    for at, block in enumerate(blocks if isinstance(blocks, list) else []):
        path: Path = ("marked", at)
        one = notes.accept(MarkedBlock, block, path)
        names = _monitors(block, monitors, (*path, "monitors"), known)
        if one is None:
            continue
        if one.end <= one.start:
            notes.wrong((*path, "end"), "the period ends before it begins", "write a later end")
        found.append(MarkedSettings(start=one.start, end=one.end, monitors=tuple(MonitorId(name) for name in names)))
    return tuple(found)


def _monitors(block: Any, monitors: Mapping[str, Any], path: Path, known: Known) -> tuple[str, ...]:
    written = block.get("monitors") if isinstance(block, dict) else None
    return known(written, monitors, path, kind="monitor")


def read_region(value: Any, notes: Notes) -> str:
    """Return whose public holidays count; an unknown region goes into the notes."""
    if not isinstance(value, str) or not value:
        return ""
    try:
        return check_region(value)
    except ValueError as error:
        said, _, hint = str(error).partition("; ")
        notes.wrong(("region",), f"region: {said}", hint)
        return ""
