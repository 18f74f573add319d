"""What the configuration holds: the blocks as people write them, and the Settings they become."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from brandmelder.classify.topic_words import pattern
from brandmelder.errors import Problem
from brandmelder.model import ChannelId, Covers, MonitorId, SourceId, SpikeKind
from brandmelder.notify.cron import check_cron
from brandmelder.notify.escalation import Escalation
from brandmelder.options import ChannelOptions, Duration, Options, SecretAddress, SecretText, SourceOptions, WebAddress
from brandmelder.settings.calendar import EventSettings, MarkedSettings
from brandmelder.settings.duty import DutySettings
from brandmelder.settings.health import HealthBlock
from brandmelder.settings.retention import RetentionBlock
from brandmelder.settings.transformer import TransformerSettings
from brandmelder.settings.web import WebSettings
from brandmelder.settings.wording import Outside

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
"""What a source, a monitor or a channel may be called: these names become ids, addresses and metrics."""

IN_MEMORY = frozenset({"sqlite://", "sqlite:///:memory:"})
"""Databases without a file: for a demonstration, not for a service."""

_INITIALS = 2


def _names_or_all(value: Any) -> tuple[str, ...] | None:
    if value is None or value == "all":
        return None
    if isinstance(value, (list, tuple)) and value and all(isinstance(name, str) for name in value):
        return tuple(value)
    told = f'"{value}" is no list' if isinstance(value, str) else "neither all nor a list of names"
    raise ValueError(f"{told}; write all, or names in brackets: [{value if isinstance(value, str) else 'one, two'}]")


def _some_time(after: timedelta) -> timedelta:
    if not timedelta(minutes=5) <= after <= timedelta(days=1):
        raise ValueError("out of reach; write something between 5m and 24h")
    return after


NamesOrAll = Annotated[
    tuple[str, ...] | None,
    BeforeValidator(_names_or_all),
    WithJsonSchema({"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""`all`, or a list of names; None means all."""


def _topic_words(value: Any) -> tuple[str, ...]:
    words = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for word in words:
        if not isinstance(word, str):
            raise ValueError(f"{word!r} is no word; write words in brackets: [router, störung*, kein netz]")  # noqa: TRY004
        pattern(word)
    return words


TopicWords = Annotated[
    tuple[str, ...],
    BeforeValidator(_topic_words),
    WithJsonSchema({"type": "array", "items": {"type": "string", "pattern": r"^[^*]*[^\W_][^*]*\*?$"}, "minItems": 1}),
    Field(min_length=1),
]
"""What names a topic: words, `stem*`, phrases."""

TopicName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


def _database(value: Any) -> str:
    text = str(value)
    if text.startswith("postgresql"):
        raise ValueError("this version keeps its memory in SQLite only; write sqlite:///brandmelder.db")
    if text in IN_MEMORY:
        return text
    if not text.startswith("sqlite:///") or text == "sqlite:///":
        raise ValueError("no address of a database; write sqlite:/// and a file, as in sqlite:///brandmelder.db")
    return text


def initials(brand: str) -> str:
    """Return two capital letters for a brand: of its first two words, else its first two; `BM` if it has none."""
    folded = unicodedata.normalize("NFKD", brand).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z]+", folded)
    letters = "".join(word[0] for word in words) if len(words) >= _INITIALS else "".join(words)
    return letters[:_INITIALS].upper() if len(letters) >= _INITIALS else "BM"


# ---------------------------------------------------------------- as people write it


class KeyMentionsBlock(Options):
    """Single mentions that are worth an alert, whatever the count."""

    reach: Annotated[int | None, Field(ge=1)] = None
    """Negative mentions by accounts of at least so many followers."""
    words: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    """Queries such as `Rückruf` or `"Anna Beispiel"`; a mention that meets one is key, whatever its tone."""
    authors: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    """Accounts whose every mention is key, whatever its tone."""


class UnansweredBlock(Options):
    """Within what time our own accounts answer."""

    after: Annotated[Duration, AfterValidator(_some_time)] = timedelta(minutes=45)
    """How long a negative mention may wait for an answer, at most a day."""
    least: Annotated[int, Field(ge=1, le=1000)] = 3
    """So many that have waited longer are an incident."""


