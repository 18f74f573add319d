"""Which stored mentions are asked for again, and how far each source's round has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import MentionId, SourceId
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import mention, meta

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_WRITE = insert(meta)
_WRITE = _WRITE.on_conflict_do_update(index_elements=["name"], set_={"value": _WRITE.excluded.value})


def next_round(connection: Connection, source: SourceId) -> tuple[datetime | None, MentionId]:
    """Return when the source's mentions are asked for next, and the last one that was asked for; None: at once."""
    value = connection.scalar(select(meta.c.value).where(meta.c.name == _name(source)))
    if value is None:
        return None, MentionId(0)
    at, _, last = value.partition(" ")
    return moment(int(at)), MentionId(int(last))


def save_round(connection: Connection, source: SourceId, at: datetime, last: MentionId) -> None:
    """Remember when the source is asked next, and after which mention."""
    connection.execute(_WRITE, {"name": _name(source), "value": f"{seconds(at)} {last}"})


def young(
    connection: Connection, source: SourceId, after: MentionId, since: datetime, limit: int
) -> list[tuple[MentionId, str]]:
    """Return ids of a source's mentions behind `after` that were captured at `since` or later and still stand."""
    rows = connection.execute(
        select(mention.c.id, mention.c.external_id)
        .where(
            mention.c.id > after,
            mention.c.source == source,
            mention.c.captured_at >= seconds(since),
            mention.c.removed_at.is_(None),
        )
        .order_by(mention.c.id)
        .limit(limit)
    )
    return [(MentionId(ident), external) for ident, external in rows]


def parents_of(connection: Connection, source: SourceId, external_ids: Sequence[str]) -> dict[str, str]:
    """Return what of a source's mentions belongs below another, and below which (unique key)."""
    rows = connection.execute(
        select(mention.c.external_id, mention.c.parent_id).where(
            mention.c.source == source, mention.c.external_id.in_(external_ids), mention.c.parent_id.is_not(None)
        )
    )
    return {row.external_id: row.parent_id for row in rows}


def _name(source: SourceId) -> str:
    return f"recheck:{source}"
