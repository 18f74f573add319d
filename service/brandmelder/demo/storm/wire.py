"""What goes over the wire of the storm's platforms: a question, an answer, what stands on a platform, and its bill."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from brandmelder.demo.storm.posts import Post


class Question(Struct, frozen=True, kw_only=True):
    """A request as a platform reads it; header names in lower case, of a parameter that stands twice all values."""

    method: str
    path: str
    query: Mapping[str, str]
    every: Mapping[str, Sequence[str]] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Question:
        """Read a request's target."""
        parts = urlsplit(target)
        every: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            every.setdefault(name, []).append(value)
        query = {name: values[-1] for name, values in every.items()}
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(method=method, path=parts.path, query=query, every=every, headers=lower, body=body)


class Said(Struct, frozen=True, kw_only=True):
    """An answer; header names in lower case."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""


def said(value: Any, status: int = 200) -> Said:
    """Answer in JSON."""
    return Said(
        status=status, headers={"content-type": "application/json; charset=utf-8"}, body=json.dumps(value).encode()
    )


class Bill:
    """What a platform charges: units by name, and dollars. It charges every read, also of what it charged before."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()
        self.dollars = 0.0

    def charge(self, unit: str, count: int, price: float) -> None:
        """Write down `count` units at a price in US dollars each."""
        self.units[unit] += count
        self.dollars += count * price


class Wall(Struct, frozen=True, kw_only=True):
    """A platform as it stands at one moment."""

    now: datetime
    posts: Sequence[Post]
    """All of the story: also what is not shown yet, or not any more."""
    url: str
    bill: Bill

    def shown(self) -> list[Post]:
        """Return what readers see, oldest first."""
        return [post for post in self.posts if post.is_shown(self.now)]

    def newest_first(self) -> list[Post]:
        """Return what readers see, newest first."""
        return sorted(self.shown(), key=lambda post: (post.at, post.number), reverse=True)


class Face(Protocol):
    """How a platform speaks. Without a state of its own: all it says follows from the wall."""

    def ident(self, post: Post) -> str:
        """Return the external id that a source gives a post."""
        ...

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer a request as the platform would."""
        ...


@runtime_checkable
class Refusing(Protocol):
    """A face with words of its own for "you have asked too often": others say 429."""

    def refusal(self, wall: Wall) -> Said:
        """Refuse a request as the platform does when its limit is reached."""
        ...
