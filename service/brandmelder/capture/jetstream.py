"""What Jetstream says, Bluesky's stream of all posts: both of its wires become the same events. Pure.

The first wire counts in microseconds and clamps a cursor that is too old silently; the second numbers its events, for
one server alone, refuses a number below its floor, and reads a number from 10^15 on as microseconds. Both begin again
with the event that is named (inclusive) and say things at least once.
Docs: https://github.com/bluesky-social/jetstream, https://bsky.network/docs/jetstream
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from brandmelder.capture.json_api import mended
from brandmelder.errors import ShapeChanged, Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

POSTS: Final = "app.bsky.feed.post"
PROTOCOL: Final = "xrpc.v1.json"
"""What the second wire is called when a connection is made."""
LARGEST: Final = 1 << 20
"""Larger events than this many bytes are not sent; no record may be so large."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PATHS: Final = {1: "/subscribe", 2: "/xrpc/network.bsky.jetstream.subscribeEvents"}


class Deed(enum.StrEnum):
    """What happened."""

    WRITTEN = "written"
    CHANGED = "changed"
    DELETED = "deleted"
    LEFT = "left"
    """The whole account is gone: deleted, taken down, deactivated."""
    RENAMED = "renamed"
    OTHER = "other"
    """Nothing that concerns us, but time went on."""


class Parent(Struct, frozen=True):
    """What is answered."""

    uri: str = ""


class Reply(Struct, frozen=True):
    """How an answer names what it answers."""

    parent: Parent = Parent()


class Record(Struct, frozen=True):
    """A post as its author's program wrote it; nothing in it need be true."""

    text: str = ""
    createdAt: str = ""  # noqa: N815 - the service's names, here and below
    langs: list[str] = []
    reply: Reply = Reply()


class Event(Struct, frozen=True):
    """Something that happened in the network."""

    deed: Deed
    number: int
    """Where it stands on its wire: microseconds on the first, a sequence number on the second."""
    at: int
    """When the network saw it, in microseconds since 1970."""
    did: str = ""
    rkey: str = ""
    record: Record = Record()

    @property
    def uri(self) -> str:
        """The post's address in the network."""
        return f"at://{self.did}/{POSTS}/{self.rkey}"


def address(server: str, wire: int, cursor: int) -> str:
    """Return what is asked for: all about posts from `cursor` on, inclusive."""
    wanted = {"wantedCollections" if wire == 1 else "collections": POSTS, "maxMessageSizeBytes": LARGEST}
    return f"{server.rstrip('/')}{_PATHS[wire]}?{urlencode(wanted | {'cursor': cursor})}"


def micros(moment: datetime) -> int:
    """Return a moment in microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Return the whole second in which microseconds since 1970 lie."""
    return _EPOCH + timedelta(seconds=at // 1_000_000)


# --------------------------------------------------------------------- wires


class _Account(Struct, frozen=True):
    active: bool = True


class _Text(Struct, frozen=True):
    text: str


class _Commit(Struct, frozen=True):
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: msgspec.Raw = msgspec.Raw(b"")


class _First(Struct, frozen=True):
    did: str
    time_us: int
    kind: str
    commit: _Commit = _Commit()
    account: _Account = _Account()


class _Payload(Struct, frozen=True):
    type_: str = msgspec.field(name="$type")
    seq: int = 0
    time: datetime | None = None
    did: str = ""
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: msgspec.Raw = msgspec.Raw(b"")
    account: _Account = _Account()


class _Second(Struct, frozen=True):
    type_: str = msgspec.field(name="$type")
    payload: _Payload | None = None
    error: str = ""


_first = msgspec.json.Decoder(_First).decode
_second = msgspec.json.Decoder(_Second).decode
_record = msgspec.json.Decoder(Record).decode
_text = msgspec.json.Decoder(_Text).decode
_DEEDS: Final = {"create": Deed.WRITTEN, "update": Deed.CHANGED, "delete": Deed.DELETED}


def read(messages: Iterable[bytes], wire: int) -> list[Event]:
    """Return the events of some messages. Raises ShapeChanged for what is none, Transient when we were too slow."""
    one = _of_the_first if wire == 1 else _of_the_second
    try:
        return [event for message in messages if (event := _read(one, message)) is not None]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ShapeChanged(f"the stream says what is no event ({error}); is its address right?") from error


def _read(one: Callable[[bytes], Event | None], message: bytes) -> Event | None:
    """Return one event; None for what somebody has nested without end: nobody's post may end the stream for all."""
    try:
        return one(message)
    except RecursionError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):  # half a character, in a record or a name
        return one(mended(message))


def _of_the_first(message: bytes) -> Event:
    said = _first(message)
    return _event(said.kind, (said.time_us, said.time_us, said.did), said.commit, said.account)


def _of_the_second(message: bytes) -> Event | None:
    said = _second(message)
    if said.type_ == "error":
        if said.error == "ConsumerTooSlow":
            raise Transient("the stream left us behind; it is read on from where we stand")
        raise Transient(f"the stream ended ({said.error[:40]!r}); it is opened again")
    told = said.payload
    if told is None or told.time is None:  # a note, such as where a cursor was clamped to: the next event shows it
        return None
    commit = _Commit(operation=told.operation, collection=told.collection, rkey=told.rkey, record=told.record)
    at = micros(told.time if told.time.tzinfo is not None else told.time.replace(tzinfo=UTC))
    return _event(told.type_.rpartition("#")[2], (told.seq, at, told.did), commit, told.account)


def _event(kind: str, stamp: tuple[int, int, str], commit: _Commit, account: _Account) -> Event:
    number, at, did = stamp
    if kind == "account" and not account.active:
        return Event(Deed.LEFT, number, at, did)
    if kind == "identity":
        return Event(Deed.RENAMED, number, at, did)
    deed = _DEEDS.get(commit.operation)
    if kind != "commit" or deed is None or commit.collection != POSTS:
        return Event(Deed.OTHER, number, at, did)
    if deed is Deed.DELETED:
        return Event(deed, number, at, did, commit.rkey)
    record = _readable(commit.record)
    return Event(Deed.OTHER if record is None else deed, number, at, did, commit.rkey, record or Record())


def _readable(raw: msgspec.Raw) -> Record | None:
    """Return what can be read of a record: anybody may write one without sense, and a text beside it still counts."""
    try:
        return _record(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return Record(text=_text(raw).text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
