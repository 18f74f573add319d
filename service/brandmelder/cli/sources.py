"""Shows how each source is, since when and why, how often it is asked, and how long its budget lasts."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from brandmelder.cli import config_option, existing_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from brandmelder.pipeline.pace import Forecast, Rhythm
    from brandmelder.settings import Settings
    from brandmelder.store.sources import SourceRow


_LONG = timedelta(days=3_650)
"""What ends later than this is as good as endless."""


class BudgetLine(Struct, frozen=True, kw_only=True):
    """One limit: what of it is used, and where it leads at the pace of the last days."""

    limit: str
    amount: float
    used: float
    at_end: float
    ends_on: datetime | None


class SourceLine(Struct, frozen=True, kw_only=True):
    """How one source is. Moments are UTC."""

    source: str
    type: str
    state: str
    since: datetime | None
    note: str
    every_seconds: int
    asked_every_seconds: int
    last_success_at: datetime | None
    next_poll_at: datetime | None
    blind_since: datetime | None
    doubts: tuple[str, ...]
    """Why it is doubted though it answers."""
    access_ends_at: datetime | None
    clock_offset_seconds: int | None
    requests_today: int
    dollars_today: float
    requests_this_month: int
    dollars_this_month: float
    budgets: tuple[BudgetLine, ...]


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
def sources(path: Path, *, as_json: bool) -> None:
    """Show how each source is, and what its budget has left.

    Each budget comes with a forecast at the pace of the last seven days. Exit code 1 if a source cannot be seen.
    """
    import msgspec

    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    database, now = existing_database(settings), SystemClock().now()
    try:
        found = database.run_now(survey, settings, now)
    finally:
        database.close()
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for one in found:
            for line in lines_of(one, now):
                click.echo(line)
    raise SystemExit(1 if any(one.blind_since is not None for one in found) else 0)


def survey(connection: Connection, settings: Settings, now: datetime) -> list[SourceLine]:
    """Return how the configuration's sources are."""
    from brandmelder.model import SourceId
    from brandmelder.store import sources as stored
    from brandmelder.wiring import rhythm_of

    rows = stored.read_sources(connection)
    lines = [
        _line(connection, (str(ident), options.type), rhythm_of(options), rows.get(ident), now)
        for ident, options in settings.sources.items()
    ]
    return [_with_doubts(connection, settings, line, rows.get(SourceId(line.source)), now) for line in lines]


def _with_doubts(
    connection: Connection, settings: Settings, line: SourceLine, row: SourceRow | None, now: datetime
) -> SourceLine:
    from msgspec.structs import replace

    from brandmelder.model import SourceClass, SourceId
    from brandmelder.notify.doubt import said
    from brandmelder.notify.voice import Voice, words_of
    from brandmelder.pipeline.doubts import ends_at
    from brandmelder.store import doubts
    from brandmelder.wiring.access import access_ends

    ident = SourceId(line.source)
    options, voice = settings.sources[ident], Voice(words_of("en"), settings.zone, now)
    held = [one for one in doubts.running(connection).values() if one.source == ident]
    return replace(
        line,
        doubts=tuple(said(one, {ident: SourceClass(options.class_)}, "en", voice) for one in held),
        access_ends_at=ends_at(row, access_ends(options, settings.zone)),
    )


