"""Access tokens: those that a service gives for credentials, kept until shortly before their end; and when one ends."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from brandmelder.capture.json_api import read_json
from brandmelder.errors import AuthRefused

if TYPE_CHECKING:
    from brandmelder.capture.source import Tools
    from brandmelder.model import SourceId

EARLY: Final = timedelta(minutes=2)
_UNSAID: Final = 3600.0
"""So many seconds a token holds where nothing is said of it that makes sense."""
_LONGEST: Final = 1e9
_JWT_PARTS: Final = 3
_REFUSED: Final = frozenset({400, 401, 403})


class _Claims(Struct, frozen=True):
    exp: float | None = None


def end_of(token: str) -> datetime | None:
    """Return when a token ends that says so itself (`exp` of a JWT, RFC 7519); None for any other. Unverified."""
    parts = token.split(".")
    if len(parts) != _JWT_PARTS:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims)
        return None if claims.exp is None else datetime.fromtimestamp(int(claims.exp), UTC)
    except (ValueError, OverflowError, OSError, msgspec.MsgspecError):
        return None


class _Granted(Struct, frozen=True):
    access_token: str = ""
    expires_in: float = _UNSAID
    error: str = ""


class Grant(Struct, frozen=True, kw_only=True):
    """How a token is asked for (RFC 6749): where, with which form, under which headers."""

    url: str
    form: str
    """Already in application/x-www-form-urlencoded."""
    headers: Mapping[str, str] = {}


class Token:
    """One token, asked for when it is first needed and again before it ends."""

    def __init__(self, source: SourceId, tools: Tools, service: str) -> None:
        self._source, self._tools, self._service = source, tools, service
        self._value, self._until = "", datetime.min.replace(tzinfo=UTC)

    async def get(self, grant: Grant, now: datetime) -> str:
        """Return a token that still holds. Raises AuthRefused when the credentials are refused."""
        if self._value and now < self._until:
            return self._value
        headers = {"content-type": "application/x-www-form-urlencoded", **grant.headers}
        answer = await self._tools.fetch(grant.url, now=now, headers=headers, body=grant.form.encode(), takes=_REFUSED)
        granted = read_json(answer, _Granted, source=self._source, service=self._service)
        if answer.status in _REFUSED or not granted.access_token:
            said = granted.error or f"answered {answer.status}"
            raise AuthRefused(f"refuses the credentials ({said[:80]}); renew them").about(self._source)
        self._value = granted.access_token
        seconds = granted.expires_in if 0 < granted.expires_in < _LONGEST else _UNSAID
        self._until = now + max(timedelta(seconds=seconds) - EARLY, timedelta(seconds=30))
        return self._value

    def forget(self) -> None:
        """Ask anew next time: the token was refused."""
        self._value = ""
