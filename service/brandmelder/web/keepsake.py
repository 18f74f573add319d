"""What a browser keeps for us for some minutes, signed: it can be neither changed nor used for anything else."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
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


def new_mark(site: Site, name: str) -> str:
    """Return what says, for as long as the service keeps its key, that a name signed in in this browser."""
    mark = secrets.token_urlsafe(16)
    return f"{mark}.{_marked(site, mark, name)}"


def known_mark(site: Site, cookie: str, name: str) -> str:
    """Return the mark of a browser in which this name signed in before; empty for any other."""
    mark, _, sign = cookie.partition(".")
    is_ours = hmac.compare_digest(_marked(site, mark, name).encode(), sign.encode("utf-8", "replace"))
    return mark if mark and is_ours else ""


def _marked(site: Site, mark: str, name: str) -> str:
    # Of the key that outlives a restart, unlike the one that signs what lasts for minutes.
    key = hmac.digest(site.parts.author_key, b"brandmelder known browsers", "sha256")
    return hmac.new(key, f"{mark}\n{name.casefold()}".encode("utf-8", "replace"), "sha256").hexdigest()
