"""What a program is told when something cannot be done: what, where, what to do (RFC 9457, problem+json)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA: Final = "application/problem+json"


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was not done."""

    type: str
    """`urn:brandmelder:` and a word that programs can tell apart."""
    title: str
    status: int
    detail: str
    """What happened, to what, and what to do about it."""
    where: str = ""
    """Which part of the request is meant: `body $.mentions[3].text`, `query limit`, `header if-match`."""


class Refused(Exception):
    """A request that cannot be done; what handlers raise."""

    def __init__(
        self, status: HTTPStatus, word: str, detail: str, *, where: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.headers = status, dict(headers or {})
        self.problem = Problem(
            type=f"urn:brandmelder:{word}", title=status.phrase, status=int(status), detail=detail, where=where
        )
        super().__init__(detail)

    @property
    def response(self) -> Response:
        """Return it as an answer."""
        return Response(
            msgspec.json.encode(self.problem),
            status_code=int(self.status),
            headers={"content-type": MEDIA, "cache-control": "no-store", **self.headers},
        )


def missing(what: str, name: str, hint: str, *, where: str = "") -> Refused:
    """Return that something is not there."""
    return Refused(HTTPStatus.NOT_FOUND, "not-found", f"there is no {what} {name!r}; {hint}", where=where)


def unreadable(where: str, detail: str) -> Refused:
    """Return that a part of the request says nothing we understand."""
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable", detail, where=where)


def conflict(word: str, detail: str) -> Refused:
    """Return that it cannot be done as things stand."""
    return Refused(HTTPStatus.CONFLICT, word, detail)
