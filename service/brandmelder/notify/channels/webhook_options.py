"""What a webhook's block may hold."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from brandmelder.options import Secret, SecretText, WebAddress, WebChannelOptions, no_clear_text

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64


def keys_of(secret: Secret) -> list[bytes]:
    """Return the keys of one or several secrets, apart by blanks or lines. Raises ValueError that shows none."""
    return [_key_of(one) for one in secret.reveal().split() or [""]]


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        text = "is no signing secret: whsec_ and the base64 of 24 to 64 bytes; make one by"
        raise ValueError(f'{text} echo "whsec_$(openssl rand -base64 32)"')
    return key


def _signing(secret: Secret) -> Secret:
    keys_of(secret)
    return secret


SigningSecret = Annotated[SecretText, AfterValidator(_signing)]


class WebhookOptions(WebChannelOptions):
    """An address that takes signed JSON (Standard Webhooks)."""

    url: WebAddress
    """Where it is posted."""
    secret: SigningSecret
    """What it is signed with: `whsec_` and the base64 of 24 to 64 bytes; several stand apart by blanks or lines."""
    former_secret: SigningSecret | None = None
    """The secret before, while it is being changed: everything is then signed with both."""

    @model_validator(mode="after")
    def _is_no_clear_text(self) -> Self:
        no_clear_text(self.url, allow_private=self.allow_private)
        return self
