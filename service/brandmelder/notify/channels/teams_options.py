"""What a Teams channel's block may hold."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from brandmelder.options import SecretAddress, WebChannelOptions, no_clear_text


class TeamsOptions(WebChannelOptions):
    """A channel or chat of Microsoft Teams, by a workflow that takes webhooks."""

    url: SecretAddress
    """The address that the workflow gave out; whoever knows it can post."""

    @model_validator(mode="after")
    def _is_no_clear_text(self) -> Self:
        no_clear_text(self.url.reveal(), allow_private=self.allow_private)
        return self
