"""Bluesky's stream on both of its wires, with the rest of the network talking; it forgets sooner than the real one.

Everything follows from the story: what was written, changed and deleted, when, and somebody else's word every twenty
seconds. A number is the time it was given at, in microseconds since a day and more before the storm.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from brandmelder.demo.storm.faces.bluesky import BlueskyFace
from brandmelder.demo.storm.posts import START
from brandmelder.demo.storm.wire import Said, said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Wall

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WIRES: Final = {"/subscribe": 1, "/xrpc/network.bsky.jetstream.subscribeEvents": 2}
_POSTS: Final = "app.bsky.feed.post"
KEEPS: Final = timedelta(minutes=90)
"""The real one keeps a day and a half, longer than any storm here."""
TALKS: Final = 20
"""Every so many seconds somebody says something that is nobody's business."""
_TIME_FROM: Final = 10**15
"""A number so large is a time."""


class Happened(Struct, frozen=True):
    """One line of the network's log; `at` in microseconds since 1970."""

    at: int
    did: str
    commit: dict[str, Any] = {}

    @property
    def seq(self) -> int:
        """Its number on the second wire."""
        return self.at - _micros(START - timedelta(days=30))


class JetstreamFace(BlueskyFace):
    """The stream, and beside it the account's own server."""

    def __init__(self, wires: frozenset[int] = frozenset({1, 2})) -> None:
        self._wires = wires

    def stream(self, asked: Question, wall: Wall) -> Said | Sequence[bytes]:
        """Return all that a connection asked for so has been told up to now, or the answer in place of one."""
        wire = _WIRES.get(asked.path)
        if wire not in self._wires:
            return Said(status=404)
        cursor, floor, notes = int(asked.query.get("cursor", "0")), _micros(wall.now - KEEPS), []
        if wire == 2 and cursor < _TIME_FROM:
            cursor += _micros(START - timedelta(days=30))
            if cursor < floor:
                return said({"error": "CursorTooOld", "message": "cursor below retention floor"}, 400)
        elif wire == 2 and cursor < floor:
            notes = [_note("OutdatedCursor", "requested timestamp cursor below retention floor")]
        told = [_first(one) if wire == 1 else _second(one) for one in self._log(wall, max(cursor, floor))]
        return [*notes, *told]

    def _log(self, wall: Wall, since: int) -> list[Happened]:
        until = _micros(wall.now)
        found = [one for post in wall.posts for one in self._life(post) if since <= one.at <= until]
        first = since // 1_000_000 // TALKS * TALKS
        for second in range(first, until // 1_000_000 + 1, TALKS):
            at = second * 1_000_000 + 999_999
            if since <= at <= until:
                found.append(Happened(at, "did:plc:anybody"))
        return sorted(found, key=lambda one: one.at)

    def _life(self, post: Post) -> Iterator[Happened]:
        """Return what becomes of a post, each at a time of its own."""
        did = f"did:plc:{post.author}"
        uri = {"collection": _POSTS, "rkey": str(post.number), "rev": "3k"}
        yield Happened(_stamp(post.at, post), did, uri | self._written("create", post.text, post))
        for at, text in post.edits:
            if post.gone_at is None or at < post.gone_at:
                yield Happened(_stamp(at, post), did, uri | self._written("update", text, post))
        if post.gone_at is not None:
            yield Happened(_stamp(post.gone_at, post), did, uri | {"operation": "delete"})

    def _written(self, operation: str, text: str, post: Post) -> dict[str, Any]:
        record = {"$type": _POSTS, "text": text, "createdAt": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z", "langs": ["de"]}
        return {"operation": operation, "record": record, "cid": "bafy"}


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _stamp(at: datetime, post: Post) -> int:
    return _micros(at) + post.number % 900_000


def _first(one: Happened) -> bytes:
    told: dict[str, Any] = {"did": one.did, "time_us": one.at, "kind": "commit" if one.commit else "identity"}
    return json.dumps(told | ({"commit": one.commit} if one.commit else {})).encode()


def _second(one: Happened) -> bytes:
    kind = "commit" if one.commit else "identity"
    at = _EPOCH + timedelta(microseconds=one.at)
    named = f"network.bsky.jetstream.subscribeEvents#{kind}"
    payload = {"$type": named, "seq": one.seq, "did": one.did, "time": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"}
    return json.dumps({"$type": "message", "payload": payload | one.commit}).encode()


def _note(name: str, text: str) -> bytes:
    payload = {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": name, "message": text}
    return json.dumps({"$type": "message", "payload": payload}).encode()
