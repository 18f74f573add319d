"""The storm poured into a real WordPress and a real Dovecot: what is stored is what its faces, or its story, say."""

from __future__ import annotations

import imaplib
import os
import re
import tempfile
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from brandmelder import plugins, wiring
from brandmelder.capture.imap import Mailboxes
from brandmelder.capture.source import Rechecks, Tools
from brandmelder.capture.sources.mailbox import MailboxOptions, MailboxSource
from brandmelder.clock import ReplayClock
from brandmelder.demo.storm.posts import Channel, tell
from brandmelder.demo.storm.server import StormServer
from brandmelder.model import SourceId
from brandmelder.options import Secret
from peers.dovecot import BINARY, Dovecot

if TYPE_CHECKING:
    from peers.wordpress import WordPress

pytestmark = pytest.mark.e2e

MINUTE = timedelta(minutes=1)
FEED_TITLE = re.compile(r"(?:Comment on|Kommentar zu) (.+) (?:by|von) (\S+)")
"""What a blog calls a comment in its feed, in the language that it is set to: the two differ in nothing else."""
_DATES = ("post_date", "post_date_gmt", "post_modified", "post_modified_gmt")
COMMENT = re.compile(r"#comment-(\d+)")


class Reader:
    """Reads one source as the pipeline does, and keeps what a store would keep."""

    def __init__(self, source):
        self.source, self.cursor, self.stored, self.gaps = source, None, {}, []

    async def read(self, now):
        for _ in range(100):
            poll = await self.source.poll(self.cursor, now)
            self.cursor = poll.cursor or self.cursor
            self._keep(poll)
            self.gaps += poll.gaps
            if not poll.more:
                break
        if isinstance(self.source, Rechecks):
            idents = list(self.stored)
            for first in range(0, len(idents), self.source.recheck_size):
                self._keep(await self.source.recheck(idents[first : first + self.source.recheck_size], now))
        return self.stored

    def _keep(self, poll):
        for one in poll.mentions:
            before = self.stored.get(one.external_id)
            first = before.captured_at if before else one.captured_at  # a store keeps when it first saw one
            self.stored[one.external_id] = replace(one, captured_at=first, history=(before or one).history)
        for one in poll.removals:
            self.stored.pop(one.external_id, None)


class Pouring:
    """Does in WordPress, over REST, what people do in a storm."""

    def __init__(self, wordpress, posts):
        self._wordpress, self._posts = wordpress, posts
        self.ids = {}
        self._done = None

    def until(self, now):
        """Bring WordPress to how the story stands at a moment."""
        for post in self._posts:
            if post.at <= now and post.number not in self.ids:
                status = "approved" if post.shown_at <= now else "hold"
                written = self._wordpress.comment(post.text, post.author, post.at, status=status)
                self.ids[post.number] = written
            if post.number not in self.ids or self._done is None:
                continue
            if self._done < post.shown_at <= now and post.at <= self._done:
                self._wordpress.approve(self.ids[post.number])
        for post in self._posts:
            changed = post.edited_at(now)
            if changed is not None and (self._done is None or changed > self._done):
                self._wordpress.edit(self.ids[post.number], post.text_at(now))
            if post.gone_at is not None and post.gone_at <= now and (self._done is None or post.gone_at > self._done):
                self._wordpress.trash(self.ids[post.number])
        self._done = now

    def numbers(self):
        return {str(ident): str(number) for number, ident in self.ids.items()}


def _told(stored, *, base, numbers):
    """Return all fields of what is stored, with the story's numbers in place of a server's, and without its address."""
    found = {}
    for one in stored.values():
        fields = msgspec.structs.asdict(one) | {"source": ""}
        fields = {name: _renamed(value, base, numbers) for name, value in fields.items()}
        found[fields["external_id"]] = fields
    return found


def _differing(peer, face):
    """Return each field that is not the same, with what both say."""
    return [
        (ident, name, peer.get(ident, {}).get(name), face.get(ident, {}).get(name))
        for ident in sorted(peer.keys() | face.keys())
        for name in sorted(peer.get(ident, {}).keys() | face.get(ident, {}).keys())
        if peer.get(ident, {}).get(name) != face.get(ident, {}).get(name)
    ]


def _renamed(value, base, numbers):
    if not isinstance(value, str):
        return value
    if value in numbers:
        return numbers[value]
    value = FEED_TITLE.sub(r"\1 / \2", value)
    return COMMENT.sub(lambda match: f"#comment-{numbers[match[1]]}", value).replace(base, "BLOG")


def _source(reach, kind, url):
    ident = SourceId(kind)
    source = plugins.load("sources", kind)
    options = source.Options(type=kind, url=url, allow_private=True)
    return source(ident, options, reach.tools(ident, allow_private=True))


