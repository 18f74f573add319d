"""A provider of OpenID Connect, by pyop, the library behind SATOSA: it lets in whom the test names, without asking."""

from __future__ import annotations

import socket
import threading
from urllib.parse import parse_qsl

import uvicorn
from Cryptodome.PublicKey import RSA
from jwkest.jwk import RSAKey
from pyop.authz_state import AuthorizationState
from pyop.exceptions import InvalidAuthenticationRequest, OAuthError
from pyop.provider import Provider
from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
from pyop.userinfo import Userinfo
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route

PEOPLE = {
    "anna": {"name": "Anna Petersen", "groups": ["presse", "alle"]},
    "adam": {"name": "Adam Werk", "groups": ["betrieb"]},
    "fremd": {"name": "Fremde Person", "groups": ["alle"]},
}


class OidcPeer:
    """One provider with one client; `person` is whoever sits before it."""

    def __init__(self, return_to: str) -> None:
        self.person = "anna"
        self._place = socket.create_server(("127.0.0.1", 0))
        self.issuer = f"http://127.0.0.1:{self._place.getsockname()[1]}"
        self.provider = self._made(return_to)
        routes = [
            Route("/.well-known/openid-configuration", self._configuration),
            Route("/keys", self._keys),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._userinfo),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._place]})

    def _made(self, return_to: str) -> Provider:
        key = RSAKey(key=RSA.generate(2048), alg="RS256", use="sig", kid="one")
        places = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "scopes_supported": ["openid", "profile", "email"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        clients = {
            "brandmelder": {
                "client_secret": "geheim",
                "redirect_uris": [return_to],
                "response_types": ["code"],
                "token_endpoint_auth_method": "client_secret_basic",
            }
        }
        state = AuthorizationState(HashBasedSubjectIdentifierFactory("salt"))
        # pyop insists on TLS, which a provider on loopback does without.
        over_tls = {name: _as(value, "https") for name, value in places.items()}
        made = Provider(key, over_tls, state, clients, Userinfo(PEOPLE))
        for name, value in places.items():
            made.configuration_information[name] = value
        return made

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join()

    async def _configuration(self, _request):
        return JSONResponse(self.provider.provider_configuration.to_dict())

    async def _keys(self, _request):
        return JSONResponse(self.provider.jwks)

    async def _authorize(self, request):
        try:
            asked = self.provider.parse_authentication_request(request.url.query)
        except InvalidAuthenticationRequest as error:
            return PlainTextResponse(str(error), 400)
        more = {"groups": PEOPLE[self.person]["groups"], "name": PEOPLE[self.person]["name"]}
        answer = self.provider.authorize(asked, self.person, extra_id_token_claims=more)
        return RedirectResponse(answer.request(asked["redirect_uri"]), 303)

    async def _token(self, request):
        body = (await request.body()).decode()
        assert dict(parse_qsl(body))["code_verifier"]
        more = {"groups": PEOPLE[self.person]["groups"], "name": PEOPLE[self.person]["name"]}
        try:
            tokens = self.provider.handle_token_request(body, dict(_titled(request.headers)), more)
        except OAuthError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(tokens.to_dict())

    async def _userinfo(self, request):
        found = self.provider.handle_userinfo_request(request.url.query, dict(_titled(request.headers)))
        return JSONResponse(found.to_dict() | {"groups": PEOPLE[self.person]["groups"]})


def _as(value, scheme):
    return value.replace("http:", f"{scheme}:") if isinstance(value, str) else value


def _titled(headers):
    return [(name.title(), value) for name, value in headers.items()]
