"""A Mastodon server's tag timelines: forty a page, newest first, `max_id` exclusive, ids that tell the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from collections.abc import Sequence
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
        above = int(asked.query.get("min_id", asked.query.get("since_id", "0")))
        listed = [post for post in wall.newest_first() if above < int(self.ident(post)) < below]
        page = listed[-limit:] if "min_id" in asked.query else listed[:limit]
        return _linked(said([self._status(post, wall.now) for post in page]), page, asked, wall.url)

    def _status(self, post: Post, now: datetime) -> dict[str, Any]:
        return {
            "id": self.ident(post),
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            "edited_at": None if (edited := post.edited_at(now)) is None else f"{edited:%Y-%m-%dT%H:%M:%S}.000Z",
            "content": f"<p>{post.text_at(now)}</p>",
            "visibility": "public",
            "url": f"https://social.example/@{post.author}/{post.number}",
            "uri": f"https://social.example/users/{post.author}/statuses/{post.number}",
            "language": "de",
            "in_reply_to_id": None,
            "in_reply_to_account_id": None,
            "sensitive": False,
            "spoiler_text": "",
            "replies_count": 0,
            "reblogs_count": 2,
            "favourites_count": 5,
            "quotes_count": 0,
            "reblog": None,
            "card": None,
            "poll": None,
            "application": None,
            "account": _account(post.author),
            "tags": [{"name": "nordfunk", "url": "https://social.example/tags/nordfunk"}],
            **{name: [] for name in ("mentions", "media_attachments", "emojis", "tagged_collections")},
        }


def _account(name: str) -> dict[str, Any]:
    picture = "https://social.example/avatars/original/missing.png"
    return {
        "id": "9",
        "username": name,
        "acct": name,
        "display_name": name,
        "url": f"https://social.example/@{name}",
        "uri": f"https://social.example/users/{name}",
        "note": "",
        "avatar_description": "",
        "header_description": "",
        "created_at": "2023-01-01T00:00:00.000Z",
        "last_status_at": "2026-11-20",
        "followers_count": 120,
        "following_count": 80,
        "statuses_count": 700,
        **dict.fromkeys(("avatar", "avatar_static", "header", "header_static"), picture),
        **dict.fromkeys(("locked", "bot", "group", "discoverable", "noindex", "indexable", "hide_collections"), False),
        **{name: [] for name in ("emojis", "fields", "roles")},
    }


def _linked(answer: Said, page: Sequence[Post], asked: Question, url: str) -> Said:
    """Say where the list goes on, as the server does in a header."""
    if not page:
        return answer
    face, path = MastodonFace(), f"{url}{asked.path}"
    older, newer = face.ident(page[-1]), face.ident(page[0])
    link = f'<{path}?max_id={older}>; rel="next", <{path}?min_id={newer}>; rel="prev"'
    return replace(answer, headers={**answer.headers, "link": link})
