"""Commands that keep people from being told for a while, and tell who asked for that and why."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Any

import click

from brandmelder.cli import Group, acting, config_option, existing_database
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from brandmelder.model import Matcher, Silence
    from brandmelder.settings import Settings

_by = click.option("--by", default=getpass.getuser, help="Your name; the login name by default.")


@click.group(cls=Group)
def silence() -> None:
    """Keep people from being told for a while: add, list, expire.

    Incidents go on, are counted and shown. At the end of a silence one message tells what still burns.
    """


@silence.command()
@config_option
@_by
@click.option("--reason", required=True, help="Why; everybody reads it.")
@click.option("--for", "span", metavar="DURATION", help="How long, as in 2h.")
@click.option("--until", metavar="MOMENT", help="Until when, as in 18:00 or '2026-12-24 18:00'.")
@click.option("--from", "since", default="now", show_default=True, metavar="MOMENT", help="From when.")
@click.option("--monitor", "monitors", multiple=True, help="Only of this monitor; several times for several.")
@click.option("--kind", "kinds", multiple=True, help="Only this kind of spike: negative, share, total …")
@click.option("--source", "sources", multiple=True, help="Only what comes from this source and from no other.")
@click.option("--topic", default="", help="Only incidents with this word in a leading phrase.")
@click.option("--below", type=click.IntRange(2, 5), help="Only severities below this one (1 to 5).")
@click.option("--breaks-at", metavar="SEVERITY", help="The severity that breaks it, or never.")
def add(path: Path, **asked: Any) -> None:
    """Silence what fits every option that is given; without any, everything, for at most 24 h."""
    from brandmelder.clock import SystemClock
    from brandmelder.notify.silence import refusal
    from brandmelder.pipeline import staff

    settings, now = _settings(path), SystemClock().now()
    wanted = _silence(asked, settings, now)
    refused = refusal(wanted, longest=settings.duty.longest_silence)
    if refused is not None:
        raise click.UsageError(refused)
    database = existing_database(settings)
    try:
        kept = database.run_now(staff.silence, wanted, acting(asked["by"]), now)
    finally:
        database.close()
    say(_row(kept, settings, now))


@silence.command("list")
@config_option
@click.option("--all", "everything", is_flag=True, help="Ended ones of the last 90 days, too.")
def list_(path: Path, everything: bool) -> None:  # noqa: FBT001 -- click's flag
    """List the silences that hold or will hold."""
    from datetime import timedelta

    from brandmelder.clock import SystemClock
    from brandmelder.store import silences

    settings, now = _settings(path), SystemClock().now()
    database = existing_database(settings)
    try:
        found = database.run_now(silences.ending_after, now - timedelta(days=90) if everything else now)
    finally:
        database.close()
    if not found:
        click.echo("no silences" if everything else "nothing is silenced (ended ones: --all)")
    for one in found:
        say(_row(one, settings, now))


@silence.command()
@click.argument("number", type=int)
@config_option
@_by
def expire(number: int, path: Path, by: str) -> None:
    """End a silence now; what still burns is told at once."""
    from brandmelder.clock import SystemClock
    from brandmelder.pipeline import staff
    from brandmelder.store import silences

    settings, now = _settings(path), SystemClock().now()
    database = existing_database(settings)
    try:
        found = database.run_now(silences.find, number)
        if found is None:
            raise BrandmelderError(f"there is no silence {number}; see: brandmelder silence list --all")
        if found.ends <= now:
            raise BrandmelderError(f"silence {number} ended {_moment(found.ends, settings)} already")
        ended = database.run_now(staff.end_silence, found, acting(by), now)
    finally:
        database.close()
    say(_row(ended, settings, now))


def _settings(path: Path) -> Settings:
    from brandmelder.settings import read_settings

    return read_settings(path, os.environ)


def _silence(asked: dict[str, Any], settings: Settings, now: datetime) -> Silence:
    from brandmelder.cli.moments import read_moment, read_span
    from brandmelder.model import Silence

    if (asked["span"] is None) == (asked["until"] is None):
        raise click.UsageError("a silence needs its end: give --for or --until")
    since = max(now, read_moment(asked["since"], settings.zone, now, option="--from"))
    if asked["span"] is not None:
        until = since + read_span(asked["span"], option="--for")
    else:
        until = read_moment(asked["until"], settings.zone, now, option="--until")
    return Silence(
        id=0,
        matcher=_matcher(asked, settings),
        since=since,
        until=until,
        by=asked["by"],
        reason=asked["reason"],
        broken_at=_broken_at(asked["breaks_at"], settings),
    )


def _matcher(asked: dict[str, Any], settings: Settings) -> Matcher:
    from brandmelder.model import Matcher, MonitorId, SourceId, SpikeKind

    _known(asked["monitors"], settings.monitors, "--monitor")
    _known(asked["sources"], settings.sources, "--source")
    _known(asked["kinds"], [kind.value for kind in SpikeKind], "--kind")
    return Matcher(
        monitors=frozenset(MonitorId(one) for one in asked["monitors"]),
        kinds=frozenset(SpikeKind(one) for one in asked["kinds"]),
        sources=frozenset(SourceId(one) for one in asked["sources"]),
        topic=asked["topic"].strip(),
        below=asked["below"],
    )


def _known(names: Iterable[str], known: Iterable[str], option: str) -> None:
    from brandmelder.settings.wording import nearest

    for name in names:
        if name not in set(known):
            raise click.BadParameter(f'"{name}" is not known; {nearest(name, known, "names")}', param_hint=option)


def _broken_at(text: str | None, settings: Settings) -> int | None:
    if text is None:
        return settings.duty.silences_broken_at
    if text == "never":
        return None
    if text not in {"1", "2", "3", "4", "5"}:
        raise click.BadParameter("write a severity from 1 to 5, or never", param_hint="--breaks-at")
    return int(text)


def _row(one: Silence, settings: Settings, now: datetime) -> str:
    from brandmelder.notify.bulletin import matcher_words

    what = matcher_words(one.matcher, "en")
    state = "ended" if one.ends <= now else "holds" if one.since <= now else "begins"
    breaks = "never broken" if one.broken_at is None else f"broken at severity {one.broken_at}"
    span = f"{_moment(one.since, settings)} - {_moment(one.ends, settings)}"
    return f"{one.id}  {state}  {span}  {what}  {breaks}  by {one.by}: {one.reason}"


def _moment(moment: datetime, settings: Settings) -> str:
    from brandmelder.cli.moments import say_moment

    return say_moment(moment, settings.zone)
