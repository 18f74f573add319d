"""An Instagram account: pictures of its own, comments below them with their answers inside, and posts that tag it.

The number of a picture's comments counts the answers, too. Fifty a page at most.
https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference
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
from brandmelder.demo.storm.threads import below, parents
from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

ACCOUNT: Final = "17841400000000010"
_TAGGED: Final = 9
"""Every ninth post tags the account."""
_PICTURES: Final = timedelta(hours=3)
_FIRST: Final = START - timedelta(days=2)
_MOST: Final = 50


class InstagramFace:
    """The account's pictures, what tags it, comments, single comments, its numbers."""

    def __init__(self, hourly: int = HOURLY) -> None:
        self._hourly = hourly

    def ident(self, post: Post) -> str:
        """Return the id of a comment, or of a post that tags."""
        return f"post:{_tagging(post)}" if _is_tag(post) else _comment(post)

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer, and tell how much of the hour's limit is used."""
        charge(wall)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}" and asked.query.get("access_token") != TOKEN:
            return fault(190, "Invalid OAuth access token - Cannot parse access token", status=400)
        if calls(wall) > self._hourly:
            return metered(self.refusal(wall), wall, ACCOUNT, self._hourly)
        return metered(self._said(asked, wall), wall, ACCOUNT, self._hourly)

    def refusal(self, _wall: Wall) -> Said:
        """Say that the account's limit is reached."""
        return fault(80002, "(#80002) There have been too many calls to this Instagram account.")

    def _said(self, asked: Question, wall: Wall) -> Said:
        match steps(asked):
            case [one] if one == ACCOUNT:
                told = {"id": ACCOUNT, "username": "nordfunk", "followers_count": 1053, "media_count": 812}
                return said(chosen(told, asked))
            case [one, "media"] if one == ACCOUNT:
                return listed(_only(self._pictures(wall), asked), asked, wall.url, most=_MOST)
            case [one, "tags"] if one == ACCOUNT:
                return listed(_only(self._tags(wall), asked), asked, wall.url, most=_MOST)
            case [ident, "comments"] if ident in {told["id"] for _, told in self._pictures(wall)}:
                return listed(self._below(ident, asked, wall), asked, wall.url, most=_MOST)
            case [ident]:
                found = [post for post in wall.shown() if not _is_tag(post) and _comment(post) == ident]
                return said(chosen(self._written(found[0], wall.now), asked)) if found else missing(ident)
        return missing(asked.path.strip("/"))

    def _pictures(self, wall: Wall) -> list[tuple[tuple[int, int], dict[str, Any]]]:
        """Return the account's own posts, newest first; they bear no words."""
        counts: dict[str, int] = {}
        above = parents(wall.posts)
        for post in wall.shown():
            if not _is_tag(post):
                name = _picture(_top(post, above).at)
                counts[name] = counts.get(name, 0) + 1
        rows, at = [], _FIRST
        while at <= wall.now:
            name = _picture(at)
            told = {
                "id": name,
                "permalink": f"https://www.instagram.com/p/own{name}/",
                "timestamp": stamp(at),
                "username": "nordfunk",
                "comments_count": counts.get(name, 0),
            }
            rows.append(((int(at.timestamp()), 0), told))
            at += _PICTURES
        return rows[::-1]

    def _tags(self, wall: Wall) -> list[tuple[tuple[int, int], dict[str, Any]]]:
        return [
            (
                _place(post),
                {
                    "id": _tagging(post),
                    "caption": post.text_at(wall.now),
                    "permalink": f"https://www.instagram.com/p/t{post.number}/",
                    "timestamp": stamp(post.at),
                    "username": post.author,
                    "comments_count": 0,
                },
            )
            for post in wall.newest_first()
            if _is_tag(post)
        ]

    def _below(self, picture: str, asked: Question, wall: Wall) -> list[Row]:
        """Return the comments of a picture, newest first, each with the answers to it."""
        above, answers = parents(wall.posts), below(wall.posts)
        rows: list[Row] = []
        for post in wall.newest_first():
            if _is_tag(post) or _top(post, above) is not post or _picture(post.at) != picture:
                continue
            told = chosen(self._written(post, wall.now), asked)
            shown = [one for one in answers.get(post.number, []) if one.is_shown(wall.now)]
            if shown and "replies" in fields(asked):
                told["replies"] = {"data": [self._written(one, wall.now) for one in shown]}
            rows.append((_place(post), told))
        return rows

    def _written(self, post: Post, now: datetime) -> dict[str, Any]:
        return {"id": _comment(post), "text": post.text_at(now), "username": post.author, "timestamp": stamp(post.at)}


def _only(rows: list[tuple[tuple[int, int], dict[str, Any]]], asked: Question) -> list[Row]:
    return [(place, chosen(told, asked)) for place, told in rows]


def _top(post: Post, above: dict[int, Post]) -> Post:
    """Return the comment that a post answers, or the post; below a post of others nobody answers here."""
    parent = above.get(post.number)
    return post if parent is None or _is_tag(parent) else parent


def _is_tag(post: Post) -> bool:
    return post.number % _TAGGED == 0


def _comment(post: Post) -> str:
    return f"179{post.number:011}"


def _tagging(post: Post) -> str:
    return f"181{post.number:011}"


def _picture(at: datetime) -> str:
    return f"180{(at - _FIRST) // _PICTURES:011}"


def _place(post: Post) -> tuple[int, int]:
    return int(post.at.timestamp()), post.number
