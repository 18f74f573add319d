"""What a browser keeps for us, and under which names: over TLS as `__Host-`, which no neighbouring host can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import timedelta

    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.web.site import Site

SESSION: Final = "brandmelder"
"""Whoever is signed in…"""
VISITOR: Final = "brandmelder_visitor"
"""…and whoever is not: by it their forms are known."""
HALF: Final = "brandmelder_half"
"""Whoever's password was right, and whose second factor is asked for."""
PROVIDER: Final = "brandmelder_oidc"
"""What a provider's answer must fit."""
KNOWN: Final = "brandmelder_known"
"""That somebody signed in here before: their tries are their own."""
LANGUAGE: Final = "brandmelder_language"
THEME: Final = "brandmelder_theme"


def name_of(site: Site, name: str) -> str:
    """Return what a cookie is called: over TLS `__Host-` (RFC 6265bis, 4.1.3.2), in clear no browser takes that."""
    return f"__Host-{name}" if site.web.is_secure else name


def kept(site: Site, request: Request, name: str) -> str:
    """Return what a browser kept; empty if nothing."""
    return request.cookies.get(name_of(site, name), "")


def keep(site: Site, response: Response, name: str, value: str, *, lasts: timedelta | None = None) -> None:
    """Have the browser keep something that scripts cannot read; without `lasts`, until the browser is closed."""
    response.set_cookie(
        name_of(site, name),
        value,
        max_age=None if lasts is None else int(lasts.total_seconds()),
        httponly=True,
        secure=site.web.is_secure,
        samesite="lax",
        path="/",
    )


def drop(site: Site, response: Response, name: str) -> None:
    """Have the browser keep something no longer."""
    response.delete_cookie(name_of(site, name), path="/", secure=site.web.is_secure, httponly=True, samesite="lax")