def _not_hectic(every: timedelta) -> timedelta:
    if every < timedelta(seconds=10):
        raise ValueError("is too often; write 10s or more")
    return every


def _no_bare_number(budget: Any) -> Any:
    if isinstance(budget, (int, float)) and not isinstance(budget, bool):
        raise ValueError(f'{budget} says no time; write calm, balanced, alert, or as in "1 per 30 days"')  # noqa: TRY004
    return budget


class MonitorBlock(Options):
    """What we watch for: a query, its sources, its sensitivity."""

    query: Annotated[str, Field(min_length=1)]
    """Which mentions concern it: words, "phrases", #tags, @handles, AND, OR, NOT or -, NEAR/5, author:, source:,
    language:, url:, reach>, groups in brackets. Put it in quotes."""
    aliases: str | None = None
    """A file with one further name of the brand on each line, relative to this one; each is looked for, too."""
    exclusions: str | None = None
    """A file with one thing on each line that the brand is mistaken for; a mention that holds one is left out."""
    sources: NamesOrAll = None
    """Which sources it reads; `all` of them by default."""
    false_alarms: Annotated[str, BeforeValidator(_no_bare_number)] = "balanced"
    """How many false alarms it may cost: `calm`, `balanced`, `alert`, or for instance `1 per 30 days`."""
    kinds: tuple[Literal["negative", "share", "total", "reach", "new_source", "silence"], ...] = ("negative",)
    """Which kinds of spike share the budget: `negative` volume, negative `share`, `total` volume, `reach` of the
    negative ones, a `new_source` or topic that joins, `silence` of what usually writes. `negative` alone by default."""
    key_mentions: KeyMentionsBlock | None = None
    """Which single mentions are worth an alert. They cost no budget."""
    unanswered: UnansweredBlock | None = None
    """When negative mentions without an answer are an alert; needs `own_accounts` at a source. Costs no budget."""
    title: Annotated[str | None, Field(min_length=1, max_length=40)] = None
    """What messages call it; its name by default."""
    runbook: Annotated[str | None, Field(pattern=r"^https://\S+$")] = None
    """Address of what to do, linked in every alert."""
    holding_statement: Annotated[str | None, Field(min_length=1, max_length=2_000)] = None
    """A first answer agreed beforehand, attached to the alert."""
    muted_by: tuple[str, ...] = ()
    """Monitors whose storm mutes this one: while they burn, their alert tells of it as well."""
    topics: dict[TopicName, TopicWords] = Field(default_factory=dict)
    """Topics that only its mentions have: a name, and words, `stem*` or phrases that name it."""


class AlertBlock(Options):
    """Which channels are told of which monitors."""

    monitors: NamesOrAll = None
    """The monitors, or `all` of them."""
    to: Annotated[tuple[str, ...], Field(min_length=1)]
    """The channels that are told."""
    escalation: list[Any] = Field(default_factory=list)
    """Who is called, and who next while nobody acknowledges; steps in the order of their time."""
    escalation_repeats: Duration | None = None
    """So long after the last step the first is called again; never by default."""
    acknowledgement_lapses: Duration = timedelta(hours=2)
    """After so long without a sign of whoever acknowledged, while it burns, they are asked whether they are on it."""
    acknowledgement_patience: Duration = timedelta(minutes=10)
    """So long they have to answer; then nobody is on it any more, and the escalation begins anew."""
    fallback: tuple[str, ...] = ()
    """Channels that are told in place of one that does not confirm an alert within 60 s, or refuses it."""


class SecondOpinionBlock(Options):
    """A language model that is asked about unsure mentions inside a spike: any API that speaks as OpenAI's does."""

    url: WebAddress
    """The whole address of its chat completions, as in https://api.example/v1/chat/completions."""
    model: Annotated[str, Field(min_length=1, max_length=200)]
    """The name of the model there."""
    token: SecretText | None = None
    """What it lets us in with, if it wants something: `${NAME}`, or `token_file`."""
    requests_per_day: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    """At most so many requests in a day (UTC)."""
    tokens_per_day: Annotated[int, Field(ge=1, le=10_000_000_000)] = 1_000_000
    """At most so many tokens in a day, set aside before each request."""
    money_per_day: Annotated[float, Field(ge=0, le=1_000_000)] = 1.0
    """At most so much money in a day, in the currency of the price."""
    price_per_million_tokens: Annotated[float, Field(ge=0, le=1_000_000)]
    """What a million tokens cost, the dearer of input and output; 0 for a server of your own."""
    timeout: Duration = timedelta(seconds=10)
    """How long a batch of mentions waits; what has not come by then keeps the local verdict."""
    allow_private: bool = False
    """Let it be at a private or loopback address, such as a server in the house."""


