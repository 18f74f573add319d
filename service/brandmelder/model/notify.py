"""6. What is promised to a channel, and what became of it."""

from __future__ import annotations

import enum
from datetime import datetime

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
    confirmed_at: datetime | None = None
    """When it was first known to stand there: from then on people can have read it."""
    persons: tuple[PersonId, ...] = ()
    """Whom it calls."""
    possible_repeat: bool = False
    """Sent again although nobody could look whether it stands there: the message says so."""
