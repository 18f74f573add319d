"""Microsoft Teams by a workflow that takes webhooks: one way, one adaptive card for every news."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from brandmelder.notify.channels.teams_card import request_of
from brandmelder.notify.channels.teams_options import TeamsOptions
from brandmelder.notify.one_way import OneWayNotifier

if TYPE_CHECKING:
    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools
    from brandmelder.options import ChannelOptions


class TeamsNotifier(OneWayNotifier):
    """Posts cards. A `ref` is the delivery's key."""

    Options: ClassVar[type[ChannelOptions]] = TeamsOptions
    service = "Teams"

    def __init__(self, channel_id: ChannelId, options: TeamsOptions, tools: Tools) -> None:
        super().__init__(channel_id, options.url.reveal(), tools)

    def request(self, message: Message, form: Form) -> bytes:
        """Return the workflow's message with its card."""
        return request_of(message, form)
