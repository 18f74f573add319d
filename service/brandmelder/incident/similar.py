"""Which earlier incidents looked like this one: by what was said, where, how much, and at what hour."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Evidence, Incident, IncidentId, SourceId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALIKE = 0.55
"""Similarity from which an incident is worth showing: never without common words."""


class Likeness(Struct, frozen=True, kw_only=True):
    """What an incident is compared by."""

    id: IncidentId
    phrases: tuple[str, ...]
    sources: tuple[tuple[SourceId, int], ...]
    size: int
    """Its peak, or what is observed now."""
    onset: datetime


def likeness(incident: Incident, evidence: Evidence) -> Likeness:
    """Return what an earlier incident is compared by."""
    return Likeness(
        id=incident.id,
        phrases=tuple(phrase.text for phrase in evidence.phrases),
        sources=evidence.sources,
        size=incident.peak,
        onset=incident.onset,
    )


def most_similar(now: Likeness, earlier: Iterable[Likeness], *, most: int = 2) -> tuple[IncidentId, ...]:
    """Return the ids of up to `most` earlier incidents that looked like this one, the likest first."""
    scored = sorted(
        ((similarity(now, one), one.onset, one.id) for one in earlier if one.id != now.id),
        key=lambda entry: (-entry[0], -entry[1].timestamp(), entry[2]),
    )
    return tuple(ident for score, _, ident in scored[:most] if score >= ALIKE)


def similarity(one: Likeness, other: Likeness) -> float:
    """Return 0 to 1: 0.5 shared words of the phrases + 0.25 sources + 0.15 size + 0.1 hour of the day.

    Words: Jaccard of their first six letters, so that "Rückruf" meets "Rückrufe". Sources: cosine of the counts. Size:
    1 when equal, 0 from a factor of ten. Hour: 1 at the same hour, 0 twelve hours apart.
    """
    return (
        0.5 * _jaccard(_stems(one.phrases), _stems(other.phrases))
        + 0.25 * _cosine(dict(one.sources), dict(other.sources))
        + 0.15 * max(0.0, 1 - abs(math.log10(max(1, one.size) / max(1, other.size))))
        + 0.1 * _same_hour(one.onset, other.onset)
    )


def _stems(phrases: Sequence[str]) -> frozenset[str]:
    return frozenset(word.lstrip("#")[:6] for phrase in phrases for word in phrase.casefold().split())


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def _cosine(one: dict[SourceId, int], other: dict[SourceId, int]) -> float:
    product = sum(count * other.get(source, 0) for source, count in one.items())
    norms = math.hypot(*one.values()) * math.hypot(*other.values())
    return product / norms if norms else 0.0


def _same_hour(one: datetime, other: datetime) -> float:
    apart = abs(one - other).total_seconds() / 3600 % 24
    return 1 - min(apart, 24 - apart) / 12
