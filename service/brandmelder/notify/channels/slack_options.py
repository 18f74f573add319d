"""What the configuration says of a Slack channel, and why it would not do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, WithJsonSchema, model_validator

from brandmelder.options import ChannelOptions, SecretText

API_URL = "https://slack.com/api/"

_CHANNEL_ID = r"[CGD][A-Z0-9]{2,}"
_WHOLE = f"^{_CHANNEL_ID}$"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _channel_id(value: str) -> str:
    if re.fullmatch(_CHANNEL_ID, value) is None:
        raise ValueError(f"{value!r} is no channel id; it stands at the end of the channel's details, like C0123456789")
    return value


def _api_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError(f"{value!r} would carry the token in clear; write https://")
    return value if value.endswith("/") else f"{value}/"


class SlackOptions(ChannelOptions):
    """One Slack channel: `token` or `token_file`, and the channel's id."""

    token: SecretText | None = None
    """The app's Bot User OAuth Token."""
    token_file: Path | None = None
    """A file that holds it, read anew for each call, so that a rotated token needs no restart."""
    channel: Annotated[
        str, AfterValidator(_channel_id), WithJsonSchema({"type": "string", "pattern": f"^{_CHANNEL_ID}$"})
    ]
    """The channel's id, which stands at the end of its link; not its name."""
    api_url: Annotated[str, AfterValidator(_api_url)] = API_URL
    """Where Slack's methods are, for a proxy or a peer of tests."""

    @model_validator(mode="after")
    def _has_one_token(self) -> Self:
        if (self.token is None) == (self.token_file is None):
            raise ValueError("needs exactly one of `token` and `token_file`")
        return self
