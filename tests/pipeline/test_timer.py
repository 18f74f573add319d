"""The timer on the machine's own clock: it polls, works and delivers by itself, and stops when it is told to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from brandmelder.clock import ReplayClock, SystemClock
from brandmelder.errors import RateLimited, StoreFull
from brandmelder.model import DeliveryKind, DeliveryState, SourceId
from brandmelder.notify import delivery as life
from brandmelder.notify.notifier import Unclear
from brandmelder.pipeline import timer as timers
from brandmelder.pipeline.timer import Timer
from brandmelder.store import deliveries, meta, sources
from notify.deliveries import a_delivery
from pipeline.world import STORM, YAML, World, quiet_weeks, storm
from simulation.loop import scheduler_time

HOUR = timedelta(hours=1)
EVERY_SECOND = YAML.replace("every: 2m", "every: 1s").replace("every: 15m", "every: 1s")


async def _until(condition, *, within=90):
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 -- what is waited for is in a database
            await asyncio.sleep(0.05)


async def test_a_storm_on_the_wall_clock_reaches_the_channel_without_a_push_from_outside():
    clock = SystemClock()
    now = clock.now()
    world = World(
        quiet_weeks(now, days=20) + storm(now + timedelta(seconds=8), 40, spread=timedelta(seconds=2)),
        yaml=EVERY_SECOND,
    )
    await world.pipeline.start(now)
    timer = Timer(world.pipeline, clock)
    running = asyncio.create_task(timer.run())

    async def told():
        return world.recorder.first

    await _until(told)
    timer.stop()
    await asyncio.wait_for(running, 5)
    assert await world.database.run(meta.last_progress) is not None
    assert len(world.incidents()) == 1


async def test_work_that_fails_as_a_whole_is_said_once_and_tried_again():
    clock = SystemClock()
    world = World(quiet_weeks(clock.now(), days=2), yaml=EVERY_SECOND)
    await world.pipeline.start(clock.now())
    run, full = world.database.run, True

    async def disk(function, *arguments, **named):
        if full and function.__name__ != "read_sources":
            raise StoreFull("database: the disk is full; free space")
        return await run(function, *arguments, **named)

    world.database.run = disk
    timer = Timer(world.pipeline, clock)
    running = asyncio.create_task(timer.run())

    async def said():
        return world.said

    async def progressed():
        return await run(meta.last_progress)

    await _until(said)
    full = False
    await _until(progressed, within=90)
    timer.stop()
    await asyncio.wait_for(running, 5)
    assert world.said.count("database: the disk is full; free space") == 1


async def test_a_stop_lets_the_send_in_hand_end():
    clock = SystemClock()
    now = clock.now()
    mentions = quiet_weeks(now, days=20) + storm(now + timedelta(seconds=8), 40, spread=timedelta(seconds=2))
    world = World(mentions, yaml=EVERY_SECOND)
    await world.pipeline.start(now)
    channel, began = world.pipeline.parts.notifiers["crisis"], asyncio.Event()
    push = channel.push

    async def slowly(*arguments, **named):
        began.set()
        await asyncio.sleep(1)
        return await push(*arguments, **named)

    channel.push = slowly
    timer = Timer(world.pipeline, clock)
    running = asyncio.create_task(timer.run())
    await asyncio.wait_for(began.wait(), 90)
    timer.stop()
    await asyncio.wait_for(running, 30)
    opening = next(one for one in world.deliveries() if one.kind is DeliveryKind.OPEN)
    assert opening.state is DeliveryState.SENT


async def test_a_call_goes_out_by_itself_when_nobody_acknowledges():
    clock = SystemClock()
    now = clock.now()
    calling = EVERY_SECOND.replace("to: [crisis]}", 'to: [crisis], escalation: [{to: "channel:crisis", after: 1s}]}')
    mentions = quiet_weeks(now, days=20) + storm(now + timedelta(seconds=8), 40, spread=timedelta(seconds=2))
    world = World(mentions, yaml=calling)
    await world.pipeline.start(now)
    timer = Timer(world.pipeline, clock)
    running = asyncio.create_task(timer.run())

    async def called():
        sent = (one.state is DeliveryState.SENT for one in world.deliveries() if one.kind is DeliveryKind.ESCALATE)
        return any(sent)

    await _until(called)
    timer.stop()
    await asyncio.wait_for(running, 30)
    opening = next(one for one in world.deliveries() if one.kind is DeliveryKind.OPEN)
    call = next(one for one in world.deliveries() if one.kind is DeliveryKind.ESCALATE)
    assert call.created_at >= opening.confirmed_at + timedelta(seconds=1)


async def test_a_clock_that_was_hours_ahead_stops_nothing_once_it_is_set_right():
    world = World(quiet_weeks(STORM, days=8))
    await world.begin(STORM - HOUR)
    await world.run_until(STORM)
    world.clock = ReplayClock(STORM + 4 * HOUR)  # a wrong hand, for ten minutes
    await world.run_until(STORM + 4 * HOUR + timedelta(minutes=10))
    world.clock = ReplayClock(STORM + timedelta(minutes=10))
    world._sources["blog"]._world += storm(STORM + 2 * HOUR, 60)
    await world.pipeline.clock_went_back(world.clock.now())
    await world.run_until(STORM + 3 * HOUR)
    assert any("the clock went back" in line for line in world.said)
    (incident,) = world.incidents()
    assert STORM + 2 * HOUR < incident.opened_at < STORM + 3 * HOUR
    assert world.recorder.first


async def test_a_source_that_failed_while_the_clock_was_ahead_is_asked_again_once_it_is_set_right():
    wrong = STORM + 26 * HOUR
    world = World(quiet_weeks(STORM, days=8), outages={"blog": [(wrong, wrong + HOUR)]})
    await world.begin(STORM - HOUR)
    await world.run_until(STORM)
    world.clock = ReplayClock(wrong)
    await world.run_until(wrong + timedelta(minutes=10))
    world.clock = ReplayClock(STORM + timedelta(minutes=10))
    await world.pipeline.clock_went_back(world.clock.now())
    asked = world._sources["blog"].polls
    await world.run_until(STORM + timedelta(minutes=15))
    row = world.database.run_now(sources.read_source, SourceId("blog"))
    assert world._sources["blog"].polls > asked
    assert row.last_success_at >= STORM + timedelta(minutes=10)
    assert row.blind_since is None


async def test_what_a_process_tried_that_lived_only_while_the_clock_was_ahead_is_taken_up_and_looked_for_over_a_day():
    """It never got through, so that only the delivery itself tells of those hours; when that truly was nobody knows."""
    world = World(quiet_weeks(STORM, days=8))
    await world.begin(STORM - HOUR)
    await world.run_until(STORM)
    ahead = STORM + 26 * HOUR
    lost = life.after(life.begin(a_delivery(due_at=ahead, created_at=ahead), ahead), Unclear("no answer"), ahead)
    world.database.run_now(deliveries.promise, [(lost, life.next_moment(lost))])
    now = STORM + timedelta(minutes=10)
    world.clock = ReplayClock(now)
    await world.pipeline.clock_went_back(now)
    (found,) = world.deliveries()
    assert life.looks_at(found) <= now + life.QUIESCE + timedelta(seconds=1)
    assert life.look_since(found) <= now - 24 * HOUR


async def test_the_timer_notices_that_the_clock_went_back(monkeypatch):
    monkeypatch.setattr(timers, "LOOKS_AT_CLOCK", timedelta(milliseconds=50))
    system, wrong = SystemClock(), timedelta(days=2)

    class Wrong(SystemClock):
        def now(self):
            return system.now() + wrong

        async def reach(self, moment):
            await asyncio.sleep(0.05)

    clock = Wrong()
    world = World(quiet_weeks(system.now(), days=2), yaml=EVERY_SECOND)
    with scheduler_time(clock):
        await world.pipeline.start(clock.now())
        timer = Timer(world.pipeline, clock)
        running = asyncio.create_task(timer.run())

        async def progressed():
            return await world.database.run(meta.last_progress)

        await _until(progressed)
        wrong = timedelta(0)

        async def progressed_again():
            return (await world.database.run(meta.last_progress)) < system.now() + timedelta(hours=1)

        await _until(progressed_again)
        timer.stop()
        await asyncio.wait_for(running, 30)
    assert any("the clock went back" in line for line in world.said)


class Chatty:
    """A service that says ten times a second that there is something, and lets nobody ask before a moment."""

    def __init__(self, ident, until):
        self.id, self.until = ident, until
        self.asked = 0
        self.nudged = asyncio.Event()

    async def poll(self, _cursor, _now):
        self.asked += 1
        raise RateLimited("answered 429", self.until)

    async def listen(self, nudge):
        for _ in range(20):
            nudge()
            await asyncio.sleep(0.05)
        self.nudged.set()
        await asyncio.Event().wait()


async def test_a_nudge_does_not_ask_a_service_before_it_may_be_asked_again():
    clock = SystemClock()
    world = World(quiet_weeks(clock.now(), days=2), yaml=EVERY_SECOND)
    await world.pipeline.start(clock.now())
    ident = next(iter(world.pipeline.parts.sources))
    chatty = world.pipeline.parts.sources[ident] = Chatty(ident, clock.now() + HOUR)
    timer = Timer(world.pipeline, clock)
    running = asyncio.create_task(timer.run())
    await asyncio.wait_for(chatty.nudged.wait(), 30)
    timer.stop()
    await asyncio.wait_for(running, 30)
    assert chatty.asked == 1
    world.pipeline.parts.meter.release()
    assert not world.pipeline.parts.meter.is_held(ident, clock.now())