class HeartbeatBlock(Options):
    """Where a sign of life goes while everything works; a service outside alarms when it stays away."""

    url: SecretAddress
    """The address that is asked by GET; whoever knows it can keep the alarm silent."""
    every: Annotated[Duration, AfterValidator(_not_hectic)] = timedelta(seconds=60)
    """How often."""
    allow_private: bool = False
    """Let it reach a private or loopback address, such as a monitor inside the house."""


class DigestBlock(Options):
    """A look back on a day or a week, at fixed times."""

    cron: Annotated[str, AfterValidator(check_cron)]
    """When, as a line of cron on the clock of `timezone`: `0 8 * * 1-5` is eight in the morning, Monday to Friday."""
    covers: Covers = Covers.DAY
    """How much it looks back on: `day` or `week`."""
    to: Annotated[tuple[str, ...], Field(min_length=1)]
    """The channels that get it."""


class Document(Options):
    """The configuration of Brandmelder."""

    brand: Annotated[str, Field(min_length=1, max_length=40)]
    """The name every alert begins with."""
    short: Annotated[str | None, Field(pattern=r"^[A-Z]{2,4}$")] = None
    """Two to four capitals before the number of an incident (NF-2026-001); by default taken from the brand."""
    language: Literal["de", "en"] = "de"
    """The language of what staff read."""
    timezone: str = "Europe/Berlin"
    """The zone of the times staff read, as in the IANA list."""
    region: str = ""
    """Whose public holidays count as half a Sunday: a country (`DE`) or a part of it (`DE-BE`)."""
    web: Any = None
    """The page in the browser; it is served where this block stands."""
    calendar: list[Any] = Field(default_factory=list)
    """Known events, which raise the expectation and never mute."""
    marked: list[Any] = Field(default_factory=list)
    """Periods that were not normal: nothing is learnt from them."""
    database: Annotated[
        str, BeforeValidator(_database), WithJsonSchema({"type": "string", "pattern": "^sqlite://"})
    ] = "sqlite:///brandmelder.db"
    """Where the memory lies: `sqlite:///` and a file, relative to the working directory."""
    on_call: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    """Who is shown as responsible until somebody has acknowledged."""
    heartbeat: HeartbeatBlock | None = None
    """A sign of life to a service outside, which alarms when it stays away."""
    health: HealthBlock | None = None
    """A socket for probes and for Prometheus; none is opened unless this stands here."""
    retention: RetentionBlock = Field(default_factory=RetentionBlock)
    """How long what people wrote is kept."""
    classifier: str = "linear"
    """What judges the mentions; a plug-in may bring another."""
    transformer: Any = None
    """The model of your own that `classifier: transformer` judges with."""
    topics: dict[TopicName, TopicWords] = Field(default_factory=dict)
    """Topics beside those the judge knows, or more words for these: a name, and words, `stem*` or phrases."""
    incidents_are_negative: bool = False
    """Whether an outage, a delay, a leak or a danger counts as bad for the brand also when it is told soberly."""
    second_opinion: Any = None
    """A language model that is asked about unsure mentions inside a spike; off unless it stands here."""
    sources: dict[str, Any] = Field(min_length=1)
    """The places that are polled, each under a name of your choice."""
    monitors: dict[str, Any] = Field(min_length=1)
    """What is watched for, each under a name of your choice."""
    channels: dict[str, Any] = Field(min_length=1)
    """Where alerts go, each under a name of your choice."""
    alerts: list[Any] = Field(min_length=1)
    """Who is told of what."""
    digests: list[Any] = Field(default_factory=list)
    """Looks back on a day or a week, in chat."""
    people: dict[str, Any] = Field(default_factory=dict)
    """Who can be called, each under a name of your choice."""
    rota: dict[str, Any] = Field(default_factory=dict)
    """Plans of duty, each under a name of your choice."""
    quiet_hours: list[Any] = Field(default_factory=list)
    """Hours of the week in which only what is severe enough is told."""
    silences: Any = None
    """What silences may do that people make by command."""
    working_hours: Any = None
    """When people work anyway; how long they could rest is reckoned from it."""
    rest_reader: str | None = None
    """Who, beside the person, may read how long a person could rest: one of the people."""
    people_in_figures: bool = True
    """Whether reports about the past name staff; `false` writes "Bereitschaft" in their place (works council)."""


