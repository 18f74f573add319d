"""Under which key authors are pseudonymised."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from brandmelder.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_VARIABLE = "BRANDMELDER_AUTHOR_KEY"
REPLAY_KEY = b"a replay stores nothing"


def author_key(path: Path | None, environment: Mapping[str, str] = os.environ) -> bytes:
    """Return the key under which authors are pseudonymised: from the environment, else a file beside the database.

    Raises StoreError if the file can neither be read nor written.
    """
    if path is None:
        return REPLAY_KEY
    if environment.get(KEY_VARIABLE):
        return environment[KEY_VARIABLE].encode()
    file = Path(f"{path}.key")
    try:
        if not file.exists():
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(secrets.token_hex(32).encode())
        return file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; set {KEY_VARIABLE} or make the directory writable") from error
