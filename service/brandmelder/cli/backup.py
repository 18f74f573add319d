"""Commands for copies of the database: make one while the service runs, put one back."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brandmelder.cli import acting, config_option

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.settings import Settings
    from brandmelder.store.backup import Backup


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False, metavar="[FOLDER]")
@click.option("--keep", type=click.IntRange(min=1), metavar="DAYS", help="Delete older copies from the folder.")
@config_option
def backup(folder: Path | None, keep: int | None, path: Path) -> None:
    """Write a checked copy of the database; the service may run.

    Without a FOLDER it goes to `backups` beside the database. Only a copy on another machine survives this one.
    """
    from brandmelder.cli.terminal import say
    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings
    from brandmelder.store.backup import back_up, outdated

    database, now = _file_of(read_settings(path, os.environ)), SystemClock().now()
    place = folder or database.parent / "backups"
    copy = back_up(database, place, now)
    say(f"wrote {copy.file}: {_size(copy)}, checked")
    old = [one for one in outdated(database, place, now, timedelta(days=keep)) if one != copy.file] if keep else []
    for one in old:
        one.unlink()
        say(f"deleted {one}, older than {keep} days")
    if Path(f"{database}.key").exists():
        say(
            f"not in it: {database}.key, without which it is refused when it is put back; keep a copy of that apart",
            to_stderr=True,
        )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
def restore(file: Path, path: Path) -> None:
    """Put a copy in the place of the database. Stop the service first; what it takes the place of is kept."""
    from brandmelder import wiring
    from brandmelder.cli.terminal import say
    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings
    from brandmelder.store.backup import inspect, put_back
    from brandmelder.store.database import Database

    settings, now = read_settings(path, os.environ), SystemClock().now()
    database = Database(settings.database, exclusive=True)
    try:
        copy = inspect(file)
        aside = put_back(file, _file_of(settings), now)
        database.migrate()
        is_another = wiring.is_another_key(database)
        number = database.run_now(_after_it, f"{settings.short}-{now.astimezone(settings.zone).year}-", copy, now)
    finally:
        database.close()
    say(f"restored {file}: {_size(copy)}")
    if aside is not None:
        say(f"what was there before is kept as {aside}")
    stands = "before its first round" if copy.at is None else f"at {copy.at.astimezone(settings.zone):%Y-%m-%d %H:%M}"
    say(f"it stands {stands}; incidents go on with number {number}, so that none is given twice")
    say("start the service: it reads again what its sources still have, and may tell again what was told since then")
    if is_another:
        say(
            f"its authors stand under another key than {database.path}.key, or {wiring.KEY_VARIABLE}: bring the key of "
            "that time back, too; the service refuses the database without it",
            to_stderr=True,
        )
    say("whom you erased since then (brandmelder privacy erase) has to be erased again")


def _after_it(connection: Connection, prefix: str, copy: Backup, now: datetime) -> int:
    """Write down what was done; returns the number of the next incident."""
    from brandmelder.store import audit, incidents

    actor, number = acting(), incidents.skip_numbers(connection, prefix)
    audit.record(
        connection, "database.restore", by=actor.name, subject=copy.file.name, now=now, count=number, **actor.said()
    )
    return number


def _file_of(settings: Settings) -> Path:
    from brandmelder.errors import StoreError
    from brandmelder.store.database import path_of

    found = path_of(settings.database)
    if found is None:
        raise StoreError(f"the database {settings.database} is no file: there is nothing to copy or to restore")
    return found


def _size(copy: Backup) -> str:
    return f"{copy.mentions} mentions, {max(1, copy.size >> 20)} MB"
