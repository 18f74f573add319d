"""Algolia's search of Hacker News by date: a phrase, bounds of time, pages, and a thousand hits whatever the page.

https://hn.algolia.com/api
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Final

from brandmelder.demo.storm.threads import parents
from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

_FIRST: Final = 46_000_000
_STORIES: Final = 6
"""Every sixth post is a story, the others are comments."""
_SHOWN: Final = 1_000
_MOST: Final = 1_000
_BOUND: Final = re.compile(r"created_at_i(<=|>=|<|>)(\d+)")
_SIGNS: Final = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_NAMED: Final = re.compile(r"objectID:(\d+)")


class HackerNewsFace:
    """The one question."""

    def ident(self, post: Post) -> str:
        """Return the item's number."""
        return str(_FIRST + post.number)

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer a search, newest first."""
        if asked.path != "/api/v1/search_by_date":
            return said({"status": 404, "error": "Not Found"}, 404)
        hits = self._hits(asked, wall)
        size, number = min(int(asked.query.get("hitsPerPage", "20")), _MOST), int(asked.query.get("page", "0"))
        above = parents(wall.posts)
        page = [self._item(post, wall.now, above) for post in hits[:_SHOWN][number * size : (number + 1) * size]]
        told = {"page": number, "nbPages": -(-min(len(hits), _SHOWN) // size), "hitsPerPage": size}
        return said({"hits": page, "nbHits": len(hits), "exhaustiveNbHits": True, "processingTimeMS": 3} | told)

    def _hits(self, asked: Question, wall: Wall) -> list[Post]:
        bounds = [(_SIGNS[sign], int(text)) for sign, text in _BOUND.findall(asked.query.get("numericFilters", ""))]
        named = set(_NAMED.findall(asked.query.get("filters", "")))
        words = asked.query.get("query", "").strip('"').casefold()
        return [
            post
            for post in wall.newest_first()
            if all(holds(int(post.at.timestamp()), bound) for holds, bound in bounds)
            and (not named or self.ident(post) in named)
            and words in post.text_at(wall.now).casefold()
        ]

    def _item(self, post: Post, now: datetime, above: dict[int, Post]) -> dict[str, Any]:
        stamp = int(post.at.timestamp())
        told: dict[str, Any] = {
            "objectID": self.ident(post),
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%SZ}",
            "created_at_i": stamp,
            "updated_at": f"{post.edited_at(now) or post.at:%Y-%m-%dT%H:%M:%SZ}",
            "author": post.author,
        }
        if post.number % _STORIES == 0:
            return told | {"_tags": ["story"], "title": post.text_at(now), "points": 4, "num_comments": 0}
        parent = above.get(post.number)
        place = {"story_id": _FIRST, "story_title": "Störung", "parent_id": _FIRST + (parent.number if parent else 0)}
        return told | {"_tags": ["comment"], "comment_text": f"<p>{post.text_at(now)}</p>"} | place
