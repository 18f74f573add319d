"""What the files of names beside a monitor's query hold; what is wrong with them is told with their own lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.capture.names import NAMES_BYTES, read_names
from brandmelder.errors import QueryError

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    from brandmelder.settings.marks import Path
    from brandmelder.settings.wording import Notes


def names_in(file: str | None, path: Path, *, folder: FilePath, notes: Notes) -> tuple[str, ...]:
    """Return the queries that the lines of `file` mean; a line that means none is a problem of the key at `path`."""
    text = None if file is None else _text(folder / file, path, notes)
    if text is None:
        return ()
    lines = list(read_names(text))
    for number, found in lines:
        if isinstance(found, QueryError):
            notes.wrong(path, f"{path[-1]}: {file}:{number}:{found.column}: {found.text}")
    if not lines:
        notes.warn(path, f"{path[-1]}: {file} holds no names", "write one on each line")
    return tuple(found for _, found in lines if isinstance(found, str))


def _text(file: FilePath, path: Path, notes: Notes) -> str | None:
    try:
        with file.open("rb") as opened:
            content = opened.read(NAMES_BYTES + 1)
        if len(content) > NAMES_BYTES:
            notes.wrong(path, f"{path[-1]}: {file} is larger than 1 MiB", "one name on each line")
            return None
        return content.decode("utf-8-sig")
    except OSError as error:
        notes.wrong(path, f"{path[-1]}: {file} cannot be read: {error.strerror}", "check its path and its rights")
    except UnicodeDecodeError:
        notes.wrong(path, f"{path[-1]}: {file} is not UTF-8", "save the file as UTF-8")
    return None
