"""What a channel is: a place that takes messages; and what can become of one attempt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message
    from brandmelder.options import ChannelOptions


class Sent(Struct, frozen=True, tag=True):
    """It stands there; `ref` finds it again (in Slack `channel:ts`). `note` says what a person should know of it."""

    ref: str
    note: str | None = None


class NotDelivered(Struct, frozen=True, tag=True):
    """It certainly did not arrive: try again, not before `retry_after`."""

    reason: str
    retry_after: timedelta | None = None


class RefusedForm(Struct, frozen=True, tag=True):
    """The channel does not take it in this form: the next lesser form follows."""

    reason: str


class RefusedPlace(Struct, frozen=True, tag=True):
    """The channel does not take it at all: token revoked, channel gone."""

    reason: str


class Unclear(Struct, frozen=True, tag=True):
    """It may or may not have arrived: quiesce, look, then decide."""

    reason: str


class Uneditable(Struct, frozen=True, tag=True):
    """The message cannot be edited: it is gone, or only a reply can follow it."""

    reason: str
    is_gone: bool = False


Outcome = Sent | NotDelivered | RefusedForm | RefusedPlace | Unclear | Uneditable


class Found(Struct, frozen=True, tag=True):
    """The refs under which a key stands in the channel, oldest first; empty if it does not."""

    refs: tuple[str, ...]


class Unreadable(Struct, frozen=True, tag=True):
    """The channel's history cannot be read now, or never (`reason`)."""

    reason: str


class Reply(Protocol):
    """What a server answered: any status, its headers by lower-case name, at most 1 MiB of body."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        ...

    @property
    def body(self) -> bytes:
        """As it came, inflated."""
        ...


class Exchange(Protocol):
    """The one safe client (capture/http.py), bound to one channel's rules. It follows no redirect and never repeats."""

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Awaitable[Reply]:
        """Send one request within 20 s. Raises Unsent when certainly nothing arrived, else Unanswered."""
        ...


class Tools(Struct, frozen=True, kw_only=True):
    """What the house lends a channel."""

    exchange: Exchange
    now: Callable[[], datetime]
    """For what a message says of its own sending: a Date, a signed moment."""


class Notifier(Protocol):
    """A channel's code. Built as `Class(channel_id, options, tools)`; `options` is an instance of `Class.Options`.

    No method raises on what a server answers, none retries, each returns within 20 s.
    """

    Options: ClassVar[type[ChannelOptions]]
    id: ChannelId
    can_update: bool
    """Whether a message can be edited; else updates are left out and news comes as a new message."""
    can_find: bool
    """Whether a message can be found by its key; else an unclear open is sent again, marked as a possible repeat."""
    is_idempotent: bool
    """Whether the same key sent twice is shown once; then nothing is looked for, what is unclear is sent again."""
    spacing: timedelta
    """The least time between two messages that this place takes; zero if it takes any number."""

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Post a new message, into the thread under `thread` if given."""
        ...

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Replace the message under `ref`; idempotent."""
        ...

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found | Unreadable:
        """Look for our own message with this key, posted at or after `since`."""
        ...

    async def delete(self, ref: str) -> Outcome:
        """Take a twin away again."""
        ...

    async def check(self) -> Sequence[str]:
        """Return what is wrong with the channel (credentials, rights), in sentences; empty if nothing."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Ability(Struct, frozen=True, kw_only=True):
    """One thing that a place may allow or not, and what follows if it does not."""

    what: str
    is_there: bool
    otherwise: str


@runtime_checkable
class Able(Protocol):
    """A notifier that can say what its place allows."""

    async def abilities(self) -> Sequence[Ability]:
        """Return them; what only sending shows is as the last messages showed it. Does not raise."""
        ...
