"""Bluesky's stream on both of its wires, against a face that numbers, replays and forgets as its servers do."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import pytest
from pydantic import ValidationError

from brandmelder.capture.query import parse
from brandmelder.capture.sources.bluesky import BlueskyOptions, BlueskySource
from brandmelder.errors import Transient
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Said, SourceConformance
from brandmelder.testing.sources import DAY, HOUR, MINUTE
from peers.jetstream import POSTS, JetstreamFace

SECOND = timedelta(seconds=1)


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

    async def test_posts_do_not_wait_for_who_wrote_them(self):
        async with self.reading() as stage:
            await self.begun(stage)
            stage.face.profiles_answer = 503
            for author in ("eins", "zwei"):
                stage.face.write(stage.now - SECOND, "Nordfunk", author=author)
                poll = await stage.reader.poll()
                assert "who wrote is not known yet" in poll.degraded
                stage.later(MINUTE)
            assert {one.author for one in stage.reader.stored.values()} == {"did:plc:eins", "did:plc:zwei"}
            assert stage.face.profiles_asked == 1
            stage.face.profiles_answer = 200
            stage.later(5 * MINUTE)
            stage.face.write(stage.now - SECOND, "Nordfunk", author="drei")
            assert (await stage.reader.poll()).degraded == ""
            assert {one.author for one in stage.reader.stored.values()} > {"drei.example"}

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
