"""Bluesky through an account's own server: a session, a search of a hundred a page by offset, posts by their uris."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

_PAGE = 100
TOKEN = "jwt"  # noqa: S105 - of a server that plays


class BlueskyFace:
    """The three questions that matter."""

    def ident(self, post: Post) -> str:
        """Return the uri."""
        return f"at://did:plc:{post.author}/app.bsky.feed.post/{post.number}"

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer a log-in, a search, a question for posts."""
        if asked.path == "/xrpc/com.atproto.server.createSession":
            return said({"accessJwt": TOKEN, "refreshJwt": "r", "did": "did:plc:nf", "handle": "nf.example"})
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return said({"error": "AuthMissing", "message": "Authentication Required"}, 401)
        if asked.path == "/xrpc/app.bsky.feed.getPosts":
            wanted = set(asked.every.get("uris", ()))
            return said({"posts": [self._post(one, wall.now) for one in wall.shown() if self.ident(one) in wanted]})
        if asked.path == "/xrpc/app.bsky.actor.getProfiles":
            return said({"profiles": [self._author(did) for did in asked.every.get("actors", ())]})
        if asked.path != "/xrpc/app.bsky.feed.searchPosts":
            return said({"error": "MethodNotImplemented", "message": "no"}, 501)
        first, size = int(asked.query.get("cursor", "0")), min(int(asked.query.get("limit", "25")), _PAGE)
        since, until = asked.query.get("since", ""), asked.query.get("until", "9")
        listed = [post for post in wall.newest_first() if since <= _written(post) < until]
        told: dict[str, Any] = {"posts": [self._post(post, wall.now) for post in listed[first : first + size]]}
        told["hitsTotal"] = len(listed)
        return said(told | ({"cursor": str(first + size)} if first + size < len(listed) else {}))

    def _post(self, post: Post, now: datetime) -> dict[str, Any]:
        moment = _written(post)
        return {
            "uri": self.ident(post),
            "cid": "bafy",
            "author": self._author(f"did:plc:{post.author}"),
            "record": {"text": post.text_at(now), "createdAt": moment, "langs": ["de"]},
            "indexedAt": moment,
        }

    def _author(self, did: str) -> dict[str, Any]:
        return {"did": did, "handle": f"{did.rpartition(':')[2]}.example.com"}


def _written(post: Post) -> str:
    return f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z"
