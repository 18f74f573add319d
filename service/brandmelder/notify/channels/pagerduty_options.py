"""What a PagerDuty channel's block may hold."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from brandmelder.options import Secret, SecretText, WebAddress, WebChannelOptions, no_clear_text

URL = "https://events.pagerduty.com/v2/enqueue"


def _key(secret: Secret) -> Secret:
    if re.fullmatch(r"[A-Za-z0-9]{32}", secret.reveal()) is None:
        raise ValueError("is no integration key: 32 letters and digits, from the service's integration Events API v2")
    return secret


class PagerDutyOptions(WebChannelOptions):
    """A service of PagerDuty, by its integration *Events API v2*."""

    routing_key: Annotated[SecretText, AfterValidator(_key)]
    """The integration key of the service."""
    url: WebAddress = URL
    """Where events are taken; for accounts in the EU https://events.eu.pagerduty.com/v2/enqueue."""

    @model_validator(mode="after")
    def _is_no_clear_text(self) -> Self:
        no_clear_text(self.url, allow_private=self.allow_private)
        return self
