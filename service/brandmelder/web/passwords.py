"""Passwords are kept as argon2id hashes, and checked so that nobody learns whether a name is known."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from brandmelder.errors import PluginError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 12
"""Characters a password has at least (NIST SP 800-63B asks for 8 with, 15 without a second factor)."""


def hashed(password: str) -> str:
    """Return what is kept of a password. Raises ValueError for one that is too short."""
    if len(password) < SHORTEST:
        raise ValueError(f"a password has at least {SHORTEST} characters")
    return _hasher().hash(password)


def is_right(kept: str, password: str) -> bool:
    """Say whether a password is the one that is kept; where none is, it takes as long to say no."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 -- an extra

    try:
        _hasher().verify(kept or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise PluginError('accounts of this service need argon2; pip install "brandmelder[web]"') from error
    return PasswordHasher()  # argon2id, 64 MiB, three passes: RFC 9106, second recommendation
