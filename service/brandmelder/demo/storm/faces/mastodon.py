"""A Mastodon server's tag timelines: forty a page, newest first, `max_id` exclusive, ids that tell the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

_MOST = 40


class MastodonFace:
    """The two questions that matter."""

    def ident(self, post: Post) -> str:
        """Return the id, which a server makes from the time of writing also for what it learns of late."""
        return str(int(post.at.timestamp()) * 1000 << 16 | post.number)

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer a timeline or a status."""
        if asked.path.startswith("/api/v1/statuses/"):
            wanted = asked.path.rpartition("/")[2]
            found = [post for post in wall.shown() if self.ident(post) == wanted]
            return said(self._status(found[0], wall.now)) if found else said({"error": "Record not found"}, 404)
        if not asked.path.startswith("/api/v1/timelines/tag/"):
            return said({"error": "Record not found"}, 404)
        limit = min(int(asked.query.get("limit", "20")), _MOST)
        below = int(asked.query.get("max_id", "0")) or 1 << 80
        above = int(asked.query.get("since_id", "0"))
        page = [post for post in wall.newest_first() if above < int(self.ident(post)) < below][:limit]
        return said([self._status(post, wall.now) for post in page])

    def _status(self, post: Post, now: datetime) -> dict[str, Any]:
        return {
            "id": self.ident(post),
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            "edited_at": None,
            "content": f"<p>{post.text_at(now)}</p>",
            "visibility": "public",
            "url": f"https://social.example/@{post.author}/{post.number}",
            "uri": f"https://social.example/users/{post.author}/statuses/{post.number}",
            "language": "de",
            "in_reply_to_id": None,
            "account": {"id": "9", "acct": post.author, "followers_count": 120},
        }
