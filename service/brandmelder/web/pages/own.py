"""One's own account: whose time one reads, a new password, the second factor, where one is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace
from starlette.responses import RedirectResponse, Response

from brandmelder.store import audit, members
from brandmelder.web import factor
from brandmelder.web.catalogue import sentence
from brandmelder.web.cookies import SESSION, kept
from brandmelder.web.keepsake import packed, unpacked
from brandmelder.web.pages.signin import MOST_TRIES, WITHIN, is_shown
from brandmelder.web.passwords import LONGEST, hashed, is_right
from brandmelder.web.reader import form_of, only
from brandmelder.web.render import page
from brandmelder.web.zones import by_region, place_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection
    from starlette.requests import Request

    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

PATH: Final = "/me"
_SAID: Final = {
    "password": sentence("The password is changed. Everywhere else you are signed out."),
    "factor": sentence("From now on the digits are asked for at every sign-in."),
    "no-factor": sentence("The second factor is removed."),
    "sessions": sentence("You are signed out everywhere else."),
}


def must_prove_more(site: Site, reader: Reader) -> bool:
    """Say whether somebody has to set up a second factor before anything else."""
    is_asked = site.web.second_factor == "required" and site.web.sign_in == "local"
    return is_asked and bool(reader.name) and not reader.has_factor


async def show(site: Site, request: Request, reader: Reader) -> Response:
    """Show one's own account."""
    return await _shown(site, request, reader, said=_SAID.get(request.query_params.get("said", ""), ""))


async def _shown(  # noqa: PLR0913
    site: Site, request: Request, reader: Reader, *, said: str = "", trouble: str = "", status: int = 200,
    sealed: str = "",
) -> Response:  # fmt: skip
    one, sessions = await site.parts.database.look(_read, reader, site, kept(site, request, SESSION))
    more: dict[str, Any] = {"seed": "", "code_picture": "", "sealed": ""}
    if one.password and not one.factor:
        begun = unpacked(site, "seed", sealed, reader.now) if sealed else None
        seed = begun["seed"] if begun and begun["name"] == one.name else factor.new_seed()
        uri = factor.address(seed, name=one.name, issuer=f"Brandmelder {site.parts.brand}")
        sealed = packed(site, "seed", {"seed": seed, "name": one.name}, reader.now + WITHIN)
        more = {"seed": _spaced(seed), "code_picture": factor.picture(uri), "sealed": sealed}
    return page(
        site, reader, "own.html", status=status, has_password=bool(one.password), has_factor=bool(one.factor),
        must=must_prove_more(site, reader), sessions=sessions, said=said and reader.say(said),
        trouble=trouble and reader.say(trouble), regions=by_region(), house=place_of(site.parts.zone),
        zone=reader.zone.key if reader.is_abroad else "", **more,
    )  # fmt: skip


def _read(
    connection: Connection, reader: Reader, site: Site, token: str
) -> tuple[members.Member, list[dict[str, Any]]]:
    one = members.find(connection, reader.name)
    if one is None:
        raise LookupError(reader.name)
    found = members.sessions(connection, reader.name, reader.now, idle=site.web.session)
    lines = [
        {
            "begun": reader.voice.moment(begun),
            "seen": reader.voice.moment(seen),
            "is_this": members.is_session(key, token),
        }
        for key, begun, seen in found
    ]
    return one, lines


def _spaced(seed: str) -> str:
    return " ".join(seed[at : at + 4] for at in range(0, len(seed), 4))


async def change_password(site: Site, request: Request, reader: Reader) -> Response:
    """Change one's password, by the present one; everywhere else one is signed out."""
    fields = await form_of(request, reader)
    one, trouble = await _proven(site, fields, reader)
    if one is None:
        return await _shown(site, request, reader, trouble=trouble, status=401)
    if not one.password:
        return _theirs(site, request, reader)
    new = fields.get("new", [""])[0]
    if new != fields.get("again", [""])[0]:
        again = sentence("The two new passwords are not the same.")
        return await _shown(site, request, reader, trouble=again, status=400)
    try:
        new_hash = await site.weighing.weigh(hashed, new, (one.name, one.shown, site.parts.brand))
    except ValueError:
        poor = sentence("Take twelve characters or more that are not easy to guess: a few words are good ones.")
        return await _shown(site, request, reader, trouble=poor, status=400)
    token = kept(site, request, SESSION)
    await site.parts.database.run(_put_password, replace(one, password=new_hash), token, reader.now)
    return RedirectResponse(f"{PATH}?said=password", 303)


