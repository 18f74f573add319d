"""What a source is: a place we poll; and what the house lends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from brandmelder.errors import PluginError, to_have
from brandmelder.model import Cursor, Extent, Gap, Mention, Reading, Removal, SourceId

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from brandmelder.capture.imap import Account, Session
    from brandmelder.options import SourceOptions


T = TypeVar("T")


class Poll(Struct, frozen=True, kw_only=True):
    """One answer of a source: what is new, gone and missing, and where to go on. At most 1,000 mentions."""

    mentions: tuple[Mention, ...] = ()
    readings: tuple[Reading, ...] = ()
    removals: tuple[Removal, ...] = ()
    cursor: Cursor | None = None
    """Where the next poll goes on; None keeps the old one."""
    read_until: datetime | None = None
    """Everything published before this moment has been read, but for honest latecomers; None says nothing."""
    gaps: tuple[Gap, ...] = ()
    """What is known to be missed, each stretch by itself."""
    extent: Extent | None = None
    more: bool = False
    """Commit, then poll again at once: a page of a walk."""
    not_before: datetime | None = None
    """What the server asked for."""
    cost: float = 0.0
    """What the answer cost, in US dollars."""
    expires_at: datetime | None = None
    """When what lets us in ends, where the service says so; None says nothing."""
    degraded: str = ""
    """Why the answer is known to be incomplete, in a few words; empty when it is complete."""


class Recheck(Struct, frozen=True, kw_only=True):
    """How known mentions stand now: those that are still there, as they read now, and those that are not."""

    mentions: tuple[Mention, ...] = ()
    removals: tuple[Removal, ...] = ()
    cost: float = 0.0
    """What the answer cost, in US dollars."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a server said, inflated, within all limits. `status` is 200, 304 or one that was asked for; others raise."""

    url: str
    """The address that answered, after redirects."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type with its parameters, in lower case; empty if the server named none."""
        return self.headers.get("content-type", "").lower()


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a feed, as plain text; an empty string where the feed says nothing."""

    id: str = ""
    link: str = ""
    """As it stands in the feed: perhaps relative, perhaps no web address at all."""
    title: str = ""
    text: str = ""
    author: str = ""
    parent: str = ""
    """The id of the entry it answers (RFC 4685)."""
    published: datetime | None = None


class ParsedFeed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the parser child makes of a document."""

    version: str = ""
    """`rss20`, `atom10`, …; empty if the document is no feed."""
    entries: tuple[Entry, ...] = ()
    """At most 1,000: of a larger feed the newest."""
    total: int = 0
    """How many the document holds."""
    is_cut: bool = False
    """The document ends too early; its last, halved entry is left out."""
    time_to_live: timedelta | None = None
    refusal: str = ""
    """What it is instead of a feed, in a few words."""


class Fetch(Protocol):
    """The one polite, safe client (capture/http.py), bound to one source's rules."""

    async def __call__(
        self,
        url: str,
        *,
        now: datetime,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        takes: frozenset[int] = frozenset(),
    ) -> Answer:
        """GET `url`, or POST `body` to it, within deadline, size and address rules; a POST follows no redirect.

        Raises a SourceError that says what to do. `takes` are further statuses whose answer the source reads itself:
        some services say only there what is wrong.
        """
        ...


class Hears(Protocol):
    """A connection on which somebody speaks by themselves (capture/websocket.py)."""

    refused: Answer | None
    """What was answered in place of a stream, where that status was asked for."""

    async def hear(self, patience: timedelta) -> Sequence[bytes]:
        """Return what was said, at once if there is something; nothing after `patience`. Raises a SourceError."""
        ...


class Connect(Protocol):
    """The one careful WebSocket client, bound to one source's rules."""

    def __call__(
        self, url: str, *, now: datetime, protocol: str = "", takes: frozenset[int] = frozenset()
    ) -> AbstractAsyncContextManager[Hears]:
        """Open a stream at `url` (https or http), offering a subprotocol; closed on leaving.

        Raises a SourceError that says what to do. `takes` are statuses whose refusal the source reads itself.
        """
        ...


class Mailboxes(Protocol):
    """The one careful IMAP client."""

    async def visit(
        self, source: SourceId, account: Account, work: Callable[[Session], T], *, deadline: timedelta = ...
    ) -> T:
        """Log in, do `work` in a thread, log out. Raises a SourceError that says what to do."""
        ...


class Tools(Struct, frozen=True, kw_only=True):
    """What the house lends a source."""

    fetch: Fetch
    parse_feed: Callable[[bytes, str], Awaitable[ParsedFeed]]
    """Parse a feed's bytes (with its content type) in the limited child process (capture/child.py)."""
    mailboxes: Mailboxes | None = None
    """Visits to mailboxes (capture/imap.py)."""
    connect: Connect | None = None
    """Streams (capture/websocket.py)."""
    left: Callable[[], float | None] = lambda: None
    """What the source's budget has left, in US dollars; None without one."""


def connect_of(tools: Tools, source: SourceId) -> Connect:
    """Return how streams are opened. Raises PluginError where the extra for them is not installed."""
    if tools.connect is None or find_spec("websockets") is None:
        raise PluginError(f'source "{source}": streams need more; {to_have("stream")}')
    return tools.connect


class Source(Protocol):
    """A place we poll. Built as `Class(source_id, options, tools)`; `options` is an instance of `Class.Options`.

    A source does no scheduling, storing, retrying and opens no sockets of its own. Errors are values of the tree under
    `SourceError`; anything else is a bug and is counted as one.
    """

    Options: ClassVar[type[SourceOptions]]
    id: SourceId

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read what is new since `cursor`; without a cursor, a bounded history marked as such."""
        ...


class Sent(Struct, frozen=True, kw_only=True):
    """What somebody sent us; names of headers in lower case, the body as it came."""

    headers: Mapping[str, str]
    body: bytes


class Arrival(Struct, frozen=True, kw_only=True):
    """What came of something sent; the same `ident` again is a repetition and counts nothing."""

    ident: str
    poll: Poll


@runtime_checkable
class Receives(Protocol):
    """A source that is sent what others must be asked for; its `poll` says until when nothing was missed."""

    id: SourceId
    place: str
    """The address and port that is listened on."""

    def receive(self, sent: Sent, now: datetime) -> Arrival:
        """Read what was sent. Raises AuthRefused for a sender nobody knows, ShapeChanged for what cannot be read."""
        ...


@runtime_checkable
class Nudges(Protocol):
    """A source that hears when there is something to poll."""

    id: SourceId

    async def listen(self, nudge: Callable[[], None]) -> None:
        """Hear until cancelled; call `nudge` whenever a poll would find something. Raises nothing."""
        ...


@runtime_checkable
class Rechecks(Protocol):
    """A source that can be asked again how known mentions stand: edits and deletions are followed for seven days."""

    recheck_size: int
    """How many ids one question may hold."""

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for known mentions; who is in neither list of the answer could not be told. Raises a SourceError."""
        ...
