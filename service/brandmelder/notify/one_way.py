"""What every channel behind an incoming webhook has in common: it posts, and neither edits nor finds what it posted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from brandmelder.errors import ChannelError
from brandmelder.notify.answers import refusal, unheard
from brandmelder.notify.notifier import Found, Outcome, RefusedPlace, Sent, Uneditable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools


class OneWayNotifier(ABC):
    """Posts JSON to one address; every news is a message of its own. A `ref` is the delivery's key."""

    service: ClassVar[str]
    """What people call it."""
    can_update = False
    can_find = False
    is_idempotent = False
    spacing = timedelta(seconds=1)

    def __init__(self, channel_id: ChannelId, address: str, tools: Tools) -> None:
        self.id = channel_id
        self._address, self._tools = address, tools

    @abstractmethod
    def request(self, message: Message, form: Form) -> bytes:
        """Return the JSON that shows a message."""

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Post a message."""
        del thread
        try:
            reply = await self._tools.exchange(
                "POST",
                self._address,
                headers={"content-type": "application/json"},
                body=self.request(message, form),
            )
        except ChannelError as error:
            return unheard(error, self.service)
        return refusal(reply, self.service) or Sent(key)

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

    async def close(self) -> None:  # noqa: B027 -- nothing is held open
        """Hold nothing."""
