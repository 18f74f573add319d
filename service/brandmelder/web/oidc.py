"""Signing in at a provider: OpenID Connect's authorization code flow with PKCE, a state and a nonce.

OpenID Connect Core 1.0, section 3.1; RFC 7636. Whatever does not fit, nobody is let in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import structlog
from starlette.responses import RedirectResponse, Response

from brandmelder.errors import BrandmelderError, ChannelError, to_have
from brandmelder.notify.inert import inert
from brandmelder.options import Role
from brandmelder.store import members
from brandmelder.web.cookies import PROVIDER, drop, keep, kept
from brandmelder.web.keepsake import packed, unpacked
from brandmelder.web.pages.signin import begin, inside
from brandmelder.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request

    from brandmelder.settings.web import OidcBlock
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

log = structlog.get_logger()

LASTS: Final = timedelta(minutes=10)
RETURN: Final = "/oidc/answer"
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by the provider's key; never `none`, and never by a secret."""
_LEEWAY: Final = 60
_LONGEST_NAME: Final = 200


class NotLetIn(BrandmelderError):
    """The provider's answer is none that lets somebody in."""


async def ask(site: Site, request: Request, reader: Reader) -> Response:
    """Lead to the provider; what its answer must fit stays with the browser, signed."""
    block = site.web.oidc
    if block is None:
        return RedirectResponse("/sign-in", 303)
    try:
        known = await _discovered(site, block)
    except NotLetIn as error:
        return _refused(site, reader, str(error))
    fitting: dict[str, Any] = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": secrets.token_urlsafe(48),
        "next": inside(request.query_params.get("next", "")),
    }
    challenge = base64.urlsafe_b64encode(hashlib.sha256(fitting["verifier"].encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": block.client_id,
        "redirect_uri": f"{site.web.base_url}{RETURN}",
        "scope": "openid profile email",
        "state": fitting["state"],
        "nonce": fitting["nonce"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = str(known["authorization_endpoint"])
    response = RedirectResponse(f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", 303)
    keep(site, response, PROVIDER, packed(site, "oidc", fitting, reader.now + LASTS), lasts=LASTS)
    return response


async def answer(site: Site, request: Request, reader: Reader) -> Response:
    """Let in whom the provider vouches for, in the role that its groups give."""
    block = site.web.oidc
    fitting = unpacked(site, "oidc", kept(site, request, PROVIDER), reader.now)
    if block is None or fitting is None:
        return _refused(site, reader, reader.say("The sign-in took too long. Begin again."))
    query = request.query_params
    if not hmac.compare_digest(query.get("state", "").encode(), fitting["state"].encode()) or not query.get("code"):
        return _refused(site, reader, reader.say("The provider let nobody in."), fitting["next"])
    try:
        claims = await _identity(site, block, query["code"], fitting)
        member = _member(block, claims, reader.now)
    except NotLetIn as error:
        log.warning("web.oidc_refused", reason=str(error))
        why = reader.say("The provider's answer does not fit. The log says why.")
        return _refused(site, reader, why, fitting["next"])
    if member is None:
        why = reader.say("No role is given to you here; see web.oidc.roles.")
        return _refused(site, reader, why, fitting["next"])
    await site.parts.database.run(members.save, member)
    log.info("web.signed_in", member=member.name)
    response = await begin(site, request, reader, member, fitting["next"])
    drop(site, response, PROVIDER)
    return response


def _refused(site: Site, reader: Reader, trouble: str, following: str = "/") -> Response:
    """Say why nobody was let in; what the answer had to fit is good for one answer."""
    response = page(
        site, reader, "sign-in.html", status=401, next=following, has_accounts=True, trouble=trouble, name=""
    )
    drop(site, response, PROVIDER)
    return response


# ------------------------------------------------------------- what the provider says


async def _discovered(site: Site, block: OidcBlock) -> dict[str, Any]:
    """Return what the provider says of itself. Raises NotLetIn."""
    issuer = block.issuer.rstrip("/")
    known = await _asked(site, "GET", f"{issuer}/.well-known/openid-configuration")
    if str(known.get("issuer", "")).rstrip("/") != issuer:
        raise NotLetIn(f"the provider at {issuer} calls itself otherwise")
    is_safe = issuer.startswith("https://")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        address = known.get(name)
        if address is None and name == "userinfo_endpoint":
            continue
        if not isinstance(address, str) or not address.startswith("https://" if is_safe else ("https://", "http://")):
            # Our secret and its tokens go there; who is asked over TLS sends nobody elsewhere in clear.
            raise NotLetIn(f"the provider names no {name}{' over https' if is_safe else ''}")
    return known


async def _identity(site: Site, block: OidcBlock, code: str, fitting: dict[str, Any]) -> dict[str, Any]:
    """Exchange the code for an identity and check it. Raises NotLetIn."""
    known = await _discovered(site, block)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": f"{site.web.base_url}{RETURN}",
        "code_verifier": fitting["verifier"],
    }
    secret = f"{block.client_id}:{block.client_secret.reveal()}".encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "authorization": f"Basic {base64.b64encode(secret).decode()}",
    }
    tokens = await _asked(site, "POST", str(known["token_endpoint"]), headers=headers, body=urlencode(form).encode())
    keys = await _asked(site, "GET", str(known["jwks_uri"]))
    claims = _checked(str(tokens.get("id_token", "")), keys, block, nonce=fitting["nonce"], now=site.now())
    if block.claim not in claims and isinstance(known.get("userinfo_endpoint"), str):
        bearer = {"authorization": f"Bearer {tokens.get('access_token', '')}"}
        more = await _asked(site, "GET", known["userinfo_endpoint"], headers=bearer)
        if more.get("sub") == claims["sub"]:
            claims = more | claims
    return claims


def _checked(token: str, keys: dict[str, Any], block: OidcBlock, *, nonce: str, now: datetime) -> dict[str, Any]:
    """Return the claims of an identity token that is signed, ours, and of this sign-in. Raises NotLetIn."""
    try:
        from joserfc import jwt  # noqa: PLC0415 -- an extra
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415
    except ImportError as error:
        raise NotLetIn(f"sign_in: oidc needs joserfc; {to_have('web')}") from error
    try:
        found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type] # JSON
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY,
            iss={"essential": True, "values": [block.issuer, block.issuer.rstrip("/"), f"{block.issuer.rstrip('/')}/"]},
            aud={"essential": True, "value": block.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(found.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise NotLetIn(f"the identity does not hold: {error}") from error
    audience = found.claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and found.claims.get("azp") != block.client_id:
        # OpenID Connect Core 1.0, 3.1.3.7 (3, 4): an identity made out to several names the one it was made for.
        raise NotLetIn("the identity does not hold: it was made out to several, and not for us")
    return dict(found.claims)


async def _asked(
    site: Site, method: str, address: str, *, headers: dict[str, str] | None = None, body: bytes = b""
) -> dict[str, Any]:
    """Ask the provider for JSON. Raises NotLetIn."""
    if site.exchange is None:
        raise NotLetIn("no provider is configured")
    try:
        accepting = {"accept": "application/json"} | (headers or {})
        reply = await site.exchange(method, address, headers=accepting, body=body)
    except ChannelError as error:
        raise NotLetIn(f"the provider does not answer: {error}") from error
    if reply.status != 200:
        raise NotLetIn(f"the provider answered {reply.status}")
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise NotLetIn("the provider's answer is no JSON") from error
    if not isinstance(found, dict):
        raise NotLetIn("the provider's answer is no object")
    return found


def _member(block: OidcBlock, claims: dict[str, Any], now: datetime) -> members.Member | None:
    """Return whom an identity stands for, with the first role from the top that one of its names gives."""
    named = claims.get(block.claim)
    names = {str(one) for one in (named if isinstance(named, list) else [named]) if one is not None}
    ranks = (Role.ADMIN, Role.PRIVACY_OFFICER, Role.RESPONDER, Role.VIEWER)
    role = next((rank for rank in ranks if names & set(block.roles.get(rank, ()))), block.otherwise)
    if role is None:
        return None
    shown = next((claims[one] for one in ("name", "preferred_username", "email") if claims.get(one)), claims["sub"])
    return members.Member(
        name=_name(block.issuer, str(claims["sub"])), shown=inert(str(shown), 60), role=role, created_at=now
    )


def _name(issuer: str, sub: str) -> str:
    """Return what somebody is known by; too long a name is never cut, for two might have the same beginning."""
    name = f"{issuer}#{sub}"
    return name if len(name) <= _LONGEST_NAME else f"#{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()}"
