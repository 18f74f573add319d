"""Strangers' words as we quote them: inert, short, links shown as their host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from brandmelder.notify.inert import inert

QUOTED = 220
"""How much of a mention is quoted."""
_LINK = re.compile(r"[a-z0-9+.:-]{0,16}://\S*|(?<!\w)www\.\S+", re.IGNORECASE)
"""Whatever holds `://`, well-formed or not: a reader's eye and some chat clients are generous."""
_HOST = re.compile(r"[\w.-]{1,60}")


def excerpt(text: str, limit: int = QUOTED) -> str:
    """Return a mention's words on one line, at most `limit` characters, each link as its host in brackets."""
    return inert(_LINK.sub(_host, inert(text, 4 * limit)), limit)


def safe_url(url: str) -> str:
    """Return an https address that a reader may follow, or nothing."""
    if len(url) > 2000 or not url.isprintable() or " " in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"https{url[5:]}" if parts.scheme.lower() == "https" and parts.hostname else ""


def _host(link: re.Match[str]) -> str:
    authority = re.split(r"[/?#\\]", link[0].partition("://")[2] or link[0])[0]
    host = _HOST.match(authority.rpartition("@")[2])
    name = re.sub(r"^(www\.)+", "", host[0], flags=re.IGNORECASE) if host else ""
    return f"[{name}]" if name.strip(".") else "[…]"
