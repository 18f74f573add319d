"""A monitor's mentions page by page, newest first by event time: for tables, the page and the API."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, select, tuple_

from brandmelder.model import Label, Mention, MentionId, MonitorId, SourceId, Verdict
from brandmelder.store import unreadable
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import match, mention, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select

    from brandmelder.store.unreadable import AnyRow

_decode = msgspec.msgpack.Decoder(Verdict).decode


class Wanted(Struct, frozen=True, kw_only=True):
    """Which mentions are asked for; what is None is not asked."""

    monitor: MonitorId
    source: SourceId | None = None
    label: Label | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, MentionId] | None = None
    """The last one of the page before."""


class Listed(Struct, frozen=True, kw_only=True):
    """A mention of a monitor, what was found in it, and what it counted."""

    id: MentionId
    mention: Mention
    verdict: Verdict
    counted: float
    """Its weight in the monitor's counts."""


_COLUMNS = (
    mention.c.id,
    mention.c.source,
    mention.c.external_id,
    mention.c.text,
    mention.c.context,
    mention.c.url,
    mention.c.language,
    mention.c.reach,
    mention.c.parent_id,
    mention.c.own,
    mention.c.history,
    mention.c.flags,
    mention.c.published_at,
    mention.c.captured_at,
    verdict.c.body,
    match.c.total,
)
_PAGE = (
    select(*_COLUMNS)
    .select_from(match.join(mention, mention.c.id == match.c.mention).join(verdict, verdict.c.mention == mention.c.id))
    .where(match.c.monitor == bindparam("monitor"), mention.c.removed_at.is_(None))
    .order_by(match.c.published_at.desc(), match.c.mention.desc())
    .limit(bindparam("limit"))
)


def page_of(connection: Connection, wanted: Wanted, *, limit: int) -> list[Listed]:
    """Return the next mentions (primary key of match); pseudonyms of their authors stay in the database."""
    statement = _narrowed(_PAGE, wanted)
    first = None if wanted.after is None else (seconds(wanted.after[0]), int(wanted.after[1]))

    def ask(count: int, last: AnyRow | None) -> Sequence[AnyRow]:
        after = first if last is None else (last.published_at, last.id)
        place = tuple_(match.c.published_at, match.c.mention)
        behind = statement if after is None else statement.where(place < tuple_(*after))
        return connection.execute(behind, {"monitor": wanted.monitor, "limit": count}).all()

    return unreadable.page(connection, "verdict", ask, _read, limit=limit)


def _read(row: AnyRow) -> Listed:
    return Listed(
        id=MentionId(row.id),
        mention=Mention(
            source=SourceId(row.source),
            external_id=row.external_id,
            text=row.text,
            context=row.context,
            url=row.url,
            language=row.language,
            reach=row.reach,
            parent_id=row.parent_id,
            own=row.own,
            history=row.history,
            flags=tuple(row.flags.split()),
            published_at=moment(row.published_at),
            captured_at=moment(row.captured_at),
        ),
        verdict=_decode(row.body),
        counted=row.total,
    )


def _narrowed(statement: Select[tuple[object, ...]], wanted: Wanted) -> Select[tuple[object, ...]]:
    if wanted.source is not None:
        statement = statement.where(match.c.source == wanted.source)
    if wanted.label is not None:
        statement = statement.where(verdict.c.label == wanted.label.value)
    if wanted.since is not None:
        statement = statement.where(match.c.published_at >= seconds(wanted.since))
    if wanted.until is not None:
        statement = statement.where(match.c.published_at < seconds(wanted.until))
    return statement
