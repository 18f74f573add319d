"""What a server's status means for a source: which error it is, and what a person should do."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from brandmelder.capture.headers import UNSAID_WAIT, retry_at
from brandmelder.errors import AuthRefused, Gone, RateLimited, ShapeChanged, SourceError, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MEANINGS: Final[Mapping[type[SourceError], tuple[frozenset[int], str]]] = {
    AuthRefused: (frozenset({401, 402, 403, 407}), "renew its credentials or ask its operator for access"),
    Gone: (frozenset({404, 410, 451}), "remove it or mend its url"),
    Transient: (frozenset({408, 409, 421, 423, 425, *range(500, 1000)}), "it is asked again at the next poll"),
    ShapeChanged: (frozenset(range(100, 500)), "that is no document; mend its url"),
}
"""The first that holds a status is what it means."""


def refusal(status: int, headers: Mapping[str, str], now: datetime) -> SourceError | None:
    """Return the error a status stands for; None for 200 and 304, which are answers. Never trusts the reason phrase.

    429, and 503 with Retry-After, are RateLimited: between one minute and two days, five minutes where nothing is said.
    """
    if status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
        return None
    said = f"answered {status} {_phrase(status)}".rstrip()
    until = retry_at(headers, now)
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and until):
        until = until or now + UNSAID_WAIT
        return RateLimited(f"{said}; it is asked again at {until:%Y-%m-%d %H:%M} UTC, poll it less often", until)
    if headers.get("cf-mitigated", "").lower() == "challenge":
        return AuthRefused(f"{said} by a bot protection; ask its operator to let our User-Agent through")
    for meaning, (statuses, advice) in _MEANINGS.items():
        if status in statuses:
            return meaning(f"{said}; {advice}")
    return Transient(f"{said}; it is asked again at the next poll")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
