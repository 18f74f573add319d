"""`brandmelder privacy`: what is stored of a person, and having it forgotten."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandmelder.cli import Group, acting, config_option, existing_database
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brandmelder.pipeline.forget import Erased, Person
    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.database import Database

_author = click.option("--author", default="", metavar="NAME", help="Their account, as their platform writes it.")
_urls = click.option("--url", "urls", multiple=True, metavar="ADDRESS", help="Address of a mention; several times.")
_source = click.option("--source", metavar="NAME", help="Only in this source: elsewhere the name may be another's.")
_by = click.option("--by", default="", help="Your name; the login name by default.")


@click.group(cls=Group)
def privacy() -> None:
    """Answer people who ask what is stored of them, or to be forgotten. Both stand in the audit."""


@privacy.command()
@config_option
@_author
@_urls
@_source
@_by
@click.option("--objects", is_flag=True, help="Store nothing they write in future either (Art. 21 GDPR).")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(path: Path, by: str, yes: bool, **person: Any) -> None:  # noqa: FBT001 -- click's flag
    """Forget a person: texts, addresses and pseudonym go, also out of alerts in chat; counts stay.

    A running service edits the alerts within seconds. What was erased does not come back at the next poll. Prints what
    was done, what is left to do by hand, and whether the file still holds a trace.
    """
    from brandmelder.pipeline import forget

    asked = _person(person)
    database, parts, now = _open(path)
    try:
        found = database.run_now(asked.found_in, parts)
        if not yes:
            click.confirm(f"{_counted(len(found))} erased for good. Go on?", abort=True, err=True)
        erased = database.run_now(forget.erase, parts, asked, acting(by or None), now)
        database.scrub()
        left = forget.left_in(database, erased.marks)
        if left:
            database.scrub(rebuild=True)
            left = forget.left_in(database, erased.marks)
    finally:
        database.close()
    for line in _report(erased, asked, left=len(left)):
        say(line)
    if left:
        raise SystemExit(1)


@privacy.command()
@config_option
@_author
@_urls
@_source
@_by
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A new file; the terminal by default.")
def export(path: Path, by: str, output: Path | None, **person: Any) -> None:
    """Write all that is stored of a person as JSON, to hand it over to them."""
    from brandmelder.pipeline import forget

    asked = _person(person)
    database, parts, now = _open(path)
    try:
        answer = database.run_now(forget.export, parts, asked, acting(by or None), now)
    finally:
        database.close()
    if output is None:
        say(answer.decode())
        return
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BrandmelderError(f"{output}: {error.strerror}; name a file that does not exist yet") from error
    with os.fdopen(handle, "wb") as out:
        out.write(answer + b"\n")
    click.echo(f"written to {output}")


@privacy.command("new-key")
@config_option
@_by
@click.option("--yes", is_flag=True, help="Do not ask.")
def new_key(path: Path, by: str, yes: bool) -> None:  # noqa: FBT001 -- click's flag
    """Go on under the key there is now, or make one: the one the database was written with is lost for good.

    Stop the service first. Who objected or was erased is not recognised any more, and everybody known is a stranger.
    """
    from brandmelder import wiring
    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings
    from brandmelder.store import audit
    from brandmelder.store.database import Database

    settings, actor = read_settings(path, os.environ), acting(by or None)
    existing_database(settings).close()
    database = Database(settings.database, exclusive=True)
    try:
        if not yes:
            click.confirm("Erasures and objections of the past will hold no longer. Go on?", abort=True, err=True)
        wiring.renew_author_key(database)
        record = partial(audit.record, by=actor.name, now=SystemClock().now(), **actor.said())
        database.run_now(record, "privacy.key")
    finally:
        database.close()
    say("the service goes on under the key there is now; erase again whom you erased (brandmelder privacy erase)")


def _person(asked: dict[str, Any]) -> Person:
    from brandmelder.pipeline.forget import Person

    if not (asked["author"] or asked["urls"]):
        raise click.UsageError("say whom it is about: --author NAME, or --url ADDRESS")
    return Person(**asked)


def _open(path: Path) -> tuple[Database, Parts, Any]:
    from brandmelder import wiring
    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    database = existing_database(settings)
    notifiers = wiring.build_notifiers(settings, wiring.outside())  # nothing is sent here
    parts = wiring.build(settings, database=database, sources={}, notifiers=notifiers).parts
    return database, parts, SystemClock().now()


def _counted(number: int) -> str:
    return "1 mention is" if number == 1 else f"{number} mentions are"


def _report(erased: Erased, asked: Person, *, left: int) -> Iterator[str]:
    yield f"{_counted(len(erased.mentions))} erased; their counts stay"
    if not erased.mentions:
        where = f" in {asked.source}" if asked.source else ""
        how = "the account as its platform writes it" if asked.author else "the address as it stands in the mention"
        yield f"nothing of theirs was stored{where}: is this {how}?"
    if erased.incidents:
        yield f"alerts that quoted them are edited by the running service: {', '.join(erased.incidents)}"
    if erased.uneditable:
        yield f"cannot be taken back, delete by hand what these channels hold: {', '.join(erased.uneditable)}"
    if erased.naming:
        yield "others name this account; look at what they wrote, and erase it by --url:"
        yield from (f"  {url or f'mention {ident}, which has no address'}" for ident, url in erased.naming)
    yield f"{left} traces are left in the file" if left else "the database's files hold no trace of it"
    yield "not looked at: backups, logs of the platform itself, files you read in as an archive"
