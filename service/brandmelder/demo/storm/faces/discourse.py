"""A Discourse forum's latest posts: fifty a page, `before` exclusive, ids that only grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

_PAGE = 50


class DiscourseFace:
    """The two questions that matter."""

    def ident(self, post: Post) -> str:
        """Return the id."""
        return str(post.number)

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer the list or one post."""
        if asked.path == "/posts.json":
            below = int(asked.query.get("before", "0")) or 1 << 60
            page = [post for post in reversed(wall.shown()) if post.number < below][:_PAGE]
            return said({"latest_posts": [self._post(post, wall.now) for post in page]})
        name = asked.path.removeprefix("/posts/").removesuffix(".json")
        found = [post for post in wall.shown() if str(post.number) == name]
        if not found:
            return said({"errors": ["The requested resource could not be found."], "error_type": "not_found"}, 404)
        return said(self._post(found[0], wall.now))

    def _post(self, post: Post, now: datetime) -> dict[str, Any]:
        return {
            "id": post.number,
            "username": post.author,
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.123Z",
            "updated_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.123Z",
            "cooked": f"<p>{post.text_at(now)}</p>",
            "raw": post.text_at(now),
            "post_number": post.number,
            "reply_to_post_number": None,
            "topic_id": 31,
            "topic_slug": "stoerung",
            "topic_title": "Störung",
            "version": post.versions(now),
            "hidden": False,
            "deleted_at": None,
        }
