"""Who was answered, and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 - msgspec reads the annotations
from datetime import datetime, timedelta
from statistics import median
from types import MappingProxyType

from msgspec import Struct

from brandmelder.model import SourceId

_NO_PARENTS: Mapping[tuple[SourceId, str], str] = MappingProxyType({})
_DEEPEST = 100
"""How many levels of a thread are climbed: strangers decide how deep it is, and whether it is a ring."""


class Utterance(Struct, frozen=True, kw_only=True):
    """What a response is reckoned from: who stands below whom, since when."""

    source: SourceId
    external_id: str
    at: datetime
    parent_id: str | None = None


class Responses(Struct, frozen=True, kw_only=True):
    """How far our own accounts have answered."""

    asked: int = 0
    """Negative mentions in all."""
    answered: int = 0
    oldest_unanswered: datetime | None = None
    first: datetime | None = None
    """When the first answer was given."""
    median: timedelta | None = None
    """Median time from a negative mention to its first answer, of those answered."""


def coverage(
    negatives: Sequence[Utterance],
    own: Sequence[Utterance],
    *,
    parents: Mapping[tuple[SourceId, str], str] = _NO_PARENTS,
) -> Responses:
    """Return which of the `negatives` our `own` posts answered, and how fast.

    A mention is answered by the first own post below it: directly, or further down its thread. `parents` gives the
    parent ids of other mentions in between (an answer to a neutral reply to a negative mention answers both); without
    it a thread is followed through negatives and own posts only. An answer older than its question is none.
    """
    questions = {(one.source, one.external_id): one for one in negatives}
    above = dict(parents)
    above |= {(one.source, one.external_id): one.parent_id for one in (*negatives, *own) if one.parent_id}
    firsts: dict[tuple[SourceId, str], datetime] = {}
    for answer in own:
        for key in _ancestors(answer, above):
            question = questions.get(key)
            if question is not None and answer.at >= question.at:
                firsts[key] = min(answer.at, firsts.get(key, answer.at))
    waits = [(at - questions[key].at).total_seconds() for key, at in firsts.items()]
    return Responses(
        asked=len(questions),
        answered=len(firsts),
        oldest_unanswered=min((one.at for key, one in questions.items() if key not in firsts), default=None),
        first=min(firsts.values(), default=None),
        median=timedelta(seconds=median(waits)) if waits else None,
    )


def _ancestors(one: Utterance, above: Mapping[tuple[SourceId, str], str]) -> list[tuple[SourceId, str]]:
    """Return the posts above one, nearest first; a ring ends where it began."""
    chain: list[tuple[SourceId, str]] = []
    parent = one.parent_id
    while parent and len(chain) < _DEEPEST and (one.source, parent) not in chain:
        chain.append((one.source, parent))
        parent = above.get(chain[-1])
    return chain
