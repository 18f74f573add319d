"""Commands that let programs use the API: tokens, each with its scopes and its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import click

from brandmelder.cli import Group, acting, config_option, existing_database
from brandmelder.errors import BrandmelderError
from brandmelder.model.access import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from brandmelder.store.tokens import Token

T = TypeVar("T")


@click.group(cls=Group)
def token() -> None:
    """Let programs use the API: create, list and revoke tokens.

    A token is shown once, when it is made; only its hash is kept.
    """


@token.command()
@config_option
@click.option("--name", required=True, help="Who uses it; stands in timelines and in the audit as who acted.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([one.value for one in Scope]),
    help="What it may do; several times for several.",
)
@click.option("--expires", default="90d", show_default=True, metavar="SPAN", help="How long it holds, or never.")
def create(path: Path, name: str, scopes: tuple[str, ...], expires: str) -> None:
    """Make a token and print it."""
    import secrets

    from brandmelder.cli.moments import read_span
    from brandmelder.pipeline.admission import admit
    from brandmelder.store.tokens import Token

    span = None if expires == "never" else read_span(expires, option="--expires")
    if not name.strip() or len(name) > 60:
        raise click.BadParameter("write 1 to 60 signs", param_hint="--name")
    secret = f"bm_{secrets.token_urlsafe(32)}"

    def work(connection: Connection, now: datetime) -> Token:
        one = Token(
            id=secrets.token_hex(6),
            name=name.strip(),
            scopes=frozenset(Scope(scope) for scope in scopes),
            made_at=now,
            made_by=acting().name,
            expires_at=None if span is None else now + span,
        )
        admit(connection, one, secret, acting())
        return one

    made, zone, _ = _in_database(path, work)
    click.echo(secret)
    click.echo(f"{_row(made, zone, None)}\nIt is shown this once; keep it where your secrets are.", err=True)


@token.command("list")
@config_option
def list_(path: Path) -> None:
    """List tokens: whose, what they may do, until when, when they were used last."""
    from brandmelder.store import tokens

    found, zone, now = _in_database(path, lambda connection, _: tokens.every(connection))
    if not found:
        click.echo("no tokens; make one: brandmelder token create --name NAME --scope SCOPE")
    for one in found:
        click.echo(_row(one, zone, now))


@token.command()
@click.argument("ident", metavar="ID")
@config_option
def revoke(ident: str, path: Path) -> None:
    """End a token now."""
    from brandmelder.pipeline.admission import expel

    done, _, _ = _in_database(path, lambda connection, now: expel(connection, ident, acting(), now))
    if not done:
        raise BrandmelderError(f"there is no token {ident} that holds; see: brandmelder token list")
    click.echo(f"{ident} is revoked")


def _in_database(path: Path, work: Callable[[Connection, datetime], T]) -> tuple[T, ZoneInfo, datetime]:
    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings

    settings, now = read_settings(path, os.environ), SystemClock().now()
    database = existing_database(settings)
    try:
        return database.run_now(work, now), settings.zone, now
    finally:
        database.close()


def _row(one: Token, zone: ZoneInfo, now: datetime | None) -> str:
    from brandmelder.cli.moments import say_moment

    until = "never expires" if one.expires_at is None else f"until {say_moment(one.expires_at, zone)}"
    used = "never used" if one.used_at is None else f"used {say_moment(one.used_at, zone)}"
    state = "" if now is None else "holds  " if one.holds(now) else "ended  "
    return f"{one.id}  {state}{one.name}  {' '.join(sorted(one.scopes))}  {until}  {used}  by {one.made_by}"
