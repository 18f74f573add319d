"""Silences: for a while nobody is told of what fits; incidents go on and are counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from brandmelder.model import Matcher, MonitorId, Silence, SourceId, SpikeKind
from brandmelder.notify.inert import inert
from brandmelder.notify.silence import MOST, refusal
from brandmelder.pipeline import staff
from brandmelder.pipeline.staff import Actor
from brandmelder.store import silences
from brandmelder.web.api.operation import Answer
from brandmelder.web.api.problems import Refused, conflict, missing, unreadable
from brandmelder.web.api.repeats import once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from brandmelder.web.api.operation import Call

Number = Annotated[int, Meta(ge=1, le=9_007_199_254_740_991)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
_BACK = timedelta(days=90)


class NewSilence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be silenced, for how long, and why. Every part that is given must fit; none fits everything."""

    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"\w")]
    """Everybody reads it."""
    minutes: Annotated[int, Meta(ge=1, le=43_200)]
    """How long, from now on; what silences everything ends within a day."""
    monitors: Annotated[tuple[Name, ...], Meta(max_length=50)] = ()
    kinds: Annotated[tuple[SpikeKind, ...], Meta(max_length=8)] = ()
    sources: Annotated[tuple[Name, ...], Meta(max_length=50)] = ()
    topic: Annotated[str, Meta(max_length=80)] = ""
    """A word that one of the leading phrases holds."""
    below: Annotated[int, Meta(ge=2, le=5)] | None = None
    """Only severities below this one."""
    broken_at: Annotated[int, Meta(ge=1, le=5)] | None = 5
    """The severity that breaks it; null stands for never."""


class SilenceShown(Struct, frozen=True, kw_only=True):
    """A silence."""

    id: int
    since: datetime
    until: datetime
    """When it ends, or ended."""
    holds: bool
    by: str
    reason: str
    monitors: tuple[str, ...]
    kinds: tuple[SpikeKind, ...]
    sources: tuple[str, ...]
    topic: str
    below: int | None
    broken_at: int | None


class SilenceList(Struct, frozen=True, kw_only=True):
    """Silences, oldest first."""

    items: tuple[SilenceShown, ...]


class ListQuery(Struct, frozen=True, kw_only=True):
    """Which silences."""

    ended: Annotated[bool, Meta(description="Those of the last 90 days that have ended, too.")] = False


async def list_(call: Call) -> Answer:
    """List the silences that hold."""
    since = call.now - _BACK if call.query.ended else call.now
    found: list[Silence] = await call.look(silences.ending_after, since)
    return Answer(body=SilenceList(items=tuple(_shown(one, call.now) for one in found)))


async def create(call: Call) -> Answer:
    """Keep a new silence."""
    body, parts, now = call.body, call.door.parts, call.now
    _known(body.monitors, parts.watches, "monitor")
    _known(body.sources, parts.places, "source")
    reason = inert(body.reason, 300)
    if not reason:
        raise unreadable("body $.reason", "says nothing that can be read; say why, everybody reads it")
    wanted = Silence(
        id=0,
        matcher=Matcher(
            monitors=frozenset(MonitorId(one) for one in body.monitors),
            kinds=frozenset(body.kinds),
            sources=frozenset(SourceId(one) for one in body.sources),
            topic=inert(body.topic, 80),
            below=body.below,
        ),
        since=now.replace(microsecond=0),
        until=now.replace(microsecond=0) + timedelta(minutes=body.minutes),
        by=inert(call.token.name, 60),
        reason=reason,
        broken_at=body.broken_at,
    )
    refused = refusal(wanted, longest=MOST)
    if refused is not None:
        raise conflict("limit", refused)
    shown, is_repeat = await once(call, SilenceShown, _add, wanted, actor_of(call), now)
    call.door.wake()
    return Answer(status=200 if is_repeat else 201, body=shown)


def _add(connection: Connection, wanted: Silence, actor: Actor, now: datetime) -> SilenceShown:
    return _shown(staff.silence(connection, wanted, actor, now), now)


async def expire(call: Call) -> Answer:
    """End a silence now; what still burns is told."""
    outcome = await call.run(_expire, int(call.path["id"]), actor_of(call), call.now)
    if outcome is None:
        raise missing("silence", call.path["id"], "see GET /silences?ended=true", where="path id")
    if isinstance(outcome, Refused):
        raise outcome
    call.door.wake()
    return Answer(body=outcome)


def _expire(connection: Connection, ident: int, actor: Actor, now: datetime) -> SilenceShown | Refused | None:
    found = silences.find(connection, ident)
    if found is None:
        return None
    if found.ends <= now:
        return conflict("ended", f"silence {ident} ended already; there is nothing to do")
    return _shown(staff.end_silence(connection, found, actor, now), now)


def actor_of(call: Call) -> Actor:
    """Return who acts: the token by its name, known to the audit by its id."""
    return Actor(name=inert(call.token.name, 60), login=f"token:{call.token.id}", via="api")


def _known(names: Iterable[str], known: Iterable[str], what: str) -> None:
    there = set(known)
    for name in names:
        if name not in there:
            raise missing(what, name[:60], f"see GET /{what}s", where=f"body $.{what}s")


def _shown(one: Silence, now: datetime) -> SilenceShown:
    matcher = one.matcher
    return SilenceShown(
        id=one.id,
        since=one.since,
        until=one.ends,
        holds=one.since <= now < one.ends,
        by=one.by,
        reason=one.reason,
        monitors=tuple(sorted(matcher.monitors)),
        kinds=tuple(sorted(matcher.kinds)),
        sources=tuple(sorted(matcher.sources)),
        topic=matcher.topic,
        below=matcher.below,
        broken_at=one.broken_at,
    )