def _theirs(site: Site, request: Request, reader: Reader) -> Response:
    """Refuse what a provider has in its hands: somebody's password and second factor."""
    return page(site, reader, "error.html", status=404, code=404, path=request.url.path)


def _put_password(connection: Connection, one: members.Member, token: str, now: datetime) -> None:
    members.save(connection, one)
    members.end_all(connection, one.name, but=token)
    audit.record(connection, "member.password", by=one.shown, subject=one.name, now=now, via="page")


async def change_factor(site: Site, request: Request, reader: Reader) -> Response:
    """Set one's second factor up by showing it once, or remove it by showing it once more."""
    fields = await form_of(request, reader)
    one, trouble = await _proven(site, fields, reader)
    code, sealed = only(fields, "code", 20), only(fields, "sealed")
    if one is None:
        return await _shown(site, request, reader, trouble=trouble, status=401, sealed=sealed)
    if not one.password:
        return _theirs(site, request, reader)
    if one.factor:
        is_right_code = await is_shown(site, one, code, reader.now)
        seed, step = "", 0
    else:
        begun = unpacked(site, "seed", sealed, reader.now)
        seed = begun["seed"] if begun and begun["name"] == one.name else ""
        step = (factor.matching_step(seed, code, reader.now) if seed else None) or 0
        is_right_code = step > 0
    if not is_right_code:
        wrong = sentence("These digits are not right, or were used already.")
        return await _shown(site, request, reader, trouble=wrong, status=401, sealed=sealed)
    site.rates.forgive(_key(one))
    token = kept(site, request, SESSION)
    await site.parts.database.run(_put_factor, one, seed, step, token, reader.now)
    return RedirectResponse(f"{PATH}?said={'factor' if seed else 'no-factor'}", 303)


def _put_factor(  # noqa: PLR0913, PLR0917
    connection: Connection, one: members.Member, seed: str, step: int, token: str, now: datetime
) -> None:
    members.set_factor(connection, one.name, seed, step=step)
    members.end_all(connection, one.name, but=token)
    act = "member.factor" if seed else "member.no_factor"
    audit.record(connection, act, by=one.shown, subject=one.name, now=now, via="page")


async def end_sessions(site: Site, request: Request, reader: Reader) -> Response:
    """Sign oneself out everywhere else."""
    fields = await form_of(request, reader)
    one, trouble = await _proven(site, fields, reader)
    if one is None:
        return await _shown(site, request, reader, trouble=trouble, status=401)
    token = kept(site, request, SESSION)
    await site.parts.database.run(_end, one, token, reader.now)
    return RedirectResponse(f"{PATH}?said=sessions", 303)


def _end(connection: Connection, one: members.Member, token: str, now: datetime) -> None:
    ended = members.end_all(connection, one.name, but=token)
    audit.record(connection, "member.sign_out", by=one.shown, subject=one.name, now=now, via="page", ended=str(ended))


async def _proven(site: Site, fields: dict[str, list[str]], reader: Reader) -> tuple[members.Member | None, str]:
    """Return who changes their account, once they showed their password again; a provider's people have none."""
    one = await site.parts.database.look(members.find, reader.name)
    if one is not None and not one.password:
        return one, ""
    if one is None or not site.rates.allows(_key(one), reader.now, most=MOST_TRIES, within=WITHIN):
        return None, sentence("Too many attempts. Try again in ten minutes.")
    password = fields.get("password", [""])[0][: LONGEST + 1]
    if not await site.weighing.weigh(is_right, one.password, password):
        return None, sentence("The present password is not right.")
    if not fields.get("code"):
        site.rates.forgive(_key(one))
    return one, ""


def _key(one: members.Member) -> str:
    return f"own {one.name.casefold()}"
