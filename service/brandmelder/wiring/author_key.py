"""Under which key authors are pseudonymised."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from brandmelder.errors import StoreError
from brandmelder.store import keys, mentions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brandmelder.store.database import Database

KEY_VARIABLE = "BRANDMELDER_AUTHOR_KEY"
_LOST = (
    "If it is lost for good: brandmelder privacy new-key; erasures and objections of the past then hold no longer, and "
    "known accounts are strangers"
)
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
    """Refuse a database whose key is gone, or another one: that would part everything from everybody (0109, 0112).

    Raises StoreError.
    """
    if database.path is None:
        return
    file, is_told = Path(f"{database.path}.key"), bool(environment.get(KEY_VARIABLE))
    is_there = is_told or (file.exists() and file.stat().st_size > 0)
    if not is_there and (file.exists() or database.run_now(mentions.count)):
        raise StoreError(
            f"{file} is missing or empty, and {database.path} holds authors under it: bring it back from its backup, "
            f"or set {KEY_VARIABLE} as the service had it. {_LOST}"
        )
    if is_there and database.run_now(keys.is_another, author_key(database.path, environment)):
        where = KEY_VARIABLE if is_told else str(file)
        unset = f", or unset {KEY_VARIABLE} if {file} is the right one" if is_told and file.exists() else ""
        raise StoreError(
            f"{where} is not the key under which {database.path} holds authors: bring that one back from its backup, "
            f"or set {KEY_VARIABLE} as the service had it{unset}. {_LOST}"
        )


def is_another_key(database: Database, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a key, and not the one with which a database was written."""
    file = Path(f"{database.path}.key")
    if database.path is None or not (environment.get(KEY_VARIABLE) or file.exists()):
        return False
    return database.run_now(keys.is_another, author_key(database.path, environment))


def renew_author_key(database: Database, environment: Mapping[str, str] = os.environ) -> bytes:
    """Go on under the key there is, or under a new one if there is none; returns it. Raises StoreError."""
    file = Path(f"{database.path}.key")
    if not environment.get(KEY_VARIABLE) and file.exists() and not file.stat().st_size:
        file.unlink()
    key = author_key(database.path, environment)
    database.run_now(keys.replace, key)
    return key
