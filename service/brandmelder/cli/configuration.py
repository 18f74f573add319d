"""The commands about the configuration: write one, check one, describe what one may hold."""

from __future__ import annotations

import asyncio
import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandmelder.cli import config_option
from brandmelder.cli.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.errors import Problem
    from brandmelder.pipeline.survey import Visited
    from brandmelder.settings import Settings

_LANGUAGES = {"de": "German", "en": "English"}


@click.command()
@config_option
@click.option("--language", type=click.Choice(["de", "en"]), default="de", show_default=True, help="Of its comments.")
def init(path: Path, language: str) -> None:
    """Write a commented configuration to start from.

    An existing file is never touched. Exit code 2 if there is one or the folder cannot be written.
    """
    from brandmelder.errors import InputError

    text = resources.files("brandmelder.settings").joinpath(f"first.{language}.yaml").read_text(encoding="utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        if path.exists():
            raise InputError(path, None, "there is one already and it stays; name another by --config") from error
        raise InputError(path, None, f"cannot be written: {error.strerror}; name another by --config") from error
    click.echo(f"{path} is written. Next: put your addresses in, export SLACK_BOT_TOKEN, then")
    click.echo(f"  brandmelder check --config {path}")


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for a program.")
@click.option("--live", is_flag=True, help="Also poll every source once, and say what it would store.")
def check(path: Path, *, as_json: bool, live: bool) -> None:
    """Say everything that is wrong with the configuration, with line, column and remedy.

    With --live every source is visited as on first contact; nothing is stored. Exit code 0 if all is well, 2 if the
    configuration cannot be used, 1 if a source refuses or cannot be reached. Secrets are looked for, never shown.
    """
    from brandmelder.errors import ConfigurationError
    from brandmelder.settings import read_settings

    try:
        settings = read_settings(path, os.environ)
        asked = asked_of(settings)
    except ConfigurationError as error:
        _print_refusal(path, error.problems, as_json=as_json)
        raise click.exceptions.Exit(error.exit_code) from error
    visited = asyncio.run(_survey(settings)) if live else []
    if as_json:
        told = {name: {"asked": text, "matched_here": here} for name, text, here in asked}
        click.echo(
            json.dumps(summary(settings) | {"asked": told} | _visits(visited, settings, live=live), ensure_ascii=False)
        )
    else:
        for line in (*describe(settings), *_asked(asked), *_told(visited, settings)):
            say(line)
    if not all(one.is_good for one in visited):
        raise click.exceptions.Exit(1)


def asked_of(settings: Settings) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return each source that is asked for what the monitors want: its name, what is asked, what is matched here."""
    from brandmelder.capture.translate import matched_here
    from brandmelder.settings.asking import asking, queries_of

    found = []
    for ident, options in asking(settings).items():
        changed = {name: value for name, value in options if getattr(settings.sources[ident], name) != value}
        for value in changed.values():
            text = value if isinstance(value, str) else ", ".join(value)
            found.append((str(ident), text, matched_here(query.tree for query in queries_of(settings, ident))))
    return found


def _asked(asked: Sequence[tuple[str, str, tuple[str, ...]]]) -> Iterator[str]:
    for name, text, here in asked:
        yield f"asked of {name}: {text}"
        if here:
            yield f"  matched here: {', '.join(here)}"


async def _survey(settings: Settings) -> list[Visited]:
    from brandmelder import wiring
    from brandmelder.clock import SystemClock
    from brandmelder.pipeline.survey import survey

    reach = wiring.outside()
    try:
        return await survey(wiring.build_sources(settings, reach), SystemClock().now(), settings.zone)
    finally:
        await reach.close()


def _told(visited: Sequence[Visited], settings: Settings) -> Iterator[str]:
    if visited:
        yield ""
    for one in visited:
        mark = "good" if one.is_good else "BAD "
        said = one.text.removeprefix(f'source "{one.source}": ')
        yield f"{mark}  {one.source}: {said}  ({settings.where('sources', one.source)})"


def _visits(visited: Sequence[Visited], settings: Settings, *, live: bool) -> dict[str, Any]:
    if not live:
        return {}
    return {
        "ok": all(one.is_good for one in visited),
        "visits": [
            {
                "source": one.source,
                "good": one.is_good,
                "mentions": one.mentions,
                "text": one.text,
                "where": settings.where("sources", one.source),
            }
            for one in visited
        ],
    }


@click.command()
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there.")
def schema(output: Path | None) -> None:
    """Print a JSON schema of the configuration, so that an editor completes and checks it.

    It covers the sources and channels that are installed here. Editors that know YAML find it by a first line such as

      # yaml-language-server: $schema=brandmelder.schema.json
    """
    from brandmelder.errors import InputError
    from brandmelder.settings.schema import schema_text

    if output is None:
        click.echo(schema_text(), nl=False)
        return
    try:
        output.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        raise InputError(output, None, f"cannot be written: {error.strerror}") from error


def describe(settings: Settings) -> Iterator[str]:
    """Yield a configuration in lines for a person: what is read, watched and told."""
    from brandmelder.options import format_duration

    yield f"{settings.path} can be used."
    yield ""
    language = _LANGUAGES[settings.language]
    yield f"brand     {settings.brand} ({settings.short}), {language}, times in {settings.zone.key}"
    yield f"database  {settings.database}{_whereabouts(settings.database)}"
    yield from _table(
        "sources",
        [(name, source.type, f"every {format_duration(source.every)}") for name, source in settings.sources.items()],
    )
    yield from _table(
        "monitors",
        [
            (name, monitor.false_alarms, f"reads {', '.join(monitor.sources)}; tells {', '.join(told)}")
            for name, monitor in settings.monitors.items()
            for told in [settings.channels_of(name)]
        ],
    )
    yield from _table("channels", [(name, channel.type) for name, channel in settings.channels.items()])
    if settings.warnings:
        yield ""
        yield from (f"warning: {problem}" for problem in settings.warnings)


def _whereabouts(database: str) -> str:
    """Say where a file lies that is named relative to the working directory: three slashes are easily too few."""
    from brandmelder.settings.shape import IN_MEMORY

    path = Path(database.removeprefix("sqlite:///"))
    return "" if database in IN_MEMORY or path.is_absolute() else f", from here {path.absolute()}"


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{title if number == 0 else '':<10}{cells}".rstrip()


def summary(settings: Settings) -> dict[str, Any]:
    """Return a configuration as `check --json` prints it; durations in seconds, no secrets."""
    return {
        "ok": True,
        "file": str(settings.path),
        "problems": [],
        "warnings": [_problem(problem) for problem in settings.warnings],
        "brand": settings.brand,
        "short": settings.short,
        "language": settings.language,
        "timezone": settings.zone.key,
        "database": settings.database,
        "classifier": settings.classifier,
        "sources": {
            name: {"type": source.type, "every": source.every.total_seconds(), "class": source.class_}
            for name, source in settings.sources.items()
        },
        "monitors": {
            name: {
                "query": monitor.query,
                "sources": monitor.sources,
                "false_alarms_per_day": monitor.budget,
                "channels": settings.channels_of(name),
            }
            for name, monitor in settings.monitors.items()
        },
        "channels": {name: {"type": channel.type} for name, channel in settings.channels.items()},
    }


def _print_refusal(path: Path, problems: Sequence[Problem], *, as_json: bool) -> None:
    if as_json:
        found = {
            "ok": False,
            "file": str(path),
            "problems": [_problem(problem) for problem in problems],
            "warnings": [],
        }
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for problem in problems:
        click.echo(str(problem), err=True)
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    click.echo(f"\n{path} cannot be used: {count}.", err=True)


def _problem(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("file", "line", "column", "text", "hint")}
