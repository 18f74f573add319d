"""Bluesky's stream on both of its wires, against a face that numbers, replays and forgets as its servers do."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from pydantic import ValidationError

from brandmelder.capture.query import parse
from brandmelder.capture.sources.bluesky import BlueskyOptions, BlueskySource
from brandmelder.errors import Transient
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import DAY, HOUR, MINUTE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POSTS = "app.bsky.feed.post"


def micros(moment):
    return (moment - EPOCH) // timedelta(microseconds=1)


class JetstreamFace(Face):
    """A log of the network, read from a cursor, inclusive; and an account's own server beside it."""

    wires = (1, 2)
    keeps = timedelta(hours=36)

    def __init__(self):
        super().__init__()
        self.log = []
        self.searches = 0
        self.is_searchable = True
        self.number = 1_000

    def ident(self, post):
        return f"at://did:plc:{post.author}/{POSTS}/{post.number}"

    def happens(self, at, kind, did, **told):
        """Write down that something happened; the network's time only goes on."""
        before = self.log[-1]["at"] if self.log else 0
        self.number += 7
        self.log.append({"seq": self.number, "at": max(before + 1, micros(at)), "kind": kind, "did": did, **told})

    def write(self, at, text="Nordfunk?", **more):
        post = super().write(at, text, **more)
        self.happens(min(post.at, self.now()), "commit", f"did:plc:{post.author}", post=self._commit(post, "create"))
        return post

    def edit(self, post, text):
        super().edit(post, text)
        self.happens(self.now(), "commit", f"did:plc:{post.author}", post=self._commit(post, "update"))

    def delete(self, post):
        super().delete(post)
        self.happens(self.now(), "commit", f"did:plc:{post.author}", post=self._commit(post, "delete"))

    def leave(self, author):
        for post in [one for one in self.posts.values() if one.author == author]:
            super().delete(post)
        self.happens(self.now(), "account", f"did:plc:{author}", account={"active": False, "status": "deleted"})

    async def show(self):
        """Let the rest of the network talk."""
        self.happens(self.now(), "identity", "did:plc:anybody")

    def _commit(self, post, operation):
        told = {"rev": "3k", "operation": operation, "collection": POSTS, "rkey": str(post.number)}
        return told if operation == "delete" else told | {"record": self._record(post), "cid": "bafy"}

    def _record(self, post):
        return {
            "$type": POSTS,
            "text": post.text,
            "createdAt": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            "langs": ["de"],
            "embed": {"$type": "app.bsky.embed.images", "images": []},
        }

    # ------------------------------------------------------------------ wires

    def stream(self, asked):
        wire = {"/subscribe": 1, "/xrpc/network.bsky.jetstream.subscribeEvents": 2}.get(asked.path)
        if wire not in self.wires:
            return Said(status=404)
        assert asked.query["wantedCollections" if wire == 1 else "collections"] == POSTS
        assert asked.headers.get("sec-websocket-protocol") == (None if wire == 1 else "xrpc.v1.json")
        assert "Brandmelder" in asked.headers["user-agent"]
        floor = micros(self.now() - self.keeps)
        kept = [one for one in self.log if one["at"] >= floor]
        cursor = int(asked.query["cursor"])
        notes = []
        if wire == 2 and cursor < 10**15:
            if kept and cursor < kept[0]["seq"] and len(kept) < len(self.log):
                return Said.json({"error": "CursorTooOld", "message": "below the floor"}, status=400)
            return [self._second(one) for one in kept if one["seq"] >= cursor]
        if wire == 2 and cursor < floor:
            notes = [self._note("OutdatedCursor")]
        tell = self._first if wire == 1 else self._second
        return [*notes, *(tell(one) for one in kept if one["at"] >= cursor)]

    def _first(self, one):
        told = {"did": one["did"], "time_us": one["at"], "kind": one["kind"]}
        told |= {"commit": one["post"]} if "post" in one else {}
        told |= {"account": one["account"]} if "account" in one else {}
        return json.dumps(told).encode()

    def _second(self, one):
        at = EPOCH + timedelta(microseconds=one["at"])
        kind = f"network.bsky.jetstream.subscribeEvents#{one['kind']}"
        payload = {"$type": kind, "seq": one["seq"], "did": one["did"], "time": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"}
        payload |= one.get("post", {})
        payload |= {"account": one["account"]} if "account" in one else {}
        return json.dumps({"$type": "message", "payload": payload}).encode()

    def _note(self, name):
        payload = {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": name, "message": "starting at"}
        return json.dumps({"$type": "message", "payload": payload}).encode()

    # ---------------------------------------------------------------- account

    def answer(self, asked):
        if asked.path == "/xrpc/com.atproto.server.createSession":
            return Said.json({"accessJwt": "jwt", "did": "did:plc:nf"})
        if asked.path == "/xrpc/app.bsky.actor.getProfiles":
            dids = [value for name, value in asked.pairs if name == "actors"]
            return Said.json({"profiles": [self._profile(did) for did in dids]})
        if asked.path == "/xrpc/app.bsky.feed.getPosts":
            wanted = {value for name, value in asked.pairs if name == "uris"}
            found = [post for post in self.newest_first() if self.ident(post) in wanted]
            return Said.json({"posts": [self._view(post) for post in found]})
        assert asked.path == "/xrpc/app.bsky.feed.searchPosts"
        assert asked.headers["authorization"] == "Bearer jwt"
        if not self.is_searchable:
            return Said(status=403, headers={"content-type": "text/html"}, body=b"<html>no</html>")
        self.searches += 1
        since, until = (datetime.fromisoformat(asked.query[name]) for name in ("since", "until"))
        start, size = int(asked.query.get("cursor", "0")), int(asked.query["limit"])
        listed = [post for post in self.newest_first() if since <= post.at < until]
        told = {"posts": [self._view(post) for post in listed[start : start + size]]}
        return Said.json(told | ({"cursor": str(start + size)} if start + size < len(listed) else {}))

    def _profile(self, did):
        return {"did": did, "handle": f"{did.rpartition(':')[2]}.example", "followersCount": 420}

    def _view(self, post):
        return {
            "uri": self.ident(post),
            "cid": "bafy",
            "author": self._profile(f"did:plc:{post.author}"),
            "record": self._record(post),
            "indexedAt": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
        }


class Streams(SourceConformance):
    releases_late = False
    account = True
    wires: tuple[int, ...] = (1, 2)

    def make_face(self):
        face = JetstreamFace()
        face.wires = self.wires
        return face

    def make_source(self, tools, url, **options):
        values = {"type": "bluesky", "through": "jetstream", "servers": (url,), "url": url, "searches": ("nordfunk",)}
        if self.account:
            values |= {"handle": "nordfunk.bsky.social", "app_password": Secret("app")}
        return BlueskySource(SourceId("one"), BlueskyOptions(**(values | options)), tools)

    def restart(self, stage):
        stage.reader.source = self.make_source(stage.tools, stage.url)

    async def begun(self, stage):
        await stage.reader.poll()
        stage.later(5 * MINUTE)

    def talk(self, stage, count=12):
        """Let posts be written, one changed and one deleted among them, and others of the network between."""
        for number in range(count):
            stage.face.write(
                stage.now - 2 * MINUTE + 5 * number * SECOND, f"Nordfunk {number}", author=f"a{number % 5}"
            )
            stage.face.write(stage.now - 2 * MINUTE + 5 * number * SECOND, "etwas anderes", author="andere")
        stage.face.edit(stage.face.posts[3], "Nordfunk anders")
        stage.face.delete(stage.face.posts[5])

    def whole(self, stage):
        wanted = {stage.face.ident(one) for one in stage.face.newest_first() if "Nordfunk" in one.text}
        assert wanted == set(stage.reader.stored) - stage.reader.removed
        assert stage.reader.texts() == {one.text for one in stage.face.newest_first() if "Nordfunk" in one.text}

    async def test_stopped_after_each_event_and_begun_anew_all_is_stored_once(self):
        async with self.reading() as stage:
            await self.begun(stage)
            self.talk(stage)
            for cut in range(3, 30, 2):
                stage.streamed.cut_after = cut
                self.restart(stage)
                try:
                    await stage.reader.turn(is_committed=cut % 3 != 0)
                except Transient:
                    continue
            stage.streamed.cut_after = None
            self.restart(stage)
            await stage.reader.poll()
            self.whole(stage)
            assert stage.reader.gaps == []

    async def test_doubled_and_reordered_events_change_nothing(self):
        async with self.reading() as stage:
            await self.begun(stage)
            chance = Random(7)

            def spoilt(said):
                doubled = [one for message in said for one in (message, message)]
                return [*chance.sample(doubled[:-2], len(doubled) - 2), doubled[-1]]

            stage.streamed.spoil = spoilt
            stage.face.write(stage.now - MINUTE, "Nordfunk eins")
            stage.face.write(stage.now - MINUTE, "Nordfunk zwei")
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk eins", "Nordfunk zwei"}

    async def test_an_open_and_silent_stream_is_told_as_blindness(self):
        async with self.reading() as stage:
            await self.begun(stage)
            stage.face.write(stage.now - MINUTE, "Nordfunk")
            stage.streamed.is_silent = True
            with pytest.raises(Transient, match="never silent"):
                await stage.reader.turn()
            stage.streamed.is_silent = False
            await stage.reader.poll()
            self.whole(stage)

    async def test_what_the_stream_had_forgotten_is_searched_for(self):
        async with self.reading() as stage:
            await self.begun(stage)
            stage.face.write(stage.now, "Nordfunk vergessen")
            stage.later(2 * DAY)
            stage.face.write(stage.now - HOUR, "Nordfunk gemerkt")
            before = stage.face.searches
            await stage.reader.poll()
            assert stage.face.searches > before
            assert stage.reader.texts() == {"Nordfunk vergessen", "Nordfunk gemerkt"}
            assert stage.reader.gaps == []

    async def test_what_can_neither_be_heard_nor_searched_for_is_a_declared_gap(self):
        async with self.reading() as stage:
            await self.begun(stage)
            stage.face.is_searchable = False
            lost = stage.face.write(stage.now, "Nordfunk vergessen")
            stage.later(2 * DAY)
            stage.face.write(stage.now - HOUR, "Nordfunk gemerkt")
            for _ in range(11):
                poll = await stage.reader.poll()
                stage.later(MINUTE)
            assert stage.reader.texts() == {"Nordfunk gemerkt"}
            assert [gap.since <= lost.at <= gap.until for gap in stage.reader.gaps] == [True]
            assert not poll.degraded

    async def test_an_account_that_goes_takes_its_posts_along(self):
        async with self.reading() as stage:
            await self.begun(stage)
            stage.face.write(stage.now - MINUTE, "Nordfunk eins", author="weg")
            stage.face.write(stage.now - MINUTE, "Nordfunk zwei", author="da")
            await stage.reader.poll()
            stage.later(MINUTE)
            stage.face.leave("weg")
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk zwei"}

    async def test_who_wrote_is_known_by_handle_and_reach(self):
        async with self.reading() as stage:
            await self.begun(stage)
            stage.face.write(stage.now - MINUTE, "Nordfunk", author="mia")
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert (one.author, one.reach, one.url) == (
                "mia.example",
                420,
                "https://bsky.app/profile/did:plc:mia/post/1",
            )

    async def test_a_record_without_sense_stops_nothing(self):
        async with self.reading() as stage:
            await self.begun(stage)
            for record in ({"text": 7}, {"langs": 3, "text": "Nordfunk krumm"}, [], None, {"text": "x" * 200_000}):
                told = {"operation": "create", "collection": POSTS, "rkey": "k", "record": record}
                stage.face.happens(stage.now - MINUTE, "commit", "did:plc:böse", post=told)
            stage.face.write(stage.now - SECOND, "Nordfunk gerade")
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk krumm", "Nordfunk gerade"}

    async def test_listening_nudges_within_moments_and_only_polls_commit(self):
        async with self.reading() as stage:
            nudged = asyncio.Event()
            listening = asyncio.create_task(stage.reader.source.listen(nudged.set))
            try:
                await asyncio.wait_for(self._nudged(stage, nudged, "Nordfunk eins"), 20)
                await stage.reader.poll()
                assert stage.reader.texts() == {"Nordfunk eins"}
                await stage.reader.turn(is_committed=False)
                await asyncio.wait_for(self._nudged(stage, nudged, "Nordfunk zwei"), 20)
                await stage.reader.turn(is_committed=False)
                await stage.reader.poll()
                self.whole(stage)
                assert stage.streamed.opened == 1
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _nudged(self, stage, nudged, text):
        nudged.clear()
        await stage.reader.poll()
        await stage.streamed.first.wait()
        stage.later(MINUTE)
        stage.face.write(stage.now - SECOND, text)
        stage.streamed.tell()
        await nudged.wait()


class TestSecondWire(Streams):
    pass


class TestFirstWire(Streams):
    wires = (1,)


class WithoutAnAccount(Streams):
    account = False


async def test_without_an_account_there_is_no_history_and_the_network_is_heard_from_now_on():
    async with (stand := WithoutAnAccount()).reading() as stage:
        stage.face.write(stage.now - DAY, "Nordfunk vorher")
        await stand.begun(stage)
        stage.face.write(stage.now - MINUTE, "Nordfunk nachher")
        await stage.reader.poll()
        assert stage.reader.texts() == {"Nordfunk nachher"}
        assert stage.face.searches == 0


async def test_without_an_account_what_the_stream_had_forgotten_is_a_declared_gap():
    async with (stand := WithoutAnAccount()).reading() as stage:
        await stand.begun(stage)
        lost = stage.face.write(stage.now, "Nordfunk vergessen")
        stage.later(2 * DAY)
        stage.face.write(stage.now - HOUR, "Nordfunk gemerkt")
        await stage.reader.poll()
        assert stage.reader.texts() == {"Nordfunk gemerkt"}
        assert [gap.since <= lost.at <= gap.until for gap in stage.reader.gaps] == [True]


async def test_thousands_of_posts_within_seconds_are_read_whole_and_once():
    async with (stand := WithoutAnAccount()).reading() as stage:
        await stand.begun(stage)
        for number in range(3_000):
            stage.face.write(stage.now - MINUTE, f"Nordfunk {number}")
        brought = 0
        while (poll := await stage.reader.turn()).more:
            brought += len(poll.mentions)
        stand.whole(stage)
        assert brought + len(poll.mentions) == 3_000


async def test_another_server_takes_over_by_the_time_and_brings_what_came_meanwhile():
    async with (stand := WithoutAnAccount()).reading() as stage, stand.reading() as other:
        stage.reader.source = stand.make_source(stage.tools, stage.url, servers=(stage.url, other.url))
        other.face.number = 900_000
        await stand.begun(stage)
        other.later(5 * MINUTE)
        for face in (stage.face, other.face):
            face.write(stage.now - MINUTE, "Nordfunk")
        await other.face.show()
        stage.instead = Said(status=503)
        with pytest.raises(Transient):
            await stage.reader.turn()
        await stage.reader.poll()
        assert stage.reader.texts() == {"Nordfunk"}


def options(**more):
    return BlueskyOptions(**({"type": "bluesky", "through": "jetstream"} | more))


def test_what_the_monitors_ask_for_is_sorted_out_here():
    trees = [parse("nordfunk -werbung author:mia").tree, parse('"nord funk*"').tree]
    matcher = options().asking(trees).matcher()
    texts = ["Nordfunk!", "Nordfunk Werbung", "Nord Funkloch", "anderes"]
    assert [bool(found) for found in matcher.monitors(texts)] == [True, False, True, False]


@pytest.mark.parametrize("query", ["* -werbung", "*", "language:de reach>100"])
def test_a_query_without_a_word_would_bring_the_whole_network_and_is_refused(query):
    with pytest.raises(ValueError, match="write searches"):
        options().asking([parse(query).tree])


def test_without_an_account_nothing_is_searched_for_and_nobody_logs_in():
    found = options().asking([parse("nordfunk").tree])
    assert (found.searches, found.account, found.base) == ((), None, "https://public.api.bsky.app")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"handle": "a.example"}, "belong together"),
        ({"through": "search"}, "needs an account"),
        ({"every": "1s"}, "10s or more"),
        ({"searches": ("from:mia",)}, "cannot be looked for in the stream"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(wrong, said):
    with pytest.raises(ValidationError, match=said):
        options(**wrong)
