"""Calls that reached people, and notices that are about no single incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Page, PersonId
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import notice, page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_PAGE = insert(page).on_conflict_do_nothing(index_elements=["person", "key"])
_PAGES = select(page).where(page.c.at >= bindparam("since"), page.c.at < bindparam("until")).order_by(page.c.at)
_PAGES_OF = _PAGES.where(page.c.person == bindparam("person"))
_FORGET = delete(page).where(page.c.at < bindparam("before"))
_NOTICE = insert(notice).on_conflict_do_nothing(index_elements=["id"])
_FORGET_NOTICES = delete(notice).where(notice.c.at < bindparam("before"))
_BODY = select(notice.c.body).where(notice.c.id == bindparam("ident"))
_KNOWN = select(func.count()).where(notice.c.id == bindparam("ident"))


def reached(connection: Connection, pages: Sequence[Page]) -> None:
    """Write down calls that reached people; one that stands already is left alone."""
    if pages:
        connection.execute(_PAGE, [{"person": one.person, "key": one.key, "at": seconds(one.at)} for one in pages])


def pages(connection: Connection, since: datetime, until: datetime, person: PersonId | None = None) -> list[Page]:
    """Return the calls of [since, until), of everybody or of one person, oldest first."""
    wanted = {"since": seconds(since), "until": seconds(until)}
    rows = (
        connection.execute(_PAGES, wanted)
        if person is None
        else connection.execute(_PAGES_OF, wanted | {"person": person})
    )
    return [Page(person=PersonId(row.person), at=moment(row.at), key=row.key) for row in rows]


def forget_pages(connection: Connection, before: datetime) -> None:
    """Forget the calls before a moment: when people were called is data about them."""
    connection.execute(_FORGET, {"before": seconds(before)})


def give_notice(connection: Connection, ident: str, body: bytes, now: datetime) -> bool:
    """Keep a notice under its own id; says whether it is new: the same notice is never given twice."""
    return connection.execute(_NOTICE, {"id": ident, "at": seconds(now), "body": body}).rowcount == 1


def forget_notices(connection: Connection, before: datetime) -> None:
    """Forget the notices before a moment."""
    connection.execute(_FORGET_NOTICES, {"before": seconds(before)})


def notice_body(connection: Connection, ident: str) -> bytes | None:
    """Return what a notice says, as its maker encoded it."""
    body = connection.scalar(_BODY, {"ident": ident})
    return None if body is None else bytes(body)


def is_given(connection: Connection, ident: str) -> bool:
    """Whether a notice was given."""
    return bool(connection.scalar(_KNOWN, {"ident": ident}))
