"""The long tail, by Apprise: fire and forget, since it knows neither references nor edits nor keys.

It speaks to the services with a client of its own, which our check of addresses does not reach. What it reports as
failed may have arrived.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from brandmelder.errors import PluginError, to_have
from brandmelder.notify.channels.apprise_options import AppriseOptions
from brandmelder.notify.compose import plain_text
from brandmelder.notify.inert import inert
from brandmelder.notify.notifier import Found, Outcome, RefusedPlace, Sent, Unclear, Uneditable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools
    from brandmelder.options import ChannelOptions

DEADLINE = timedelta(seconds=20)
_AT = re.compile(r"(https://\S+)|@")


class AppriseNotifier:
    """Sends, and hopes. A `ref` is the delivery's key."""

    Options: ClassVar[type[ChannelOptions]] = AppriseOptions
    can_update = False
    can_find = False
    is_idempotent = False
    spacing = timedelta(seconds=1)

    def __init__(
        self, channel_id: ChannelId, options: AppriseOptions, tools: Tools, *, deadline: timedelta = DEADLINE
    ) -> None:
        del tools  # it brings a client of its own
        if importlib.util.find_spec("apprise") is None:
            raise PluginError(f"channel {channel_id!r} needs Apprise; {to_have('apprise')}")
        self.id = channel_id
        self._options, self._deadline = options, deadline.total_seconds()

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Send a message; news is a message of its own."""
        del thread, form
        service = self._service()
        if service is None:
            return RefusedPlace("Apprise does not know this kind of address")
        try:
            async with asyncio.timeout(self._deadline):
                is_sent = await asyncio.to_thread(
                    service.notify, title=inert(message.headline, 150), body=_text(message), body_format="text"
                )
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, it may have arrived
            return Unclear(f"Apprise: {type(error).__name__}")
        return Sent(key) if is_sent else Unclear("Apprise says that it failed, and not how")

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Say that what was sent stays as it is."""
        del ref, message, key, form
        return Uneditable("Apprise edits nothing")

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found | Unreadable:
        """Say that Apprise reads nothing."""
        del key, since, thread
        return Unreadable("Apprise reads nothing")

    async def delete(self, ref: str) -> Outcome:
        """Say that what was sent cannot be taken back."""
        return RefusedPlace(f"{ref} cannot be taken back")

    async def check(self) -> Sequence[str]:
        """Return whether Apprise understands the address."""
        return [] if self._service() is not None else ["Apprise does not know this kind of address"]

    async def close(self) -> None:
        """Hold nothing."""

    def _service(self) -> Any:
        import apprise  # noqa: PLC0415 - only who uses it pays for it

        service = apprise.Apprise()
        return service if service.add(self._options.url.reveal()) else None


def _text(message: Message) -> str:
    """Return the message as text in which no `@` rings anybody; addresses stay as they are."""
    return _AT.sub(lambda found: found[1] or "＠", plain_text(message))
