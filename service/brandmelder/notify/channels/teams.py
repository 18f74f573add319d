"""Microsoft Teams by a workflow that takes webhooks: one way, one adaptive card for every news."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from brandmelder.errors import ChannelError
from brandmelder.notify.answers import refusal, unheard
from brandmelder.notify.channels.teams_card import request_of
from brandmelder.notify.channels.teams_options import TeamsOptions
from brandmelder.notify.notifier import Found, Outcome, RefusedPlace, Sent, Uneditable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools
    from brandmelder.options import ChannelOptions


class TeamsNotifier:
    """Posts, and neither edits nor finds what stands there. A `ref` is the delivery's key."""

    Options: ClassVar[type[ChannelOptions]] = TeamsOptions
    can_update = False
    can_find = False
    is_idempotent = False
    spacing = timedelta(seconds=1)

    def __init__(self, channel_id: ChannelId, options: TeamsOptions, tools: Tools) -> None:
        self.id = channel_id
        self._options, self._tools = options, tools

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Post a message; news is a message of its own."""
        del thread
        try:
            reply = await self._tools.exchange(
                "POST",
                self._options.url.reveal(),
                headers={"content-type": "application/json"},
                body=request_of(message, form),
            )
        except ChannelError as error:
            return unheard(error, "Teams")
        return refusal(reply, "Teams") or Sent(key)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Say that what was posted stays as it is."""
        del ref, message, key, form
        return Uneditable("what came by a webhook is not edited")

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found | Unreadable:
        """Say that a webhook only writes."""
        del key, since, thread
        return Unreadable("a webhook only writes")

    async def delete(self, ref: str) -> Outcome:
        """Say that what was posted cannot be taken back."""
        return RefusedPlace(f"{ref} cannot be taken back")

    async def check(self) -> Sequence[str]:
        """Nothing can be asked of a webhook but to take a message."""
        return []

    async def close(self) -> None:
        """Hold nothing."""