# --------------------------------------------------------------------- as it is meant


class MonitorSettings(Options):
    """One monitor, everything resolved. `budget` is the number of false alarms it may cost per day."""

    query: str
    aliases: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    sources: tuple[SourceId, ...]
    budget: float
    false_alarms: str
    title: str
    kinds: tuple[SpikeKind, ...] = (SpikeKind.NEGATIVE,)
    key_mentions: KeyMentionsBlock | None = None
    unanswered: UnansweredBlock | None = None
    runbook: str | None = None
    holding_statement: str | None = None
    muted_by: tuple[MonitorId, ...] = ()
    topics: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class AlertSettings(Options):
    """One line of routing; `monitors` None means all."""

    monitors: tuple[MonitorId, ...] | None
    to: tuple[ChannelId, ...]
    escalation: Escalation = Escalation()
    fallback: tuple[ChannelId, ...] = ()

    def tells_of(self, monitor: MonitorId) -> bool:
        """Say whether this line concerns `monitor`."""
        return self.monitors is None or monitor in self.monitors


class DigestSettings(Options):
    """One look back, everything resolved."""

    cron: str
    covers: Covers
    to: tuple[ChannelId, ...]


class Settings(Options):
    """The whole configuration, checked: every name in it leads somewhere."""

    brand: str
    short: str
    language: Literal["de", "en"]
    zone: ZoneInfo
    region: str = ""
    calendar: tuple[EventSettings, ...] = ()
    marked: tuple[MarkedSettings, ...] = ()
    database: str
    on_call: str | None
    classifier: str
    transformer: TransformerSettings | None = None
    heartbeat: HeartbeatBlock | None = None
    health: HealthBlock | None = None
    retention: RetentionBlock = Field(default_factory=RetentionBlock)
    topics: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    incidents_are_negative: bool = False
    second_opinion: SecondOpinionBlock | None = None
    sources: dict[SourceId, SourceOptions]
    monitors: dict[MonitorId, MonitorSettings]
    channels: dict[ChannelId, ChannelOptions]
    alerts: tuple[AlertSettings, ...]
    digests: tuple[DigestSettings, ...] = ()
    duty: DutySettings = Field(default_factory=DutySettings)
    web: WebSettings | None = None
    path: Path
    digest: str = ""
    """SHA-256 of the file these were read from; empty where there was none."""
    lines: dict[tuple[str | int, ...], int] = Field(default_factory=dict, repr=False)
    warnings: tuple[Problem, ...] = ()
    outside: Outside = ()
    """What came from the environment or from files, wherever it stands, and what is shown in its place."""

    def channels_of(self, monitor: MonitorId) -> tuple[ChannelId, ...]:
        """Return the channels that are told of `monitor`, each once, in the order of the file."""
        told = (channel for alert in self.alerts if alert.tells_of(monitor) for channel in alert.to)
        return tuple(dict.fromkeys(told))

    def duty_channels(self) -> frozenset[ChannelId]:
        """Return the channels that only those hear who are called there."""
        own = {channel for person in self.duty.people.values() for channel in person.channels}
        steps = (step for alert in self.alerts for step in alert.escalation.steps)
        return frozenset(own | {target.channel for step in steps for target in step.to if target.channel is not None})

    def where(self, *path: str | int) -> str:
        """Return `FILE:LINE` of a key, or of the nearest block around it, for messages that say what to change."""
        for here in _ancestors(path):
            if here in self.lines:
                return f"{self.path}:{self.lines[here]}"
        return str(self.path)


def _ancestors(path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    for length in range(len(path), 0, -1):
        yield path[:length]
