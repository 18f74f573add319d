"""Which messages were sent to us already: each counts once, however often its sender repeats it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects.sqlite import insert

from brandmelder.store.database import seconds
from brandmelder.store.schema import arrival

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import SourceId

KEPT = timedelta(days=4)
"""Longer than the 75 hours over which Standard Webhooks' plan of repetitions runs."""
_TAKE = insert(arrival).on_conflict_do_nothing()
_FORGET = delete(arrival).where(arrival.c.at < bindparam("before"))


def take(connection: Connection, source: SourceId, ident: str, now: datetime) -> bool:
    """Write down that a message came; says whether it is new. Those of more than four days ago are forgotten."""
    connection.execute(_FORGET, {"before": seconds(now - KEPT)})
    return connection.execute(_TAKE, {"source": source, "ident": ident, "at": seconds(now)}).rowcount > 0
