"""Commands for periods that were not normal, so that nothing is learnt from them."""

from __future__ import annotations

import getpass
from datetime import UTC
from typing import TYPE_CHECKING

import click

from brandmelder.cli import Group, acting, config_option, existing_database

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from brandmelder.settings import Settings

_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
_monitor = click.argument("monitor", metavar="MONITOR")
_since = click.option("--from", "since", required=True, type=click.DateTime(_FORMATS), metavar="TIME", help="Begin.")
_until = click.option("--to", "until", required=True, type=click.DateTime(_FORMATS), metavar="TIME", help="End.")


@click.group(cls=Group)
def marked() -> None:
    """Mark periods as not normal: an outage of a search, a data import, a week of carnival.

    Nothing is learnt from a marked period; alerts go on. Times are in the configuration's zone. Periods that are known
    for good belong into the configuration (`marked:`).
    """


@marked.command()
@_monitor
@config_option
@_since
@_until
@click.option("--why", default="", help="A word on why, for those who read it later.")
@click.option("--by", default=getpass.getuser, help="Your name; the login name by default.")
def add(monitor: str, path: Path, since: datetime, until: datetime, why: str, by: str) -> None:  # noqa: PLR0913, PLR0917 -- click
    """Mark a period; the monitor learns anew without it at its next evaluation."""
    from brandmelder.clock import SystemClock
    from brandmelder.model import MonitorId
    from brandmelder.pipeline import staff
    from brandmelder.store.marked import Marked

    settings = _settings(path, monitor)
    begin, end = _span(settings, since, until)
    now = SystemClock().now()
    one = Marked(monitor=MonitorId(monitor), since=begin, until=end, why=why, by=by, at=now)
    database = existing_database(settings)
    try:
        database.run_now(staff.mark, one, acting(by))
    finally:
        database.close()
    click.echo(f"{monitor}: nothing is learnt from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}")


@marked.command()
@_monitor
@config_option
@_since
@_until
def remove(monitor: str, path: Path, since: datetime, until: datetime) -> None:
    """Take a mark away; the monitor learns anew with the period."""
    from brandmelder.clock import SystemClock
    from brandmelder.model import MonitorId
    from brandmelder.pipeline import staff

    settings = _settings(path, monitor)
    begin, end = _span(settings, since, until)
    database = existing_database(settings)
    try:
        period = (MonitorId(monitor), begin, end)
        was_there = database.run_now(staff.unmark, period, acting(), SystemClock().now())
    finally:
        database.close()
    if not was_there:
        raise click.UsageError("no such period is marked; see: brandmelder marked list")
    click.echo(f"{monitor}: learns from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} again")


@marked.command("list")
@config_option
def list_(path: Path) -> None:
    """List the marked periods, those of the configuration, too."""
    from brandmelder.settings import read_settings
    from brandmelder.store.marked import marked_periods

    settings = read_settings(path, _environment())
    database = existing_database(settings)
    try:
        found = database.run_now(marked_periods)
    finally:
        database.close()
    for one in found:
        begin, end = (moment.astimezone(settings.zone) for moment in (one.since, one.until))
        why = f": {one.why}" if one.why else ""
        click.echo(f"{one.monitor}  {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}  by {one.by}{why}")
    for period in settings.marked:
        for name in period.monitors:
            click.echo(f"{name}  {period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M}  in {settings.path}")
    if not found and not settings.marked:
        click.echo("nothing is marked")


def _settings(path: Path, monitor: str) -> Settings:
    from brandmelder.settings import read_settings

    settings = read_settings(path, _environment())
    if monitor not in settings.monitors:
        raise click.UsageError(f"there is no monitor {monitor!r}; there are: {', '.join(settings.monitors)}")
    return settings


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)


def _span(settings: Settings, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    if until <= since:
        raise click.UsageError("the period ends before it begins; write a later --to")
    begin, end = (moment.replace(tzinfo=settings.zone).astimezone(UTC) for moment in (since, until))
    return begin, end
