"""What a block of the configuration may hold: durations, secrets, names. Plug-ins build their own blocks on these."""

from __future__ import annotations

import enum
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

if TYPE_CHECKING:
    from collections.abc import Sequence

_DURATION = re.compile(r"(?P<count>\d{1,6})\s*(?P<unit>s|m|min|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def parse_duration(value: Any) -> timedelta:
    """Read `90s`, `2m`, `4h`, `7d`, `2w`. Raises ValueError that says what would be right."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        msg = f"{value!r} is no duration; write a number and a unit, as in 90s, 2m, 4h, 7d or 2w"
        raise ValueError(msg)
    return timedelta(seconds=int(match["count"]) * _SECONDS[match["unit"]])


def format_duration(span: timedelta) -> str:
    """Write a duration as the configuration does, in the largest unit that divides it: `2m`, `8w`."""
    seconds = int(span.total_seconds())
    if not seconds:
        return "0m"
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{1,6}\s*(s|m|min|h|d|w)$", "examples": ["90s", "2m", "4h", "7d"]}
    ),
]


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise ValueError(f'"{value}" is no day; write it as in 2027-02-28') from error


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "examples": ["2027-02-28"]})]


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value.strip())
        named = parts.scheme.lower() in {"http", "https"} and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        named = False
    if not named:
        raise ValueError("this is no web address; write one that begins with https:// or http://")
    if "@" in parts.netloc:
        raise ValueError("a web address holds no name or password; write them as keys of their own")
    return value.strip()


WebAddress = Annotated[
    str, AfterValidator(_web_address), WithJsonSchema({"type": "string", "pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://.+$"})
]
"""An http or https address without credentials."""


def check_place(value: Any) -> str:
    """Return `value` if it is an address and a port to listen on. Raises ValueError that says what would be right."""
    text = str(value)
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ValueError(f"{value!r} is no place to listen; write an address and a port, as in 127.0.0.1:8071")
    return text


class Secret:
    """A token that never shows itself: not in a repr, not in a log, not in an error."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; call it at the wire and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value))


def _secret_address(value: Secret) -> Secret:
    return Secret(_web_address(value.reveal()))


_AS_VARIABLE = WithJsonSchema({"type": "string", "pattern": r"^\$\{[A-Z0-9_]+\}$"})
SecretText = Annotated[Secret, BeforeValidator(_secret), _AS_VARIABLE]
SecretAddress = Annotated[Secret, AfterValidator(_secret_address), BeforeValidator(_secret), _AS_VARIABLE]
"""A web address whoever knows it may write to, as chats give out for incoming webhooks."""


class Options(BaseModel):
    """A frozen block of the configuration that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


def _with_a_pause(every: timedelta) -> timedelta:
    if every < timedelta(seconds=1):
        raise ValueError("a poll needs a pause; write 1s or more")
    return every


def _a_day(span: timedelta) -> timedelta:
    if span < timedelta(days=1):
        raise ValueError("posts are counted by days; write 1d or more")
    return span


class SourceOptions(Options):
    """What every source's block may hold; a plug-in's `Options` extends it."""

    type: str
    """Which plug-in reads it."""
    every: Annotated[Duration, AfterValidator(_with_a_pause)] = timedelta(minutes=5)
    """How often it is polled, as in `2m`."""
    storm_every: Annotated[Duration, AfterValidator(_with_a_pause)] | None = None
    """How often it is polled while an incident of its monitors is open; half of `every`, but no less than 60s."""
    idle_every: Annotated[Duration, AfterValidator(_with_a_pause)] | None = None
    """How slowly it may be polled after polls that brought nothing; without it, never slower than `every`."""
    requests_per_day: Annotated[int, Field(ge=1)] | None = None
    """How many requests a day (of UTC) it may take; half of them are kept for a storm."""
    requests_per_month: Annotated[int, Field(ge=1)] | None = None
    """How many requests a month it may take."""
    money_per_day: Annotated[float, Field(gt=0)] | None = None
    """How many US dollars a day it may cost, where its platform charges."""
    money_per_month: Annotated[float, Field(gt=0)] | None = None
    """How many US dollars a month it may cost."""
    class_: Annotated[str, Field(alias="class", pattern=r"^(own|social|forum|news|mail|review)$")] = "social"
    """What kind of place it is: the Shitstorm-Skala counts media (`news`) apart from the community."""
    own_accounts: tuple[str, ...] = ()
    """Author names that are ours: what they write is a response, never a spike."""
    allow_private: bool = False
    """Let this source reach a private or loopback address, such as a blog in the intranet."""
    history: Duration = timedelta(days=56)
    """How far back the first poll reads to learn what is usual; it never alerts."""
    language: str | None = None
    """The language of its texts, if it has only one."""
    abandoned_after: Annotated[Duration, AfterValidator(_a_day)] = timedelta(days=90)
    """An account of ours there that has posted nothing for so long is called abandoned; `1d` or more."""
    tell_silence: bool = True
    """Whether it is told that it brings nothing, or far less, against its own rhythm."""
    token_expires: Day | None = None
    """The day on which what lets us in ends, where neither the service nor the token says it; told days before."""
    may_leave_host: bool = False
    """Whether its texts may be sent to the endpoint of `second_opinion`."""

    def asking(self, trees: Sequence[Any]) -> Self:
        """Return these options with what the monitors' queries (their trees) ask for, where nothing is written.

        Raises ValueError that says why it cannot be asked for. Sources without a search of their own change nothing.
        """
        del trees
        return self

    def owns(self, author: str) -> bool:
        """Whether `author` is one of our own accounts; case and a leading `@` make no difference."""
        names = {name.lstrip("@").casefold() for name in self.own_accounts}
        return author.lstrip("@").casefold() in names


def no_clear_text(address: str, *, allow_private: bool) -> None:
    """Raise ValueError for an http address, but inside the house: what is sent there would travel in clear."""
    parts = urlsplit(address)
    if parts.scheme.lower() != "https" and not (allow_private or parts.hostname in _LOOPBACK):
        raise ValueError("would be sent in clear; write https://, or allow_private: true for a place inside the house")


class Role(enum.StrEnum):
    """What a person may do through a channel or on the page."""

    VIEWER = "viewer"
    """See details and states."""
    RESPONDER = "responder"
    """Everything that is done to an incident."""
    ADMIN = "admin"
    """The same; on the page also who may sign in, and the configuration as it was read."""
    PRIVACY_OFFICER = "privacy_officer"
    """See what a viewer sees, and on the page who did what."""

    @property
    def may_act(self) -> bool:
        """Whether incidents are theirs to acknowledge, to hand over, to end."""
        return self in {Role.RESPONDER, Role.ADMIN}


class ChannelOptions(Options):
    """What every channel's block may hold; a plug-in's `Options` extends it."""

    type: str
    """Which plug-in talks to it."""
    fallback: tuple[str, ...] = ()
    """Channels that are told in its place when an alert is not confirmed within 60 s or is refused."""


class WebChannelOptions(ChannelOptions):
    """What every channel's block may hold whose place is a web address."""

    allow_private: bool = False
    """Let it reach a private or loopback address, such as a chat server inside the house."""