def _line(
    connection: Connection, named: tuple[str, str], rhythm: Rhythm, row: SourceRow | None, now: datetime
) -> SourceLine:
    from brandmelder.model import SourceId
    from brandmelder.pipeline.blindness import plain
    from brandmelder.pipeline.pace import Used, forecasts
    from brandmelder.pipeline.spend import first_day, used_by_day
    from brandmelder.store import usage

    name, kind = named
    used = used_by_day(usage.days_of(connection, SourceId(name), first_day(now)))
    today, month = used.get(now.date(), Used()), Used()
    for day, one in used.items():
        month = month.plus(one) if (day.year, day.month) == (now.year, now.month) else month
    return SourceLine(
        source=name,
        type=kind,
        state=row.state.value if row is not None else "new",
        since=row.state_since if row is not None else None,
        note=plain(row) if row is not None else "not polled yet",
        every_seconds=int(rhythm.every.total_seconds()),
        asked_every_seconds=int(((row.every if row is not None else None) or rhythm.every).total_seconds()),
        last_success_at=row.last_success_at if row is not None else None,
        next_poll_at=row.next_poll_at if row is not None else None,
        blind_since=row.blind_since if row is not None else None,
        doubts=(),
        access_ends_at=None,
        clock_offset_seconds=_offset_of(row),
        requests_today=today.requests,
        dollars_today=today.micros / 1e6,
        requests_this_month=month.requests,
        dollars_this_month=month.micros / 1e6,
        budgets=tuple(_budget(one) for one in forecasts(rhythm.budget, used, now)),
    )


def _offset_of(row: SourceRow | None) -> int | None:
    return None if row is None or row.clock_offset is None else round(row.clock_offset.total_seconds())


def _budget(one: Forecast) -> BudgetLine:
    limit = one.limit
    return BudgetLine(limit=limit.key, amount=limit.amount, used=one.used, at_end=one.at_end, ends_on=one.ends_on)


def lines_of(one: SourceLine, now: datetime) -> Iterator[str]:
    """Yield what a person reads of one source."""
    from brandmelder.notify.inert import inert
    from brandmelder.options import format_duration

    since = f" since {_moment(one.since, now)}" if one.since is not None else ""
    blind = f", last seen {_moment(one.blind_since, now)}" if one.blind_since is not None else ""
    yield f"{one.source} ({one.type}): {one.state}{since}{blind}"
    if one.note:
        yield f"  {inert(one.note, 300)}"
    yield from (f"  {inert(doubt, 300)}" for doubt in one.doubts)
    if one.access_ends_at is not None and one.access_ends_at - now < _LONG:
        yield f"  its access ends on {one.access_ends_at:%Y-%m-%d}"
    if one.last_success_at is not None:
        every = format_duration(timedelta(seconds=one.every_seconds))
        asked = timedelta(seconds=one.asked_every_seconds)
        now_at = f" (now every {format_duration(asked)})" if one.asked_every_seconds != one.every_seconds else ""
        following = f", next {_moment(one.next_poll_at, now)}" if one.next_poll_at is not None else ""
        yield f"  asked every {every}{now_at}, last read {_moment(one.last_success_at, now)}{following}"
    spent_today = f", {one.dollars_today:.2f} dollars" if one.dollars_this_month else ""
    spent = f", {one.dollars_this_month:.2f} dollars" if one.dollars_this_month else ""
    requests = f"today {one.requests_today} requests{spent_today}"
    yield f"  {requests}; this month {one.requests_this_month} requests{spent}"
    for budget in one.budgets:
        yield f"  {_forecast(budget, now)}"


def _forecast(one: BudgetLine, now: datetime) -> str:
    period = one.limit.rpartition("_")[2]
    unit = "dollars" if one.limit.startswith("money") else "requests"
    shown = f"{one.used:.2f} of {one.amount:g}" if unit == "dollars" else f"{one.used:.0f} of {one.amount:.0f}"
    said = f"budget: {shown} {unit} this {period} are used"
    if one.used >= one.amount:
        return f"{said}: it is spent"
    if one.ends_on is None:
        share = one.at_end / one.amount
        return f"{said}; at this pace {share:.0%} by its end"
    end = f"at {one.ends_on:%H:%M} UTC" if period == "day" else f"on {_ordinal(one.ends_on.day)}"
    return f"{said}; at this pace it ends {end}" if one.ends_on > now else f"{said}: it is spent"


def _ordinal(day: int) -> str:
    suffix = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"the {day}{suffix}"


def _moment(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never"
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"
