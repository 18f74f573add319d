"""Passwords are kept as argon2id hashes, checked so that nobody learns whether a name is known, and hard to guess."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from brandmelder.errors import PluginError, to_have

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from argon2 import PasswordHasher

P = ParamSpec("P")
T = TypeVar("T")

SHORTEST: Final = 12
"""Characters a password has at least (NIST SP 800-63B asks for 8 with, 15 without a second factor)."""
LONGEST: Final = 1000
_SAFE: Final = 3
"""Of zxcvbn's five grades 0..4: from here on "safely unguessable", more than 10^8 guesses."""
_LOOKED_AT: Final = 72
"""Characters of it that are weighed: what is longer is no easier to guess."""
_OURS: Final = ("brandmelder", "passwort", "password")


class TooMany(Exception):
    """More want to be let in than can be looked at."""


class Weighing:
    """Weighs passwords in threads of its own.

    Each takes 64 MiB and a processor for some while: a flood of sign-ins must take neither the service's memory nor the
    threads that find the addresses of channels, or it would hold up alerts.
    """

    THREADS: Final = 2
    MOST: Final = 20
    """So many wait; more are told to come again."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(self.THREADS, thread_name_prefix="passwords")
        self._waiting = 0

    async def weigh(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Call `is_right` or `hashed`. Raises TooMany, and whatever the function raises."""
        if self._waiting >= self.MOST:
            raise TooMany
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, partial(function, *arguments, **named))
        finally:
            self._waiting -= 1


def hashed(password: str, about: Iterable[str] = ()) -> str:
    """Return what is kept of a password. Raises ValueError for one that is short, long or easy to guess.

    `about` are words somebody would try first: the account's name, the brand.
    """
    if len(password) < SHORTEST:
        raise ValueError(f"a password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise ValueError(f"a password has at most {LONGEST} characters")
    if is_easy(password, about):
        raise ValueError("this password is easy to guess")
    return _hasher().hash(password)


def is_easy(password: str, about: Iterable[str] = ()) -> bool:
    """Say whether a password is among those an attacker tries first: common ones, names, dates, rows of keys."""
    try:
        from zxcvbn import zxcvbn  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise PluginError(f"accounts of this service need zxcvbn; {to_have('web')}") from error
    words = [word for word in {*_OURS, *(one.casefold() for one in about)} if word]
    letters = "".join(character for character in password.casefold() if character.isalpha())
    return letters in words or int(zxcvbn(password[:_LOOKED_AT], user_inputs=words)["score"]) < _SAFE


def is_right(kept: str, password: str) -> bool:
    """Say whether a password is the one that is kept; where none is, it takes as long to say no."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 -- an extra

    try:
        _hasher().verify(kept or _nobody(), password[:LONGEST])
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
        raise PluginError(f"accounts of this service need argon2; {to_have('web')}") from error
    return PasswordHasher()  # argon2id, 64 MiB, three passes: RFC 9106, second recommendation
