"""By which key the authors in a database are pseudonymised: a mark that only this key makes, and no key (0112)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from brandmelder.store import meta

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NAME = "author_key_mark"
_SAYING = b"brandmelder: by this key authors are pseudonymised"


def is_another(connection: Connection, key: bytes) -> bool:
    """Say whether the database was written with another key; one without a mark cannot know."""
    known = meta.read(connection, _NAME)
    return known is not None and not hmac.compare_digest(known, _mark(key))


def adopt(connection: Connection, key: bytes) -> None:
    """Keep the mark of a key if there is none yet: a new database, or one that a version without marks wrote."""
    if meta.read(connection, _NAME) is None:
        replace(connection, key)


def replace(connection: Connection, key: bytes) -> None:
    """Keep the mark of a key in the place of any other: a person decided to go on under it."""
    meta.write(connection, _NAME, _mark(key))


def _mark(key: bytes) -> str:
    return hmac.digest(key, _SAYING, "sha256").hex()
