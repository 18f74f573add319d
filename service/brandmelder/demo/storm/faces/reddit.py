"""Reddit over OAuth: a token for an application, new posts and comments of a subreddit, things by name, hurried people.

A listing ends at a thousand. What its author took away keeps its place as `[deleted]`, or is not listed any more.
https://www.reddit.com/dev/api, https://github.com/reddit-archive/reddit/wiki/OAuth2
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from msgspec.structs import replace

from brandmelder.demo.storm.threads import parents
from brandmelder.demo.storm.wire import Said, said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Wall

SUBREDDIT: Final = "nordfunk"
_PAIR: Final = "Basic " + base64.b64encode(b"token:token").decode()
_LIFE: Final = timedelta(hours=1)
_LISTED: Final = 1_000
_MOST: Final = 100
_SPAN: Final = timedelta(minutes=10)
_ALLOWED: Final = 1_000
"""Calls in ten minutes: a hundred a minute, averaged."""
_LINKS: Final = 5
"""Every fifth post is one of its own, the others are comments."""
_STAYS: Final = 2
"""Of what is taken away, every second keeps its place."""
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class RedditFace:
    """The token, two listings, and things by name."""

    def ident(self, post: Post) -> str:
        """Return the fullname."""
        return ("t3_" if _is_link(post) else "t1_") + _base36(36**5 + post.number)

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer, and tell how many calls are left."""
        if not asked.headers.get("user-agent", "").count(":"):
            return said({"message": "Too Many Requests", "error": 429}, 429)
        if asked.path == "/api/v1/access_token":
            return _token(asked, wall.now)
        if not _is_valid(asked.headers.get("authorization", ""), wall.now):
            return said({"message": "Unauthorized", "error": 401}, 401)
        unit = f"calls {_window(wall.now):%Y-%m-%d %H:%M}"
        wall.bill.charge(unit, 1, 0.0)
        used = wall.bill.units[unit]
        answer = self.refusal(wall) if used > _ALLOWED else self._said(asked, wall)
        return replace(answer, headers={**answer.headers, **_limits(used, wall.now)})

    def refusal(self, wall: Wall) -> Said:
        """Say that too much was asked; only the headers tell until when."""
        refused = said({"message": "Too Many Requests", "error": 429}, 429)
        return replace(refused, headers={**refused.headers, **_limits(_ALLOWED, wall.now)})

    def _said(self, asked: Question, wall: Wall) -> Said:
        match asked.path.rstrip("/"):
            case "/r/nordfunk/new":
                return self._listed([post for post in self._there(wall) if _is_link(post)], asked, wall)
            case "/r/nordfunk/comments":
                return self._listed([post for post in self._there(wall) if not _is_link(post)], asked, wall)
            case "/api/info":
                names = asked.query.get("id", "").split(",")[:_MOST]
                known = {self.ident(post): post for post in wall.posts if post.shown_at <= wall.now}
                return _listing([self._thing(known[name], wall) for name in names if name in known], None, None)
        return said({"message": "Not Found", "error": 404}, 404)

    def _there(self, wall: Wall) -> list[Post]:
        """Return what a listing shows, newest first: also every second of what was taken away."""
        listed = [
            post
            for post in wall.posts
            if post.is_shown(wall.now) or (post.shown_at <= wall.now and post.number % _STAYS == 0)
        ]
        return sorted(listed, key=lambda post: (post.at, post.number), reverse=True)[:_LISTED]

    def _listed(self, there: Sequence[Post], asked: Question, wall: Wall) -> Said:
        size, names = min(int(asked.query.get("limit", "25")), _MOST), [self.ident(post) for post in there]
        start = 0
        if after := asked.query.get("after"):
            if after not in names:  # it was taken away: Reddit then shows nothing
                return _listing([], None, None)
            start = names.index(after) + 1
        page = there[start : start + size]
        following = names[start + len(page) - 1] if page and start + len(page) < len(there) else None
        before = names[start] if start else None
        return _listing([self._thing(post, wall) for post in page], following, before)

    def _thing(self, post: Post, wall: Wall) -> dict[str, Any]:
        is_gone = not post.is_shown(wall.now)
        changed = post.edited_at(wall.now)
        words, author = ("[deleted]", "[deleted]") if is_gone else (post.text_at(wall.now), post.author)
        common = {
            "id": self.ident(post)[3:],
            "name": self.ident(post),
            "author": author,
            "subreddit": SUBREDDIT,
            "subreddit_id": "t5_2nf",
            "created": post.at.timestamp(),
            "created_utc": post.at.timestamp(),
            "edited": changed.timestamp() if changed is not None else False,
            "score": 4,
            "ups": 4,
            "downs": 0,
            "permalink": f"/r/{SUBREDDIT}/comments/1a/stoerung/{post.number}/",
        }
        if _is_link(post):
            told = {"title": words, "selftext": "[deleted]" if is_gone else "", "is_self": True, "num_comments": 0}
            return {"kind": "t3", "data": common | told | {"removed_by_category": "deleted" if is_gone else None}}
        parent = parents(wall.posts).get(post.number) if post.number % 3 == 2 else None
        told = {"body": words, "body_html": f"<div>{words}</div>", "link_id": "t3_1a", "link_title": "Störung"}
        return {"kind": "t1", "data": common | told | {"parent_id": self.ident(parent) if parent else "t3_1a"}}


def _token(asked: Question, now: datetime) -> Said:
    if asked.headers.get("authorization") != _PAIR:
        return said({"message": "Unauthorized", "error": 401}, 401)
    if parse_qs(asked.body.decode()).get("grant_type") != ["client_credentials"]:
        return said({"error": "unsupported_grant_type"})
    told = {"access_token": f"storm-{int(now.timestamp())}", "token_type": "bearer", "scope": "*"}
    return said(told | {"expires_in": int(_LIFE.total_seconds())})


def _is_valid(header: str, now: datetime) -> bool:
    given = header.removeprefix("bearer ").removeprefix("Bearer ").removeprefix("storm-")
    return given.isdigit() and 0 <= now.timestamp() - int(given) <= _LIFE.total_seconds()


def _listing(children: Sequence[Mapping[str, Any]], after: str | None, before: str | None) -> Said:
    data = {"after": after, "before": before, "dist": len(children), "modhash": None, "children": list(children)}
    return said({"kind": "Listing", "data": data})


def _window(now: datetime) -> datetime:
    return now.replace(minute=now.minute - now.minute % 10, second=0, microsecond=0)


def _limits(used: int, now: datetime) -> dict[str, str]:
    rest = _window(now) + _SPAN - now
    return {
        "x-ratelimit-used": str(used),
        "x-ratelimit-remaining": f"{max(0, _ALLOWED - used)}.0",
        "x-ratelimit-reset": str(int(rest.total_seconds())),
    }


def _is_link(post: Post) -> bool:
    return post.number % _LINKS == 0


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
