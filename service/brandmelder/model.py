"""The nouns, in the order a mention meets them. All are frozen: a change is a new value."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import NewType

from msgspec import Struct

SourceId = NewType("SourceId", str)
MonitorId = NewType("MonitorId", str)
ChannelId = NewType("ChannelId", str)
IncidentId = NewType("IncidentId", str)
MentionId = NewType("MentionId", int)
Cursor = NewType("Cursor", str)
"""How far a source has read; JSON text of at most 16 KB that only its source understands."""

BIN = timedelta(minutes=5)
"""Width of the base bin, at every rate: windows do the pooling (decision 0005)."""


# ---------------------------------------------------------------- 1. capture


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


# --------------------------------------------------------------- 2. classify


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


# ------------------------------------------------------------------ 3. count


class Bin(Struct, frozen=True, kw_only=True):
    """Counts of one monitor in one interval of event time, `start` aligned to UTC epoch."""

    start: datetime
    width: timedelta = BIN
    total: float = 0.0
    negative: float = 0.0
    """Sum of P(negative): what detection looks at."""
    labelled: int = 0
    """Mentions labelled negative: what people can count."""
    reach: float = 0.0
    exposure: float = 1.0
    """Share of the usual volume we could see, 0 to 1; a bin of exposure 0 teaches nothing."""

    @property
    def end(self) -> datetime:
        """The first moment after the bin."""
        return self.start + self.width


# ----------------------------------------------------------------- 4. detect


class SpikeKind(enum.StrEnum):
    """Kinds of spike, each with its own part of the false-alarm budget."""

    NEGATIVE = "negative"
    SHARE = "share"
    TOTAL = "total"
    REACH = "reach"
    NEW_SOURCE = "new_source"
    BACKLOG = "backlog"
    SILENCE = "silence"
    KEY_MENTION = "key_mention"


class Spike(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Bins far above their baseline: a fact without memory. Counts are in mentions per `window`."""

    kind: SpikeKind
    since: datetime
    """Start of the window: the onset as far as this window tells."""
    until: datetime
    window: timedelta
    observed: int
    usual_low: int
    usual_high: int
    expected: float
    score: float
    """−log10 of the tail probability, calibrated; never shown in chat."""
    is_estimate: bool = False
    """`observed` is a rounded sum of probabilities, since many mentions are unsure."""
    rarity: timedelta | None = None
    """How often chance alone would give as much: once in so long."""
    learning: bool = False
    history: timedelta = timedelta(0)
    """How much seen history stands behind the baseline."""
    is_partial: bool = False
    """Some source of the monitor was blind inside the window."""
    is_open_bin: bool = False
    """Found in a bin that is still running: `observed` is a floor."""


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one step of the detector says about one bin."""

    start: datetime
    spike: Spike
    """The most telling window, whether or not it pages."""
    pages: bool = False
    """Beyond the opening threshold."""
    is_high: bool = False
    """Beyond the recovery threshold: an open incident goes on."""
    flagged: bool = False
    """Kept out of what the baseline learns."""
    seen: float = 1.0
    """Share of the window's usual volume that could be seen: below a half, silence says nothing."""


# --------------------------------------------------------------- 5. incident


class State(enum.StrEnum):
    """Where an incident stands. `reopened` is a transition back to OPEN, not a state."""

    PENDING = "pending"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"
    DISCARDED = "discarded"
    """It was pending and calmed before anybody was told."""


class Course(enum.StrEnum):
    """How it moves."""

    RISING = "rising"
    CLIMBING = "climbing"
    HIGH = "high"
    SUBSIDING = "subsiding"
    CALM = "calm"


class Act(enum.StrEnum):
    """What people and the engine do to an incident."""

    SUSPECT = "suspect"
    OPEN = "open"
    ACKNOWLEDGE = "acknowledge"
    HAND_OVER = "hand_over"
    WORSEN = "worsen"
    AGE = "age"
    TURN = "turn"
    CORRECT = "correct"
    RESOLVE = "resolve"
    DISMISS = "dismiss"
    REOPEN = "reopen"
    DISCARD = "discard"


class Pace(Struct, frozen=True, kw_only=True):
    """What one settled finding counted; the course is read from the last of them."""

    start: datetime
    """Start of the bin that was looked at."""
    observed: int
    window: timedelta


