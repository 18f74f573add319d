"""Matrix: one message, edited, with news in its thread; a transaction id makes the homeserver drop what comes twice.

https://spec.matrix.org/latest/client-server-api/ (sending events, m.replace, m.thread)
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import msgspec

from brandmelder.errors import ChannelError
from brandmelder.notify.answers import LIMITED, LONGEST_RETRY_AFTER, Refusal, is_success, refusal, unheard
from brandmelder.notify.channels.matrix_content import content, in_place_of, in_thread
from brandmelder.notify.channels.matrix_options import MatrixOptions
from brandmelder.notify.notifier import Found, NotDelivered, Outcome, Sent, Unclear

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Reply, Tools
    from brandmelder.options import ChannelOptions


class MatrixNotifier:
    """One room. A `ref` is an event's id."""

    Options: ClassVar[type[ChannelOptions]] = MatrixOptions
    can_update = True
    can_find = False
    is_idempotent = True
    """As long as the access token stays the same, and the homeserver remembers transactions (Synapse: 24 hours)."""
    spacing = timedelta(seconds=1)

    def __init__(self, channel_id: ChannelId, options: MatrixOptions, tools: Tools) -> None:
        self.id = channel_id
        self._options, self._tools = options, tools

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Post a message, into the thread under `thread` if given."""
        said = content(message, key=key, form=form)
        if thread is not None:
            said = in_thread(said, thread)
        return await self._put("send/m.room.message", message.stamped(key), said)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Replace the message under `ref`."""
        said = in_place_of(content(message, key=key, form=form), ref)
        outcome = await self._put("send/m.room.message", message.stamped(key), said)
        return Sent(ref) if isinstance(outcome, Sent) else outcome

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found:
        """Nothing is looked for: the homeserver knows the transaction."""
        del key, since, thread
        return Found(())

    async def delete(self, ref: str) -> Outcome:
        """Take a message away."""
        outcome = await self._put(f"redact/{quote(ref, safe='')}", f"redact:{ref}", {})
        return Sent(ref) if isinstance(outcome, Sent) else outcome

    async def check(self) -> Sequence[str]:
        """Return what is wrong: the token, the room, encryption that we do not speak."""
        joined = await self._asked("joined_rooms")
        if not isinstance(joined, dict):
            return [joined.reason]
        if self._options.room not in joined.get("joined_rooms", ()):
            return [f"the account is not in {self._options.room}; invite it, and let it join"]
        encrypted = await self._asked(f"rooms/{quote(self._options.room, safe='')}/state/m.room.encryption")
        return ["the room is encrypted and alerts would be in clear; use one without"] if _is_said(encrypted) else []

    async def close(self) -> None:
        """Hold nothing."""

    async def _put(self, what: str, transaction: str, body: dict[str, Any]) -> Outcome:
        path = f"rooms/{quote(self._options.room, safe='')}/{what}/{quote(transaction, safe='')}"
        try:
            reply = await self._exchange("PUT", path, msgspec.json.encode(body))
        except ChannelError as error:
            return unheard(error, "Matrix")
        if (refused := _refused(reply)) is not None:
            return refused
        ident = _decoded(reply).get("event_id")
        return Sent(ident) if isinstance(ident, str) and ident else Unclear("Matrix did not say which event it is")

    async def _asked(self, path: str) -> dict[str, Any] | Refusal:
        try:
            reply = await self._exchange("GET", path, b"")
        except ChannelError as error:
            return unheard(error, "Matrix")
        refused = _refused(reply)
        return _decoded(reply) if refused is None else refused

    async def _exchange(self, method: str, path: str, body: bytes) -> Reply:
        url = f"{self._options.homeserver.rstrip('/')}/_matrix/client/v3/{path}"
        headers = {"authorization": f"Bearer {self._options.token.reveal()}", "content-type": "application/json"}
        return await self._tools.exchange(method, url, headers=headers, body=body)


def _refused(reply: Reply) -> Refusal | None:
    """Return what a refusal means; older homeservers say how long to wait in the body."""
    if is_success(reply):
        return None
    wait = _decoded(reply).get("retry_after_ms")
    if reply.status == LIMITED and isinstance(wait, int) and "retry-after" not in reply.headers:
        return NotDelivered("Matrix asks to wait: 429", min(timedelta(milliseconds=max(wait, 0)), LONGEST_RETRY_AFTER))
    return refusal(reply, f"Matrix ({_decoded(reply).get('errcode', 'no reason')})")


def _is_said(answer: dict[str, Any] | Refusal) -> bool:
    return isinstance(answer, dict) and bool(answer)


def _decoded(reply: Reply) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}
