"""What one operation of the API is: its address, its right, what it takes and answers. Schema and gate go by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta, Struct

from brandmelder.model import Scope
from brandmelder.store.tokens import Token

if TYPE_CHECKING:
    from brandmelder.model import MonitorId
    from brandmelder.pipeline.parts import Parts
    from brandmelder.pipeline.view import Usual
    from brandmelder.store.subscriptions import Subscription

Moment = Annotated[datetime, Meta(tz=True, description="A moment with its zone, as in 2026-12-15T20:41:00+01:00.")]
_PLACE: Final = Meta(min_length=1, max_length=300, description="`next` of the page before.")
Limit = Annotated[int, Meta(ge=1, le=200, description="How many at most.")]
AfterMention = Annotated[str, _PLACE, Meta(extra_json_schema={"format": "mention-cursor"})]
AfterIncident = Annotated[str, _PLACE, Meta(extra_json_schema={"format": "incident-cursor"})]
MOST_BODY: Final = 1024 * 1024
"""So many bytes a request may hold."""


_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)


def _nothing() -> None:
    """Nobody waits for news."""


@dataclass(kw_only=True)
class Door:
    """What every operation works with."""

    parts: Parts
    now: Callable[[], datetime]
    wake: Callable[[], None] = _nothing
    """Have what was promised told at once."""
    brought: Callable[[], None] = _nothing
    """Have mentions that came judged at once."""
    usual: dict[MonitorId, Usual] = field(default_factory=dict)
    """What each monitor's sources usually bring, remembered for a day."""
    subscribe: Callable[[Subscription], None] | None = None
    """Make a channel of a subscription, new or changed; None where none can be told."""
    unsubscribe: Callable[[str], None] = field(default=lambda _ident: None)


class Call(Struct, frozen=True, kw_only=True):
    """One request, read and checked."""

    door: Door
    token: Token
    now: datetime
    path: Mapping[str, str]
    query: Any
    body: Any
    raw: bytes
    headers: Mapping[str, str]

    async def run(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Run a function of the store as one transaction."""
        return await self.door.parts.database.run(function, *arguments, **named)

    async def look(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Run a function of the store that only reads, beside whatever is written."""
        return await self.door.parts.database.look(function, *arguments, **named)


class Answer(Struct, frozen=True, kw_only=True):
    """What is answered: a status, something that is written as JSON, headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


class Empty(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class Operation(Struct, frozen=True, kw_only=True):
    """One thing that can be done."""

    method: str
    path: str
    name: str
    """Its operationId."""
    says: str
    """In one sentence."""
    scope: Scope
    handler: Callable[[Call], Awaitable[Answer]]
    query: type[Struct] = Empty
    body: Any = None
    answers: Any = None
    """What a success holds."""
    status: int = 200
    path_types: Mapping[str, Any] = MappingProxyType({})
    headers: tuple[str, ...] = ()
    """Which of `if-match`, `if-none-match`, `idempotency-key` it knows."""
    refusals: tuple[int, ...] = ()
    """Statuses beside those that every operation may answer."""


def utc(moment: datetime) -> datetime:
    """Return a moment in UTC; what lies beyond our calendar becomes its edge."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST if moment.year < 2000 else _LAST
