"""Commands that say who may open the page."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING, TypeVar

import click

from brandmelder.cli import Group, config_option
from brandmelder.errors import BrandmelderError
from brandmelder.options import Role

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from brandmelder.store.members import Member

T = TypeVar("T")

_role = click.option("--role", type=click.Choice([one.value for one in Role]), default="responder", show_default=True)


@click.group(cls=Group)
def account() -> None:
    """Say who may sign in on the page (sign_in: local).

    A viewer sees everything but the configuration; a responder also acts; an admin also sees the configuration; a
    privacy officer sees what a viewer sees, and who did what.
    """


@account.command()
@click.argument("name")
@config_option
@_role
@click.option("--shown", default="", help="What others read; by default the name.")
def add(name: str, path: Path, role: Role, shown: str) -> None:
    """Add somebody. The password is asked for, or read from standard input where that is no terminal."""
    from brandmelder.clock import SystemClock
    from brandmelder.store import members

    if not name.isprintable() or not name.strip() or len(name) > 200:
        raise click.BadParameter("a name is 1 to 200 characters that can be seen", param_hint="NAME")
    password = _password(path, name, shown)
    now = SystemClock().now()

    def put(connection: Connection) -> None:
        if members.find(connection, name) is not None:
            raise BrandmelderError(f"there is an account {name} already; see: brandmelder account password {name}")
        one = members.Member(name=name, shown=shown or name, role=Role(role), password=password, created_at=now)
        members.save(connection, one)
        _noted(connection, "member.add", name, role=role)

    _write(path, put)
    click.echo(f"{name} may sign in as {role}")


@account.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice([one.value for one in Role]))
@config_option
def change_role(name: str, role: Role, path: Path) -> None:
    """Change what somebody may do, from their next look on."""
    from msgspec.structs import replace

    from brandmelder.store import members

    def put(connection: Connection) -> None:
        members.save(connection, replace(_known(connection, name), role=Role(role)))
        _noted(connection, "member.role", name, role=role)

    _write(path, put)
    click.echo(f"{name} is {role}")


@account.command("zone")
@click.argument("name")
@click.argument("zone", default="")
@config_option
def change_zone(name: str, zone: str, path: Path) -> None:
    """Have somebody read the times of the page in another zone, such as America/New_York; without one the house's."""
    from brandmelder.store import members
    from brandmelder.web.zones import zones

    if zone and zone not in zones():
        raise click.BadParameter(f"{zone} is no zone of the IANA list, such as Europe/Berlin", param_hint="ZONE")

    def put(connection: Connection) -> None:
        _known(connection, name)
        members.move(connection, name, zone)

    _write(path, put)
    click.echo(f"{name} reads the time of {zone or 'the configuration'}")


@account.command("password")
@click.argument("name")
@config_option
def change_password(name: str, path: Path) -> None:
    """Give somebody a new password; they are signed out everywhere."""
    from msgspec.structs import replace

    from brandmelder.store import members

    password = _password(path, name)

    def put(connection: Connection) -> None:
        members.save(connection, replace(_known(connection, name), password=password))
        members.end_all(connection, name)
        _noted(connection, "member.password", name)

    _write(path, put)
    click.echo(f"{name} has a new password and is signed out")


@account.command("factor")
@click.argument("name")
@click.option("--remove", is_flag=True, required=True, help="Ask for it no more: their phone is lost.")
@config_option
def change_factor(name: str, path: Path, *, remove: bool) -> None:
    """Remove somebody's second factor; they are signed out everywhere, and set up a new one on their own page."""
    from brandmelder.store import members

    def put(connection: Connection) -> None:
        if remove and _known(connection, name).factor:
            members.set_factor(connection, name, "")
            members.end_all(connection, name)
            _noted(connection, "member.no_factor", name)

    _write(path, put)
    click.echo(f"{name} has no second factor")


@account.command("sign-out")
@click.argument("name", default="")
@click.option("--all", "everybody", is_flag=True, help="Everybody.")
@config_option
def sign_out(name: str, path: Path, *, everybody: bool) -> None:
    """Sign somebody, or everybody, out in every browser."""
    from brandmelder.store import members

    if bool(name) == everybody:
        raise click.UsageError("say either a NAME or --all")

    def put(connection: Connection) -> int:
        if everybody:
            ended = members.end_everybodys(connection)
        else:
            ended = members.end_all(connection, _known(connection, name).name)
        _noted(connection, "member.sign_out", name or "*", ended=str(ended))
        return ended

    click.echo(f"{_write(path, put)} sessions ended")


@account.command()
@click.argument("name")
@config_option
def remove(name: str, path: Path) -> None:
    """Let somebody in no more; they are signed out at once. What they did stays in the timelines."""
    from brandmelder.store import members

    def put(connection: Connection) -> None:
        _known(connection, name)
        members.remove(connection, name)
        _noted(connection, "member.remove", name)

    _write(path, put)
    click.echo(f"{name} may not sign in any more")


@account.command("list")
@config_option
def list_(path: Path) -> None:
    """List who may sign in, or has signed in by a provider."""
    from brandmelder.store import members

    found = _write(path, members.everybody)
    if not found:
        click.echo("no accounts; add one: brandmelder account add NAME --role admin")
    for one in found:
        way = ("password and second factor" if one.factor else "password") if one.password else "provider"
        click.echo(f"{one.name}  {one.role.value}  {one.shown}  {way}  since {one.created_at:%Y-%m-%d}")


def _noted(connection: Connection, act: str, name: str, **detail: str) -> None:
    """Put it into the audit, in the same transaction."""
    from brandmelder.clock import SystemClock
    from brandmelder.store import audit

    audit.record(connection, act, by=getpass.getuser(), subject=name, now=SystemClock().now(), via="command", **detail)


def _password(path: Path, *about: str) -> str:
    """Return the hash of a password that somebody types twice, or that stands on standard input."""
    from brandmelder.settings import read_settings
    from brandmelder.web.passwords import SHORTEST, hashed

    brand = read_settings(path, os.environ).brand

    if sys.stdin.isatty():
        typed = click.prompt(f"Password (at least {SHORTEST} characters)", hide_input=True, confirmation_prompt=True)
    else:
        typed = sys.stdin.readline().rstrip("\n")
    try:
        return hashed(typed, (*about, brand))
    except ValueError as error:
        raise BrandmelderError(f"{error}; a few words are good ones") from error


def _known(connection: Connection, name: str) -> Member:
    from brandmelder.store import members

    found = members.find(connection, name)
    if found is None:
        raise BrandmelderError(f"there is no account {name}; see: brandmelder account list")
    return found


def _write(path: Path, function: Callable[[Connection], T]) -> T:
    from brandmelder.settings import read_settings
    from brandmelder.store.database import Database

    settings = read_settings(path, os.environ)
    database = Database(settings.database)
    try:
        database.prepare()
        return database.run_now(function)
    finally:
        database.close()
