"""Requests that come again get the same answer and do nothing twice: `Idempotency-Key`, remembered for a day."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import msgspec

from brandmelder.store import repeatable
from brandmelder.store.repeatable import Before
from brandmelder.web.api.problems import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.web.api.operation import Call

P = ParamSpec("P")
T = TypeVar("T")


async def once(
    call: Call, answers: type[T], function: Callable[Concatenate[Connection, P], T], *args: P.args, **named: P.kwargs
) -> tuple[T, bool]:
    """Do something once for its key, in one transaction with the note of its answer; says whether it is a repeat.

    Raises Refused if the key was used for another request.
    """
    key = call.headers.get("idempotency-key")
    if key is None:
        return await call.run(function, *args, **named), False
    digest = hashlib.sha256(call.raw).hexdigest()

    def work(connection: Connection, now: datetime) -> tuple[T, bool] | None:
        known = repeatable.before(connection, call.token.id, key, now)
        if known is not None:
            return (msgspec.json.decode(known.answer, type=answers), True) if known.digest == digest else None
        answer = function(connection, *args, **named)
        repeatable.keep(connection, call.token.id, key, Before(digest, msgspec.json.encode(answer)), now)
        return answer, False

    done: Any = await call.run(work, call.now)
    if done is None:
        text = "was used for another request; use a new key for each, or send the same body"
        raise Refused(HTTPStatus.CONFLICT, "key-reused", text, where="header idempotency-key")
    return done  # type: ignore[no-any-return]
