"""Labels: what staff, or a program on their behalf, say of mentions; the judge learns from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from brandmelder.model import Label, MentionId, Origin, StaffLabel
from brandmelder.pipeline import staff, teach
from brandmelder.store import mentions
from brandmelder.web.api.operation import Answer
from brandmelder.web.api.problems import missing
from brandmelder.web.api.silences import Number, actor_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline.staff import Actor
    from brandmelder.web.api.operation import Call

MOST = 200


class NewLabel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one mention says of the brand."""

    mention: Number
    label: Label
    origin: Origin = Origin.ALERT
    """Why just this one: `random` only for mentions that nobody picked."""


class NewLabels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Labels, all of which are kept, or none."""

    labels: Annotated[tuple[NewLabel, ...], Meta(min_length=1, max_length=MOST)]


class Learnt(Struct, frozen=True, kw_only=True):
    """What came of it."""

    kept: int
    version: int | None
    """What the judge uses from now on; null if nothing changes."""
    report: tuple[str, ...]
    """What was learnt, in words for people."""


async def create(call: Call) -> Answer:
    """Keep labels and learn from them."""
    given = call.body.labels
    outcome = await call.run(_create, given, call.door.parts.brand, actor_of(call), call.now)
    if isinstance(outcome, int):
        raise missing("mention", str(outcome), "see GET /mentions; nothing was kept", where="body $.labels")
    return Answer(status=201, body=outcome)


def _create(
    connection: Connection, given: tuple[NewLabel, ...], brand: str, actor: Actor, now: datetime
) -> Learnt | int:
    there = mentions.texts_of(connection, [MentionId(one.mention) for one in given])
    for one in given:
        if MentionId(one.mention) not in there:
            return one.mention
    said = [
        StaffLabel(label=one.label, at=now, mention=MentionId(one.mention), origin=one.origin, by=actor.name)
        for one in given
    ]
    lesson = staff.label(connection, said, brand, actor, now)
    return Learnt(kept=len(given), version=lesson.version, report=lesson.report)


async def remove(call: Call) -> Answer:
    """Take the label of a mention back."""
    ident = MentionId(int(call.path["mention"]))
    outcome = await call.run(_remove, ident, call.door.parts.brand, actor_of(call), call.now)
    if outcome is None:
        raise missing("label of mention", call.path["mention"], "nothing is to be taken back", where="path mention")
    return Answer(body=outcome)


def _remove(connection: Connection, ident: MentionId, brand: str, actor: Actor, now: datetime) -> Learnt | None:
    if not staff.take_back_label(connection, ident, actor, now):
        return None
    lesson = teach.learn(connection, brand, now)
    return Learnt(kept=0, version=lesson.version, report=lesson.report)
