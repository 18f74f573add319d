"""Who may open the page, and who is signed in. Of a session only a hash is kept: the table lets nobody in."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.options import Role
from brandmelder.store import unreadable
from brandmelder.store.database import moment, seconds
from brandmelder.store.page_schema import member, web_session

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONGEST = timedelta(days=30)
"""A session ends after so long, however often it is used."""

_SAVE = insert(member)
_SAVE = _SAVE.on_conflict_do_update(
    index_elements=["name"], set_={name: _SAVE.excluded[name] for name in ("shown", "role", "password")}
)
_SESSION = (
    select(
        web_session,
        member.c.shown,
        member.c.role,
        member.c.zone,
        (member.c.factor != "").label("has_factor"),
        (member.c.password != "").label("has_password"),
    )
    .select_from(web_session.join(member, member.c.name == web_session.c.member))
    .where(web_session.c.key == bindparam("ident"))
)


class Member(Struct, frozen=True, kw_only=True):
    """Somebody who may open the page."""

    name: str
    """What they sign in with; of a provider's people the issuer and its id."""
    shown: str
    """What others read."""
    role: Role
    created_at: datetime
    password: str = ""
    """Its argon2 hash; empty for people of a provider."""
    zone: str = ""
    """Whose time they read, by the IANA list; empty for that of the configuration. Only `move` writes it."""
    factor: str = ""
    """The seed of their second factor; empty where there is none. Set by `set_factor` alone."""


class Session(Struct, frozen=True, kw_only=True):
    """Somebody who is signed in."""

    name: str
    shown: str
    role: Role
    zone: str
    csrf: str
    begun_at: datetime
    seen_at: datetime
    has_factor: bool = False
    has_password: bool = True
    """Whether they are an account of this service; a provider's people have none."""


def save(connection: Connection, one: Member) -> None:
    """Let somebody in, or change what is known of them."""
    values = {"name": one.name, "shown": one.shown, "role": one.role.value, "password": one.password}
    connection.execute(_SAVE, values | {"created_at": seconds(one.created_at)})


def move(connection: Connection, name: str, zone: str) -> bool:
    """Have somebody read the time of another zone; says whether they were known."""
    return connection.execute(update(member).where(member.c.name == name).values(zone=zone)).rowcount > 0


def find(connection: Connection, name: str) -> Member | None:
    """Return one member."""
    row = connection.execute(select(member).where(member.c.name == name)).one_or_none()
    return None if row is None else _member(row)


def everybody(connection: Connection) -> list[Member]:
    """Return all members by name."""
    rows = connection.execute(select(member).order_by(member.c.name))
    return unreadable.readable(connection, "member", rows, _member)


def has_local(connection: Connection) -> bool:
    """Say whether anybody can sign in with a password."""
    return bool(connection.scalar(select(func.count()).select_from(member).where(member.c.password != "")))


def remove(connection: Connection, name: str) -> bool:
    """Let somebody in no more, and end their sessions; says whether they were known."""
    end_all(connection, name)
    return connection.execute(delete(member).where(member.c.name == name)).rowcount > 0


def _member(row: Any) -> Member:
    return Member(
        name=row.name,
        shown=row.shown,
        role=Role(row.role),
        password=row.password,
        zone=row.zone,
        created_at=moment(row.created_at),
        factor=row.factor,
    )


def set_factor(connection: Connection, name: str, seed: str, *, step: int = 0) -> None:
    """Give somebody a second factor, or take it away (empty); `step` is the one they showed it with."""
    connection.execute(update(member).where(member.c.name == name).values(factor=seed, factor_step=step))


def use_step(connection: Connection, name: str, step: int) -> bool:
    """Remember the step of time whose digits let somebody in; False if it, or a later one, did so already."""
    fresh = (member.c.name == name) & (member.c.factor_step < step)
    return connection.execute(update(member).where(fresh).values(factor_step=step)).rowcount > 0


def begin(connection: Connection, token: str, name: str, *, csrf: str, now: datetime) -> None:
    """Sign somebody in, under a token that only their browser keeps."""
    at = seconds(now)
    connection.execute(insert(web_session).values(key=_key(token), member=name, csrf=csrf, begun_at=at, seen_at=at))


def session(connection: Connection, token: str, now: datetime, *, idle: timedelta) -> Session | None:
    """Return who is signed in under a token (primary key); None once it has lain idle, or is too old."""
    row = connection.execute(_SESSION, {"ident": _key(token)}).one_or_none()
    if row is None:
        return None
    found = Session(
        name=row.member,
        shown=row.shown,
        role=Role(row.role),
        zone=row.zone,
        csrf=row.csrf,
        begun_at=moment(row.begun_at),
        seen_at=moment(row.seen_at),
        has_factor=bool(row.has_factor),
        has_password=bool(row.has_password),
    )
    is_over = now - found.seen_at > idle or now - found.begun_at > LONGEST
    return None if is_over else found


def touch(connection: Connection, token: str, now: datetime) -> None:
    """Remember that a session is in use."""
    connection.execute(update(web_session).where(web_session.c.key == _key(token)).values(seen_at=seconds(now)))


def end(connection: Connection, token: str) -> None:
    """Sign somebody out."""
    connection.execute(delete(web_session).where(web_session.c.key == _key(token)))


def end_all(connection: Connection, name: str, *, but: str = "") -> int:
    """Sign somebody out everywhere, but for the browser with one token (index web_session_by_member); say how often."""
    those = (web_session.c.member == name) & (web_session.c.key != _key(but))
    return connection.execute(delete(web_session).where(those)).rowcount


def end_everybodys(connection: Connection) -> int:
    """Sign everybody out; return how many sessions that were."""
    return connection.execute(delete(web_session)).rowcount


def sessions(
    connection: Connection, name: str, now: datetime, *, idle: timedelta
) -> list[tuple[str, datetime, datetime]]:
    """Return somebody's sessions that are not over, the last used first: its key, begun when, last used when."""
    alive = (web_session.c.seen_at >= seconds(now - idle)) & (web_session.c.begun_at >= seconds(now - LONGEST))
    asked = select(web_session).where(web_session.c.member == name, alive).order_by(web_session.c.seen_at.desc())
    return [(row.key, moment(row.begun_at), moment(row.seen_at)) for row in connection.execute(asked)]


def is_session(key: str, token: str) -> bool:
    """Say whether a browser's token is that of a session."""
    return compare_digest(key, _key(token))


def forget(connection: Connection, now: datetime, *, idle: timedelta) -> None:
    """Forget the sessions that are over."""
    old = (web_session.c.seen_at < seconds(now - idle)) | (web_session.c.begun_at < seconds(now - LONGEST))
    connection.execute(delete(web_session).where(old))


def _key(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
