"""What is looked at mention by mention: key mentions, and who waits for an answer."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.detect.kinds import backlog, key
from brandmelder.detect.kinds.backlog import Question
from brandmelder.detect.kinds.key import Hit
from brandmelder.model import Label, Mention, MentionId, Verdict
from brandmelder.pipeline.judge import read_by
from brandmelder.store import mentions, newest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import KeyWatch, Watch
    from brandmelder.pipeline.sense import Remembered

    Fresh = tuple[MentionId, Mention, Verdict]

LONGEST = max(key.FORGOTTEN, backlog.FORGOTTEN)


class Singles(Struct, frozen=True, kw_only=True):
    """What is new since the last look."""

    mark: int = 0
    hits: tuple[Hit, ...] = ()
    questions: tuple[Question, ...] = ()
    answered: frozenset[tuple[str, str]] = frozenset()


def read_singles(
    connection: Connection, watch: Watch, memory: Remembered, *, since: datetime, now: datetime
) -> Singles:
    """Read what came to light since the last look and, of what waits, what was answered."""
    if watch.keys is None and watch.backlog is None:
        return Singles(mark=memory.mark)
    fresh = newest.judged_since(connection, watch.id, memory.mark, max(since, now - LONGEST))
    mark = max((int(ident) for ident, _, _ in fresh), default=memory.mark)
    questions = tuple(_question(one) for one in fresh if one[2].label is Label.NEGATIVE) if watch.backlog else ()
    waiting = (*memory.waiting, *questions)
    return Singles(
        mark=max(mark, memory.mark),
        hits=() if watch.keys is None else hits_of(fresh, watch.keys, now),
        questions=questions,
        answered=_answered(connection, waiting),
    )


def hits_of(fresh: Sequence[Fresh], keys: KeyWatch, now: datetime) -> tuple[Hit, ...]:
    """Return the key mentions among the fresh ones, each with the first rule that it meets."""
    named = [()] * len(fresh) if keys.words is None else read_by(keys.words, [one for _, one, _ in fresh])
    return tuple(
        Hit(
            mention=int(ident),
            at=round(now.timestamp()),
            published_at=round(one.published_at.timestamp()),
            why=why,
            reach=one.reach or 0,
        )
        for (ident, one, verdict), words in zip(fresh, named, strict=True)
        if (why := _why(one, verdict, words, keys))
    )


def _why(one: Mention, verdict: Verdict, words: Sequence[str], keys: KeyWatch) -> str:
    if one.author in keys.authors:
        return f"author:{keys.authors[one.author]}"
    if words:
        return "word:" + words[0].strip('"')
    is_wide = keys.reach is not None and (one.reach or 0) >= keys.reach
    return "reach" if is_wide and verdict.label is Label.NEGATIVE else ""


def _question(fresh: Fresh) -> Question:
    ident, one, _ = fresh
    return Question(
        mention=int(ident), source=one.source, external_id=one.external_id, at=round(one.published_at.timestamp())
    )


def _answered(connection: Connection, waiting: Collection[Question]) -> frozenset[tuple[str, str]]:
    """Return which questions have an answer by one of our own accounts that is not older than they are."""
    answered: set[tuple[str, str]] = set()
    for source in sorted({one.source for one in waiting}):
        asked = {one.external_id: one.at for one in waiting if one.source == source}
        for own in mentions.responses_to(connection, source, list(asked)):
            if own.parent_id is not None and round(own.published_at.timestamp()) >= asked[own.parent_id]:
                answered.add((source, own.parent_id))
    return frozenset(answered)
