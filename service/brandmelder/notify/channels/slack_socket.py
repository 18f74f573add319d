"""Hears Slack over a socket, without a public address: each envelope is written down, then acknowledged.

The socket is slack-sdk's own. Three things are added: one lost connection is replaced once, an address that leads to no
connection is renewed, and a count of connections above our own is noticed: a dead one swallows its share of the clicks.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from brandmelder.errors import BrandmelderError
from brandmelder.notify.channels.slack_clicks import from_event, from_interaction
from brandmelder.notify.channels.slack_outcomes import error_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from brandmelder.notify.listener import Inbox
    from brandmelder.options import Secret

OWN = 1
"""So many connections we hold."""
LOOK_AGAIN = timedelta(seconds=60)
"""How long after a strange count we connect anew and count again: Slack forgets a closed one with delay."""
RENEW = timedelta(seconds=15)
"""How long one address is tried; Slack's are good for one connection and half a minute."""
BEAT = 5.0

# The SDK logs what it receives, and mention text stays out of logs; what matters is told through the inbox.
_log = logging.getLogger("brandmelder.slack.socket")
_log.setLevel(logging.CRITICAL + 1)

_TROUBLE = {
    "invalid_auth": "Slack does not know `app_token`; make an App-Level Token (xapp-…) with connections:write",
    "not_authed": "`app_token` is empty; make an App-Level Token (xapp-…) with connections:write",
    "not_allowed_token_type": "`app_token` is no App-Level Token; it begins with xapp-",
    "missing_scope": "`app_token` lacks the scope connections:write; make a new one with it",
    "socket_mode_not_enabled": "Socket Mode is off; switch it on in the app's settings",
    "token_revoked": "`app_token` was revoked; make a new one",
}


class _Socket(SocketModeClient):
    def __init__(self, token: Secret, api_url: str, notice: Callable[[str], None], *, beat: float) -> None:
        web = AsyncWebClient(base_url=api_url, retry_handlers=[], logger=_log)
        super().__init__(app_token=token.reveal(), web_client=web, logger=_log, ping_interval=beat)
        self._notice = notice
        self._turn = asyncio.Lock()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 -- the SDK's
        """Connect anew, once for one lost connection: that Slack asks for it and that it closes are one reason."""
        lost = self.current_session
        async with self._turn:
            if lost is self.current_session or not await self.is_connected():
                await super().connect_to_new_endpoint(force)

    async def issue_new_wss_url(self) -> str:
        try:
            return await super().issue_new_wss_url()
        except SlackApiError as error:
            name = error_name(error) or "nothing usable"
            self._notice(f"clicks do not arrive: {_TROUBLE.get(name, f'Slack answers {name}')}")
            raise

    async def connect(self) -> None:
        while not self.closed:
            try:
                async with asyncio.timeout(RENEW.total_seconds()):
                    return await super().connect()  # type: ignore[no-untyped-call,no-any-return] # the SDK's
            except TimeoutError:
                self.wss_uri = None
        return None


class SlackSocket:
    """One connection for one app token."""

    def __init__(self, token: Secret, api_url: str, *, look_again: timedelta = LOOK_AGAIN, beat: float = BEAT) -> None:
        self._token, self._api_url = token, api_url
        self._look_again, self._beat = look_again.total_seconds(), beat
        self._has_excess = False
        self._told = ""
        self._socket: _Socket | None = None
        self._alive_at: datetime | None = None
        self._recount: asyncio.Task[None] | None = None

    async def run(self, inbox: Inbox) -> None:
        """Hear until cancelled; connections come and go meanwhile."""
        self._inbox = inbox
        socket = self._socket = _Socket(self._token, self._api_url, self._notice, beat=self._beat)
        socket.message_listeners.append(self._greeted)
        socket.socket_mode_request_listeners.append(self._heard)
        try:
            await socket.connect()
            await asyncio.Event().wait()
        finally:
            if self._recount is not None:
                self._recount.cancel()
            await socket.close()  # type: ignore[no-untyped-call] # the SDK's

    def silence(self, now: datetime) -> timedelta:
        """Return how long ago Slack last answered a ping; if it never did, since when this is asked."""
        # The SDK forgets its last ping whenever it connects anew.
        pinged = self._socket.last_ping_pong_time if self._socket is not None else None
        if pinged is not None:
            self._alive_at = datetime.fromtimestamp(pinged, UTC)
        elif self._alive_at is None:
            self._alive_at = now
        return max(timedelta(0), now - self._alive_at)

    def _notice(self, text: str) -> None:
        """Tell an operator, each trouble once until it is over."""
        if text != self._told:
            self._told = text
            self._inbox.notice(text)

    async def _greeted(self, socket: AsyncBaseSocketModeClient, message: dict[str, Any], _raw: str | None) -> None:
        """Count connections when Slack greets a new one: one that is not ours takes a share of the clicks."""
        if message.get("type") != "hello":
            return
        count = message.get("num_connections")
        is_excess = isinstance(count, int) and count > OWN
        if is_excess and self._has_excess:
            self._notice(
                f"Slack counts {count} connections of this app and we hold {OWN}: another Brandmelder with this "
                "app token, or a dead socket, takes a share of the clicks; words in the thread and "
                "`brandmelder incidents` still work"
            )
        elif is_excess:
            self._recount = asyncio.ensure_future(self._connect_anew(socket))
        else:
            self._told = ""
        self._has_excess = is_excess

    async def _connect_anew(self, socket: AsyncBaseSocketModeClient) -> None:
        try:
            async with asyncio.timeout(self._look_again):
                await asyncio.Event().wait()
        except TimeoutError:
            await socket.connect_to_new_endpoint(force=True)

    async def _heard(self, socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Write one envelope down, then acknowledge it: what is not written down Slack shall send again."""
        hears = {"interactive": from_interaction, "events_api": from_event}.get(request.type)
        click = hears(request.payload, request.envelope_id) if hears else None
        try:
            if click is not None:
                await self._inbox.take(click)
        except BrandmelderError as error:
            self._inbox.notice(f"a click was not taken: {error}")
            return
        response = SocketModeResponse(envelope_id=request.envelope_id)
        await socket.send_socket_mode_response(response)
