"""The parts of one transaction, each apart: what one of them stumbles over undoes that part, and no other.

Trouble is said once, until that part is well again; whoever looks next tries it again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError

from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from brandmelder.pipeline.duty import Scene
    from brandmelder.pipeline.parts import Parts

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()

SOON = timedelta(seconds=15)
"""When what could not be seen to is tried again."""
_OF_A_ROW = (IntegrityError, DataError, InterfaceError, ProgrammingError)
"""What a database says about what it was given; anything else (a full disk, a damaged file) concerns all parts."""


class Apart:
    """Does the parts of one transaction, each behind a savepoint of its own."""

    def __init__(self, connection: Connection, parts: Parts) -> None:
        self._connection, self._parts = connection, parts
        self.has_stumbled = False

    @classmethod
    def of(cls, scene: Scene) -> Apart:
        """Return the same for the transaction of a scene."""
        return cls(scene.connection, scene.parts)

    def do(self, what: str, part: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Do one part; None, and everything as it was before, if it cannot be done. Raises what concerns all parts."""
        # A savepoint by hand: one of SQLAlchemy's would answer a full disk with its own trouble of rolling back.
        self._connection.exec_driver_sql("SAVEPOINT part")
        try:
            found = part(*args, **kwargs)
        except Exception as error:
            if isinstance(error, DBAPIError) and not isinstance(error, _OF_A_ROW):
                raise
            self._connection.exec_driver_sql("ROLLBACK TO part")
            self._connection.exec_driver_sql("RELEASE part")
            self._stumble(what, error)
            return None
        self._connection.exec_driver_sql("RELEASE part")
        self._parts.stumbling.discard(what)
        return found

    def _stumble(self, what: str, error: Exception) -> None:
        self.has_stumbled = True
        if what in self._parts.stumbling:
            return
        self._parts.stumbling.add(what)
        reason = str(error) if isinstance(error, BrandmelderError) else f"{type(error).__name__}, please report it"
        log.error("part.failed", part=what, exc_info=error)
        self._parts.on_failure(f"{what} cannot be seen to: {reason}; all others are, and it is tried again")
