"""Rocket.Chat by an incoming webhook: one message with an attachment for every news."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from brandmelder.model import Form, State
from brandmelder.notify.channels.rocketchat_options import RocketChatOptions
from brandmelder.notify.markdown import Dialect, widened
from brandmelder.notify.one_way import OneWayNotifier

if TYPE_CHECKING:
    from brandmelder.model import ChannelId
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools
    from brandmelder.options import ChannelOptions


DIALECT = Dialect(show=widened, bold="*", link="[{label}]({url})")
_COLOURS = {State.OPEN: "#c8102e", State.ACKNOWLEDGED: "#d9a400", State.RESOLVED: "#2e7d32"}


class RocketChatNotifier(OneWayNotifier):
    """Posts messages with one attachment. A `ref` is the delivery's key."""

    Options: ClassVar[type[ChannelOptions]] = RocketChatOptions
    service = "Rocket.Chat"

    def __init__(self, channel_id: ChannelId, options: RocketChatOptions, tools: Tools) -> None:
        super().__init__(channel_id, options.webhook.reveal(), tools)

    def request(self, message: Message, form: Form) -> bytes:
        """Return the text and its attachment; plain forms go without one."""
        text = f"*{widened(message.lock_screen)}*"
        if form is not Form.FULL:
            return msgspec.json.encode({"text": text})
        colour = _COLOURS.get(message.subject.state, "#8a929c") if message.subject else "#8a929c"
        attachment = {"color": colour, "text": DIALECT.body(message), "fields": list(DIALECT.fields(message))}
        return msgspec.json.encode({"text": text, "parseUrls": False, "attachments": [attachment]})
