"""6. What is promised to a channel, and what became of it."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from msgspec import Struct

from brandmelder.model.names import ChannelId, IncidentId, PersonId


class DeliveryKind(enum.StrEnum):
    """What is promised to a channel."""

    OPEN = "open"
    UPDATE = "update"
    THREAD = "thread"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    """A call for people: a word in the thread that the whole channel sees."""
    NOTICE = "notice"
    """A message that is about no single incident; its `incident` is the notice's own id."""
    TEST = "test"


class Covers(enum.StrEnum):
    """How much a digest looks back on."""

    DAY = "day"
    WEEK = "week"

    @property
    def length(self) -> timedelta:
        """How long that is, by the calendar."""
        return timedelta(days=1 if self is Covers.DAY else 7)


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
    first_revision: int = 0
    """What the first attempt showed; 0 before it. What is found later may stand there by that one."""
    attempt_at: datetime | None = None
    was_unclear: bool = False
    swept_at: datetime | None = None
    form: Form = Form.FULL
    ref: str | None = None
    """The channel's reference of the message (in Slack `channel:ts`)."""
    last_error: str | None = None
    detour: Detour | None = None
    confirmed_at: datetime | None = None
    """When it was first known to stand there: from then on people can have read it."""
    persons: tuple[PersonId, ...] = ()
    """Whom it calls."""
    is_prompt: bool = False
    """A person acted: the alert shows it at once, however short ago it was edited."""
    is_correction: bool = False
    """It takes words away that must not stand there any more: tried for days, and never told anew."""
    under: str = ""
    """The key of the notice in whose thread an opening goes, since many are told at once."""
    root: str | None = None
    """The ref of the message at the head of the thread it stands in, if it does."""
    instead_of: ChannelId | None = None
    """The channel it stands in for, which did not confirm in time."""
    fallback_at: datetime | None = None
    """When somebody else was told instead, or found that there is nobody."""
    possible_repeat: bool = False
    """Sent again although nobody could look whether it stands there: the message says so."""


class Click(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person asked through a channel, as it arrived: a button, a form, a word in the thread.

    It is written to the inbox before the channel is told that it arrived, and applied from there.
    """

    envelope: str
    """The channel's id of this arrival; one that arrives twice has the same."""
    person: str
    """The id under which the channel knows them."""
    at: str
    """The channel's stamp of the act; together with the person unique, whichever way it arrived."""
    act: str
    """A word of `Act`, or `details`, `status`, `help`; or `unclear`, for words that say nothing."""
    place: str
    """Where it happened, as a `ref`: the alert, or the thread below it."""
    name: str = ""
    """What the channel calls the person, until it is asked for the name that people read."""
    incident: str = ""
    """Empty where only the thread tells."""
    revision: int = 0
    """Of the incident, as the person saw it; 0 where nobody can say."""
    note: str = ""
    """The reason of a dismissal, or the name of whoever takes over."""
    other: str = ""
    """The id of whoever takes over."""
    seconds: int = 0
    """How long a snooze lasts; 0 for the usual time."""
    trigger: str = ""
    """What lets a form be opened for a few seconds."""
    is_form: bool = False
    """Sent from a form: what it needs stands in it."""
    is_spoken: bool = False
    """Written in the thread; then a word says what came of it."""
