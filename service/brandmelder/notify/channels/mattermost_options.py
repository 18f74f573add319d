"""What a Mattermost channel's block may hold."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from brandmelder.options import SecretAddress, SecretText, WebAddress, WebChannelOptions, no_clear_text


class MattermostOptions(WebChannelOptions):
    """A channel of Mattermost: by an incoming webhook (`webhook`), or by a bot (`server`, `token`, `channel`)."""

    webhook: SecretAddress | None = None
    """The address of an incoming webhook: it posts, and can neither edit nor look."""
    server: WebAddress | None = None
    """The server's address, for a bot."""
    token: SecretText | None = None
    """The bot's access token."""
    channel: Annotated[str | None, Field(pattern=r"^[a-z0-9]{26}$")] = None
    """The channel's id, from its *Channel info*: 26 small letters and digits."""

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        bot = (self.server, self.token, self.channel)
        if (self.webhook is None) != all(one is not None for one in bot) or (self.webhook and any(bot)):
            raise ValueError("needs either `webhook`, or `server`, `token` and `channel` of a bot")
        address = self.webhook.reveal() if self.webhook else self.server or ""
        no_clear_text(address, allow_private=self.allow_private)
        return self
