"""An incident in words: German and English, channel-free. Order and limits after the alert's design."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from brandmelder.model import DeliveryKind, IncidentId, MonitorId, State
from brandmelder.notify.chart_plot import Chart


class Span(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run of text. A foreign one was written by strangers: no channel may read markup, mentions or links in it."""

    text: str
    bold: bool = False
    foreign: bool = False
    moment: datetime | None = None
    """The text is this moment; a channel that can shows it in the reader's zone."""


class Line(Struct, frozen=True, kw_only=True):
    """A labelled fact: `Quellen  Mastodon 22, News 9`."""

    label: str
    spans: tuple[Span, ...]


class QuoteText(Struct, frozen=True, kw_only=True):
    """A mention's words, made inert and cut to 220 characters; `label` is source and time, `url` https or empty."""

    text: str
    label: str
    url: str = ""


class Button(Struct, frozen=True, kw_only=True):
    """One thing a person can press; `act` is a word of `model.Act` or `snooze`, `details`."""

    act: str
    label: str
    primary: bool = False
    url: str = ""


class Subject(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a machine reads behind the words: a pager, a phone's priority, a program at the end of a webhook."""

    kind: DeliveryKind
    incident: IncidentId
    monitor: MonitorId
    state: State
    severity: int
    observed: int
    window: timedelta
    usual_low: int
    usual_high: int
    peak: int
    onset: datetime
    opened_at: datetime
    acknowledged_by: str | None = None
    closed_at: datetime | None = None


class Callee(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody whom a message calls; all of it from the configuration."""

    name: str
    slack: str = ""
    """Their member id in Slack."""
    mail: str = ""


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a channel shows. The first 40 characters of `headline` hold brand and number."""

    language: str
    incident: str
    revision: int
    emoji: str
    headline: str
    """At most 150 characters, without the emoji; our own words and the brand only."""
    sentence: tuple[Span, ...] = ()
    spark: str = ""
    chart: Chart | None = None
    """The picture; a channel that cannot show one shows `spark`."""
    lines: tuple[Line, ...] = ()
    honest: tuple[str, ...] = ()
    """What limits the finding, one sentence each."""
    quotes: tuple[QuoteText, ...] = ()
    buttons: tuple[Button, ...] = ()
    footer: tuple[tuple[Span, ...], ...] = ()
    calls: tuple[Callee, ...] = ()
    """Whom it calls: a channel that can mentions them."""
    broadcast: bool = False
    """A thread reply that the whole channel should see too."""
    subject: Subject | None = None
    """Of a delivery's message; None where a message is made by hand."""

    def stamped(self, key: str) -> str:
        """Return a delivery's key with the moment its incident opened.

        Numbers of incidents begin anew with a new database, and what a place has seen once it may drop for ever.
        """
        return f"{key}:{int(self.subject.opened_at.timestamp())}" if self.subject else key

    @property
    def lock_screen(self) -> str:
        """The one line that a phone shows, at most 300 characters."""
        return f"{self.emoji} {self.headline}"[:300]
