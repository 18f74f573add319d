"""A source that answers may be blind all the same: that is told once, in time, in words for people, and taken back."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from brandmelder.model import DeliveryKind, DeliveryState, DoubtKind
from brandmelder.notify.compose import plain_text
from brandmelder.pipeline.render import render
from brandmelder.store import doubts
from pipeline.world import START, YAML, World, mention

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
OWN = YAML.replace("every: 2m,", "every: 2m, class: own,")
CUT = START + 7 * HOUR + 20 * MINUTE


def rhythm(until: datetime, *, days=9, an_hour=12.0, seed=5, first=1, begin=None):
    """Calm mentions by the clock of a German day."""
    rng = random.Random(seed)
    found, at = [], begin or until - days * DAY
    while True:
        at += timedelta(seconds=rng.expovariate(an_hour * 1.25 / 3600) + 1)
        if at >= until:
            return found
        if at.astimezone(BERLIN).hour >= 6 or rng.random() < 0.16:
            found.append(mention(first + len(found), at.replace(microsecond=0), angry=False))


def run(posts, *, until, yaml=OWN, path=None, twist=lambda _world: None, outages=None, again=None):
    async def go():
        world = World(posts, yaml=yaml, path=path, outages=outages)
        twist(world)
        await world.begin(START)
        if again is not None:
            await world.run_until(again)
            await world.come_back()
        await world.run_until(until)
        return world

    return asyncio.run(go())


def notices(world, about):
    found = [one for one in world.deliveries() if one.kind is DeliveryKind.NOTICE]
    return [one for one in found if one.incident.startswith(about)]


def said(world, delivery):
    message, _ = asyncio.run(render(world.pipeline.parts, delivery, delivery.created_at))
    return plain_text(message)


def running(world):
    return world.database.run_now(doubts.running)


@pytest.fixture(scope="module")
def gone():
    """A blog that is written to twelve times an hour answers with nothing new for some hours, then as before."""
    before = rhythm(CUT)
    return run([*before, *rhythm(CUT + 5 * HOUR, begin=CUT + 3 * HOUR, first=100_000)], until=CUT + 4 * HOUR)


def test_an_unusual_silence_is_told_once_as_soon_as_it_is_certain(gone):
    (one,) = notices(gone, "doubt:")
    assert one.state is DeliveryState.SENT
    assert CUT + 30 * MINUTE < one.created_at < CUT + 2 * HOUR


def test_it_says_what_is_usual_and_that_somebody_should_look(gone):
    text = said(gone, notices(gone, "doubt:")[0])
    assert "Nordfunk: Ungewohnt still: Blog" in text
    assert "schweigt seit" in text
    assert "Kommentare die Stunde" in text
    assert "Bitte einmal dort nachsehen." in text


def test_its_end_is_told_once_when_something_comes_again(gone):
    (one,) = notices(gone, "sure:")
    assert CUT + 3 * HOUR < one.created_at < CUT + 4 * HOUR
    assert "war still von" in said(gone, one)
    assert running(gone) == {}


def test_a_silence_calls_nobody_and_opens_no_incident(gone):
    assert gone.incidents() == []
    assert all(one.persons == () for one in notices(gone, "doubt:"))


def test_a_source_that_says_so_tells_no_silence():
    yaml = OWN.replace("class: own,", "class: own, tell_silence: false,")
    assert notices(run(rhythm(CUT), until=CUT + 2 * HOUR, yaml=yaml), "doubt:") == []


def test_a_source_whose_rhythm_is_not_known_yet_tells_no_silence():
    assert notices(run(rhythm(CUT, days=5), until=CUT + 2 * HOUR), "doubt:") == []


def test_a_blind_source_is_told_as_blind_and_not_as_silent():
    world = run(rhythm(CUT), until=CUT + 2 * HOUR, outages={"blog": ((CUT, CUT + 9 * HOUR),)})
    assert len(notices(world, "blind:")) == 1
    assert notices(world, "doubt:") == []


def test_a_restart_in_the_middle_of_a_silence_tells_nothing_twice(tmp_path):
    world = run(rhythm(CUT), until=CUT + 3 * HOUR, again=CUT + 2 * HOUR, path=tmp_path / "a.db")
    assert len(notices(world, "doubt:")) == 1
    assert notices(world, "sure:") == []


def test_our_own_stop_is_not_taken_for_a_silence(tmp_path):
    async def go():
        world = World(rhythm(CUT + 7 * HOUR), yaml=OWN, path=tmp_path / "a.db")
        await world.begin(START)
        await world.run_until(CUT)
        world.clock.move_to(CUT + 6 * HOUR)
        await world.come_back()
        await world.pipeline.keep(world.clock.now())
        await world.run_until(CUT + 7 * HOUR)
        return world

    assert notices(asyncio.run(go()), "doubt:") == []


def test_far_fewer_mentions_than_usual_are_told_with_their_numbers():
    fewer = [mention(100_000 + n, CUT + n * 52 * MINUTE, angry=False) for n in range(30)]
    world = run([*rhythm(CUT), *fewer], until=CUT + 11 * HOUR)
    told = "\n".join(said(world, one) for one in notices(world, "doubt:"))
    assert [(one.kind, one.hours) for one in running(world).values()] == [(DoubtKind.FEW, 6)]
    assert len(notices(world, "doubt:")) == 1
    assert "Ungewohnt wenig: Blog" in told
    assert "Kommentare in 6 Stunden; üblich sind" in told


def test_a_source_that_brings_one_mention_now_and_then_is_told_once_and_not_taken_for_well():
    fewer = [mention(100_000 + n, CUT + (n + 1) * 3 * HOUR, angry=False) for n in range(4)]
    world = run([*rhythm(CUT), *fewer], until=CUT + 9 * HOUR)
    assert len(notices(world, "doubt:")) == 1
    assert notices(world, "sure:") == []


def skewed(by_hour):
    """Have sources tell a clock: `by_hour` takes a source's name and the hours since START."""

    def twist(world):
        meter = world.pipeline.parts.meter
        for ident, source in world._sources.items():
            _tell_time(source, ident, meter, by_hour)

    return twist