class Incident(Struct, frozen=True, kw_only=True):
    """A spike with a memory."""

    id: IncidentId
    monitor: MonitorId
    kind: SpikeKind
    state: State
    revision: int
    onset: datetime
    opened_at: datetime
    changed_at: datetime
    spike: Spike
    """The latest figures."""
    peak: int
    total: int
    """Negative mentions since the onset."""
    severity: int
    """1 (slight) to 5 (very high): excess, ratio, growth, reach, spread; never the p-value."""
    first_severity: int
    course: Course
    is_provisional: bool = False
    is_delayed: bool = False
    """Its newest mention was older than 30 min when it opened."""
    calm_since: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    label: str | None = None
    """Why it was dismissed: sarcasm, own campaign, bots, wrong brand, other."""
    peak_window: timedelta = timedelta(hours=1)
    """The window in which `peak` was counted."""
    trail: tuple[Pace, ...] = ()
    """The findings of the last hours, oldest first."""


class Transition(Struct, frozen=True, kw_only=True):
    """One change of an incident; all of them are its timeline."""

    incident: IncidentId
    revision: int
    at: datetime
    act: Act
    before: State | None
    after: State
    by: str = "brandmelder"
    note: str = ""


class Quote(Struct, frozen=True, kw_only=True):
    """A mention to show, by reference: its text is read when the message is rendered, and is hostile."""

    mention: MentionId
    source: SourceId
    url: str
    published_at: datetime
    reach: int | None = None
    copies: int = 0


class Phrase(Struct, frozen=True, kw_only=True):
    """A word or pair that is new against the usual, and in how many mentions it stands. Hostile text."""

    text: str
    count: int


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the message shows beside the count; numbers and references, no texts of mentions."""

    phrases: tuple[Phrase, ...] = ()
    sources: tuple[tuple[SourceId, int], ...] = ()
    critics: int = 0
    reach_critics: int = 0
    """Critics with more than 10,000 followers."""
    defenders: int = 0
    copies_share: float = 0.0
    top_share: float = 0.0
    """Share written by the `top_authors` most active authors."""
    top_authors: int = 0
    unclear_share: float = 0.0
    insult_share: float = 0.0
    course: tuple[int, ...] = ()
    """Negative mentions per 20 min, oldest first, ending with the window."""
    spark: tuple[int, ...] = ()
    """Negative mentions per bin of the picture, oldest first; −1 where nothing could be seen."""
    mentions: int = 0
    """All mentions that count since the onset, whatever they say: the base of `unclear_share`."""
    negatives: int = 0
    answered: int = 0
    oldest_unanswered: datetime | None = None
    first_answered: datetime | None = None
    """When our first answer to a negative mention was given."""
    compared: int | None = None
    """How many mentions before the onset the phrases were held against; below 100 none are named."""
    newest: datetime | None = None
    community: int = 0
    """Level on the Shitstorm-Skala, community column."""
    media: int = 0
    similar: tuple[str, ...] = ()
    """Ids of earlier incidents that looked like this."""
    quotes: tuple[Quote, ...] = ()
    sight: tuple[SourceSight, ...] = ()


# ----------------------------------------------------------------- 6. notify


class DeliveryKind(enum.StrEnum):
    """What is promised to a channel."""

    OPEN = "open"
    UPDATE = "update"
    THREAD = "thread"
    RESOLVE = "resolve"
    TEST = "test"


class DeliveryState(enum.StrEnum):
    """The life of a delivery; `notify/delivery.py` holds every rule about it."""

    DUE = "due"
    SENDING = "sending"
    UNCLEAR = "unclear"
    SENT = "sent"
    DEAD = "dead"
    SUPERSEDED = "superseded"


class Form(enum.StrEnum):
    """How much of a message a channel takes: the next lesser form follows a refusal."""

    FULL = "full"
    PLAIN = "plain"
    """No chart, no blocks: text only."""


class Detour(enum.StrEnum):
    """What happens instead of an edit that the channel refused."""

    ANEW = "anew"
    """Its message was deleted by a person: the alert is posted again."""
    REPLY = "reply"
    """The message cannot be edited any more: the news goes into its thread."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One promise to push or update an alert, with its attempts."""

    key: str
    """Unique: `incident:kind[:step]:channel`; carried as metadata so that the message can be found again."""
    incident: IncidentId
    channel: ChannelId
    kind: DeliveryKind
    revision: int
    state: DeliveryState
    due_at: datetime
    created_at: datetime
    attempts: int = 0
    first_attempt_at: datetime | None = None
    attempt_at: datetime | None = None
    was_unclear: bool = False
    swept_at: datetime | None = None
    form: Form = Form.FULL
    ref: str | None = None
    """The channel's reference of the message (in Slack `channel:ts`)."""
    last_error: str | None = None
    detour: Detour | None = None
    possible_repeat: bool = False
    """Sent again although nobody could look whether it stands there: the message says so."""
