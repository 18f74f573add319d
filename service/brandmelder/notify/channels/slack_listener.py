"""How people act in Slack: what was clicked or written is heard here, and answered to the one person who did."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from brandmelder.notify.channels.slack_dialogs import ephemeral, view
from brandmelder.options import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime, timedelta

    from slack_sdk.web.async_client import AsyncWebClient

    from brandmelder.model import Click
    from brandmelder.notify.channels.slack_options import SlackOptions
    from brandmelder.notify.channels.slack_socket import SlackSocket
    from brandmelder.notify.listener import Answer, Inbox, Question

NAME_WITHIN, ANSWER_WITHIN = 2.0, 5.0
"""Seconds. An answer is a courtesy: what was done is done, and the alert shows it."""


class SlackListener:
    """Hears for one Slack channel; `client` returns a client with the bot's token."""

    def __init__(
        self, options: SlackOptions, client: Callable[[], AsyncWebClient], now: Callable[[], datetime]
    ) -> None:
        self._options, self._client, self._now = options, client, now
        self._names: dict[str, str] = {}
        self._socket: SlackSocket | None = None
        token = options.app_token or options.signing_secret
        told = f"{token.reveal() if token else ''} {options.listen}"
        self.line = f"slack:{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    async def listen(self, inbox: Inbox) -> None:
        """Hear until cancelled: over a socket if there is an app token, else over HTTP."""
        options = self._options
        if options.app_token is not None:
            from brandmelder.notify.channels.slack_socket import SlackSocket  # noqa: PLC0415 -- one of two, both heavy

            self._socket = SlackSocket(options.app_token, options.api_url)
            await self._socket.run(inbox)
        elif options.signing_secret is not None:
            from brandmelder.notify.channels.slack_http import SlackHttp  # noqa: PLC0415 -- one of two, both heavy

            host, _, port = options.listen.rpartition(":")
            await SlackHttp(options.signing_secret, self._now).run(inbox, host.strip("[]"), int(port))

    def silence(self, now: datetime) -> timedelta | None:
        """Return how long ago the socket gave its last sign of life; None without one."""
        return None if self._socket is None else self._socket.silence(now)

    def covers(self, place: str) -> bool:
        """Whether a place is in this channel."""
        return place.partition(":")[0] == self._options.channel

    def role_of(self, person: str) -> Role | None:
        """Return what a person may do; without a list everybody in the channel may do everything."""
        return self._options.roles.get(person) if self._options.roles else Role.RESPONDER

    async def name_of(self, person: str, otherwise: str) -> str:
        """Return the display name; needs the scope users:read, else `otherwise`."""
        if person not in self._names:
            name = await self._display_name(person)
            if name is None:
                return otherwise or person
            self._names[person] = name
        return self._names[person]

    async def _display_name(self, person: str) -> str | None:
        try:
            async with asyncio.timeout(NAME_WITHIN):
                found: dict[str, Any] = (await self._client().users_info(user=person)).get("user") or {}
        except Exception:  # noqa: BLE001 - a name is a courtesy, whatever keeps it away
            return None
        profile = found.get("profile") or {}
        name = profile.get("display_name") or profile.get("real_name") or found.get("real_name") or found.get("name")
        return name if isinstance(name, str) and name.strip() else None

    async def answer(self, click: Click, answer: Answer) -> bool:
        """Tell one person something, in the thread where they wrote or in the channel where they pressed."""
        text, blocks = ephemeral(answer)
        channel, _, ts = click.place.partition(":")
        thread = ts if click.is_spoken else None

        async def post(client: AsyncWebClient) -> None:
            await client.chat_postEphemeral(
                channel=channel, user=click.person, text=text, blocks=blocks, thread_ts=thread
            )

        return await self._say(post)

    async def ask(self, click: Click, question: Question) -> bool:
        """Open a form; Slack lets that be done once and within 3 s of the click."""
        if not click.trigger:
            return False

        async def open_(client: AsyncWebClient) -> None:
            await client.views_open(trigger_id=click.trigger, view=view(question, click.place))

        return await self._say(open_)

    async def _say(self, act: Callable[[AsyncWebClient], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await act(self._client())
        except Exception:  # noqa: BLE001 - see above
            return False
        return True
