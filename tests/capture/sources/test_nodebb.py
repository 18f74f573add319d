"""NodeBB against a face that answers as version 4 does."""

from __future__ import annotations

from urllib.parse import unquote

from brandmelder.capture.sources.nodebb import NodeBbOptions, NodeBbSource
from brandmelder.model import SourceId
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR


class NodeBbFace(Face):
    """Recent posts, 20 a page, newest first; a deleted post keeps its place and shows a placeholder."""

    def __init__(self):
        super().__init__()
        self.deleted = set()

    def delete(self, post):
        self.deleted.add(post.number)

    def ident(self, post):
        """A post that another server federated has its address for a number (NodeBB 4)."""
        return f"https://far.example/objects/{post.number}" if post.author == "fern" else str(post.number)

    def newest_first(self):
        return [post for post in super().newest_first() if post.number not in self.deleted]

    def answer(self, asked):
        if asked.path.startswith("/api/v3/posts/"):
            ident = unquote(asked.path.removeprefix("/api/v3/posts/"))
            post = next((one for one in self.posts.values() if self.ident(one) == ident), None)
            if post is None or post.is_hidden:
                return Said.json({"status": {"code": "not-found"}}, status=404)
            return Said.json({"status": {"code": "ok"}, "response": self._post(post)})
        assert asked.path == "/api/recent/posts/alltime"
        number = int(asked.query["page"])
        listed = super().newest_first()
        return Said.json([self._post(post) for post in listed[20 * (number - 1) : 20 * number]])

    def _post(self, post):
        gone = post.number in self.deleted
        return {
            "pid": self.ident(post) if post.author == "fern" else post.number,
            "tid": 3,
            "toPid": None,
            "uid": 2,
            "user": {"username": post.author},
            "topic": {"title": "St&ouml;rung"},
            "content": "[[topic:post-is-deleted]]" if gone else f"<p>{post.text}</p>",
            "timestamp": int(post.at.timestamp() * 1000),
            "deleted": 0,
        }


class TestNodeBb(SourceConformance):
    page = 20

    def make_face(self):
        return NodeBbFace()

    def make_source(self, tools, url):
        return NodeBbSource(SourceId("one"), NodeBbOptions(type="nodebb", url=url), tools)

    async def test_the_topic_comes_along_as_text(self):
        async with self.reading() as stage:
            stage.face.write(stage.now)
            await stage.reader.poll()
            assert next(iter(stage.reader.stored.values())).context == "Störung"

    async def test_a_federated_post_is_followed_like_any_other(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Nordfunk fern", author="fern")
            stage.face.write(stage.now - HOUR, "Nordfunk nah")
            await stage.reader.poll()
            stage.face.edit(post, "Nordfunk fern, neu")
            await stage.reader.recheck()
            assert stage.reader.texts() == {"Nordfunk fern, neu", "Nordfunk nah"}
