"""Who reads a page: their name and role, their language, and the token without which they change nothing."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect

from brandmelder.notify.voice import Voice, words_of
from brandmelder.options import Role
from brandmelder.store import members
from brandmelder.web.catalogue import LANGUAGES, Catalogue, catalogue_of
from brandmelder.web.cookies import LANGUAGE, SESSION, THEME, VISITOR, kept
from brandmelder.web.zones import place_of, zone_of

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from starlette.requests import Request

    from brandmelder.web.site import Site

THEMES: Final = ("light", "dark")
MOST_FORM: Final = 64 * 1024
_MINUTE: Final = 60.0


class Forged(Exception):
    """A form came without its token: from another page, or from one that is too old."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whoever reads a page."""

    name: str
    """What they signed in with; empty for nobody in particular."""
    shown: str
    role: Role | None
    """None for somebody who is not signed in."""
    csrf: str
    catalogue: Catalogue
    theme: str
    voice: Voice
    zone: ZoneInfo
    """Theirs; what they read says times in it."""
    is_abroad: bool
    """Whether that is another than the house's, so that the page names it."""
    visitor: str
    """What the browser keeps before a sign-in."""
    is_new: bool
    """Whether the browser has to be given it yet."""
    has_factor: bool = False
    """Whether their account has a second factor."""

    @property
    def language(self) -> str:
        """`de` or `en`."""
        return self.catalogue.language

    @property
    def clock(self) -> str:
        """The time of day they look at, with the place whose time it is if that is not the house's."""
        clock = self.voice.clock(self.now)
        return f"{clock} {place_of(self.zone)}" if self.is_abroad else clock

    @property
    def now(self) -> datetime:
        """When they look."""
        return self.voice.now

    @property
    def may_act(self) -> bool:
        """Whether they may change what becomes of an incident."""
        return self.role is not None and self.role.may_act

    @property
    def is_admin(self) -> bool:
        """Whether they may see the configuration."""
        return self.role is Role.ADMIN

    @property
    def may_audit(self) -> bool:
        """Whether they may read who did what."""
        return self.role in {Role.ADMIN, Role.PRIVACY_OFFICER}

    def say(self, text: str, /, **names: object) -> str:
        """Say one of our sentences in their language."""
        return self.catalogue.say(text).format(**names)

    def say_many(self, one: str, many: str, count: int, /, **names: object) -> str:
        """Say one of our sentences with a number in it."""
        number = self.voice.number(count)
        return self.catalogue.say_many(one, many, count).format(number=number, **names)


async def reader_of(site: Site, request: Request) -> Reader:
    """Return who sends a request; a session in use is remembered as such once a minute."""
    now = site.now()
    return _read(site, request, await _session(site, request, now), now)


def stranger(site: Site, request: Request) -> Reader:
    """Return who sends a request as if they were not signed in: for when nobody can look."""
    return _read(site, request, None, site.now())


def _read(site: Site, request: Request, session: members.Session | None, now: datetime) -> Reader:
    known = kept(site, request, VISITOR)
    visitor = known if _is_token(known) else secrets.token_urlsafe(24)
    catalogue = catalogue_of(_language(site, request))
    is_open = site.web.sign_in == "open"
    role: Role | None
    if session is not None:
        name, shown, role, csrf = session.name, session.shown, session.role, session.csrf
    else:
        name, role = "", Role.ADMIN if is_open else None
        shown, csrf = catalogue.say("Guest"), site.sign("form", visitor)
    theme = kept(site, request, THEME)
    zone = zone_of(session.zone if session is not None else "") or site.parts.zone
    return Reader(
        name=name,
        shown=shown,
        role=role,
        csrf=csrf,
        catalogue=catalogue,
        theme=theme if theme in THEMES else "",
        voice=Voice(words_of(catalogue.language), zone, now),
        zone=zone,
        is_abroad=zone.key != site.parts.zone.key,
        visitor=visitor,
        is_new=visitor != known,
        has_factor=session is not None and session.has_factor,
    )


async def _session(site: Site, request: Request, now: datetime) -> members.Session | None:
    token = kept(site, request, SESSION)
    if not _is_token(token):
        return None
    found = await site.parts.database.look(members.session, token, now, idle=site.web.session)
    if found is None or not _came_this_way(site, found):
        site.proven.drop(token)
        return None
    site.proven.note(token)
    if (now - found.seen_at).total_seconds() >= _MINUTE:
        await site.parts.database.run(members.touch, token, now)
    return found


async def is_let_in(site: Site, request: Request) -> bool:
    """Say whether whoever sends a request may still read pages; to be asked is no use of a session."""
    token = kept(site, request, SESSION)
    if site.web.sign_in == "open" or not _is_token(token):
        return site.web.sign_in == "open"
    found = await site.parts.database.look(members.session, token, site.now(), idle=site.web.session)
    return found is not None and _came_this_way(site, found)


def _came_this_way(site: Site, session: members.Session) -> bool:
    """Say whether somebody signed in as the configuration has it now: once it was another way, that one is closed."""
    return site.web.sign_in == "open" or session.has_password == (site.web.sign_in == "local")


def _is_token(text: str) -> bool:
    return 16 <= len(text) <= 128 and text.isascii() and text.isprintable()


def _language(site: Site, request: Request) -> str:
    """Return the language of a page: asked for, chosen once, the browser's, else the house's."""
    wishes = [request.query_params.get("language", ""), kept(site, request, LANGUAGE)]
    browser = request.headers.get("accept-language", "")[:200].split(",")
    wishes += [wish.partition(";")[0].strip().partition("-")[0].lower() for wish in browser]
    return next((wish for wish in wishes if wish in LANGUAGES), site.parts.language)


async def form_of(request: Request, reader: Reader) -> dict[str, list[str]]:
    """Return the fields of a form. Raises Forged for one that did not come from a page of this reader's."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_FORM:
                raise Forged("a form is too large")
    except ClientDisconnect as error:
        raise Forged("a form broke off") from error
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise Forged("a form cannot be read") from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    token = fields.pop("csrf", [""])[0]
    if not hmac.compare_digest(token.encode(), reader.csrf.encode()):
        raise Forged("a form came without its token")
    return fields


def only(fields: dict[str, list[str]], name: str, most: int = 2000) -> str:
    """Return one field of a form, cut; empty if it is missing."""
    return fields.get(name, [""])[0][:most].strip()
