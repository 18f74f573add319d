"""1b. What makes us doubt a source that answers: it may be blind all the same."""

from __future__ import annotations

import enum
from datetime import datetime

from msgspec import Struct

from brandmelder.model.names import SourceId


class DoubtKind(enum.StrEnum):
    """Why a source that answers is doubted."""

    SILENT = "silent"
    """It usually writes, and has brought nothing for longer than chance allows."""
    FEW = "few"
    """It brings far fewer mentions than usual."""
    CLOCK = "clock"
    """Its clock and ours differ."""
    AHEAD = "ahead"
    """What it brings is dated in the future."""
    EXPIRING = "expiring"
    """What lets us in ends soon."""


class Doubt(Struct, frozen=True, kw_only=True):
    """One doubt about a source, and what it rests on; people were told of it."""

    source: SourceId
    kind: DoubtKind
    since: datetime
    """When it last wrote; when the few hours, or the wrong times, began."""
    told_at: datetime
    ended_at: datetime | None = None
    count: float = 0.0
    """Mentions that came in the hours of few mentions; mentions dated ahead."""
    usual: float = 0.0
    """Mentions in an hour, usually; for few mentions, in all of the hours."""
    hours: int = 0
    offset: int = 0
    """By how many seconds its clock is ahead of ours."""
    is_ours: bool = False
    """Whether it is our clock that is wrong: most servers agree with one another."""
    expires_at: datetime | None = None
    days: int = 0
    """So many days before the end people are told."""