def _tell_time(source, ident, meter, by_hour):
    good = source.poll

    async def poll(cursor, now):
        offset = by_hour(ident, (now - START) / HOUR)
        if offset is not None:
            meter.note_clock(ident, offset)
        return await good(cursor, now)

    source.poll = poll


def test_a_clock_that_is_wrong_is_told_at_the_third_poll_and_once_when_it_is_right():
    world = run(
        [],
        until=START + 4 * HOUR,
        twist=skewed(lambda name, hour: -13 * MINUTE if name == "blog" and 1 <= hour < 3 else 2 * timedelta(seconds=1)),
    )
    (wrong,), (right,) = notices(world, "doubt:"), notices(world, "sure:")
    assert START + HOUR < wrong.created_at <= START + HOUR + 3 * 2 * MINUTE
    assert "Falsche Uhrzeit: Blog" in said(world, wrong)
    assert "die Uhr des Servers geht 13 min nach" in said(world, wrong)
    assert START + 3 * HOUR <= right.created_at <= START + 3 * HOUR + 15 * MINUTE
    assert "die Uhr stimmt seit" in said(world, right)


def test_small_differences_of_clocks_tell_nothing():
    world = run([], until=START + 3 * HOUR, twist=skewed(lambda _name, _hour: 4 * MINUTE))
    assert notices(world, "doubt:") == []


def test_a_clock_between_right_and_wrong_does_not_flap():
    def wobble(name, hour):
        return (6 if int(hour * 10) % 2 else 4) * MINUTE if name == "blog" else None

    world = run([], until=START + 4 * HOUR, twist=skewed(wobble))
    assert len(notices(world, "doubt:")) == 1
    assert notices(world, "sure:") == []


def test_where_every_kind_of_server_agrees_our_own_clock_is_told_as_wrong():
    yaml = OWN.replace("press: {type: feed,", "press: {type: wordpress,").replace("language: de", "language: en", 1)

    def twist(world):
        other = type("OtherSource", (type(world._sources["blog"]),), {})
        world._sources["press"].__class__ = other
        skewed(lambda _name, _hour: 20 * MINUTE)(world)

    world = run([], until=START + 2 * HOUR, yaml=yaml, twist=twist)
    text = said(world, notices(world, "doubt:")[0])
    assert "Our clock is wrong" in text
    assert "ours is 20 min slow" in text


def test_mentions_dated_in_the_future_are_told():
    at = START + 2 * HOUR
    posts = [mention(n, at + n * MINUTE, angry=False, flags=("future_dated",)) for n in range(1, 6)]
    world = run(posts, until=START + 12 * HOUR)
    (one,), (end,) = notices(world, "doubt:"), notices(world, "sure:")
    assert at < one.created_at <= at + HOUR + MINUTE
    assert "in die Zukunft datiert" in said(world, one)
    assert end.created_at > at + 5 * HOUR


def expiring(days):
    day = (START + timedelta(days=days)).date()
    return OWN.replace("class: own,", f"class: own, token_expires: {day},")


def test_an_access_that_ends_is_told_fourteen_three_and_one_day_before_each_once():
    world = run(
        [], until=START + 15 * DAY + HOUR, yaml=expiring(15).replace("every: 2m", "every: 12h").replace("15m", "12h")
    )
    told = notices(world, "doubt:")
    ends = datetime.combine((START + 15 * DAY).date(), datetime.min.time(), BERLIN)
    assert [round((ends - one.created_at) / DAY, 2) for one in told] == [14, 3, 1]
    assert "Bitte handeln. Der Zugang endet in 14 Tagen" in said(world, told[0])
    assert notices(world, "sure:") == []
    assert running(world) == {}


def test_a_service_that_begins_two_days_before_the_end_tells_it_at_once():
    world = run([], until=START + 3 * HOUR, yaml=expiring(2))
    (one,) = notices(world, "doubt:")
    assert one.created_at <= START + HOUR
    assert "Zugang endet bald: Blog" in said(world, one)


def test_a_renewed_access_is_told_once():
    def twist(world):
        source = world._sources["blog"]
        good = source.poll

        async def poll(cursor, now):
            ends = START + (5 if now < START + 6 * HOUR else 60) * DAY
            return replace(await good(cursor, now), expires_at=ends)

        source.poll = poll

    world = run([], until=START + 9 * HOUR, twist=twist)
    (soon,), (renewed,) = notices(world, "doubt:"), notices(world, "sure:")
    assert soon.created_at <= START + HOUR
    assert "der Zugang ist erneuert und gilt bis" in said(world, renewed)
    assert running(world) == {}
