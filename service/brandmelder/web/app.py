"""The page as one application: which address shows what, to whom. The API and the reports add their own beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from brandmelder.errors import BrandmelderError
from brandmelder.web import live, oidc
from brandmelder.web.cookies import VISITOR, keep
from brandmelder.web.files import Files
from brandmelder.web.guard import Guard
from brandmelder.web.pages import (
    accounts,
    acts,
    audit,
    configuration,
    deliveries,
    incident,
    mentions,
    monitors,
    now,
    own,
    remarks,
    signin,
    sources,
)
from brandmelder.web.passwords import TooMany
from brandmelder.web.reader import Forged, Reader, reader_of, stranger
from brandmelder.web.render import page
from brandmelder.web.shared import CROWD

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from brandmelder.web.site import Site

log = structlog.get_logger()

Handler = Callable[["Site", "Request", Reader], Awaitable[Response]]
Gate = Callable[[Reader], bool]


def anybody(_reader: Reader) -> bool:
    """Let everybody see it; the page itself tells those who are not signed in less."""
    return True


def by_link(_reader: Reader) -> bool:
    """Let everybody ask for it; the page itself looks for a link that is signed."""
    return True


def signed_in(reader: Reader) -> bool:
    """Let those see it who are signed in."""
    return reader.role is not None


def members(reader: Reader) -> bool:
    """Let those see it who have an account, in their own name."""
    return bool(reader.name)


def responders(reader: Reader) -> bool:
    """Let those do it to whom incidents are theirs to end."""
    return reader.may_act


def admins(reader: Reader) -> bool:
    """Let those see it who look after the service."""
    return reader.is_admin


def auditors(reader: Reader) -> bool:
    """Let those see it who look after the people in it."""
    return reader.may_audit


PAGES: Final[Sequence[tuple[str, str, Gate, Handler]]] = (
    ("GET", "/", signed_in, now.now),
    ("GET", "/wall", signed_in, now.wall),
    ("GET", "/live", signed_in, live.live),
    ("GET", "/sign-in", anybody, signin.ask),
    ("POST", "/sign-in", anybody, signin.take),
    ("POST", "/sign-in/code", anybody, signin.take_code),
    ("GET", "/oidc", anybody, oidc.ask),
    ("GET", oidc.RETURN, anybody, oidc.answer),
    ("POST", "/sign-out", anybody, signin.leave),
    ("POST", "/preferences", anybody, signin.prefer),
    ("GET", own.PATH, members, own.show),
    ("POST", f"{own.PATH}/password", members, own.change_password),
    ("POST", f"{own.PATH}/factor", members, own.change_factor),
    ("POST", f"{own.PATH}/sessions", members, own.end_sessions),
    ("GET", "/incidents", signed_in, incident.all_of_them),
    ("GET", "/incidents/{ident}", by_link, incident.show),
    ("POST", "/incidents/{ident}", responders, acts.act),
    ("POST", "/incidents/{ident}/labels", responders, remarks.label),
    ("POST", "/incidents/{ident}/notes", responders, remarks.note),
    ("GET", "/monitors", signed_in, monitors.all_of_them),
    ("GET", "/monitors/{ident}", signed_in, monitors.show),
    ("GET", "/sources", signed_in, sources.all_of_them),
    ("GET", "/mentions", signed_in, mentions.search),
    ("GET", "/accounts", signed_in, accounts.all_of_them),
    ("GET", "/deliveries", signed_in, deliveries.waiting),
    ("POST", "/deliveries", responders, deliveries.change),
    ("GET", "/settings", admins, configuration.show),
    ("GET", "/audit", auditors, audit.who_did_what),
)
"""Method, address, who may, and what answers."""


def app(site: Site, *, mounts: Sequence[BaseRoute] = ()) -> ASGIApp:
    """Return the application; `mounts` are answered before the pages and look after their own sign-in."""
    routes: list[BaseRoute] = [*mounts, Mount("/static", Files())]
    routes += [_route(site, *one) for one in PAGES]

    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        try:
            reader = await reader_of(site, request)
        except BrandmelderError:  # the database fails: that much is said even so
            reader = stranger(site, request)
        return page(site, reader, "error.html", status=status, code=status, path=request.url.path)

    pages = Starlette(
        routes=routes,
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)],
        exception_handlers={404: failed, 405: failed, 500: failed},
    )
    pages.router.redirect_slashes = False  # it would name a host and a scheme that the question chose
    return Guard(pages, site)  # outermost, so that the answer to a fault is guarded, too


SHARED: Final = frozenset({now.now, now.wall, incident.show, incident.all_of_them})
"""What a hundred look at when it burns."""


async def _handled(site: Site, request: Request, reader: Reader, handler: Handler) -> Response:
    if request.method != "GET":
        try:
            return await handler(site, request, reader)
        finally:
            site.shared.forget()  # whoever did something sees it on the next page
    response: Response
    if handler in SHARED and reader.role is not None and site.pulse.count >= CROWD:
        response = await site.shared.answer(request, reader, partial(handler, site))
        if reader.is_new:
            keep(site, response, VISITOR, reader.visitor)
        return response
    return await handler(site, request, reader)


def _way_in(request: Request) -> str:
    """Return where to sign in so that one comes back; whose form came too late is told that nothing was done."""
    path, query = request.url.path, request.url.query
    if request.method in {"GET", "HEAD"}:
        return f"/sign-in?next={quote(f'{path}?{query}' if query else path)}"
    return f"/sign-in?late=1&next={quote(page_of(path))}"


def page_of(path: str) -> str:
    """Return the page on which a form stands, by the address to which it is sent."""
    parts = path.split("/")
    return "/".join(parts[: 3 if parts[1] == "incidents" else 2])


def _route(site: Site, method: str, path: str, gate: Gate, handler: Handler) -> Route:
    async def answer(request: Request) -> Response:
        reader = await reader_of(site, request)
        if not gate(reader):
            if reader.role is not None:
                log.warning("web.not_allowed", member=reader.name, role=reader.role.value, method=method, page=path)
                back = page_of(request.url.path) if method != "GET" else ""
                return page(site, reader, "error.html", status=403, code=403, back=back)
            return RedirectResponse(_way_in(request), 303)
        if own.must_prove_more(site, reader) and gate is not anybody and gate is not members:
            return RedirectResponse(own.PATH, 303)
        try:
            return await _handled(site, request, reader, handler)
        except TooMany:
            log.warning("web.refused", why="too many at once", page=path)
            return page(site, reader, "error.html", status=503, code=503, back=page_of(request.url.path))
        except Forged as error:
            log.warning("web.forged", reason=str(error), member=reader.name, method=method, page=path)
            return page(site, reader, "error.html", status=400, code=400, back=page_of(request.url.path))

    return Route(path, answer, methods=[method], name=f"{method} {path}")
