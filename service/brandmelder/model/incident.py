"""5. A spike with a memory, its timeline, and what is shown of it."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from msgspec import Struct

from brandmelder.model.capture import SourceClass, SourceSight
from brandmelder.model.detect import Spike, SpikeKind
from brandmelder.model.names import IncidentId, MentionId, MonitorId, SourceId


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
    SNOOZE = "snooze"
    WAKE = "wake"
    WORSEN = "worsen"
    AGE = "age"
    TURN = "turn"
    JOIN = "join"
    """Another class of source joins: news after social media."""
    CORRECT = "correct"
    RESOLVE = "resolve"
    DISMISS = "dismiss"
    UNDO = "undo"
    REOPEN = "reopen"
    DISCARD = "discard"
    ESCALATE = "escalate"
    """Nobody acknowledged: the next people are told."""
    ASK = "ask"
    """Whoever acknowledged is asked whether they are still on it."""
    LAPSE = "lapse"
    """They did not answer: nobody is on it any more."""
    SILENCE = "silence"
    """From now on nobody is told; the incident goes on."""
    SPEAK = "speak"
    """The silence is over."""


class Pace(Struct, frozen=True, kw_only=True):
    """What one settled finding counted; the course is read from the last of them."""

    start: datetime
    """Start of the bin that was looked at."""
    observed: int
    window: timedelta
    hour: int | None = None
    """How many there were in the last hour; what windows of two lengths counted is no comparison."""


class Snooze(Struct, frozen=True, kw_only=True):
    """A person does not want to hear of an incident for a while; and what it looked like then."""

    until: datetime
    by: str
    observed: int
    window: timedelta
    classes: tuple[SourceClass, ...] = ()
    """The classes of sources in which it burnt."""


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
    acknowledged_person: str = ""
    """The id under which a channel knows who has it (in Slack `U…`); empty if no channel does."""
    asked_at: datetime | None = None
    """When whoever acknowledged was asked whether they are still on it; None once they answered."""
    silenced_since: datetime | None = None
    """Since when telling is held back, by a silence or by quiet hours."""
    closed_at: datetime | None = None
    closed_by: str | None = None
    label: str | None = None
    """Why it was dismissed: sarcasm, own campaign, bots, wrong brand, other."""
    snooze: Snooze | None = None
    classes: tuple[SourceClass, ...] = ()
    """The classes of sources that it has reached."""
    under: IncidentId | None = None
    """The incident whose alert tells of this one as well; nobody is told of it apart."""
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
    person: str = ""
    """The id under which a channel knows who acted (in Slack `U…`): they are never notified of it."""


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


class Hole(Struct, frozen=True, kw_only=True):
    """A source that could not be seen from `since` to `until`."""

    source: SourceId
    since: datetime
    until: datetime


class Occasion(Struct, frozen=True, kw_only=True):
    """A known event, by our own name for it."""

    at: datetime
    name: str
    until: datetime | None = None
    """How long it raises the expectation."""


class Picture(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an incident is drawn from: finished bars of one width, oldest first, the last of which ends `until`."""

    until: datetime
    width: timedelta
    counts: tuple[int, ...]
    """−1 where nothing could be seen."""
    usual: tuple[tuple[int, int], ...] = ()
    """The usual range of each bar; empty while there is too little to compare with."""
    holes: tuple[Hole, ...] = ()
    events: tuple[Occasion, ...] = ()


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the message shows beside the count; numbers and references, no texts of mentions."""

    phrases: tuple[Phrase, ...] = ()
    topics: tuple[tuple[str, int], ...] = ()
    """What most of it is about, and in how many negative mentions each stands."""
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
    community_inputs: tuple[tuple[str, float], ...] = ()
    """What decided the level, by the names of `skala.Community`; shares as 0 to 1."""
    media_inputs: tuple[tuple[str, float], ...] = ()
    similar: tuple[str, ...] = ()
    """Ids of earlier incidents that looked like this."""
    quotes: tuple[Quote, ...] = ()
    sight: tuple[SourceSight, ...] = ()
    picture: Picture | None = None
