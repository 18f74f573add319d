"""Signing in with an account of this service and its second factor, signing out, and what a browser remembers."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog
from starlette.responses import RedirectResponse, Response

from brandmelder.store import audit, members
from brandmelder.web import factor
from brandmelder.web.catalogue import LANGUAGES, sentence
from brandmelder.web.cookies import HALF, KNOWN, LANGUAGE, SESSION, THEME, drop, keep, kept
from brandmelder.web.keepsake import known_mark, new_mark, packed, unpacked
from brandmelder.web.passwords import LONGEST, is_right
from brandmelder.web.rates import neighbourhood
from brandmelder.web.reader import THEMES, form_of, only
from brandmelder.web.render import page
from brandmelder.web.zones import zones

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection
    from starlette.requests import Request

    from brandmelder.web.rates import Rates
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

log = structlog.get_logger()

MOST_TRIES, WITHIN = 8, timedelta(minutes=10)
"""So many wrong passwords of one name or from one address in a while; then even the right one waits."""
HALF_LASTS: Final = timedelta(minutes=5)
_HALF_A_YEAR: Final = timedelta(days=180)
_YEAR: Final = timedelta(days=365)
_PLACES: Final = 8192
_LATE: Final = sentence("The sign-in took too long. Begin again.")
_ENDED: Final = sentence("Your session had ended before that: nothing was done. Sign in and repeat it.")
_WAIT: Final = sentence("Too many attempts. Try again in ten minutes.")


async def ask(site: Site, request: Request, reader: Reader) -> Response:
    """Ask who it is."""
    if reader.role is not None:
        return RedirectResponse(inside(request.query_params.get("next", "")), 303)
    has_accounts = site.web.sign_in != "local" or await site.parts.database.look(members.has_local)
    return page(
        site, reader, "sign-in.html", next=inside(request.query_params.get("next", "")), has_accounts=has_accounts,
        trouble=reader.say(_ENDED) if "late" in request.query_params else "", name="",
    )  # fmt: skip


async def take(site: Site, request: Request, reader: Reader) -> Response:
    """Let somebody in whose name and password are right; which of the two is wrong nobody learns."""
    fields = await form_of(request, reader)
    name, following = only(fields, "name", 200), inside(only(fields, "next"))
    address = request.client.host if request.client else ""
    tries = _tries(site, request, name, address)
    may = [rates.allows(key, reader.now, most=MOST_TRIES, within=WITHIN) for rates, key in tries]
    if site.web.sign_in != "local" or not all(may):
        log.warning("web.refused", why="too many attempts", address=address)
        return _again(site, reader, following, name, _WAIT, 429)
    found = await site.parts.database.look(members.find, name)
    password = fields.get("password", [""])[0][: LONGEST + 1]
    if not await site.weighing.weigh(is_right, found.password if found else "", password) or found is None:
        log.warning("web.refused", why="name or password", address=address)
        return _again(site, reader, following, name, sentence("Name or password is not right."), 401)
    for rates, key in tries:
        rates.forgive(key)
    if found.factor:
        half = {"name": found.name, "next": following, "by": _proof(site, found)}
        response = page(site, reader, "sign-in-code.html", trouble="")
        keep(site, response, HALF, packed(site, "half", half, reader.now + HALF_LASTS), lasts=HALF_LASTS)
        return response
    log.info("web.signed_in", member=found.name, by="password")
    return await begin(site, request, reader, found, following)


def _tries(site: Site, request: Request, name: str, address: str) -> list[tuple[Rates, str]]:
    """Return by what a try is counted.

    A browser in which this name signed in before is counted for itself: whoever types wrong passwords elsewhere locks
    nobody out of their own.
    """
    mark = known_mark(site, kept(site, request, KNOWN), name)
    if mark:
        return [(site.tries, f"browser {mark}")]
    # Names fall into so many places that their tries cannot be pushed out of memory by asking under other names.
    place = int(site.sign("tries", name.casefold())[:8], 16) % _PLACES
    return [(site.tries, f"name {place}"), (site.rates, f"from {neighbourhood(address)}")]


async def take_code(site: Site, request: Request, reader: Reader) -> Response:
    """Let in whose password was right and who shows the digits of this half minute; each of them lets in once."""
    fields = await form_of(request, reader)
    half = unpacked(site, "half", kept(site, request, HALF), reader.now)
    if half is None or site.web.sign_in != "local":
        return _again(site, reader, "/", "", _LATE, 401)
    name, key = half["name"], f"code {half['name'].casefold()}"
    if not site.rates.allows(key, reader.now, most=MOST_TRIES, within=WITHIN):
        log.warning("web.refused", why="too many codes", member=name)
        return page(site, reader, "sign-in-code.html", status=429, trouble=reader.say(_WAIT))
    found = await site.parts.database.look(members.find, name)
    if found is not None and half["by"] != _proof(site, found):
        return _again(site, reader, "/", "", _LATE, 401)  # the password was changed meanwhile
    if found is None or not await is_shown(site, found, only(fields, "code", 20), reader.now):
        log.warning("web.refused", why="second factor", member=name)
        trouble = reader.say("These digits are not right, or were used already.")
        return page(site, reader, "sign-in-code.html", status=401, trouble=trouble)
    site.rates.forgive(key)
    log.info("web.signed_in", member=found.name, by="password and second factor")
    response = await begin(site, request, reader, found, half["next"])
    drop(site, response, HALF)
    return response


def _proof(site: Site, member: members.Member) -> str:
    """Return by which password the first half was passed: another one since, and it is not passed any more."""
    return site.sign("half by", member.password)


async def is_shown(site: Site, member: members.Member, code: str, now: datetime) -> bool:
    """Say whether somebody shows their second factor, for the first time by these digits."""
    step = factor.matching_step(member.factor, code, now) if member.factor else None
    return step is not None and await site.parts.database.run(members.use_step, member.name, step)


def _again(site: Site, reader: Reader, following: str, name: str, trouble: str, status: int) -> Response:  # noqa: PLR0913, PLR0917
    return page(
        site, reader, "sign-in.html", status=status, next=following, has_accounts=True, trouble=reader.say(trouble),
        name=name,
    )  # fmt: skip


async def begin(
    site: Site, request: Request, reader: Reader, member: members.Member, following: str
) -> RedirectResponse:
    """Begin a session under a new token; one that the browser had is over."""
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    database, before = site.parts.database, kept(site, request, SESSION)
    await database.run(members.forget, reader.now, idle=site.web.session)
    await database.run(members.end, before)
    await database.run(_begun, member, token, csrf, reader.now)
    response = RedirectResponse(following, 303)
    keep(site, response, SESSION, token, lasts=members.LONGEST)
    if member.password:
        keep(site, response, KNOWN, new_mark(site, member.name), lasts=_HALF_A_YEAR)
    return response


def _begun(connection: Connection, member: members.Member, token: str, csrf: str, now: datetime) -> None:
    members.begin(connection, token, member.name, csrf=csrf, now=now)
    audit.record(connection, "page.sign_in", by=member.shown, subject=member.name, now=now, role=member.role.value)


async def leave(site: Site, request: Request, reader: Reader) -> Response:
    """Sign somebody out."""
    await form_of(request, reader)
    await site.parts.database.run(members.end, kept(site, request, SESSION))
    response = RedirectResponse("/sign-in", 303)
    drop(site, response, SESSION)
    return response


async def prefer(site: Site, request: Request, reader: Reader) -> Response:
    """Remember the language and the colours somebody chose in their browser, the zone with their account."""
    fields = await form_of(request, reader)
    zone = only(fields, "zone", 64)
    if reader.name and "zone" in fields and (not zone or zone in zones()):
        await site.parts.database.run(members.move, reader.name, zone)
    response = RedirectResponse(inside(only(fields, "next")), 303)
    language, theme = only(fields, "language"), only(fields, "theme")
    if language in LANGUAGES:
        keep(site, response, LANGUAGE, language, lasts=_YEAR)
    if theme in {*THEMES, "system"}:
        keep(site, response, THEME, theme, lasts=_YEAR)
    return response


def inside(path: str) -> str:
    """Return a path of this page; anything that would lead elsewhere leads to the beginning."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if is_ours and len(path) < 500 else "/"
