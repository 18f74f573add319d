"""What was set aside since nobody could read it takes its place again once it can be read (decision 0111)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.notify.delivery import next_moment
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection


def put_back(connection: Connection) -> None:
    """Look once, at the start: a mended row, or a version that knows its words, changes nothing while we run."""
    incidents.put_back(connection)
    for one in deliveries.set_aside(connection):
        deliveries.put_back(connection, one, next_moment(one))
