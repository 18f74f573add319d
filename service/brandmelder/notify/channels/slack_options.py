"""What the configuration says of a Slack channel, and why it would not do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from brandmelder.options import ChannelOptions, Role, SecretText, check_place

API_URL = "https://slack.com/api/"

_CHANNEL_ID = r"[CGD][A-Z0-9]{2,}"
_WHOLE = f"^{_CHANNEL_ID}$"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _channel_id(value: str) -> str:
    if re.fullmatch(_CHANNEL_ID, value) is None:
        raise ValueError(f"{value!r} is no channel id; it stands at the end of the channel's details, like C0123456789")
    return value


def _person_id(value: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]{2,30}", value) is None:
        raise ValueError(f"{value!r} is no member id; it stands in a person's profile under ⋮, like U0123456789")
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
    app_token: SecretText | None = None
    """The app-level token (xapp-…, scope connections:write): with it alerts carry buttons, heard over a socket."""
    signing_secret: SecretText | None = None
    """Instead of `app_token`: the app's signing secret, for buttons heard over HTTP."""
    listen: Annotated[str, BeforeValidator(check_place)] = "127.0.0.1:8071"
    """Where Slack's signed requests arrive, at the path /slack; put a web server with TLS before it."""
    roles: dict[Annotated[str, AfterValidator(_person_id)], Role] = Field(default_factory=dict)
    """Who may act: user ids with `viewer`, `responder`, `admin` or `privacy_officer`. Without it everybody in the
    channel may."""
    api_url: Annotated[str, AfterValidator(_api_url)] = API_URL
    """Where Slack's methods are, for a proxy or a peer of tests."""

    @model_validator(mode="after")
    def _has_one_token(self) -> Self:
        if (self.token is None) == (self.token_file is None):
            raise ValueError("needs exactly one of `token` and `token_file`")
        if self.app_token is not None and self.signing_secret is not None:
            raise ValueError("needs one of `app_token` (a socket) and `signing_secret` (HTTP), not both")
        return self

    @property
    def receives_clicks(self) -> bool:
        """Whether somebody hears buttons; else alerts carry commands instead."""
        return self.app_token is not None or self.signing_secret is not None
