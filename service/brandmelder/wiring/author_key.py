"""Under which key authors are pseudonymised."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from brandmelder.errors import StoreError
from brandmelder.store import mentions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brandmelder.store.database import Database

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
                out.flush()
                os.fsync(out.fileno())
            _sync(file.parent)
        return file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; set {KEY_VARIABLE} or make the directory writable") from error


def _sync(folder: Path) -> None:
    """Have a new file's name outlive a power cut, too: what is stored under the key does."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_author_key(database: Database, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a database with mentions whose key is gone: a new key would part everything from everybody (0109).

    Raises StoreError.
    """
    file = Path(f"{database.path}.key")
    if database.path is None or environment.get(KEY_VARIABLE) or (file.exists() and file.stat().st_size):
        return
    if not database.run_now(mentions.count) and not file.exists():
        return
    raise StoreError(
        f"{file} is missing or empty, and {database.path} holds authors under it: bring it back from its backup, or "
        f"set {KEY_VARIABLE} as the service had it. If it is lost for good, make one: (umask 077; openssl rand -hex 32 "
        f"> {file}); erasures and objections of the past then hold no longer"
    )
