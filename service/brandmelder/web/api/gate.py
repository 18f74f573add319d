"""Who may pass: a token that holds, with the right for the operation, not too often."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from brandmelder.store import tokens
from brandmelder.web.api.problems import Refused
from brandmelder.web.rates import neighbourhood

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from brandmelder.model import Scope
    from brandmelder.store.tokens import Token
    from brandmelder.web.api.operation import Door
    from brandmelder.web.rates import Rates

PREFIX: Final = "bm_"
MINUTE: Final = timedelta(minutes=1)
MOST: Final = 600
"""So many requests of one token are answered in a minute…"""
MOST_STRANGERS: Final = 60
"""…and so many of one address that brings no token which holds."""
_LONGEST: Final = 200


class Gate:
    """Lets requests in."""

    def __init__(self, door: Door, rates: Rates) -> None:
        self._door, self._rates = door, rates

    async def pass_(self, request: Request, scope: Scope, now: datetime) -> Token:
        """Return whose request it is. Raises Refused for strangers, for too few rights, and for too many requests."""
        token = await self._known(request, now)
        if not self._rates.allows(f"token {token.id}", now, most=MOST, within=MINUTE):
            raise _too_many(f"token {token.name!r} asked more than {MOST} times in a minute")
        if scope not in token.scopes:
            text = f"token {token.name!r} lacks the scope {scope.value}; make one that has it: brandmelder token create"
            wanted = {"www-authenticate": f'Bearer error="insufficient_scope", scope="{scope.value}"'}
            raise Refused(HTTPStatus.FORBIDDEN, "scope", text, where="header authorization", headers=wanted)
        return token

    async def _known(self, request: Request, now: datetime) -> Token:
        client = request.client.host if request.client else ""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        token = None
        if kind.lower() == "bearer" and secret.startswith(PREFIX) and len(secret) <= _LONGEST:
            token = await self._door.parts.database.look(tokens.find, secret, now)
        if token is not None:
            if not token.is_noted(now):
                await self._door.parts.database.run(tokens.note, token.id, now)
            return token
        if not self._rates.allows(f"stranger {neighbourhood(client)}", now, most=MOST_STRANGERS, within=MINUTE):
            raise _too_many("too many requests without a token that holds")
        text = "no token that holds; send `Authorization: Bearer bm_…`, made by: brandmelder token create"
        wanted = {"www-authenticate": 'Bearer realm="brandmelder"'}
        raise Refused(HTTPStatus.UNAUTHORIZED, "token", text, where="header authorization", headers=wanted)


def _too_many(text: str) -> Refused:
    said = f"{text}; wait a minute"
    return Refused(HTTPStatus.TOO_MANY_REQUESTS, "too-many", said, headers={"retry-after": "60"})
