"""What a browser keeps for us for some minutes, signed: it can be neither changed nor used for anything else."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.web.site import Site


def packed(site: Site, purpose: str, kept: dict[str, Any], until: datetime) -> str:
    """Return a cookie's value that says some things until a moment."""
    written = json.dumps(kept | {"until": int(until.timestamp())}).encode()
    body = base64.urlsafe_b64encode(written).decode().rstrip("=")
    return f"{body}.{site.sign(purpose, body)}"


def unpacked(site: Site, purpose: str, cookie: str, now: datetime) -> dict[str, Any] | None:
    """Return what a cookie of that purpose says; None for one that is changed, foreign or too old."""
    body, _, sign = cookie.partition(".")
    if not hmac.compare_digest(site.sign(purpose, body).encode(), sign.encode("utf-8", "replace")):
        return None
    kept: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return kept if now.timestamp() < kept["until"] else None
