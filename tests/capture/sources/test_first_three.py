"""The sources that were there first pass the suite that came later: a blog, its feed, any feed, a file."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

from brandmelder.capture.sources.archive import ArchiveOptions, ArchiveSource
from brandmelder.capture.sources.feed import FeedOptions, FeedSource
from brandmelder.capture.sources.wordpress import WordPressOptions, WordPressSource
from brandmelder.model import SourceId
from brandmelder.testing import Face, Said, SourceConformance
from capture.hostile_server import Request
from capture.wordpress_peer import Blog, Written

ONE = SourceId("one")


class BlogFace(Face):
    """WordPress: the blog of the other tests, with the suite's posts as its comments."""

    def __init__(self, *, closed=False):
        super().__init__()
        self.blog = Blog(None)
        self.blog.closed = closed

    def answer(self, asked):
        self.blog.comments = {
            one.number: Written(
                id=one.number, at=one.at, text=one.text, author=one.author, approved=not one.is_hidden
            )
            for one in self.posts.values()
        }  # fmt: skip
        target = asked.path + "?" + "&".join(f"{name}={value}" for name, value in asked.query.items())
        head, _, body = self.blog.answer(Request(target, dict(asked.headers))).partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        kept = {name.lower(): value for name, value in headers.items() if name not in {"Content-Length", "Connection"}}
        return Said(status=int(status.split()[1]), headers=kept, body=body)


class TestWordPress(SourceConformance):
    def make_face(self):
        return BlogFace()

    def make_source(self, tools, url):
        return WordPressSource(ONE, WordPressOptions(type="wordpress", url=url, allow_private=True), tools)


class TestWordPressByItsFeed(TestWordPress):
    """The API is closed to strangers: ten entries are all there is."""

    page = 10
    shows_all = follows_deletions = False

    def make_face(self):
        return BlogFace(closed=True)


class FeedFace(Face):
    """RSS: the newest twenty, with validators."""

    def ident(self, post):
        return f"n{post.number}"

    def answer(self, asked):
        items = "".join(
            f"<item><guid>n{one.number}</guid><link>https://press.example/{one.number}</link>"
            f"<description>{escape(one.text)}</description><author>{one.author}</author>"
            f"<pubDate>{format_datetime(one.at)}</pubDate></item>"
            for one in self.newest_first()[:20]
        )
        body = f"<rss version='2.0'><channel><title>Presse</title>{items}</channel></rss>".encode()
        etag = f'"{hash(body)}"'
        if asked.headers.get("if-none-match") == etag:
            return Said(status=304, headers={"etag": etag})
        return Said(headers={"content-type": "application/rss+xml; charset=utf-8", "etag": etag}, body=body)


class TestFeed(SourceConformance):
    page = 20
    shows_all = follows_deletions = False

    def make_face(self):
        return FeedFace()

    def make_source(self, tools, url):
        return FeedSource(ONE, FeedOptions(type="feed", url=f"{url}/feed", allow_private=True), tools)


class ArchiveFace(Face):
    """A file of mentions that somebody writes anew whenever something changed; each is captured when it first shows."""

    def __init__(self):
        super().__init__()
        self._folder = TemporaryDirectory()
        self.path = Path(self._folder.name) / "mentions.jsonl"
        self._captured, self._written = {}, 0

    def answer(self, asked):
        raise AssertionError(f"a file is read, nobody is asked: {asked.path}")

    async def show(self):
        rows = []
        for one in self.newest_first():
            captured = self._captured.setdefault(one.number, max(one.at, self.now() - timedelta(days=1)))
            captured = self._captured[one.number] = min(captured, self.now())
            rows.append(
                {"id": one.number, "source": "one", "text": one.text, "author": one.author,
                 "published_at": one.at.isoformat(), "captured_at": captured.isoformat()}
            )  # fmt: skip
        self._written += 1
        text = "".join(json.dumps(row) + "\n" for row in rows)
        if not self.path.exists() or self.path.read_text("utf-8") != text:
            self.path.write_text(text, "utf-8")
            os.utime(self.path, ns=(self._written, self._written))


class TestArchive(SourceConformance):
    follows_deletions = over_http = False

    def make_face(self):
        self.face = ArchiveFace()
        return self.face

    def make_source(self, tools, url):
        del url
        return ArchiveSource(ONE, ArchiveOptions(type="archive", path=self.face.path), tools)
