"""A WordPress blog's comments over REST, and their feed of ten; held against a real WordPress by tests/e2e."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.demo import feeds, wordpress
from brandmelder.demo.rhythm import ZONE
from brandmelder.demo.storm.posts import START
from brandmelder.demo.storm.wire import Said
from brandmelder.demo.wordpress import Article, Comment, Reply, Site

if TYPE_CHECKING:
    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Wall

_HOME = "https://blog.example"
"""What a feed calls its place, wherever it is served."""
_ARTICLE = Article(id=1, slug="stoerung", author="nordfunk", title="Störung", text="Wir prüfen.", at=START)


class WordPressFace:
    """REST."""

    def ident(self, post: Post) -> str:
        """Return the comment's id."""
        return str(post.number)

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer what stands below /wp-json."""
        if not asked.path.startswith("/wp-json"):
            return Said(status=404)
        query = dict(asked.query)
        return _said(wordpress.answer(_site(wall), asked.path.removeprefix("/wp-json"), query))


class FeedFace:
    """The feed of the ten newest comments."""

    def ident(self, post: Post) -> str:
        """Return the guid."""
        return f"{_HOME}/?p=1#comment-{post.number}"

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer /comments/feed/."""
        if asked.path.rstrip("/") != "/comments/feed":
            return Said(status=404)
        return _said(feeds.comment_feed(_site(replace(wall, url=_HOME)), dict(asked.headers)))


def _said(reply: Reply) -> Said:
    return Said(
        status=reply.status, headers={name.lower(): value for name, value in reply.headers.items()}, body=reply.body
    )


def _site(wall: Wall) -> Site:
    comments = tuple(
        Comment(id=post.number, post=1, parent=0, author=post.author, text=post.text_at(wall.now), at=post.at)
        for post in wall.shown()
    )
    waiting = (post.number for post in wall.posts if not post.is_shown(wall.now) and post.at <= wall.now)
    return Site(
        url=wall.url,
        title="Nordfunk Blog",
        zone=ZONE,
        now=wall.now,
        articles=(_ARTICLE,),
        comments=comments,
        hidden=frozenset(waiting),
    )
