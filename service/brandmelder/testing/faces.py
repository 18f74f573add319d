"""What a service looks like from outside, as a test plays it: posts that come and go, and answers over HTTP."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable


class Post(Struct, kw_only=True):
    """Something that people wrote; `at` is when, whole seconds, UTC."""

    number: int
    at: datetime
    text: str
    author: str = "mia"
    is_hidden: bool = False
    """Not to be seen: not yet released, or taken away."""


class Asked(Struct, frozen=True, kw_only=True):
    """A request as a face reads it; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    pairs: Sequence[tuple[str, str]] = ()
    """All parameters, also those that stand twice."""

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Asked:
        """Read a request line's target; of a parameter that stands twice the last counts."""
        parts = urlsplit(target)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        return cls(method=method, path=parts.path, query=dict(pairs), headers=headers, body=body, pairs=pairs)


class Said(Struct, frozen=True, kw_only=True):
    """An answer."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @classmethod
    def json(cls, value: Any, *, status: int = 200, **headers: str) -> Said:
        """Answer in JSON."""
        named = {"content-type": "application/json; charset=utf-8"}
        named |= {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status=status, headers=named, body=json.dumps(value).encode())


class Face(ABC):
    """A service with its posts. A test subclasses it: `answer` speaks the service's protocol over `self.posts`.

    `ident` returns the external id that a source gives a post. Posts are numbered in the order they were written.
    """

    def __init__(self) -> None:
        self.posts: dict[int, Post] = {}
        self.url = ""
        """Where the face is served; known once it is."""
        self.now: Callable[[], datetime] | None = None

    def write(self, at: datetime, text: str = "Nordfunk?", *, author: str = "mia", is_hidden: bool = False) -> Post:
        """Let somebody write a post."""
        number = max(self.posts, default=0) + 1
        post = self.posts[number] = Post(
            number=number, at=at.replace(microsecond=0), text=text, author=author, is_hidden=is_hidden
        )
        return post

    def edit(self, post: Post, text: str) -> None:
        """Let its author change it."""
        self.posts[post.number].text = text

    def delete(self, post: Post) -> None:
        """Let it be taken away."""
        del self.posts[post.number]

    def newest_first(self) -> list[Post]:
        """Return what can be seen, newest first."""
        seen = [post for post in self.posts.values() if not post.is_hidden]
        return sorted(seen, key=lambda post: (post.at, post.number), reverse=True)

    async def show(self) -> None:  # noqa: B027 - most have nothing to do
        """Bring about what is not asked for over HTTP; called before every poll.

        A face without HTTP writes its file here, or sends what it has to send.
        """

    def ident(self, post: Post) -> str:
        """Return the external id of a post."""
        return str(post.number)

    def stream(self, asked: Asked) -> Said | Sequence[bytes]:
        """Return all that a stream asked for so has said up to now, or the answer in place of one.

        It is asked again whenever something is written or time passes; what was said stays, more may follow.
        """
        del asked
        return Said(status=404)

    @abstractmethod
    def answer(self, asked: Asked) -> Said:
        """Answer a request as the service would."""
