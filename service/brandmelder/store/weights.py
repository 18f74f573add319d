"""What the weighing remembers between two mentions: clusters of near-copies and authors' hours, both bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import AuthorHour, Cluster
from brandmelder.store.bulk import Bulk
from brandmelder.store.schema import author_hour, copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_CLUSTERS = select(*(copies.c[name] for name in Cluster.__struct_fields__))
_HOURS = select(*(author_hour.c[name] for name in AuthorHour.__struct_fields__))
_NEW_CLUSTER = insert(copies)
_SAVE_CLUSTER = Bulk(
    _NEW_CLUSTER.on_conflict_do_update(
        index_elements=["number"], set_={name: _NEW_CLUSTER.excluded[name] for name in ("count", "last", "touched")}
    )
)
_NEW_HOUR = insert(author_hour)
_SAVE_HOUR = Bulk(_NEW_HOUR.on_conflict_do_update(index_elements=["key"], set_={"weight": _NEW_HOUR.excluded.weight}))
_FORGET_CLUSTER = Bulk(delete(copies).where(copies.c.number == bindparam("ident")))
_FORGET_HOUR = Bulk(delete(author_hour).where(author_hour.c.key == bindparam("ident")))


def read(connection: Connection) -> tuple[list[Cluster], list[AuthorHour]]:
    """Return all that is remembered."""
    clusters = [Cluster(**row) for row in connection.execute(_CLUSTERS).mappings()]
    return clusters, [AuthorHour(**row) for row in connection.execute(_HOURS).mappings()]


def save(connection: Connection, clusters: Sequence[Cluster], hours: Sequence[AuthorHour]) -> None:
    """Write what changed."""
    _SAVE_CLUSTER.run(connection, [msgspec.structs.asdict(one) for one in clusters])
    _SAVE_HOUR.run(connection, [msgspec.structs.asdict(one) for one in hours])


def forget(connection: Connection, clusters: Sequence[int], hours: Sequence[int]) -> None:
    """Let go of clusters and hours by their numbers and keys."""
    _FORGET_CLUSTER.run(connection, [{"ident": one} for one in clusters])
    _FORGET_HOUR.run(connection, [{"ident": one} for one in hours])
