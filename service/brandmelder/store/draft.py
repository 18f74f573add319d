"""A database that is only a draft: everything done in it is undone at its end, and nobody ever sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from sqlalchemy import delete, update

from brandmelder.store.database import Database
from brandmelder.store.schema import delivery, incident, silence

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

P = ParamSpec("P")
T = TypeVar("T")


class Draft(Database):
    """Runs transactions as parts of one that is open already, in the thread that holds it."""

    def __init__(self, connection: Connection) -> None:
        self.path = None
        self._inside = connection

    def run_now(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one transaction within the open one; if it fails, only it is undone."""
        with self._inside.begin_nested():
            return function(self._inside, *args, **kwargs)

    def close(self) -> None:
        """Let go of nothing: the connection is lent."""


class Undone(Exception):
    """Ends a transaction so that nothing of it stays; `result` is what it was for."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


def lay_aside(connection: Connection) -> None:
    """Have nothing of what really burns, waits or is silenced stand in the way of a draft."""
    connection.execute(delete(silence))
    connection.execute(update(delivery).where(delivery.c.next_at.is_not(None)).values(next_at=None))
    connection.execute(
        update(incident).where(incident.c.state.in_(("pending", "open", "acknowledged"))).values(state="dismissed")
    )
