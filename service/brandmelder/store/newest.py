"""What came to light of a monitor lately: judged mentions since the last look, and what negatives are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import bindparam, func, select

from brandmelder.model import Mention, MentionId, MonitorId, SourceId, Verdict
from brandmelder.store import unreadable
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import match, mention, verdict

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.store.unreadable import AnyRow

_decode = msgspec.msgpack.Decoder(Verdict).decode
_MOST = 2000
# The range of the primary key of match bounds both: a day of one monitor, or the bins that have settled.
_SINCE = (
    select(
        mention.c.id, verdict.c.body, mention.c.source, mention.c.external_id, mention.c.text, mention.c.context,
        mention.c.author, mention.c.reach, mention.c.parent_id, mention.c.published_at, mention.c.captured_at,
    )
    .select_from(
        match.join(mention, mention.c.id == match.c.mention).join(verdict, verdict.c.mention == match.c.mention)
    )
    .where(
        match.c.monitor == bindparam("monitor"),
        match.c.published_at >= bindparam("since"),
        match.c.mention > bindparam("after"),
        match.c.history.is_(False),
    )
    .order_by(mention.c.id)
    .limit(_MOST)
)  # fmt: skip
_ABOUT = (
    select(verdict.c.mention, match.c.published_at, match.c.labelled, verdict.c.body)
    .select_from(match.join(verdict, verdict.c.mention == match.c.mention))
    .where(
        match.c.monitor == bindparam("monitor"),
        match.c.published_at >= bindparam("since"),
        match.c.published_at < bindparam("until"),
        match.c.labelled > 0,
    )
    .order_by(match.c.published_at, match.c.mention)
)
_LAST = select(func.coalesce(func.max(mention.c.id), 0))


def judged_since(
    connection: Connection, monitor: MonitorId, after: int, since: datetime
) -> list[tuple[MentionId, Mention, Verdict]]:
    """Return a monitor's judged mentions stored after the one of id `after` and published from `since` on."""
    rows = connection.execute(_SINCE, {"monitor": monitor, "after": after, "since": seconds(since)}).all()
    return unreadable.readable(connection, "verdict", rows, _read)


def _read(row: AnyRow) -> tuple[MentionId, Mention, Verdict]:
    return (
        MentionId(row.id),
        Mention(
            source=SourceId(row.source),
            external_id=row.external_id,
            text=row.text,
            context=row.context,
            author=row.author,
            reach=row.reach,
            parent_id=row.parent_id,
            published_at=moment(row.published_at),
            captured_at=moment(row.captured_at),
        ),
        _decode(row.body),
    )


def topics_between(
    connection: Connection, monitor: MonitorId, since: datetime, until: datetime
) -> list[tuple[datetime, float, tuple[str, ...]]]:
    """Return when a monitor's negatives of [since, until) were written, what they weigh and which topics they name."""
    span = {"monitor": monitor, "since": seconds(since), "until": seconds(until)}
    found = unreadable.readable(connection, "verdict", connection.execute(_ABOUT, span), _about)
    return [one for one in found if one[2]]


def _about(row: AnyRow) -> tuple[datetime, float, tuple[str, ...]]:
    return moment(row.published_at), float(row.labelled), _decode(row.body).topics


def last_mention(connection: Connection) -> int:
    """Return the id of the newest mention, 0 if there is none."""
    return int(connection.scalar(_LAST) or 0)
