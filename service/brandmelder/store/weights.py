"""What the weighing remembers between two mentions: clusters of near-copies and authors' hours, both bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import AuthorHour, Cluster
from brandmelder.store.schema import author_hour, copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_CLUSTERS = select(*(copies.c[name] for name in Cluster.__struct_fields__))
_HOURS = select(*(author_hour.c[name] for name in AuthorHour.__struct_fields__))
_SAVE_CLUSTER = insert(copies)
_SAVE_CLUSTER = _SAVE_CLUSTER.on_conflict_do_update(
    index_elements=["number"], set_={name: _SAVE_CLUSTER.excluded[name] for name in ("count", "last", "touched")}
)
_SAVE_HOUR = insert(author_hour)
_SAVE_HOUR = _SAVE_HOUR.on_conflict_do_update(index_elements=["key"], set_={"weight": _SAVE_HOUR.excluded.weight})
_FORGET_CLUSTER = delete(copies).where(copies.c.number == bindparam("ident"))
_FORGET_HOUR = delete(author_hour).where(author_hour.c.key == bindparam("ident"))


def read(connection: Connection) -> tuple[list[Cluster], list[AuthorHour]]:
    """Return all that is remembered."""
    clusters = [Cluster(**row) for row in connection.execute(_CLUSTERS).mappings()]
    return clusters, [AuthorHour(**row) for row in connection.execute(_HOURS).mappings()]


def save(connection: Connection, clusters: Sequence[Cluster], hours: Sequence[AuthorHour]) -> None:
    """Write what changed."""
    if clusters:
        connection.execute(_SAVE_CLUSTER, [msgspec.structs.asdict(one) for one in clusters])
    if hours:
        connection.execute(_SAVE_HOUR, [msgspec.structs.asdict(one) for one in hours])


def forget(connection: Connection, clusters: Sequence[int], hours: Sequence[int]) -> None:
    """Let go of clusters and hours by their numbers and keys."""
    if clusters:
        connection.execute(_FORGET_CLUSTER, [{"ident": one} for one in clusters])
    if hours:
        connection.execute(_FORGET_HOUR, [{"ident": one} for one in hours])
