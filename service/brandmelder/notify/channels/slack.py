"""Slack by its Web API: posts an alert, edits it, answers in its thread, finds it again. It never tries twice itself.

The SDK's retry handlers post twice when an answer is lost, and pooled connections meet the server's idle close; so
there are none of either. What an answer means stands in slack_outcomes, what is sent in slack_blocks.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from brandmelder import __version__
from brandmelder.model import Form
from brandmelder.notify.channels.slack_blocks import Block, render
from brandmelder.notify.channels.slack_chart import BLOCK, Pictures, native
from brandmelder.notify.channels.slack_check import abilities, problems
from brandmelder.notify.channels.slack_listener import SlackListener
from brandmelder.notify.channels.slack_options import SlackOptions
from brandmelder.notify.channels.slack_outcomes import error_name, outcome_of
from brandmelder.notify.no_answer import named
from brandmelder.notify.notifier import (
    Found,
    NotDelivered,
    Outcome,
    RefusedForm,
    Sent,
    Unclear,
    Uneditable,
    Unreadable,
)
from brandmelder.options import ChannelOptions, Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from brandmelder.model import ChannelId
    from brandmelder.notify.listener import Listener
    from brandmelder.notify.message import Message

    Sending = Callable[[AsyncWebClient, str, list[Block]], Awaitable[Outcome]]
    from brandmelder.notify.notifier import Ability, Tools

EVENT_TYPE = "brandmelder_alert"
SCHEMA = 1
DEADLINE = timedelta(seconds=20)
CONNECT, READ = 5.0, 14.0
PAGE = 200
POINTER = "↑ Doppelt gesendet, es gilt die andere Meldung. · Sent twice, the other message counts."

# At DEBUG the SDK logs what it sends, and mention text stays out of logs.
_log = logging.getLogger("brandmelder.slack")
_log.setLevel(logging.WARNING)


class _NoToken(Exception):
    """The token cannot be read now; nothing was sent."""


class SlackNotifier:
    """One channel of one workspace. A `ref` is `channel:ts`.

    If the configuration says how clicks arrive, alerts carry buttons and `listener` hears them; else they carry links
    and commands.
    """

    Options: ClassVar[type[ChannelOptions]] = SlackOptions
    can_update = True
    can_find = True
    is_idempotent = False
    spacing = timedelta(seconds=1)

    def __init__(
        self,
        channel_id: ChannelId,
        options: SlackOptions,
        tools: Tools | None = None,  # the SDK has a client of its own
        *,
        deadline: timedelta = DEADLINE,
    ) -> None:
        self.id = channel_id
        self._options = options
        self._receives_clicks = options.receives_clicks
        hears = options.receives_clicks and tools is not None
        self.listener: Listener | None = SlackListener(options, self._client, tools.now) if hears and tools else None
        self._now = tools.now if tools is not None else None
        self._deadline = deadline.total_seconds()
        self.pictures = Pictures()
        self._session: aiohttp.ClientSession | None = None
        self._tokens: list[Secret] = []

    # -------------------------------------------------------------- the protocol

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Post a new message, into the thread under `thread` if given."""
        place: dict[str, Any] = {"channel": self._options.channel}
        if thread is not None:
            place = dict(zip(("channel", "thread_ts"), _split(thread), strict=True))
            place |= {"reply_broadcast": True} if message.broadcast else {}

        async def post(client: AsyncWebClient, text: str, blocks: list[Block]) -> Outcome:
            return _sent(
                await client.chat_postMessage(
                    **place,
                    text=text,
                    blocks=blocks or None,
                    metadata=self._metadata(message, key),
                    parse="none",
                    unfurl_links=False,
                    unfurl_media=False,
                )
            )

        chart = self._chart(message, form)
        is_news = thread is not None and not message.lines  # then the alert above it shows the chart
        outcome = await self._send(message, form, None if is_news else chart, post)
        has_chart = chart is not None and self.pictures.takes(BLOCK)
        if isinstance(outcome, Sent) and message.chart is not None and form is Form.FULL and not has_chart:
            self.pictures.upload(self._client, message.chart, ref=thread or outcome.ref)
        return outcome

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Replace the message under `ref`; idempotent."""
        del key  # Slack keeps the metadata, and with it the key under which the alert was posted and is found
        channel, ts = _split(ref)

        async def edit(client: AsyncWebClient, text: str, blocks: list[Block]) -> Outcome:
            return _sent(await client.chat_update(channel=channel, ts=ts, text=text, blocks=blocks, parse="none"))

        return await self._send(message, form, self._chart(message, form), edit)

    def _chart(self, message: Message, form: Form) -> Block | None:
        is_asked = message.chart is not None and form is Form.FULL and self.pictures.takes(BLOCK)
        return native(message.chart) if is_asked and message.chart is not None else None

    async def _send(self, message: Message, form: Form, chart: Block | None, send: Sending) -> Outcome:
        """Send with Slack's own chart if there is one; where that is refused, the same attempt goes on without it.

        Only a refused form is sent again: it certainly was not posted.
        """
        text, plain = render(message, form=form, receives_clicks=self._receives_clicks)

        async def act(client: AsyncWebClient) -> Outcome:
            if chart is None:
                return await send(client, text, plain)
            _, charted = render(message, form=form, receives_clicks=self._receives_clicks, chart=chart)
            try:
                return await send(client, text, charted)
            except SlackApiError as error:
                if not isinstance(outcome_of(error), RefusedForm):
                    raise
            outcome = await send(client, text, plain)
            self.pictures.refuse(BLOCK)
            return outcome

        return await self._attempt(act)

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found | Unreadable:
        """Look for our own message with this key, posted at or after `since` by our clock; reads all pages.

        Slack dates messages by its own clock: where ours is ahead of it, the look begins so much earlier.
        """
        try:
            async with asyncio.timeout(self._deadline):
                client = self._client()
                me = await client.auth_test()
                since -= self._lead(me)
                channel, ts = _split(thread) if thread is not None else (self._options.channel, None)
                refs = [
                    f"{channel}:{message['ts']}"
                    async for message in _messages(client, channel, since=since, thread_ts=ts)
                    if message.get("bot_id") == me["bot_id"] and self._carries(message, key)
                ]
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the history was not read
            return Unreadable(_reason(error))
        return Found(tuple(sorted(set(refs), key=_order)))

    async def delete(self, ref: str) -> Outcome:
        """Take a twin away again; one that people answered becomes a line that points away from itself."""
        channel, ts = _split(ref)

        async def remove(client: AsyncWebClient) -> Outcome:
            thread = await client.conversations_replies(channel=channel, ts=ts, limit=PAGE)
            if all(reply.get("bot_id") for reply in thread.get("messages") or ()):
                return _sent(await client.chat_delete(channel=channel, ts=ts))
            return _sent(
                await client.chat_update(channel=channel, ts=ts, text=POINTER, blocks=_POINTER_BLOCKS, metadata={})
            )

        outcome = await self._attempt(remove)
        return Sent(ref) if isinstance(outcome, Uneditable) and outcome.is_gone else outcome

    async def check(self) -> Sequence[str]:
        """Return what is wrong with the channel (credentials, rights), in sentences; empty if nothing."""
        try:
            async with asyncio.timeout(self._deadline):
                return await problems(self._client(), self._options.channel)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is wrong
            return [f"Slack at {self._options.api_url} cannot be asked: {_reason(error)}"]

    async def abilities(self) -> Sequence[Ability]:
        """Return what the workspace allows; whether it draws charts is as the last message with one showed."""
        try:
            async with asyncio.timeout(self._deadline):
                return await abilities(self._client(), shows_charts=self.pictures.takes(BLOCK))
        except Exception:  # noqa: BLE001 - who cannot be asked allows nothing
            return []

    async def close(self) -> None:
        """Let go of connections, once the pictures under way have arrived."""
        await self.pictures.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    # ------------------------------------------------------------------ one call

    async def _attempt(self, act: Callable[[AsyncWebClient], Awaitable[Outcome]]) -> Outcome:
        try:
            async with asyncio.timeout(self._deadline):
                return await act(self._client())
        except _NoToken as error:
            return NotDelivered(str(error))
        except Exception as error:  # noqa: BLE001 - anything unknown is unclear
            return outcome_of(error)

    def _client(self) -> AsyncWebClient:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                timeout=aiohttp.ClientTimeout(total=self._deadline, sock_connect=CONNECT, sock_read=READ),
            )
        return AsyncWebClient(
            token=self._token().reveal(),
            base_url=self._options.api_url,
            session=self._session,
            retry_handlers=[],
            user_agent_prefix=f"brandmelder/{__version__}",
            logger=_log,
        )

    def _token(self) -> Secret:
        token = self._options.token or self._read_token(self._options.token_file)
        if token not in self._tokens:
            self._tokens.append(token)
        return token

    def _read_token(self, file: Path | None) -> Secret:
        if file is None:
            raise _NoToken("no token is configured")
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _NoToken(f"the token cannot be read from {file}: {type(error).__name__}") from None
        if not token:
            raise _NoToken(f"{file} holds no token")
        return Secret(token)

    # --------------------------------------------------------------- keys and finds

    def _metadata(self, message: Message, key: str) -> dict[str, Any]:
        """Return what finds the message again: ids only, since members of the workspace can read it."""
        payload = {
            "key": key,
            "incident": message.incident,
            "rev": message.revision,
            "schema": SCHEMA,
            "mac": _mac(self._token(), key),
        }
        return {"event_type": EVENT_TYPE, "event_payload": payload}

    def _carries(self, message: dict[str, Any], key: str) -> bool:
        metadata = message.get("metadata") or {}
        payload = metadata.get("event_payload") or {}
        if metadata.get("event_type") != EVENT_TYPE or payload.get("key") != key:
            return False
        # Posted before the token was rotated, it carries the mark of the former token.
        told = str(payload.get("mac"))
        return any(hmac.compare_digest(told.encode(), _mac(token, key).encode()) for token in self._tokens)

    def _lead(self, response: AsyncSlackResponse) -> timedelta:
        """Return how far our clock is ahead of Slack's, by the Date of an answer (RFC 9110, 6.6.1); zero if untold."""
        try:
            answered = parsedate_to_datetime(str(response.headers.get("Date", ""))).replace(tzinfo=UTC)
        except ValueError:
            return timedelta(0)
        return max(self._now() - answered, timedelta(0)) if self._now else timedelta(0)


