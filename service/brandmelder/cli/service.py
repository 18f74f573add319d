"""Commands that run and look after the service."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from brandmelder.cli import config_option, existing_database, require_file

if TYPE_CHECKING:
    from pathlib import Path

    from brandmelder.settings import Settings

OVERDUE = timedelta(minutes=15)
"""Without progress for so long, the service is not well."""


@click.command()
@config_option
def run(path: Path) -> None:
    """Run the service until it is stopped (Ctrl-C, or SIGTERM).

    Polls every source on its interval, judges, counts, evaluates and alerts. A restart forgets nothing: what is due
    stands in the database. SIGHUP has the configuration read again; if something is wrong with it, that is said and the
    one that runs stays.
    """
    from brandmelder.cli.logs import log_to
    from brandmelder.cli.serving import Service, to_the_end
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    log_to(sys.stderr, is_terminal=sys.stderr.isatty())
    asyncio.run(to_the_end(Service(settings, os.environ).run()))


@click.command()
@config_option
def health(path: Path) -> None:
    """Say whether the running service made progress within the last 15 minutes.

    Exit code 0 if it did, 1 if not: made for a container's health check. Where `health` is configured, its event loop
    must turn, too.
    """
    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings
    from brandmelder.store import meta

    settings = read_settings(path, os.environ)
    if settings.health is not None and not is_alive(*settings.health.place):
        click.echo(f"the service does not answer at {settings.health.listen}, or is stuck", err=True)
        raise SystemExit(1)
    database = existing_database(settings)
    try:
        last = database.run_now(meta.last_progress)
    finally:
        database.close()
    age = None if last is None else SystemClock().now() - last
    if age is None or age > OVERDUE:
        click.echo("no progress yet" if age is None else f"no progress since {last:%Y-%m-%d %H:%M:%S} UTC", err=True)
        raise SystemExit(1)
    click.echo(f"last progress {age.total_seconds():.0f} s ago")


def is_alive(host: str, port: int) -> bool:
    """Ask the running service on this machine whether its loop turns."""
    import http.client

    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- asked for, not listened on
    connection = http.client.HTTPConnection(here, port, timeout=5)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@click.command()
@config_option
def migrate(path: Path) -> None:
    """Bring an older database to this version's schema. Stop the service first, and make a backup."""
    from brandmelder.settings import read_settings
    from brandmelder.store.database import Database

    settings = read_settings(path, os.environ)
    require_file(settings)
    database = Database(settings.database, exclusive=True)
    try:
        click.echo(f"the database is at revision {database.migrate()}")
    finally:
        database.close()


@click.command()
@config_option
def recount(path: Path) -> None:
    """Match every stored mention anew and rebuild all counts. Stop the service first.

    A changed query is recounted by itself at the next start; this is for after a repair or a restored backup.
    """
    from brandmelder.settings import read_settings

    bins = asyncio.run(_recount(read_settings(path, os.environ)))
    click.echo(f"rebuilt {bins} bins")


async def _recount(settings: Settings) -> int:
    from brandmelder import wiring
    from brandmelder.pipeline import recount as recounting
    from brandmelder.store.database import Database

    database = Database(settings.database, exclusive=True)
    try:
        database.prepare()
        pipeline = wiring.build(settings, database=database, sources={}, notifiers={})
        return await recounting.recount(pipeline.parts, set(settings.monitors))
    finally:
        database.close()
