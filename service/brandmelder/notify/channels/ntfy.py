"""ntfy: a push to phones that subscribe to a topic, urgent by severity. https://docs.ntfy.sh/publish/."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from brandmelder.errors import ChannelError
from brandmelder.model import DeliveryKind, Form, State
from brandmelder.notify.answers import refusal, unheard
from brandmelder.notify.channels.ntfy_options import NtfyOptions
from brandmelder.notify.compose import plain_text
from brandmelder.notify.inert import inert
from brandmelder.notify.notifier import Found, Outcome, Sent, Uneditable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools
    from brandmelder.options import ChannelOptions

LONGEST = 4000
"""Bytes of text that ntfy shows; more becomes an attachment."""
_CALM, _NORMAL, _LOUD, _LOUDEST = 2, 3, 4, 5


class NtfyNotifier:
    """Pushes an alert and its news. A `ref` is the sequence id under which a repeated push replaces itself."""

    Options: ClassVar[type[ChannelOptions]] = NtfyOptions
    can_update = False
    can_find = False
    is_idempotent = True
    """From ntfy 2.16 on; an older server shows what was sent twice twice."""
    spacing = timedelta(seconds=1)

    def __init__(self, channel_id: ChannelId, options: NtfyOptions, tools: Tools) -> None:
        self.id = channel_id
        self._options, self._tools = options, tools

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Push a message; news rings less loudly than the alert."""
        ident = hashlib.sha256(message.stamped(key).encode()).hexdigest()[:32]
        body = {
            "topic": self._options.topic.reveal(),
            "title": inert(message.headline, 200),
            "message": _text(message, form),
            "priority": _priority(message, is_news=thread is not None),
            "sequence_id": ident,
            **_links(message),
        }
        headers = {"content-type": "application/json"}
        if self._options.token is not None:
            headers["authorization"] = f"Bearer {self._options.token.reveal()}"
        try:
            reply = await self._tools.exchange(
                "POST", self._options.server, headers=headers, body=msgspec.json.encode(body)
            )
        except ChannelError as error:
            return unheard(error, "ntfy")
        return refusal(reply, "ntfy") or Sent(ident)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Say that a push stays as it is."""
        del ref, message, key, form
        return Uneditable("a push is not edited")

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found:
        """Nothing is looked for: a repeated push replaces itself."""
        del key, since, thread
        return Found(())

    async def delete(self, ref: str) -> Outcome:
        """A push cannot be called back, and need not be."""
        return Sent(ref)

    async def check(self) -> Sequence[str]:
        """Nothing can be asked of a topic but to take a message."""
        return []

    async def close(self) -> None:
        """Hold nothing."""


def _text(message: Message, form: Form) -> str:
    """Return the message below its title: as much as a push holds, cut at the end of a line."""
    head, *lines = plain_text(message).split("\n")
    if form is Form.PLAIN or not lines:
        return head
    kept, size = [], 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > LONGEST:
            break
        kept.append(line)
    return "\n".join(kept) or head


def _priority(message: Message, *, is_news: bool) -> int:
    subject = message.subject
    if subject is None or subject.kind is DeliveryKind.TEST:
        return _NORMAL
    if subject.state in {State.RESOLVED, State.DISMISSED}:
        return _CALM
    if is_news and subject.kind is not DeliveryKind.ESCALATE:
        return _NORMAL
    return _LOUDEST if subject.severity >= 4 or subject.kind is DeliveryKind.ESCALATE else _LOUD


def _links(message: Message) -> dict[str, Any]:
    links = [(one.label, one.url) for one in message.buttons if one.url.startswith("https://")]
    if not links:
        return {}
    actions = [{"action": "view", "label": label, "url": url} for label, url in links[:3]]
    return {"click": links[0][1], "actions": actions}
