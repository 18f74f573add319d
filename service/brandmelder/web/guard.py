"""What every answer carries and every request must pass: no foreign script, no frame, no foreign host, no flood."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from brandmelder.web.api.problems import Refused
from brandmelder.web.api.schema import BASE
from brandmelder.web.cookies import SESSION, kept
from brandmelder.web.rates import neighbourhood

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from brandmelder.web.site import Site

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
HSTS: Final = "max-age=31536000"
MOST, WITHIN = 600, timedelta(minutes=1)
"""So many requests are answered in a minute: of one browser that is signed in, or of one address of all others."""
MOST_PROGRAMS: Final = 6_000
"""So many requests of one address to the API: ten programs at the limit of their tokens."""
_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Stands before every page."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._site = app, site
        self._hosts = {urlsplit(site.web.base_url).hostname or "", site.web.host} | (
            _HERE if site.web.is_loopback else frozenset()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it; put our headers on the answer."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._put(MutableHeaders(scope=message))
            await send(message)

        if Headers(scope=scope).get("sec-fetch-site", "") in _ELSEWHERE:
            # Somebody else's page has a browser of ours ask: the length of the answer must tell nothing (BREACH).
            scope["headers"] = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
        refusal = self._refusal(scope)
        await (self._app if refusal is None else refusal)(scope, receive, guarded)
        return None

    def _put(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store")
        if self._site.web.is_secure:
            headers.setdefault("strict-transport-security", HSTS)

    def _too_many_programs(self, address: str) -> Response | None:
        """Refuse an address that floods the API, in the API's words; each of its tokens is counted there."""
        key = f"api {neighbourhood(address)}"
        if self._site.rates.allows(key, self._site.now(), most=MOST_PROGRAMS, within=WITHIN):
            return None
        text = f"this address asked more than {MOST_PROGRAMS} times in a minute; wait a minute"
        headers = {"retry-after": "60"}
        return Refused(HTTPStatus.TOO_MANY_REQUESTS, "too-many", text, headers=headers).response

    def _refusal(self, scope: Scope) -> Response | None:
        try:
            name = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
        except ValueError:
            name = ""
        if name not in self._hosts:
            # A name that leads here without being ours: somebody's page tries to speak to this machine by it.
            return PlainTextResponse("There is no page under this name; see base_url in the configuration.\n", 421)
        client = scope.get("client") or ("", 0)
        if scope["path"].startswith(f"{BASE}/"):
            return self._too_many_programs(client[0])
        session = self._site.proven.key_of(kept(self._site, Request(scope), SESSION))
        counted = session or f"all {neighbourhood(client[0])}"
        if not self._site.rates.allows(counted, self._site.now(), most=MOST, within=WITHIN):
            return PlainTextResponse("Too many requests; wait a minute.\n", 429, headers={"retry-after": "60"})
        return None
