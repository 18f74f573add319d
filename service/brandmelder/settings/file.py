"""The text of a configuration file, or why there is none."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from brandmelder.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 1_048_576


class Read(NamedTuple):
    """What a file held at one moment."""

    text: str
    digest: str
    """SHA-256 of its bytes, as `sha256sum` prints it: the file may be another one a moment later."""


def load(path: Path) -> Read:
    """Return what the file at `path` holds. Raises ConfigurationError if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        hint = (
            "say where it is by --config FILE or in BRANDMELDER_CONFIG; brandmelder init writes one"
            if isinstance(error, FileNotFoundError)
            else "name a file that this user may read; on a server begin with sudo (docs/how-to/install.md)"
        )
        raise ConfigurationError([Problem(str(path), 1, 1, f"cannot be read: {error.strerror}", hint)]) from error
    if len(content) > _MAX_BYTES:
        raise ConfigurationError([Problem(str(path), 1, 1, "is larger than 1 MiB", "this is no configuration")])
    try:
        return Read(content.decode("utf-8-sig"), hashlib.sha256(content).hexdigest())
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode()) + 1
        text = f"the byte 0x{content[error.start]:02x} is not UTF-8"
        raise ConfigurationError([Problem(str(path), line, column, text, "save the file as UTF-8")]) from error
