"""What a day may cost at the large language model, and what it has: reserved before each request, never overdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.store.schema import spending

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OPEN = insert(spending).on_conflict_do_nothing(index_elements=["day"])
_RESERVE = (
    update(spending)
    .where(
        spending.c.day == bindparam("ident"),
        spending.c.requests + 1 <= bindparam("most_requests"),
        spending.c.tokens + bindparam("more") <= bindparam("most_tokens"),
        (spending.c.tokens + bindparam("more")) * bindparam("price") <= bindparam("most_micros") * 1_000_000,
    )
    .values(requests=spending.c.requests + 1, tokens=spending.c.tokens + bindparam("more"))
)
_GIVE_BACK = (
    update(spending).where(spending.c.day == bindparam("ident")).values(tokens=spending.c.tokens - bindparam("less"))
)


class Allowance(Struct, frozen=True, kw_only=True):
    """What one day may cost. Money is in millionths; `price` is that of a million tokens."""

    requests: int
    tokens: int
    micros: int
    price: int


class Spent(Struct, frozen=True):
    """What a day has cost so far, reservations included."""

    requests: int
    tokens: int


def reserve(connection: Connection, day: str, tokens: int, allowance: Allowance) -> bool:
    """Set aside one request of at most `tokens` tokens; says whether the day still has them. One statement decides."""
    connection.execute(_OPEN, {"day": day, "requests": 0, "tokens": 0})
    done = connection.execute(
        _RESERVE,
        {
            "ident": day,
            "more": tokens,
            "most_requests": allowance.requests,
            "most_tokens": allowance.tokens,
            "most_micros": allowance.micros,
            "price": allowance.price,
        },
    )
    return done.rowcount == 1


def give_back(connection: Connection, day: str, tokens: int) -> None:
    """Return tokens that were set aside and not used."""
    connection.execute(_GIVE_BACK, {"ident": day, "less": tokens})


def spent(connection: Connection, day: str) -> Spent:
    """Return what a day has cost."""
    row = connection.execute(select(spending.c.requests, spending.c.tokens).where(spending.c.day == day)).one_or_none()
    return Spent(0, 0) if row is None else Spent(row.requests, row.tokens)
