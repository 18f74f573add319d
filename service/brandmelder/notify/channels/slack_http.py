"""Hears Slack over signed HTTP, for those who have a public address and no use for a socket.

Authenticate, then parse, then write down, then answer. Every failure of the first step is a 401, whatever it was.
Signing: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from brandmelder.errors import BrandmelderError
from brandmelder.notify.channels.slack_clicks import from_event, from_interaction
from brandmelder.serving import Listening, raw_body

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request

    from brandmelder.model import Click
    from brandmelder.notify.listener import Inbox
    from brandmelder.options import Secret

SKEW = timedelta(seconds=300)
REMEMBERED = timedelta(minutes=10)
"""Longer than any signature is good for: one that comes again is a replay."""
MOST_BODY = 256 * 1024
PATIENCE = 10.0
"""Seconds in which a request must have arrived whole: nobody drips one for ever."""


class Signatures:
    """Says which requests are Slack's: signed, fresh, and not seen before."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._seen: dict[str, float] = {}

    def accepts(self, headers: dict[str, str], body: bytes, now: datetime) -> bool:
        """Whether a request is Slack's and new. Whatever is wrong with it, the answer is no."""
        try:
            return self._accepts(headers, body, now.timestamp())
        except (KeyError, ValueError, UnicodeError, OverflowError):
            return False

    def _accepts(self, headers: dict[str, str], body: bytes, now: float) -> bool:
        stamp, signature = headers["x-slack-request-timestamp"], headers["x-slack-signature"]
        if not stamp.isascii() or not stamp.isdigit() or abs(now - int(stamp)) > SKEW.total_seconds():
            return False
        signed = b"v0:" + stamp.encode("ascii") + b":" + body
        proper = "v0=" + hmac.new(self._secret.reveal().encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proper.encode(), signature.encode("ascii")):
            return False
        self._seen = {one: at for one, at in self._seen.items() if now - at <= REMEMBERED.total_seconds()}
        is_new = signature not in self._seen
        self._seen[signature] = now
        return is_new


class SlackHttp:
    """One address that Slack posts to: interactions as forms, events as JSON."""

    def __init__(self, secret: Secret, now: Callable[[], datetime]) -> None:
        self._signatures, self._now = Signatures(secret), now
        self.app = Starlette(routes=[Route("/slack", self._receive, methods=["POST"])])

    async def run(self, inbox: Inbox, host: str, port: int) -> None:
        """Serve until cancelled."""
        self.inbox = inbox
        try:
            place = Listening(self.app, host, port)
        except OSError as error:
            inbox.notice(f"clicks do not arrive: {host}:{port} cannot be listened on: {error.strerror or error}")
            return
        await place.run()

    async def _receive(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(PATIENCE):
                body = await raw_body(request, MOST_BODY)
        except TimeoutError:
            return Response(status_code=408)
        if body is None:
            return Response(status_code=413)
        if not self._signatures.accepts(dict(request.headers), body, self._now()):
            return Response(status_code=401)
        try:
            return await self._take(request.headers.get("content-type", ""), body)
        except (ValueError, RecursionError):
            return Response(status_code=400)
        except BrandmelderError as error:
            self.inbox.notice(f"a click was not taken: {error}")
            return Response(status_code=503)

    async def _take(self, kind: str, body: bytes) -> Response:
        if kind.startswith("application/json"):
            payload = _object(body)
            if payload.get("type") == "url_verification":
                return JSONResponse({"challenge": str(payload.get("challenge", ""))[:500]})
            return await self._note(from_event(payload, f"http:{payload.get('event_id')}"))
        payload = _object(parse_qs(body.decode(), strict_parsing=True, max_num_fields=20)["payload"][0].encode())
        # An interaction carries no id; what opens a form is unique to it.
        told = str(payload.get("trigger_id")).encode()
        return await self._note(from_interaction(payload, f"http:{hashlib.sha256(told).hexdigest()[:40]}"))

    async def _note(self, click: Click | None) -> Response:
        if click is not None:
            await self.inbox.take(click)
        return Response(status_code=200)


def _object(text: bytes) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 -- answered like any other text that is not Slack's
    return found
