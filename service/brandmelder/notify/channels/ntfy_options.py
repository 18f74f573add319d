"""What an ntfy channel's block may hold."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from brandmelder.options import Secret, SecretText, WebAddress, WebChannelOptions, no_clear_text


def _topic(secret: Secret) -> Secret:
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", secret.reveal()) is None:
        raise ValueError("is no topic: letters, digits, - and _, at most 64")
    return secret


class NtfyOptions(WebChannelOptions):
    """A topic of ntfy, on its public server or on one's own."""

    server: WebAddress = "https://ntfy.sh"
    """The server."""
    topic: Annotated[SecretText, AfterValidator(_topic)]
    """The topic. On a public server whoever knows it can read it: make it long, and treat it as a password."""
    token: SecretText | None = None
    """An access token, if the server asks for one."""

    @model_validator(mode="after")
    def _is_no_clear_text(self) -> Self:
        no_clear_text(self.server, allow_private=self.allow_private)
        return self
