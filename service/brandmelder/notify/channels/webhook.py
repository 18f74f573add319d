"""A webhook of one's own: signed JSON for a program, after the Standard Webhooks specification.

The identifier is the delivery's key, so a receiver that keeps identifiers sees everything once, however often it is
sent. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import msgspec

from brandmelder.errors import ChannelError
from brandmelder.notify.answers import refusal, unheard
from brandmelder.notify.channels.webhook_options import WebhookOptions, keys_of
from brandmelder.notify.channels.webhook_payload import payload
from brandmelder.notify.notifier import Found, Outcome, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools
    from brandmelder.options import ChannelOptions


class WebhookNotifier:
    """Posts every news, edits included, as an event of its own. A `ref` is the event's identifier."""

    Options: ClassVar[type[ChannelOptions]] = WebhookOptions
    can_update = True
    can_find = False
    is_idempotent = True
    spacing = timedelta(0)

    def __init__(
        self, channel_id: ChannelId, options: WebhookOptions, tools: Tools, *, former_until: datetime | None = None
    ) -> None:
        """Sign with the former secret, too, if there is one: for ever, or until a moment."""
        self.id = channel_id
        self._options, self._tools, self._former_until = options, tools, former_until

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Post an event; what belongs together has the same incident."""
        del thread
        ident, now = message.stamped(key), self._tools.now()
        body = msgspec.json.encode(payload(message, key=key, channel=self.id, form=form, now=now))
        try:
            reply = await self._tools.exchange(
                "POST", self._options.url, headers=self._signed(ident, now, body), body=body
            )
        except ChannelError as error:
            return unheard(error, "the webhook")
        return refusal(reply, "the webhook") or Sent(ident)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Post the newer figures as an event."""
        del ref
        return await self.push(message, key=key, thread=None, form=form)

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found:
        """Nothing is looked for: the same identifier may come twice."""
        del key, since, thread
        return Found(())

    async def delete(self, ref: str) -> Outcome:
        """An event cannot be taken back, and need not be."""
        return Sent(ref)

    async def check(self) -> Sequence[str]:
        """Nothing can be asked of a webhook but to take an event."""
        return []

    async def close(self) -> None:
        """Hold nothing."""

    def _signed(self, ident: str, now: datetime, body: bytes) -> dict[str, str]:
        moment = str(int(now.timestamp()))
        signed = b".".join((ident.encode(), moment.encode(), body))
        is_over = self._former_until is not None and now >= self._former_until
        secrets = (self._options.secret, None if is_over else self._options.former_secret)
        keys = (key for one in secrets if one is not None for key in keys_of(one))
        marks = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
        return {
            "content-type": "application/json",
            "webhook-id": ident,
            "webhook-timestamp": moment,
            "webhook-signature": " ".join(f"v1,{base64.b64encode(mark).decode()}" for mark in marks),
        }