async def test_a_real_wordpress_and_the_face_bring_the_same_field_by_field(wordpress: WordPress):
    wordpress.forget()
    wordpress.rest("POST", "posts/1", {"title": "Störung", "slug": "stoerung", "content": "Wir prüfen."})
    # WordPress dates a feed by its newest comment or article: one written today would hide all comments of the story.
    days = ", ".join(f"{name} = '2026-11-18 12:00:00'" for name in _DATES)
    wordpress._sql(f"update wp.wp_posts set {days}").check_returncode()
    posts = tell(41, (Channel.WORDPRESS,), burst=(110, 110)).posts[Channel.WORDPRESS]
    storm = replace(tell(41, (Channel.WORDPRESS,)), posts={Channel.WORDPRESS: posts, Channel.FEED: posts})
    pouring, reach = Pouring(wordpress, posts), wiring.outside()
    held = [post for post in posts if post.shown_at > post.at]
    assert held, "the story holds something back"
    assert any(post.edits for post in posts), "and changes something"
    assert any(post.gone_at for post in posts), "and takes something away"
    moments = [storm.start, storm.onset + 20 * MINUTE, held[-1].at + timedelta(seconds=30), storm.end]
    async with StormServer(storm, ReplayClock(storm.start), is_fair=True) as server:
        own = {"wordpress": f"{server.url}/wordpress", "feed": f"{server.url}/feed/comments/feed/"}
        real = {"wordpress": wordpress.url, "feed": f"{wordpress.url}/comments/feed/"}
        faces = {kind: Reader(_source(reach, kind, url)) for kind, url in own.items()}
        peers = {kind: Reader(_source(reach, kind, url)) for kind, url in real.items()}
        for now in sorted(moments):
            server.clock.turn(at=now)
            pouring.until(now)
            numbers = pouring.numbers()
            itself = {number: number for number in numbers.values()}
            for kind, base in (("wordpress", own["wordpress"]), ("feed", "https://blog.example")):
                face = _told(await faces[kind].read(now), base=base, numbers=itself)
                peer = _told(await peers[kind].read(now), base=wordpress.url, numbers=numbers)
                assert _differing(peer, face) == [], f"{kind} at {now}"
                assert peers[kind].gaps == faces[kind].gaps
        shown = {str(post.number) for post in posts if post.is_shown(storm.end)}
        assert peers["feed"].gaps, "ten entries cannot show a storm, and the source says so"
        assert peers["wordpress"].gaps == []
        assert set(_told(faces["wordpress"].stored, base="", numbers=itself)) == shown
    await reach.close()


@pytest.fixture
def dovecot():
    if BINARY is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Dovecot is missing: install dovecot-imapd and dovecot-lmtpd")
        pytest.skip("needs Dovecot (dovecot-imapd, dovecot-lmtpd)")
    with tempfile.TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True) as folder:
        server = Dovecot(Path(folder))
        yield server
        server.stop()


def _letter(post, at):
    one = EmailMessage()
    one["From"], one["To"] = f"{post.author} <{post.author}@example.com>", "hilfe@nordfunk.example"
    one["Subject"] = f"Störung {post.number}"
    one["Date"], one["Message-ID"] = at, f"<{post.number}@example.com>"
    one.set_content(post.text)
    return one


async def _unused(*_):
    raise AssertionError


def _append(dovecot, batch, _now):
    """Put letters where they would lie had they come at the story's time; return which time each has."""
    with imaplib.IMAP4("127.0.0.1", dovecot.imap) as client:
        client.login("nf", "secret")
        for post in batch:
            client.append("INBOX", None, imaplib.Time2Internaldate(post.at), _letter(post, post.at).as_bytes())
    return {post.number: post.at for post in batch}


def _deliver(dovecot, batch, now):
    """Let letters arrive now, as they are written."""
    dovecot.deliver("nf", *(_letter(post, now) for post in batch))
    return {post.number: now for post in batch}


def _story_time(moment):
    return moment


def _machine_time(_moment):
    return datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize(("pour", "clock"), [(_append, _story_time), (_deliver, _machine_time)])
async def test_a_real_dovecot_brings_the_story_field_by_field(dovecot, pour, clock):
    storm = tell(42, (Channel.DISCOURSE,), burst=(60, 60))
    posts = storm.posts[Channel.DISCOURSE]
    options = MailboxOptions(
        type="mailbox", host="127.0.0.1", port=dovecot.imap, security="none", allow_private=True, user="nf",
        password=Secret("secret"),
    )  # fmt: skip
    tools = Tools(fetch=_unused, parse_feed=_unused, mailboxes=Mailboxes())
    reader = Reader(MailboxSource(SourceId("mail"), options, tools))
    moments = [storm.start, (storm.onset + 20 * MINUTE).replace(microsecond=0), storm.end]
    times, captured, first = {}, {}, None
    for moment in moments:
        batch = [post for post in posts if post.at <= moment and post.number not in times]
        times |= pour(dovecot, batch, clock(moment))
        now = clock(moment) + timedelta(seconds=1)
        first = first or now
        captured |= {post.number: (now, times[post.number] < first) for post in batch}
        await reader.read(now)
    told = {
        one.external_id: (
            one.text,
            one.context,
            one.author,
            one.published_at,
            (one.captured_at, one.history),
            one.flags,
        )
        for one in reader.stored.values()
    }
    assert told == {
        f"<{post.number}@example.com>": (
            post.text, f"Störung {post.number}", f"{post.author}@example.com", times[post.number],
            captured[post.number], (),
        )
        for post in posts
    }  # fmt: skip
