"""Which rows of an installation nobody can decode; reads whole tables, for the doctor alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import select

from brandmelder.model import Click, Delivery, Doubt, Evidence, Incident, Override, Silence, Transition
from brandmelder.store.schema import click, delivery, duty_override, incident, silence, transition
from brandmelder.store.schema_polls import doubt
from brandmelder.store.unreadable import troubles

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from brandmelder.store.unreadable import AnyRow

_SHAPES: Final[tuple[tuple[Select[Any], tuple[type, ...]], ...]] = (
    (select(incident.c.id, incident.c.body, incident.c.evidence), (Incident, Evidence)),
    (select(transition.c.incident, transition.c.revision, transition.c.body), (Transition,)),
    (select(delivery.c.key, delivery.c.body), (Delivery,)),
    (select(click.c.id, click.c.body), (Click,)),
    (select(silence.c.id, silence.c.body), (Silence,)),
    (select(duty_override.c.id, duty_override.c.body), (Override,)),
    (select(doubt.c.source, doubt.c.kind, doubt.c.since, doubt.c.body), (Doubt,)),
)
"""What is read of each table: its key, and what is to be decoded as what. What can be judged anew is not here."""


def damaged(connection: Connection) -> list[str]:
    """Return every row that cannot be decoded, by table, with its key and why."""
    found: list[str] = []
    for statement, shapes in _SHAPES:
        decoders: list[Any] = [msgspec.msgpack.Decoder(shape) for shape in shapes]
        keys = len(statement.selected_columns) - len(shapes)

        def read(row: AnyRow, decoders: list[Any] = decoders, keys: int = keys) -> None:
            for decoder, body in zip(decoders, row[keys:], strict=True):
                decoder.decode(body)

        table = statement.get_final_froms()[0].description
        found += troubles(str(table), connection.execute(statement), read, keys=keys)
    return found
