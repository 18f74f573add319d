"""Writes the journal of an earlier life down anew: what could not be synced then may stand in memory only.

After a sync that failed, Linux takes the pages for written, and no later sync writes them (decision 0107). SQLite
writes them anew as long as it lives. A service that is started instead finds them in memory, takes them for kept, and
what it acknowledges then stands behind them: a power cut would take both.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from brandmelder.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PIECE: Final = 1 << 20


def write_down(connection: Connection, path: Path) -> None:
    """Write what the journal of `path` holds over itself and sync it; nobody else may write meanwhile.

    Raises StoreError if the disk does not take it, DatabaseError if the database cannot be written.
    """
    journal = Path(f"{path}-wal")
    if not journal.exists() or not journal.stat().st_size:
        return
    with connection.begin():  # the right to write: no command of another process does meanwhile
        try:
            _rewrite(journal)
        except OSError as error:
            raise StoreError(
                f"database {journal}: {error.strerror}; see the system's log for what is wrong with the disk"
            ) from error


def _rewrite(file: Path) -> None:
    handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        at = 0
        while piece := os.pread(handle, _PIECE, at):
            at += os.pwrite(handle, piece, at)
        os.fsync(handle)
    finally:
        os.close(handle)
