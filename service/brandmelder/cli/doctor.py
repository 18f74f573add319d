"""`brandmelder doctor`: what is wrong, and what to do, in plain words."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import click

from brandmelder.cli import config_option, existing_database
from brandmelder.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from brandmelder.doctor.finding import Finding
    from brandmelder.settings import Settings
    from brandmelder.store.database import Database


@click.command()
@config_option
@click.option("--live", is_flag=True, help="Also ask every channel whether it lets us in; sends nothing.")
@click.option("--language", type=click.Choice(["de", "en"]), help="By default that of the configuration.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def doctor(path: Path, *, live: bool, language: str | None, as_json: bool) -> None:
    """Say what is wrong with this installation and what to do about it.

    Looks at configuration, versions, database, disk, clock, the running service, sources, channels, audit and
    retention. When tokens end is known to their platforms only; --live tells whether they still hold. Exit code 0 if
    nothing is bad, 1 if something is, 2 if the configuration cannot be used.
    """
    from brandmelder.cli.terminal import say
    from brandmelder.doctor import words
    from brandmelder.doctor.finding import Level, worst
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    tongue = language or settings.language
    found = list(_look(settings, tongue, live=live))
    for one in found:
        what, todo = words.said(one, tongue)
        if as_json:
            say(_json(one, what, todo))
        else:
            head = words.HEADS[tongue][one.level]
            say(f"{head:<9} {what}" + (f"\n{'':<9} → {todo}" if todo and one.level is not Level.WELL else ""))
    verdict = worst(found)
    if not as_json:
        say(f"\n{words.VERDICTS[tongue][verdict]}")
    raise SystemExit(1 if verdict is Level.BAD else 0)


def _look(settings: Settings, tongue: str, *, live: bool) -> Iterator[Finding]:
    from brandmelder.clock import SystemClock
    from brandmelder.doctor import checks
    from brandmelder.doctor.finding import Finding, Level

    now = SystemClock().now()
    yield from checks.configuration(settings)
    yield from checks.versions()
    try:
        database = existing_database(settings)
    except StoreError as error:
        yield Finding(name="database.trouble", level=Level.BAD, about={"text": str(error)})
    else:
        try:
            yield from _look_inside(settings, database, tongue, now)
        except StoreError as error:
            yield Finding(name="database.trouble", level=Level.BAD, about={"text": str(error)})
        finally:
            database.close()
    if live:
        yield from asyncio.run(_ask(settings))


def _look_inside(settings: Settings, database: Database, tongue: str, now: datetime) -> Iterator[Finding]:
    from brandmelder.cli.service import is_alive
    from brandmelder.doctor import checks
    from brandmelder.doctor.finding import Finding, Level
    from brandmelder.store import mentions
    from brandmelder.wiring.author_key import KEY_VARIABLE, is_another_key

    path = database.path
    if path is None:
        return
    has_mentions = database.run_now(mentions.count) > 0
    yield from checks.files(path, KEY_VARIABLE, has_mentions=has_mentions)
    if is_another_key(database):
        yield Finding(name="key.another", level=Level.BAD, about={"database": str(path)})
    yield from checks.backups(path, now)
    looks: list[Callable[[Connection], Iterator[Finding]]] = [
        lambda connection: checks.database(connection, path),
        checks.rows,
        lambda connection: checks.service(connection, path, now),
        lambda connection: checks.seen(connection, settings),
        lambda connection: checks.doubted(connection, settings, now, tongue),
        lambda connection: checks.told(connection, settings),
        checks.trail,
        lambda connection: checks.forgotten(connection, settings, now),
    ]
    for look in looks:
        yield from _shielded(database, look)
    if settings.health is not None and checks.is_running(path) and not is_alive(*settings.health.place):
        yield Finding(name="service.dumb", level=Level.BAD, about={"listen": settings.health.listen})


def _shielded(database: Database, look: Callable[[Connection], Iterator[Finding]]) -> list[Finding]:
    """Take one look; what it stumbles over is a finding, and the others are taken all the same."""
    from brandmelder.doctor.finding import Finding, Level

    try:
        return database.run_now(lambda connection: list(look(connection)))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - a patient who makes the doctor stumble is no well one
        return [Finding(name="doctor.stumbled", level=Level.BAD, about={"error": f"{type(error).__name__}: {error}"})]


async def _ask(settings: Settings) -> Sequence[Finding]:
    """Ask every channel what is wrong with it."""
    from brandmelder import wiring
    from brandmelder.doctor.finding import Finding, Level

    found = []
    reach = wiring.outside()
    try:
        for ident, notifier in wiring.build_notifiers(settings, reach).items():
            try:
                trouble = await notifier.check()
            finally:
                await notifier.close()
            where = settings.where("channels", ident)
            about = [{"channel": ident, "text": text, "where": where} for text in trouble]
            found += [Finding(name="channel.trouble", level=Level.BAD, about=one) for one in about]
    finally:
        await reach.close()
    return found


def _json(one: Finding, what: str, todo: str) -> str:
    import json

    said = {"finding": one.name, "level": one.level.value, "text": what, "todo": todo, "about": dict(one.about)}
    return json.dumps(said, ensure_ascii=False)
