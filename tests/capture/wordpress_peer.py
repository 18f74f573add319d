"""A blog that answers as WordPress 6.1 does, seen from outside: REST comments, and the comment feed.

Written from WordPress's own source: `after` is exclusive, whole seconds, and compares *local* times; a time without
zone is local; pages are cut before unreadable comments are left out; totals count what is left out.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from msgspec import Struct

from capture.hostile_server import HostileServer, Request, Wire, reply

if TYPE_CHECKING:
    from collections.abc import Callable


class Written(Struct):
    """A comment in the database."""

    id: int
    at: datetime
    text: str
    author: str = "Mia"
    user: int = 0
    parent: int = 0
    post: int = 1
    approved: bool = True


class Blog:
    """Its comments, and how it is set up."""

    def __init__(self, server: HostileServer | None, *, zone: str = "Europe/Berlin", pretty: bool = True) -> None:
        self.server, self.zone, self.pretty = server, ZoneInfo(zone), pretty
        self.comments: dict[int, Written] = {}
        self.titles = {1: "Unser neuer Spot &#8211; mit Musik"}
        self.protected: set[int] = set()
        self.closed = False
        self.password = ""
        self.asked: list[dict[str, str]] = []
        self.headers: dict[str, str] = {}
        self.before_answer: Callable[[int], bytes | None] = lambda _count: None
        """Called with the number of the request; an answer of its own replaces the blog's."""
        if server is not None:
            server.on("*", self._script)

    def write(self, at: datetime, text: str = "Nordfunk?", **more: object) -> Written:
        one = Written(id=max(self.comments, default=0) + 1, at=at, text=text, **more)
        self.comments[one.id] = one
        return one

    @property
    def truth(self) -> set[str]:
        return {str(one.id) for one in self._visible()}

    def _visible(self) -> list[Written]:
        return [one for one in self.comments.values() if one.approved]

    # ------------------------------------------------------------- answering

    async def _script(self, wire: Wire, request: Request) -> None:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(request.target).query).items()}
        route = query.pop("rest_route", "")
        if self.pretty and request.path.startswith("/wp-json"):
            route = request.path.removeprefix("/wp-json")
        if route == "/wp/v2/comments":
            self.asked.append(query)
            own = self.before_answer(len(self.asked))
            await wire.send(own or self._comments(query, request))
        else:
            await wire.send(self._other(query, request))

    def answer(self, request: Request) -> bytes:
        """Answer a request, as the face of a suite does."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(request.target).query).items()}
        if request.path == "/wp-json/wp/v2/comments":
            return self._comments(query, request)
        return self._other(query, request)

    def _other(self, query: dict[str, str], request: Request) -> bytes:
        if (request.path == "/comments/feed/atom/" and self.pretty) or query.get("feed") == "comments-atom":
            return self._feed(request)
        page = b"<!DOCTYPE html><title>Nordfunk Blog</title>"
        return reply(200 if request.path == "/" else 404, page, {"Content-Type": "text/html; charset=UTF-8"})

    def _comments(self, query: dict[str, str], request: Request) -> bytes:
        if self.closed and request.headers.get("authorization") != self.password:
            return _error(401, "rest_not_logged_in")
        if not 1 <= int(query.get("per_page", "10")) <= 100:
            return _error(400, "rest_invalid_param")
        if query.get("status", "approve") != "approve":
            return _error(401, "rest_forbidden_param")
        found = self._visible()
        if "after" in query:
            after = self._local(query["after"])
            found = [one for one in found if one.at.astimezone(self.zone).replace(tzinfo=None) > after]
        if "include" in query:
            wanted = {int(each) for each in query["include"].split(",")}
            found = [one for one in found if one.id in wanted]
        found.sort(key=lambda one: (one.at, one.id), reverse=query.get("order", "desc") == "desc")
        size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
        shown = [one for one in found[(page - 1) * size : page * size] if one.post not in self.protected]
        body = json.dumps([self._shown(one, query) for one in shown]).encode()
        pages = -(-len(found) // size)
        headers = {"Content-Type": "application/json; charset=UTF-8", "X-WP-Total": str(len(found))}
        return reply(200, body, headers | {"X-WP-TotalPages": str(pages)} | self.headers)

    def _local(self, text: str) -> datetime:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else moment.astimezone(self.zone).replace(tzinfo=None)

    def _shown(self, one: Written, query: dict[str, str]) -> dict[str, object]:
        shown: dict[str, object] = {
            "id": one.id,
            "post": one.post,
            "parent": one.parent,
            "author": one.user,
            "author_name": one.author,
            "author_url": "",
            "date": one.at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S"),
            "date_gmt": one.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "content": {"rendered": f"<p>{one.text}</p>\n"},
            "link": f"https://blog.example/spot/#comment-{one.id}",
            "status": "approved",
            "type": "comment",
            "_links": {"up": [{"embeddable": True, "post_type": "post", "href": f"…/posts/{one.post}"}]},
        }
        fields = [name for name in query.get("_fields", "").split(",") if name]  # 6.1 knows no parts of a field
        shown = {name: value for name, value in shown.items() if not fields or name in fields}
        if "_embed" in query and "_links" in shown:
            title = self.titles.get(one.post)
            post = {"id": one.post, "title": {"rendered": title}} if title else {"code": "rest_forbidden", "data": {}}
            shown["_embedded"] = {"up": [post]}
        return shown

    def _feed(self, request: Request) -> bytes:
        newest = sorted(self._visible(), key=lambda one: (one.at, one.id), reverse=True)[:10]
        entries = "".join(
            f"<entry><title>Kommentar zu Unser neuer Spot von {escape(one.author)}</title>"
            f'<link rel="alternate" href="https://blog.example/spot/#comment-{one.id}" type="text/html"/>'
            f"<author><name>{escape(one.author)}</name></author><id>https://blog.example/?p=1#comment-{one.id}</id>"
            f"<published>{one.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</published>"
            f'<content type="html"><![CDATA[<p>{one.text}</p>]]></content></entry>'
            for one in newest
        )
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()
        )
        etag = f'"{hash(body)}"'
        if request.headers.get("if-none-match") == etag:
            return reply(304, b"", length=False)
        return reply(200, body, {"Content-Type": "application/atom+xml; charset=UTF-8", "ETag": etag})


def _error(status: int, code: str) -> bytes:
    body = json.dumps({"code": code, "message": "…", "data": {"status": status}}).encode()
    return reply(status, body, {"Content-Type": "application/json; charset=UTF-8"})
