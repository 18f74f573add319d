"""Commands about what was promised to channels: what waits, what nobody took, and what a person does about it."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, TypeVar

import click

from brandmelder.cli import Group, acting, config_option, existing_database
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from brandmelder.model import Delivery
    from brandmelder.settings import Settings

T = TypeVar("T")


@click.group(cls=Group)
def deliveries() -> None:
    """Show what waits to be told and what no channel took; try it again, or put it away."""


@deliveries.command("list")
@config_option
@click.option("--all", "everything", is_flag=True, help="What was told, too.")
@click.option("--dead", is_flag=True, help="Only what no channel took.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(path: Path, *, everything: bool, dead: bool, as_json: bool) -> None:
    """List what is not told yet, and what never was."""
    from brandmelder.model import DeliveryState
    from brandmelder.store import deliveries as stored

    settings, found = _with(path, stored.all_deliveries)
    told = {DeliveryState.SENT, DeliveryState.SUPERSEDED}
    shown = [one for one in found if (one.state is DeliveryState.DEAD if dead else everything or one.state not in told)]
    for one in shown:
        click.echo(_json(one) if as_json else _row(one, settings.zone))
    if not shown and not as_json:
        click.echo("no channel refused anything" if dead else "everything is told")


@deliveries.command()
@click.argument("key", metavar="KEY")
@config_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def show(key: str, path: Path, *, as_json: bool) -> None:
    """Show one delivery: when it was tried, what became of it, and what is next."""
    from brandmelder.notify.delivery import next_moment

    settings, one = _with(path, lambda connection: _found(connection, key))
    if as_json:
        click.echo(_json(one))
        return
    zone = settings.zone
    say(_row(one, zone))
    said = {
        "promised": _time(one.created_at, zone),
        "first tried": _time(one.first_attempt_at, zone),
        "last tried": _time(one.attempt_at, zone),
        "confirmed": _time(one.confirmed_at, zone),
        "attempts": str(one.attempts),
        "form": one.form.value,
        "reference": one.ref or "",
        "stands in for": one.instead_of or "",
        "fallback called": _time(one.fallback_at, zone),
        "may stand there twice": "yes" if one.possible_repeat else "",
        "next": _time(next_moment(one), zone),
    }
    for label, text in said.items():
        if text:
            click.echo(f"  {label:<22} {text}")


@deliveries.command()
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@config_option
@click.option("--all-dead", is_flag=True, help="Everything that no channel took.")
def retry(keys: tuple[str, ...], path: Path, *, all_dead: bool) -> None:
    """Try again what a channel refused, once its cause is mended; a running service sends it within seconds."""
    from brandmelder.clock import SystemClock
    from brandmelder.model import DeliveryState
    from brandmelder.notify import delivery as life

    if bool(keys) == all_dead:
        raise click.UsageError("name a key (see: brandmelder deliveries list), or give --all-dead")
    now = SystemClock().now()

    def again(one: Delivery) -> Delivery:
        if one.state is not DeliveryState.DEAD:
            raise BrandmelderError(f"{one.key} is {one.state.value}; only what is dead can be tried again")
        return life.retry(one, now)

    _change(path, keys, again, said="is tried again")


@deliveries.command()
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@config_option
@click.option("--by", default=getpass.getuser, help="Your name; the login name by default.")
def discard(keys: tuple[str, ...], path: Path, by: str) -> None:
    """Put away what is not to be told any more: what waits, and what is dead."""
    from brandmelder.notify import delivery as life

    def away(one: Delivery) -> Delivery:
        try:
            return life.discard(one, by)
        except ValueError as error:
            raise BrandmelderError(str(error)) from error

    _change(path, keys, away, said="is put away", by=by)


def _change(
    path: Path, keys: tuple[str, ...], change: Callable[[Delivery], Delivery], *, said: str, by: str | None = None
) -> None:
    """Change the named deliveries, or every dead one if none is named."""
    from brandmelder.clock import SystemClock
    from brandmelder.model import DeliveryState
    from brandmelder.pipeline import staff
    from brandmelder.store import deliveries as stored

    now = SystemClock().now()

    def apply(connection: Connection) -> list[str]:
        wanted = [_found(connection, key) for key in keys]
        if not keys:
            wanted = stored.in_state(connection, DeliveryState.DEAD)
        for one in wanted:
            after = change(one)
            staff.change_delivery(connection, after, acting(by), now, before=one.state)
        return [one.key for one in wanted]

    _, done = _with(path, apply)
    for key in done:
        click.echo(f"{key} {said}")
    if not done:
        click.echo("nothing is dead")


def _found(connection: Connection, key: str) -> Delivery:
    from brandmelder.store import deliveries as stored

    one = stored.find(connection, key)
    if one is None:
        raise BrandmelderError(f"there is no delivery {key}; see: brandmelder deliveries list --all")
    return one


def _with(path: Path, function: Callable[[Connection], T]) -> tuple[Settings, T]:
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    database = existing_database(settings)
    try:
        return settings, database.run_now(function)
    finally:
        database.close()


def _row(one: Delivery, zone: ZoneInfo) -> str:
    trouble = f"  {one.last_error}" if one.last_error else ""
    return f"{one.key}  {one.state.value}  since {_time(one.attempt_at or one.created_at, zone)}{trouble}"


def _time(moment: datetime | None, zone: ZoneInfo) -> str:
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
