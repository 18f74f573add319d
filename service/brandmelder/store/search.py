"""The words of mentions, to be searched newest first: no more of each is read than a query looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, func, select

from brandmelder.model import MentionId, SourceId
from brandmelder.store.schema import mention, verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LAST = select(func.coalesce(func.max(mention.c.id), 0))
_WORDS = (
    select(*(mention.c[name] for name in ("id", "text", "context", "author", "source", "language", "url", "reach")))
    .where(
        mention.c.id >= bindparam("since"),
        mention.c.id < bindparam("until"),
        mention.c.removed_at.is_(None),
    )
    .order_by(mention.c.id.desc())
)
_OF_SOURCE = _WORDS.where(mention.c.source == bindparam("source"))
_JUDGED = mention.join(verdict, verdict.c.mention == mention.c.id)


class Worded(Struct, frozen=True, kw_only=True):
    """What a query looks at."""

    id: MentionId
    text: str
    context: str
    author: str
    source: SourceId
    language: str | None
    url: str
    reach: int | None


def end(connection: Connection) -> MentionId:
    """Return the id that the next mention will have at least."""
    return MentionId(int(connection.scalar(_LAST) or 0) + 1)


def words(connection: Connection, since: int, until: int, *, source: str = "", label: str = "") -> list[Worded]:
    """Return the mentions with ids of [since, until), newest first, that are of a source and a label (primary key)."""
    statement = _OF_SOURCE if source else _WORDS
    if label:
        statement = statement.select_from(_JUDGED).where(verdict.c.label == bindparam("label"))
    rows = connection.execute(statement, {"since": since, "until": until, "source": source, "label": label})
    return [
        Worded(
            id=ident, text=text, context=context, author=author, source=place, language=language, url=url, reach=reach
        )
        for ident, text, context, author, place, language, url, reach in rows
    ]
