"""A Facebook page: photos of its own, posts by visitors, and below both what people comment and answer.

Only a list that is asked for with `filter(stream)` holds the answers to comments, and counts them.
https://developers.facebook.com/docs/graph-api/reference/page/feed/, .../object/comments/
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from brandmelder.demo.storm.faces.graph import (
    HOURLY,
    TOKEN,
    Row,
    calls,
    charge,
    chosen,
    fault,
    fields,
    listed,
    metered,
    missing,
    stamp,
    steps,
)
from brandmelder.demo.storm.posts import START
from brandmelder.demo.storm.threads import parents
from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

PAGE: Final = "10"
_VISITS: Final = 9
"""Every ninth post is a visitor's in the feed."""
_PHOTOS: Final = timedelta(hours=2)
"""So often the page itself shows a photo, without a word."""
_FIRST: Final = START - timedelta(days=2)
_MOST: Final = 100


class FacebookFace:
    """The feed, comments, single objects, the page's numbers."""

    def __init__(self, hourly: int = HOURLY) -> None:
        self._hourly = hourly

    def ident(self, post: Post) -> str:
        """Return the id of a post or comment."""
        return f"{PAGE}_{1_000_000 + post.number}"

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer, and tell how much of the hour's limit is used."""
        charge(wall)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}" and asked.query.get("access_token") != TOKEN:
            return fault(190, "Invalid OAuth access token - Cannot parse access token", status=400)
        if calls(wall) > self._hourly:
            return metered(self.refusal(wall), wall, PAGE, self._hourly)
        return metered(self._said(asked, wall), wall, PAGE, self._hourly)

    def refusal(self, _wall: Wall) -> Said:
        """Say that the page's limit is reached."""
        return fault(32, "(#32) Page request limit reached")

    def _said(self, asked: Question, wall: Wall) -> Said:
        match steps(asked):
            case [one] if one == PAGE:
                told = {"id": PAGE, "name": "Nordfunk", "fan_count": 4990, "followers_count": 5102}
                return said(chosen(told, asked))
            case [one, "feed"] if one == PAGE:
                return listed(self._feed(asked, wall), asked, wall.url, most=_MOST)
            case [ident, "comments"]:
                order, stream = asked.query.get("order"), asked.query.get("filter") == "stream"
                rows = self._comments(wall, stream=stream).get(ident)
                if rows is None:
                    return missing(ident)
                rows = [(place, chosen(told, asked)) for place, told in rows]
                return listed(rows if order == "reverse_chronological" else rows[::-1], asked, wall.url, most=_MOST)
            case [ident]:
                found = self._object(ident, wall)
                return said(chosen(found, asked)) if found is not None else missing(ident)
        return fault(2500, "Unknown path components")

    def _feed(self, asked: Question, wall: Wall) -> list[Row]:
        wish = fields(asked).get("comments", "")
        below = self._comments(wall, stream="filter(stream)" in wish)
        rows: list[Row] = []
        for place, told in self._posts(wall):
            comments = [one for _, one in below[told["id"]]]
            size = 1 if ".limit(1)" in wish else 0
            shown = [{"id": one["id"]} for one in (comments if "reverse_chronological" in wish else comments[::-1])]
            summary = {"order": "ranked", "total_count": len(comments), "can_comment": True}
            whole = told | {"comments": {"data": shown[:size], "summary": summary}}
            rows.append((place, chosen(whole, asked)))
        return rows

    def _posts(self, wall: Wall) -> list[tuple[tuple[int, int], dict[str, Any]]]:
        """Return the feed, newest first."""
        rows = [(_place(post), self._written(post, wall.now)) for post in wall.shown() if _is_visit(post)]
        at, number = _FIRST, 0
        while at <= wall.now:
            told = {
                "id": f"{PAGE}_{number}",
                "story": "Nordfunk added a new photo.",
                "created_time": stamp(at),
                "permalink_url": f"https://www.facebook.com/{PAGE}/posts/{number}",
                "from": {"id": PAGE, "name": "Nordfunk"},
            }
            rows.append(((int(at.timestamp()), -1), told))
            at, number = at + _PHOTOS, number + 1
        return sorted(rows, key=lambda row: row[0], reverse=True)

    def _comments(self, wall: Wall, *, stream: bool) -> dict[str, list[tuple[tuple[int, int], dict[str, Any]]]]:
        """Return what stands below each post of the feed, newest first; answers to comments only in a stream."""
        above = parents(wall.posts)
        found: dict[str, list[tuple[tuple[int, int], dict[str, Any]]]] = {}
        for _, told in self._posts(wall):
            found[told["id"]] = []
        for post in reversed(wall.shown()):
            parent = above.get(post.number)
            is_answer = parent is not None and not _is_visit(parent)
            if _is_visit(post) or (is_answer and not stream):
                continue
            told = self._written(post, wall.now)
            if parent is not None and is_answer:
                told["parent"] = {"id": self.ident(parent)}
            found[self._root(post, parent)].append((_place(post), told))
        return {ident: sorted(rows, key=lambda row: row[0], reverse=True) for ident, rows in found.items()}

    def _root(self, post: Post, parent: Post | None) -> str:
        """Return below which post of the feed it stands."""
        if parent is not None and _is_visit(parent):
            return self.ident(parent)
        return _photo((parent or post).at)

    def _object(self, ident: str, wall: Wall) -> dict[str, Any] | None:
        for post in wall.shown():
            if self.ident(post) == ident:
                return self._written(post, wall.now)
        return next((told for _, told in self._posts(wall) if told["id"] == ident), None)

    def _written(self, post: Post, now: datetime) -> dict[str, Any]:
        return {
            "id": self.ident(post),
            "message": post.text_at(now),
            "created_time": stamp(post.at),
            "permalink_url": f"https://www.facebook.com/{PAGE}/posts/1?comment_id={post.number}",
            "from": {"id": f"p{post.author}", "name": post.author},
            "is_hidden": False,
        }


def _photo(at: datetime) -> str:
    return f"{PAGE}_{(at - _FIRST) // _PHOTOS}"


def _is_visit(post: Post) -> bool:
    """Whether it stands in the feed: such numbers are none of an answer."""
    return post.number % _VISITS == 0


def _place(post: Post) -> tuple[int, int]:
    return int(post.at.timestamp()), post.number
