"""Where `Details` leads: to the incident's page, by a link that tells a summary for a while to whoever holds it."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from msgspec import Struct

if TYPE_CHECKING:
    from brandmelder.model import Incident

VALID: Final = timedelta(days=14)
"""So long after its incident opened a link tells something without a sign-in."""
_LENGTH: Final = 32
"""Hexadecimal digits of the signature: 128 bits."""


class Links(Struct, frozen=True, kw_only=True):
    """Signs and checks links. The same incident always has the same link, so an alert is not edited for its sake."""

    base_url: str
    key: bytes

    def details(self, incident: Incident) -> str:
        """Return the address of an incident's page, signed."""
        until = int((incident.opened_at + VALID).timestamp())
        return f"{self.base_url}{path_of(incident.id)}?until={until}&sign={self._signature(incident.id, until)}"

    def opens(self, incident: str, until: str, sign: str, now: datetime) -> bool:
        """Say whether a link is ours and still valid. Whatever is wrong with it, the answer is no."""
        if not (until.isascii() and until.isdecimal()) or len(until) > 12:
            return False
        is_ours = hmac.compare_digest(self._signature(incident, int(until)).encode(), sign.encode("utf-8", "replace"))
        return is_ours and now.timestamp() < int(until)

    def _signature(self, incident: str, until: int) -> str:
        signed = f"details\n{incident}\n{until}".encode("utf-8", "replace")
        return hmac.new(self.key, signed, hashlib.sha256).hexdigest()[:_LENGTH]


def path_of(incident: str) -> str:
    """Return the path of an incident's page."""
    return f"/incidents/{quote(incident, safe='')}"
