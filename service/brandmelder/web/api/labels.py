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
    given: tuple[NewLabel, ...] = call.body.labels
    there = await call.look(mentions.texts_of, [MentionId(one.mention) for one in given])
    unknown = [one.mention for one in given if MentionId(one.mention) not in there]
    if unknown:
        raise missing("mention", str(unknown[0]), "see GET /mentions; nothing was kept", where="body $.labels")
    actor = actor_of(call)
    said = [
        StaffLabel(label=one.label, at=call.now, mention=MentionId(one.mention), origin=one.origin, by=actor.name)
        for one in given
    ]
    lesson = await staff.label_beside(call.door.parts, said, actor, call.now)
    return Answer(status=201, body=Learnt(kept=len(given), version=lesson.version, report=lesson.report))


async def remove(call: Call) -> Answer:
    """Take the label of a mention back."""
    ident = MentionId(int(call.path["mention"]))
    if not await call.run(staff.take_back_label, ident, actor_of(call), call.now):
        raise missing("label of mention", call.path["mention"], "nothing is to be taken back", where="path mention")
    lesson = await teach.learn_beside(call.door.parts, call.now)
    return Answer(body=Learnt(kept=0, version=lesson.version, report=lesson.report))
