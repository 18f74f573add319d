"""2. What a classifier finds in a mention."""

from __future__ import annotations

import enum
from datetime import datetime

from msgspec import Struct

from brandmelder.model.names import MentionId


class Label(enum.StrEnum):
    """What a mention says of the brand."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Stance(enum.StrEnum):
    """Where its author stands."""

    CRITIC = "critic"
    DEFENDER = "defender"
    NEUTRAL = "neutral"


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A classifier's finding on one mention, with probabilities that sum to 1."""

    p_negative: float
    p_neutral: float
    p_positive: float
    label: Label
    unsure: bool
    language: str
    classifier: str
    model_version: str
    stance: Stance = Stance.NEUTRAL
    insult: float = 0.0
    topics: tuple[str, ...] = ()
    reasons: tuple[tuple[str, float], ...] = ()
    """At most five words that decided, each with its share."""
    weight: float = 1.0
    """How much it counts: 0 for own posts and spam, less than 1 for copies and over-active authors."""
    counted_as: Label | None = None
    """The local judge's label where a second opinion replaced it: what is counted is never a stranger's model."""


class Cluster(Struct, frozen=True, kw_only=True):
    """Mentions that are near-copies of one another, as they are remembered: no text, only what finds further copies."""

    number: int
    first: str
    """Names the first mention."""
    exact: int
    """A hash of the first text."""
    signature: bytes
    """Its minima; empty for a short text, whose copies are exact repeats."""
    count: int
    last: int
    """Event time of the last copy, in seconds."""
    touched: int
    """When it last grew, in mentions placed since the beginning."""


class AuthorHour(Struct, frozen=True, kw_only=True):
    """What one author has counted in one hour."""

    key: int
    """A hash: nobody's name is kept for this."""
    weight: float
    number: int
    """In which order the hours began."""


class Origin(enum.StrEnum):
    """Why just this mention was labelled. Only labels drawn at random tell how frequent something is."""

    RANDOM = "random"
    UNSURE = "unsure"
    ALERT = "alert"
    """Somebody saw it in an alert or came across it."""


class StaffLabel(Struct, frozen=True, kw_only=True):
    """What a person says of a mention, or of a text from elsewhere."""

    label: Label
    at: datetime
    mention: MentionId | None = None
    text: str | None = None
    origin: Origin = Origin.ALERT
    by: str = ""
