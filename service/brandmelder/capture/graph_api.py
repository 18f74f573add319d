"""What Meta's Graph API says (Facebook pages, Instagram): its lists, its numbers, its refusals.

Paging addresses hold the token, so they are never followed: only their cursor is taken. A short or empty page may still
have a next one. https://developers.facebook.com/docs/graph-api
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from brandmelder.capture.json_api import read_json
from brandmelder.errors import AuthRefused, Gone, RateLimited, ShapeChanged, SourceError, Transient

if TYPE_CHECKING:
    from brandmelder.capture.source import Answer, Tools
    from brandmelder.model import SourceId
    from brandmelder.options import Secret

T = TypeVar("T")

_TOLD: Final = frozenset({400, 401, 403, 404, 429, 500, 503})
_SERVICE: Final = "the Graph API"
_LIMITS: Final = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_PASSING: Final = frozenset({1, 2})
_TOO_MUCH: Final = "reduce the amount of data"
_RIGHTS: Final = frozenset({3, 10, *range(200, 300)})
_TOKEN: Final = frozenset({102, 190, 463, 467})
_USAGE: Final = ("x-app-usage", "x-page-usage", "x-business-use-case-usage")
_ASK_AGAIN: Final = timedelta(days=1)
_FARTHEST: Final = 253_402_300_799
"""The last second of the year 9999."""
_BUSY: Final = 75
"""Per cent of a limit from which on it is asked more slowly."""


class Fault(Struct, frozen=True):
    """Why a question was refused."""

    message: str = ""
    code: int = 0
    error_subcode: int = 0


class _Refused(Struct, frozen=True):
    error: Fault


class _Cursors(Struct, frozen=True):
    after: str = ""


class Paging(Struct, frozen=True):
    """How a list goes on."""

    cursors: _Cursors = _Cursors()
    next: str = ""

    @property
    def following(self) -> str:
        """Return the cursor of the older page; empty at the end of the list."""
        return self.cursors.after if self.next else ""


class _Ends(Struct, frozen=True):
    expires_at: int = 0
    data_access_expires_at: int = 0


class _Debugged(Struct, frozen=True):
    data: _Ends = _Ends()


class Missing(SourceError):
    """The object is gone, or not to be seen with this token."""


class GraphApi:
    """Asks the Graph API. The token travels in a header, not in an address."""

    def __init__(self, source: SourceId, base: str, token: Secret, app_secret: Secret | None, tools: Tools) -> None:
        self._source, self._base, self._tools = source, base.rstrip("/"), tools
        self._headers = {"authorization": f"Bearer {token.reveal()}"}
        self._proof: dict[str, str] = {}
        if app_secret is not None:
            proof = hmac.digest(app_secret.reveal().encode(), token.reveal().encode(), "sha256").hex()
            self._proof = {"appsecret_proof": proof}
        self._token = token
        self._asked: datetime | None = None
        self._ends: datetime | None = None
        self.is_denied = False
        """The last refusal was of a right to what was asked for; the token itself holds."""
        self.is_too_much = False
        """The last refusal was of how much was asked for at once."""
        self.slower = timedelta(0)
        """How long the service would like to be left alone, as its usage headers tell."""

    async def get(self, path: str, asked: dict[str, str], shape: type[T], now: datetime) -> T:
        """Ask for `path`. Raises Missing for an object that is not there, else the SourceError that says what to do.

        `self.is_denied` then says whether it is this object alone that may not be seen.
        """
        url = f"{self._base}/{path}?{urlencode(asked | self._proof, safe=',(){}.')}"
        answer = await self._tools.fetch(url, now=now, headers=self._headers, takes=_TOLD)
        self.slower, self.is_denied, self.is_too_much = _wait(answer), False, False
        if answer.status in _TOLD:
            raise self._refusal(answer, now).about(self._source)
        return read_json(answer, shape, source=self._source, service=_SERVICE)

    async def expires(self, now: datetime) -> datetime | None:
        """Return when the token, or its right to data, ends, asked once a day: year 9999 for never, None if unknown.

        The address holds the token: the service has no other way to be asked about one.
        """
        if self._asked is None or now - self._asked >= _ASK_AGAIN:
            self._asked = now
            try:
                told = await self.get("debug_token", {"input_token": self._token.reveal()}, _Debugged, now)
            except SourceError:
                return self._ends
            known = [at for at in (told.data.expires_at, told.data.data_access_expires_at) if at > 0]
            self._ends = datetime.fromtimestamp(min(*known, _FARTHEST, _FARTHEST), UTC)
        return self._ends

    def _refusal(self, answer: Answer, now: datetime) -> SourceError:
        try:
            fault = read_json(answer, _Refused, source=self._source, service=_SERVICE).error
        except ShapeChanged:
            fault = Fault()
        return self._meaning(fault, answer.status, now)

    def _meaning(self, fault: Fault, status: int, now: datetime) -> SourceError:  # noqa: PLR0911 - a table, first row wins
        if fault.code in _TOKEN or status == 401:
            return AuthRefused("refuses the token; make a new one (its person may have lost the page's role)")
        if fault.code in _LIMITS or status == 429:
            until = now + max(self.slower, timedelta(minutes=5))
            return RateLimited(f"is asked too often; it is asked again at {until:%H:%M} UTC", until)
        if fault.code == 100 and fault.error_subcode == 33:
            return Missing("the object is gone or not to be seen")
        if fault.code in _RIGHTS or status == 403:
            self.is_denied = True
            return AuthRefused(f"the token lacks a right (code {fault.code}); see the how-to for those it needs")
        self.is_too_much = _TOO_MUCH in fault.message.lower()
        if fault.code in _PASSING or status >= 500:
            return Transient(f"answered {status} (code {fault.code}); it is asked again at the next poll")
        if status == 404:
            return Gone("answered 404 Not Found; mend its url or page")
        return ShapeChanged(f"refuses the question (code {fault.code}); has the API's version changed? mend url")


class _Usage(Struct, frozen=True):
    call_count: float = 0
    total_cputime: float = 0
    total_time: float = 0
    estimated_time_to_regain_access: float = 0

    @property
    def share(self) -> float:
        return max(self.call_count, self.total_cputime, self.total_time)


_ByCase = dict[str, list[_Usage]]


def _wait(answer: Answer) -> timedelta:
    """Return how long to leave the service alone: from three quarters of a limit on, ever longer."""
    usages: list[_Usage] = []
    for name in _USAGE:
        told = answer.headers.get(name, "{}")
        try:
            flat = name != "x-business-use-case-usage"
            nested = {"": [msgspec.json.decode(told, type=_Usage)]} if flat else msgspec.json.decode(told, type=_ByCase)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        usages += [one for several in nested.values() for one in several]
    regain = max((one.estimated_time_to_regain_access for one in usages), default=0.0)
    busy = max((one.share for one in usages), default=0.0)
    if regain > 0:
        return timedelta(minutes=min(regain, 24 * 60))
    return timedelta(minutes=min(busy - _BUSY, 30)) if busy > _BUSY else timedelta(0)


def weak_id(*parts: str) -> str:
    """Return an id for what has none: it stays as long as its parts do."""
    return "w" + hashlib.blake2b("\x00".join(parts).encode("utf-8", "replace"), digest_size=10).hexdigest()
