"""Says whether the files of an open database still bear their names: what others hold is lost at the next start."""

from __future__ import annotations

import contextlib
from pathlib import Path

from brandmelder.errors import StoreReplaced

_JOURNAL = "-wal"


class Standing:
    """The files of one database as they were when it was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = [path, Path(f"{path}{_JOURNAL}")]
        self._known: dict[Path, tuple[int, int]] = {}

    def check(self) -> None:
        """Look at the names. Raises StoreReplaced if one of them leads elsewhere than it did, or nowhere."""
        for file in self._files:
            found = _identity(file)
            known = self._known.get(file)
            if known is None and found is not None:
                self._known[file] = found
            elif known != found:
                raise StoreReplaced(
                    f"database {file}: moved, deleted or replaced while it was open; put it back, or stop the service "
                    "and use brandmelder restore; nothing is acknowledged until then"
                )


def _identity(file: Path) -> tuple[int, int] | None:
    with contextlib.suppress(FileNotFoundError):
        found = file.stat()
        return found.st_dev, found.st_ino
    return None
