"""An alert as it would be composed, and notifiers that speak to a peer."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from brandmelder.model import ChannelId, DeliveryKind, IncidentId, MonitorId, State
from brandmelder.notify.channels.slack import SlackNotifier
from brandmelder.notify.channels.slack_options import SlackOptions
from brandmelder.notify.message import Button, Line, Message, QuoteText, Span, Subject

START = datetime(2026, 11, 22, 20, 15, tzinfo=UTC)
ALERT = Message(
    language="de",
    incident="NF-2026-042",
    revision=3,
    emoji="🔴",
    headline="Nordfunk – Negative Erwähnungen: 38 in 60 min, üblich 2–6",
    sentence=(
        Span(text="38 negative Erwähnungen in der letzten Stunde", bold=True),
        Span(text="; um diese Zeit sind es sonst 2–6."),
    ),
    spark="▁▁▁▂▄█",
    lines=(
        Line(label="Quellen", spans=(Span(text="blog 22, press 9"),)),
        Line(label="Neu", spans=(Span(text="„Netzausfall“", foreign=True), Span(text=" 21×"))),
    ),
    honest=("Nur eine Quelle.",),
    quotes=(
        QuoteText(text="Seit Stunden kein Netz.", label="blog, 21:05", url="https://blog.example/1"),
        QuoteText(text="Ohne Adresse.", label="mail, 21:07"),
    ),
    buttons=(
        Button(act="acknowledge", label="Übernehmen", primary=True),
        Button(act="dismiss", label="Keine Krise"),
        Button(act="details", label="Details", url="https://alarm.example/NF-2026-042"),
    ),
    footer=(
        (Span(text="offen"),),
        (Span(text="NF-2026-042"),),
        (Span(text="gelesen bis "), Span(text="21:14", moment=START - timedelta(minutes=1))),
    ),
)


def a_subject(**fields):
    """What a machine reads of the alert."""
    return Subject(
        **{
            "kind": DeliveryKind.OPEN,
            "incident": IncidentId("NF-2026-042"),
            "monitor": MonitorId("nordfunk"),
            "state": State.OPEN,
            "severity": 3,
            "observed": 38,
            "window": timedelta(hours=1),
            "usual_low": 2,
            "usual_high": 6,
            "peak": 38,
            "onset": START - timedelta(hours=1),
            "opened_at": START,
        }
        | fields
    )


class VirtualClock:
    """Seconds that pass when they are told to; `moment` is the same as a datetime."""

    def __init__(self, start=START):
        self.seconds = start.timestamp()

    def __call__(self):
        return self.seconds

    @property
    def moment(self):
        return datetime.fromtimestamp(self.seconds, UTC)

    def advance(self, seconds):
        self.seconds += seconds

    def move_to(self, moment):
        self.seconds = max(self.seconds, moment.timestamp())


@asynccontextmanager
async def slack_notifier(url, **options):
    """A notifier for the peer's channel, closed at the end."""
    deadline, tools = options.pop("deadline", timedelta(seconds=5)), options.pop("tools", None)
    options = {"token": "xoxb-test", "channel": "C0123456789"} | options
    asked = SlackOptions(type="slack", api_url=url, **options)
    notifier = SlackNotifier(ChannelId("crisis"), asked, tools, deadline=deadline)
    try:
        yield notifier
    finally:
        await notifier.close()
