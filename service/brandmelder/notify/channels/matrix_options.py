"""What a Matrix channel's block may hold."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from brandmelder.options import SecretText, WebAddress, WebChannelOptions, no_clear_text


class MatrixOptions(WebChannelOptions):
    """A room of Matrix, by an account of its own."""

    homeserver: WebAddress
    """The account's homeserver, as in https://matrix.example.org."""
    token: SecretText
    """The account's access token. Keep it: what is sent again is recognised by it, and a new log-in posts anew."""
    room: Annotated[str, Field(pattern=r"^![^\s/]{1,254}$")]
    """The room's internal id, from its settings under *Advanced*: `!abc…`. Unencrypted; alerts are written in clear."""

    @model_validator(mode="after")
    def _is_no_clear_text(self) -> Self:
        no_clear_text(self.homeserver, allow_private=self.allow_private)
        return self
