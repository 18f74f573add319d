"""How many mentions a span of a monitor holds: all and negative, shared with another, by over-active accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, case, func, select

from brandmelder.store.database import seconds
from brandmelder.store.schema import match, mention

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_IN_SPAN = (
    match.c.monitor == bindparam("monitor"),
    match.c.published_at >= bindparam("since"),
    match.c.published_at < bindparam("until"),
)
_TALLY = select(func.count(), func.count(case((match.c.labelled > 0, 1)))).where(*_IN_SPAN)
_OTHER = match.alias()
_SHARED = (
    select(func.count(), func.count(_OTHER.c.mention))
    .select_from(
        match.outerjoin(
            _OTHER,
            (_OTHER.c.monitor == bindparam("other"))
            & (_OTHER.c.published_at == match.c.published_at)
            & (_OTHER.c.mention == match.c.mention),
        )
    )
    .where(*_IN_SPAN, match.c.labelled > 0)
)
_AUTHOR = case((mention.c.author == "", mention.c.external_id), else_=mention.c.author)
_BY_AUTHOR = (
    select(func.count().label("posts"), func.sum(match.c.labelled).label("counted"))
    .select_from(match.join(mention, mention.c.id == match.c.mention))
    .where(*_IN_SPAN, match.c.labelled > 0)
    .group_by(mention.c.source, _AUTHOR)
    .subquery()
)
_IS_ACTIVE = (_BY_AUTHOR.c.posts >= bindparam("least")) & (2 * _BY_AUTHOR.c.counted < _BY_AUTHOR.c.posts)
_ACTIVE = select(
    func.count(case((_IS_ACTIVE, 1))),
    func.coalesce(func.sum(case((_IS_ACTIVE, _BY_AUTHOR.c.posts), else_=0)), 0),
    func.coalesce(func.sum(case((_IS_ACTIVE, _BY_AUTHOR.c.counted), else_=0.0)), 0.0),
    func.coalesce(func.sum(_BY_AUTHOR.c.counted), 0.0),
).select_from(_BY_AUTHOR)


class Tally(Struct, frozen=True):
    """How many mentions of a monitor a span holds, copies and all, and how many of them are labelled negative."""

    mentions: int
    negatives: int


def tally(connection: Connection, monitor: str, since: datetime, until: datetime) -> Tally:
    """Count a monitor's mentions of [since, until) one by one, whatever they weigh (primary key of match)."""
    span = {"monitor": monitor, "since": seconds(since), "until": seconds(until)}
    return Tally(*connection.execute(_TALLY, span).one())


def shared(connection: Connection, monitor: str, other: str, *, since: datetime, until: datetime) -> float:
    """Return the share of a monitor's negative mentions of [since, until) that another counts, too (key of match)."""
    span = {"monitor": monitor, "other": other, "since": seconds(since), "until": seconds(until)}
    mine, both = connection.execute(_SHARED, span).one()
    return both / mine if mine else 0.0


class Activity(Struct, frozen=True):
    """What over-active accounts wrote against a monitor in a span; `counted` of `all_counted` is by them."""

    accounts: int
    posts: int
    counted: float
    all_counted: float


def activity(connection: Connection, monitor: str, since: datetime, until: datetime, *, least: int) -> Activity:
    """Return what accounts with at least `least` negative posts did, of which less than half was counted."""
    span = {"monitor": monitor, "since": seconds(since), "until": seconds(until), "least": least}
    return Activity(*connection.execute(_ACTIVE, span).one())
