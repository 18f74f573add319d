"""What a program reads at the end of a webhook. The schema in docs/reference is made from these types."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from brandmelder.model import DeliveryKind, Form
from brandmelder.notify.compose import plain_text

if TYPE_CHECKING:
    from brandmelder.model import ChannelId
    from brandmelder.notify.message import Message

Kind = Literal["alert.opened", "alert.updated", "alert.news", "alert.ended", "alert.called", "notice", "test"]
TYPES: dict[DeliveryKind, Kind] = {
    DeliveryKind.OPEN: "alert.opened",
    DeliveryKind.UPDATE: "alert.updated",
    DeliveryKind.THREAD: "alert.news",
    DeliveryKind.RESOLVE: "alert.ended",
    DeliveryKind.ESCALATE: "alert.called",
    DeliveryKind.NOTICE: "notice",
    DeliveryKind.TEST: "test",
}


class Fact(Struct, frozen=True):
    """A labelled line of the alert."""

    label: str
    text: str


class Quoted(Struct, frozen=True):
    """What a stranger wrote, shortened, without control characters; treat it as hostile."""

    text: str
    label: str
    url: str


class Link(Struct, frozen=True):
    """Where to go on."""

    label: str
    url: str


class Figures(Struct, frozen=True, kw_only=True):
    """The incident in numbers."""

    monitor: str
    state: str
    severity: int
    observed: int
    window_minutes: int
    usual_low: int
    usual_high: int
    peak: int
    onset: datetime
    opened_at: datetime
    acknowledged_by: str | None
    closed_at: datetime | None


class Alert(Struct, frozen=True, kw_only=True):
    """The alert as staff read it, and its figures; a message that is about no incident has none."""

    key: str
    """The delivery's key: the same for every attempt to tell the same thing."""
    channel: str
    incident: str
    revision: int
    """Higher is newer: an event that comes late may be older than what was told before."""
    figures: Figures | None
    language: str
    headline: str
    text: str
    """Everything as plain text."""
    facts: tuple[Fact, ...]
    limits: tuple[str, ...]
    """What limits the finding."""
    quotes: tuple[Quoted, ...]
    links: tuple[Link, ...]


class Payload(Struct, frozen=True, kw_only=True):
    """The body of every webhook."""

    type: Kind
    timestamp: datetime
    """When it was sent."""
    data: Alert


def payload(message: Message, *, key: str, channel: ChannelId, form: Form, now: datetime) -> Payload:
    """Return what is posted; the lesser form leaves facts and quotes out."""
    subject, is_full = message.subject, form is Form.FULL
    figures = None
    if subject is not None:
        figures = Figures(
            monitor=subject.monitor,
            state=subject.state.value,
            severity=subject.severity,
            observed=subject.observed,
            window_minutes=round(subject.window.total_seconds() / 60),
            usual_low=subject.usual_low,
            usual_high=subject.usual_high,
            peak=subject.peak,
            onset=subject.onset,
            opened_at=subject.opened_at,
            acknowledged_by=subject.acknowledged_by,
            closed_at=subject.closed_at,
        )
    alert = Alert(
        key=key,
        channel=channel,
        incident=message.incident,
        revision=message.revision,
        figures=figures,
        language=message.language,
        headline=message.headline,
        text=plain_text(message) if is_full else message.lock_screen,
        facts=tuple(Fact(one.label, "".join(span.text for span in one.spans)) for one in message.lines if is_full),
        limits=message.honest,
        quotes=tuple(Quoted(one.text, one.label, one.url) for one in message.quotes if is_full),
        links=tuple(Link(one.label, one.url) for one in message.buttons if one.url),
    )
    return Payload(type=TYPES[subject.kind] if subject else "notice", timestamp=now, data=alert)
