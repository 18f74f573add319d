"""How often one browser or one name may ask: a page for people cannot be used to guess passwords or to tire us out."""

from __future__ import annotations

import ipaddress
from collections import deque
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime, timedelta

MOST_KEYS: Final = 10_000
"""More are never remembered: whoever asks under ever new names is not let fill our memory."""


class Rates:
    """Remembers when each key asked lately."""

    def __init__(self) -> None:
        self._asked: dict[str, deque[datetime]] = {}

    def allows(self, key: str, now: datetime, *, most: int, within: timedelta) -> bool:
        """Say whether a key may ask once more, and remember that it did."""
        times = self._asked.pop(key, None) or deque(maxlen=most)
        self._asked[key] = times  # the newest key stands last
        if len(self._asked) > MOST_KEYS:
            del self._asked[next(iter(self._asked))]
        if len(times) == most and now - times[0] < within:
            return False
        times.append(now)
        return True

    def forgive(self, key: str) -> None:
        """Forget what a key asked: somebody signed in."""
        self._asked.pop(key, None)


class Proven:
    """Remembers which browsers were found signed in lately: those are counted each for itself, not by their address.

    A whole press office stands behind one address, and in a storm every screen in it reads its page every few seconds.
    """

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}

    def note(self, token: str) -> None:
        """Remember that somebody is signed in by a token."""
        self._keys.pop(_key(token), None)
        self._keys[_key(token)] = None
        if len(self._keys) > MOST_KEYS:
            del self._keys[next(iter(self._keys))]

    def drop(self, token: str) -> None:
        """Remember that nobody is, any more."""
        self._keys.pop(_key(token), None)

    def key_of(self, token: str) -> str:
        """Return by what a browser is counted; empty for one that proved nothing."""
        return f"session {_key(token)}" if token and _key(token) in self._keys else ""


def _key(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def neighbourhood(address: str) -> str:
    """Return what is counted as one address: of IPv6 the network of 64 bits that one line is given (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
