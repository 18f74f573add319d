"""`brandmelder audit`: who did what, whether anything was altered, and a copy of it for somebody else to keep."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from brandmelder.cli import Group, acting, config_option, existing_database
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from brandmelder.settings import Settings
    from brandmelder.store.audit import Entry

T = TypeVar("T")


@click.group(cls=Group)
def audit() -> None:
    """Show who did what, check that nothing was altered, export it.

    Kept for a year: what people do to incidents, silences, duty, labels and deliveries, who read how long others
    rested, what was erased or exported of a person, and with which configuration the service began.
    """


@audit.command("list")
@config_option
@click.option("--act", default="", help="Only acts that begin so: incident, silence, privacy …")
@click.option("--by", default="", help="Only of this person.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many rows.")
def list_(path: Path, act: str, by: str, limit: int) -> None:
    """List the last acts, newest first."""
    from brandmelder.store import audit as stored

    settings, found = _read(path, lambda connection: stored.newest(connection, 100_000))
    fitting = [one for one in found if one.act.startswith(act) and by.casefold() in one.actor.casefold()][:limit]
    for one in fitting:
        say(_row(one, settings))
    if not fitting:
        click.echo("nobody did anything that fits")


@audit.command()
@config_option
@click.option("--head", "wanted", metavar="SEAL", help="A seal noted earlier, which must stand in the chain.")
def verify(path: Path, wanted: str | None) -> None:
    """Go through the whole chain; exit code 1 if a row was altered, removed or put between.

    Whoever can write the database can write a new chain. Note the head it prints (the service logs it at every start,
    too) where they cannot write, and give it here later.
    """
    from brandmelder.store import audit as stored

    _, found = _read(path, lambda connection: stored.verify(connection, wanted))
    if found.broken is not None:
        raise BrandmelderError(f"row {found.broken} of the audit was altered, or one before it is missing")
    if not found.has_wanted:
        raise BrandmelderError("this seal is not in the chain: the audit was rewritten, or it is another one's")
    click.echo(f"{found.rows} rows, unaltered; head {found.head}")


@audit.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
def export(file: Path, path: Path) -> None:
    """Write every row to a new file of JSON lines, seals included, so that anybody can check the chain."""
    import msgspec

    from brandmelder.clock import SystemClock
    from brandmelder.store import audit as stored

    def read(connection: Connection) -> list[Entry]:
        stored.record(connection, "audit.export", by=acting().name, now=SystemClock().now())
        return list(stored.entries(connection))

    _, rows = _read(path, read)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BrandmelderError(f"{file}: {error.strerror}; name a file that does not exist yet") from error
    with os.fdopen(handle, "wb") as out:
        out.writelines(msgspec.json.encode(one) + b"\n" for one in rows)
    click.echo(f"{len(rows)} rows in {file}")


def _read(path: Path, function: Callable[[Connection], T]) -> tuple[Settings, T]:
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    database = existing_database(settings)
    try:
        return settings, database.run_now(function)
    finally:
        database.close()


def _row(one: Entry, settings: Settings) -> str:
    from brandmelder.cli.terminal import plain

    at = one.at.astimezone(settings.zone)
    return plain(f"{one.number}  {at:%Y-%m-%d %H:%M:%S}  {one.act}  {one.subject}  by {one.actor}  {one.detail}")
