"""A storm on many platforms: the faces speak as the sources expect, faults lose nothing silently, the bill is right."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from brandmelder.capture import feed_parser
from brandmelder.capture.http import HttpClient, Limits
from brandmelder.capture.source import Tools
from brandmelder.capture.websocket import WebSockets
from brandmelder.clock import ReplayClock
from brandmelder.demo.storm.faces import FACES
from brandmelder.demo.storm.faults import Fault, Weather
from brandmelder.demo.storm.posts import Channel, tell
from brandmelder.demo.storm.server import StormServer
from brandmelder.demo.storm.trial import Trial, configuration
from brandmelder.demo.storm.truth import score
from brandmelder.errors import SourceError
from brandmelder.model import Gap, Mention, SourceId
from brandmelder.plugins import load
from brandmelder.settings import parse_settings

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SEEDS = range(len(Channel))
"""One for each platform, of the two thousand that `make storm` runs."""


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_is_lost_silently_doubled_or_invented(seed):
    channel = tuple(Channel)[seed % len(Channel)]
    result = await Trial(seed, (channel,)).run()
    told = result.scores[channel]
    assert (told.lost, told.doubled, told.invented) == ((), (), ())
    assert told.found + told.declared == told.posts


@pytest.mark.parametrize("seed", range(100, 106))
async def test_a_stream_loses_nothing_silently_through_broken_silent_doubled_and_forgetful_connections(seed):
    result = await Trial(seed, (Channel.JETSTREAM,)).run()
    told = result.scores[Channel.JETSTREAM]
    assert (told.lost, told.doubled, told.invented) == ((), (), ())
    assert told.found + told.declared == told.posts


@pytest.mark.parametrize(
    ("seed", "channel"), [(2, Channel.FACEBOOK), (3, Channel.FACEBOOK), (2, Channel.INSTAGRAM), (2, Channel.YOUTUBE)]
)
async def test_seeds_that_once_lost_posts_lose_none(seed, channel):
    """What went wrong is told in docs/decisions/0093-oracles-for-the-faces.md."""
    told = (await Trial(seed, (channel,)).run()).scores[channel]
    assert (told.lost, told.doubled, told.invented) == ((), (), ())


async def test_all_platforms_of_one_storm_at_once():
    result = await Trial(2026, tuple(Channel), tell(2026, burst=(30, 80))).run()
    assert result.is_honest
    assert {channel: one.recall for channel, one in result.scores.items() if channel is not Channel.FEED} == {
        channel: 1.0 for channel in Channel if channel is not Channel.FEED
    }


async def test_a_seed_replays_the_same():
    first, second = [await Trial(77, (Channel.DISCOURSE,)).run() for _ in range(2)]
    assert (first.scores, first.faults, first.polls, first.crashes) == (
        second.scores,
        second.faults,
        second.polls,
        second.crashes,
    )


def test_seeds_differ_and_meet_every_fault():
    assert tell(1).posts != tell(2).posts
    met = set()
    for seed in range(40):
        storm = tell(seed, (Channel.X,))
        weather = Weather(storm, "x")
        met |= {weather.fault(storm.start + n * MINUTE) for n in range(240)}
    assert met == {None, *Fault}


def test_after_the_storm_the_weather_is_fair():
    storm = tell(3, (Channel.X,))
    weather = Weather(storm, "x")
    assert {weather.fault(storm.end + n * MINUTE) for n in range(100)} == {None}


def test_the_truth_tells_a_loss_a_double_and_an_invention_from_a_declared_gap():
    storm = tell(5, (Channel.DISCOURSE,))
    posts, face = storm.posts[Channel.DISCOURSE], FACES[Channel.DISCOURSE]
    shown = [post for post in posts if post.is_shown(storm.end)]

    def mention(ident, post):
        return Mention(
            source=SourceId("discourse"),
            external_id=ident,
            text="x",
            published_at=post.at,
            captured_at=post.shown_at + MINUTE,
        )

    stored = [mention(face.ident(post), post) for post in shown[2:]]
    gap = Gap(source=SourceId("discourse"), since=shown[0].at, until=shown[0].at, reason="-")
    found = [*stored, stored[0], mention("999999", shown[0])]
    told = score(posts, face, found, [gap], (storm.start - timedelta(days=2), storm.end))
    assert told.declared >= 1
    assert shown[1].number in told.lost or shown[1].at == shown[0].at
    assert set(told.doubled) == {stored[0].external_id}
    assert told.invented == ("999999",)
    assert not told.is_honest


# ------------------------------------------------------------------ over the wire


async def _parse(body, content_type):
    return feed_parser.parse(body, content_type)


async def _read(server, client, settings, *, turns=40):
    """Read every channel over HTTP as the pipeline would, page by page."""
    found = {}
    for ident, options in settings.sources.items():
        tools = Tools(
            fetch=client.bind(source=ident, allow_private=True),
            parse_feed=_parse,
            connect=WebSockets(client).bind(source=ident, allow_private=True),
        )
        source, cursor = load("sources", options.type)(ident, options, tools), None
        for _ in range(turns):
            try:
                poll = await source.poll(cursor, server.clock.now())
            except SourceError:
                continue
            cursor = poll.cursor or cursor
            found.setdefault(ident, {}).update({one.external_id: one for one in poll.mentions})
            if not poll.more:
                break
    return found


async def _ask(server, path, body=None):
    exchange = HttpClient().exchange(allow_private=True)
    sent = b"" if body is None else json.dumps(body).encode()
    answer = await exchange("GET" if body is None else "POST", f"{server.url}{path}", headers={}, body=sent)
    return json.loads(answer.body)


async def test_the_server_is_read_by_the_real_client_and_tells_recall_and_cost():
    storm = tell(11, burst=(30, 60))
    async with StormServer(storm, ReplayClock(storm.start), is_fair=True) as server:
        await _ask(server, "/_sim/clock", {"at": storm.end.isoformat()})
        settings = parse_settings(configuration(server.url, tuple(Channel)), Path("a.yaml"), {"TOKEN": "token"})
        client = HttpClient()
        found = await _read(server, client, settings)
        await client.close()
        told = await _ask(server, "/_sim/truth", {ident: list(one) for ident, one in found.items()})
        late = {Channel.FEED, Channel.TELEGRAM}  # they show ten, and a day: what was written before is not to be had
        assert {name: one["recall"] for name, one in told.items() if name not in late} == {
            channel.value: 1.0 for channel in Channel if channel not in late
        }
        first = storm.end - timedelta(hours=24)
        older = {FACES[Channel.TELEGRAM].ident(one) for one in storm.posts[Channel.TELEGRAM] if one.at < first}
        assert set(told["telegram"]["missing"]) <= older
        assert all(one["invented"] == [] for one in told.values())
        assert len(found["feed"]) == 10
        truth = await _ask(server, "/_sim/truth")
        assert sum(truth["x"]["per_minute"].values()) == len(truth["x"]["ids"])
        bill = await _ask(server, "/_sim/bill")
        units = bill["x"]["units"]
        assert bill["x"]["dollars"] == pytest.approx(0.005 * (units["counts"] + units["posts"]))


async def test_drips_and_cuts_on_the_wire_are_errors_and_no_half_answers():
    storm = tell(12, (Channel.DISCOURSE, Channel.MASTODON), burst=(30, 60))
    async with StormServer(storm, ReplayClock(storm.start)) as server:
        client = HttpClient(limits=Limits(deadline=timedelta(seconds=0.5)))
        settings = parse_settings(configuration(server.url, tuple(storm.posts)), Path("a.yaml"), {"TOKEN": "token"})
        server.clock.turn(at=storm.onset)
        for weather in server._weather.values():
            faults = iter([Fault.DRIP, Fault.CUT, Fault.HALF, Fault.EMPTY, Fault.HTML])
            weather.fault = lambda _now, faults=faults: next(faults, None)
        found = await _read(server, client, settings)
        await client.close()
        told = await _ask(server, "/_sim/truth", {ident: list(one) for ident, one in found.items()})
        assert all(one["recall"] == 1.0 for one in told.values())


async def test_the_clock_runs_at_its_speed_and_can_be_stepped():
    storm = tell(13, (Channel.X,))
    wall = ReplayClock(storm.start)
    async with StormServer(storm, wall) as server:
        server.clock.turn(speed=3600)
        wall.move_to(storm.start + timedelta(seconds=2))
        assert server.clock.now() == storm.start + 2 * HOUR
        server.clock.turn(step=60)
        assert server.clock.now() == storm.start + 2 * HOUR + MINUTE
        server.clock.turn(speed=9_999_999)
        wall.move_to(storm.start + timedelta(seconds=3))
        assert server.clock.now() == storm.start + 3 * HOUR + MINUTE


# ----------------------------------------------------------------- a burst on X


async def test_a_burst_of_twenty_thousand_posts_is_sized_at_once_and_cheaply_and_stays_in_its_budget():
    storm = tell(20, (Channel.X,), burst=(20_000, 20_000))
    trial = Trial(20, (Channel.X,), storm)
    weather = trial.weather[Channel.X]
    weather.fault = lambda _now: None
    source = trial._sources()[SourceId("x")]
    bill, cursor = trial.bills[Channel.X], None
    while (poll := await source.poll(cursor, storm.start)).more:
        cursor = poll.cursor
    cursor, before = poll.cursor, bill.dollars
    seen = storm.onset + 90 * MINUTE  # the first look after the burst, as after a night
    first = await source.poll(cursor, seen)
    assert bill.units["counts"] == 2
    written = sum(storm.onset - 10 * MINUTE <= post.at < seen for post in storm.posts[Channel.X])
    expected = json.loads(first.cursor)["expected"]
    assert abs(expected - written) <= 0.1 * written
    assert written > 15_000
    counting = bill.units["counts"] * 0.005
    assert counting < 0.10
    poll = first
    while poll.more:
        poll = await source.poll(poll.cursor, seen)
    assert bill.dollars - before <= 5.0
    (gap,) = poll.gaps
    assert gap.expected > 0.8 * written
    assert f"{expected} posts" in poll.degraded
