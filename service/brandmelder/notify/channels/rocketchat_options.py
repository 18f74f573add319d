"""What a Rocket.Chat channel's block may hold."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from brandmelder.options import SecretAddress, WebChannelOptions, no_clear_text


class RocketChatOptions(WebChannelOptions):
    """A room of Rocket.Chat, by an incoming webhook."""

    webhook: SecretAddress
    """The address that Rocket.Chat gave out for the integration; whoever knows it can post."""

    @model_validator(mode="after")
    def _is_no_clear_text(self) -> Self:
        no_clear_text(self.webhook.reveal(), allow_private=self.allow_private)
        return self