async def _messages(
    client: AsyncWebClient, channel: str, *, since: datetime, thread_ts: str | None
) -> AsyncIterator[dict[str, Any]]:
    """Yield what stands in a channel or thread since a moment, page by page. Without metadata every search is blind."""
    asked: dict[str, Any] = {
        "channel": channel,
        "oldest": f"{since.timestamp():.6f}",
        "inclusive": True,
        "include_all_metadata": True,
        "limit": PAGE,
    }
    cursor = None
    while cursor != "":
        if thread_ts is None:
            page = await client.conversations_history(**asked, cursor=cursor)
        else:
            page = await client.conversations_replies(**asked, ts=thread_ts, cursor=cursor)
        for message in page["messages"]:
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""


_POINTER_BLOCKS = [
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": POINTER}]}],
    }
]


def _sent(response: AsyncSlackResponse) -> Outcome:
    channel, ts = response.get("channel"), response.get("ts")
    if not isinstance(channel, str) or not isinstance(ts, str):
        return Unclear("Slack answered ok without saying where the message stands")
    return Sent(f"{channel}:{ts}")


def _split(ref: str) -> tuple[str, str]:
    channel, _, ts = ref.partition(":")
    return channel, ts


def _order(ref: str) -> tuple[int, int]:
    seconds, _, micros = _split(ref)[1].partition(".")
    return int(seconds), int(micros or 0)


def _mac(token: Secret, key: str) -> str:
    return hmac.new(token.reveal().encode(), f"{EVENT_TYPE}:{key}".encode(), hashlib.sha256).hexdigest()[:32]


def _reason(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        name = error_name(error)
        needed = error.response.get("needed") if name == "missing_scope" else None
        return f"{name or 'no usable answer'}{f' {needed}' if needed else ''}"
    return str(error) if isinstance(error, _NoToken) else named(error)
