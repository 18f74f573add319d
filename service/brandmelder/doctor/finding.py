"""What a look at one thing found."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from msgspec import Struct


class Level(enum.StrEnum):
    """How much it matters."""

    WELL = "well"
    NOTE = "note"
    """Nothing is wrong; something could be better."""
    WARNING = "warning"
    """Something will go wrong, or goes half wrong."""
    BAD = "bad"
    """Something does not work: people may not be told."""


class Finding(Struct, frozen=True, kw_only=True):
    """One finding; words.py says it in a language."""

    name: str
    """The key of its words."""
    level: Level = Level.WELL
    about: Mapping[str, str | int] = {}
    """What the words speak of."""


def worst(findings: list[Finding]) -> Level:
    """Return the level of the worst finding."""
    order = list(Level)
    return max((one.level for one in findings), key=order.index, default=Level.WELL)
