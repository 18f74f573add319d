"""Commands that write what is read afterwards: the report of an incident, and what makes too much noise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from brandmelder.cli import Group, config_option, existing_database, incident_argument
from brandmelder.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts
    from brandmelder.report.document import Document

T = TypeVar("T")

_language = click.option("--language", type=click.Choice(["de", "en"]), help="By default that of the configuration.")
_format = click.option(
    "--format",
    "form",
    type=click.Choice(["html", "markdown"]),
    help="html: one page to print or forward; markdown: for a wiki. By default what the file's name says.",
)
_output = click.option(
    "--output", "output", type=click.Path(dir_okay=False), help="The file to write; by default standard output."
)


@click.group(cls=Group)
def report() -> None:
    """Write reports: of an incident, of what makes too much noise."""


@report.command()
@incident_argument
@config_option
@_language
@_format
@_output
@click.option("--without-names", is_flag=True, help="Write a role in the place of every name of staff.")
def incident(ident: str, path: Path, **asked: str | bool | None) -> None:
    """Write the report of an incident: first against final severity, course, voices, replies, timeline.

    The HTML needs nothing from elsewhere; as PDF it is printed from the browser.
    """
    from brandmelder.pipeline.account import read_account
    from brandmelder.report.account import without_names
    from brandmelder.report.incident import incident_report
    from brandmelder.report.incident_words import incident_words

    def read(connection: Connection, parts: Parts, now: datetime) -> Document:
        parts.language = str(asked["language"] or parts.language)
        account = read_account(connection, parts, ident, now)
        if asked["without_names"] or not parts.duty.people_in_figures:
            account = without_names(account, incident_words(parts.language).anonymous)
        return incident_report(account)

    write(with_parts(path, read), asked["form"], asked["output"])


def since_option(default: str) -> Callable[..., Any]:
    """Give a command the option `--since SPAN`: how far it looks back."""
    return click.option(
        "--since", default=default, show_default=True, metavar="SPAN", help="How far back, as in 24h, 28d or 12w."
    )


def span_of(text: str) -> timedelta:
    """Read how far a command looks back. Raises click.BadParameter."""
    from brandmelder.cli.moments import read_span

    return read_span(text, option="--since")


@report.command()
@config_option
@since_option("28d")
@_language
@_format
@_output
def noise(path: Path, since: str, **asked: str | None) -> None:
    """Write which monitors are too loud, which alerts nobody acknowledged, and what would help."""
    from brandmelder import __version__
    from brandmelder.notify.voice import Voice, words_of
    from brandmelder.pipeline.noise import read_noise
    from brandmelder.report.noise import noise_report

    span = span_of(since)

    def read(connection: Connection, parts: Parts, now: datetime) -> Document:
        voice = Voice(words_of(asked["language"] or parts.language), parts.zone, now)
        return noise_report(read_noise(connection, parts, now - span, now), voice, version=__version__)

    write(with_parts(path, read), asked["form"], asked["output"])


def with_service(path: Path, function: Callable[[Parts, datetime], T]) -> T:
    """Return what `function` makes of the parts of a configuration, of which nothing is polled or sent."""
    from brandmelder import wiring
    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    database = existing_database(settings)
    try:
        pipeline = wiring.build(settings, database=database, sources={}, notifiers={})
        return function(pipeline.parts, SystemClock().now())
    finally:
        database.close()


def with_parts(path: Path, function: Callable[[Connection, Parts, datetime], T]) -> T:
    """Return what `function` reads in one look at the database."""
    return with_service(path, lambda parts, now: parts.database.run_now(function, parts, now))


def write(document: Document, form: object, output: object) -> None:
    """Write a report to a file or to standard output. Raises InputError for a file that cannot be written."""
    from brandmelder.report.markdown import markdown
    from brandmelder.report.printed import printed

    name = str(output) if output else ""
    if form is None:
        form = "html" if name.endswith((".html", ".htm")) else "markdown"
    text = printed(document) if form == "html" else markdown(document)
    if not name:
        click.echo(text, nl=False)
        return
    try:
        with open(name, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - the name of a pipe is one, too
            file.write(text)
    except OSError as error:
        raise InputError(name, None, f"{error.strerror}; name a file that this user may write") from error
    click.echo(f"wrote {name}", err=True)
