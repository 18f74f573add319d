"""1. What a source brings: mentions, readings, removals, gaps, and how the source is."""

from __future__ import annotations

import enum
from datetime import datetime

from msgspec import Struct

from brandmelder.model.names import Cursor, SourceId


class SourceClass(enum.StrEnum):
    """What kind of place a source is; the Skala counts media apart from the community."""

    OWN = "own"
    SOCIAL = "social"
    FORUM = "forum"
    NEWS = "news"
    MAIL = "mail"
    REVIEW = "review"


class Mention(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One utterance, normalised. `published_at` is event time, `captured_at` processing time: whole seconds, UTC."""

    source: SourceId
    external_id: str
    text: str
    published_at: datetime
    captured_at: datetime
    context: str = ""
    """The title it stands under (a blog post, a thread): matched by queries, not judged."""
    url: str = ""
    author: str = ""
    language: str | None = None
    reach: int | None = None
    parent_id: str | None = None
    own: bool = False
    """Written by one of our own accounts: a response, never a spike."""
    history: bool = False
    """Read on first contact or older than the lookback: teaches the baseline and never opens an incident."""
    flags: tuple[str, ...] = ()
    """What is odd about it: `weak_id`, `future_dated`, `past_dated`, `no_date`, `truncated`."""


class Reading(Struct, frozen=True, kw_only=True):
    """One measured number of an account at a time (followers, fans, rating)."""

    source: SourceId
    account: str
    name: str
    value: float
    at: datetime
    own: bool = False
    """Of one of our own accounts; else of one that ours are compared with."""
    title: str = ""
    """What people call the account, where its id says nothing to them."""


class Gap(Struct, frozen=True, kw_only=True):
    """What we know we missed: event time from `since` to `until`."""

    source: SourceId
    since: datetime
    until: datetime
    reason: str
    expected: int | None = None
    resume: Cursor | None = None


class Removal(Struct, frozen=True, kw_only=True):
    """A mention its platform took away: text and author go, the count stays."""

    source: SourceId
    external_id: str
    reason: str


class Extent(Struct, frozen=True, kw_only=True):
    """What a poll expected and what it read."""

    read: int
    expected: int | None = None
    is_exact: bool = False


class SourceState(enum.StrEnum):
    """How a source is: complete, known incomplete, failing by itself, or waiting for a person."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"
    PAUSED = "paused"


class SourceSight(Struct, frozen=True, kw_only=True):
    """How far a source was read and how it is, as the evaluation and the coverage line see it."""

    source: SourceId
    source_class: SourceClass
    read_until: datetime | None
    state: SourceState = SourceState.OK
    blind_since: datetime | None = None
    note: str = ""
