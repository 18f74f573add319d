"""Moments that are worth an evening of their own: a click under a lock, an idle hour, fifty restarts in an incident."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from brandmelder.model import DeliveryKind
from brandmelder.store import deliveries, incidents
from simulation import plan as plans
from simulation import world as worlds
from simulation.oracles import complaints
from simulation.sources import Item
from simulation.test_outages import evening
from simulation.workers import quiet
from simulation.world import Workshop

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def workshop():
    quiet()
    return Workshop()


def _second(world, what):
    """Return when a line of the trace first says this, in seconds."""
    return next(float(line.split()[0]) for line in world.trace if line.split()[1:] == what.split())


def test_a_click_whose_answer_meets_a_locked_database_is_answered_once_the_lock_is_gone(workshop):
    deed = plans.Deed(at=1500.0, act="snooze", seconds=600, person="U0ANNA")
    plan = evening(plans.Shape(), [("Nordfunk", plans.START + 5 * MINUTE)], deeds=[deed], faulty=35 * MINUTE)
    seen = workshop.simulate(1, plan=plan, keeps_trace=True)
    done = _second(seen, "_settle")
    plan.locked = ((done + 1e-6, done + 60.0),)
    world = workshop.simulate(1, plan=plan, keeps_trace=True)
    assert _second(world, "_settle") == done, "the same evening until the lock"
    assert complaints(world) == []


def test_with_nothing_promised_nobody_wakes_but_for_what_is_read_and_counted(workshop):
    plan = evening(plans.Shape(), [], faulty=60 * MINUTE)
    world = workshop.simulate(1, plan=plan, keeps_trace=True)
    counted = Counter(line.split()[1] for line in world.trace)
    polls = counted["commit_poll"]
    assert polls < 40
    # A poll is followed by one look at the deliveries, and so is every bin of five minutes that has settled.
    assert counted["next_attention"] <= polls + (plan.faulty + plan.healed) / (5 * MINUTE) + 5


def _moment(world, *words, after=0.0):
    """Return when a line of the trace first holds these words after so many seconds."""
    found = ((float(line.split()[0]), line) for line in world.trace)
    return next(at for at, line in found if at >= after and all(word in line for word in words))


@pytest.mark.parametrize("moment", [("crisis landed", ":open:"), ("_commit_evaluation",), ("commit_poll",)])
def test_a_service_that_stood_still_for_two_hours_tells_everything_once_and_says_it_is_late(workshop, moment):
    """Stopped right after a message landed, an evaluation or a poll was committed: nobody knows that time went by."""
    storms = [("Nordfunk", plans.START + 5 * MINUTE), ("Westnetz", plans.START + 40 * MINUTE)]
    plan = evening(plans.Shape(brands=("Nordfunk", "Westnetz")), storms, faulty=180 * MINUTE)
    seen = workshop.simulate(1, plan=plan, keeps_trace=True)
    stop = _moment(seen, *moment, after=330.0) + 1e-4
    plan.stops = ((stop, 7200.0),)
    world = workshop.simulate(1, plan=plan, keeps_trace=True)
    assert _moment(world, "stands still") == pytest.approx(stop, abs=1e-3)
    assert complaints(world) == []
    late = [one for one in world.crisis.alerts() if one.at > stop + 7200]
    assert len(world.crisis.alerts()) == 2
    assert not any(":notice:" in one.key for one in world.crisis.posts.values()), "no source was blind: we stood still"
    assert late
    assert all(one.first.honest[0].startswith("Verspätet") for one in late)


class _Counting:
    """Counts what SQLite does for each start of the process."""

    def __init__(self, monkeypatch):
        self.steps, self.starts = 0, []
        main, meter = worlds.Life._main, self

        async def counted(life):
            database, start = life.database, life.pipeline.start

            async def started(now):
                meter.steps = 0
                database.raw.set_progress_handler(meter.step, 100)
                try:
                    await start(now)
                finally:
                    database.raw.set_progress_handler(None, 0)
                meter.starts.append(meter.steps)

            life.pipeline.start = started
            await main(life)

        monkeypatch.setattr(worlds.Life, "_main", counted)

    def step(self):
        self.steps += 1


def test_fifty_restarts_within_an_incident_are_one_incident_told_once_and_no_start_is_dearer(workshop, monkeypatch):
    meter = _Counting(monkeypatch)
    kills = tuple(320.0 + 7 * number for number in range(50))
    storms = [("Nordfunk", plans.START + 4 * MINUTE)]
    plan = evening(plans.Shape(), storms, kills=kills, downs=(1.0,), faulty=30 * MINUTE)
    for number in range(1500):  # what is in the store grows tenfold between the first start and the next
        at = plans.START - timedelta(days=9) + number * timedelta(minutes=8)
        late = plans.START + timedelta(seconds=60)
        plan.logs["s0"].append(Item(source="s0", number=20_000 + number, published=at, visible=late, is_angry=False))
    world = workshop.simulate(3, plan=plan)
    assert world.crashes >= 50
    assert complaints(world) == []
    run = workshop.disk.database.run_now
    assert len(run(incidents.all_incidents)) == 1
    openings = [one for one in run(deliveries.all_deliveries) if one.kind is DeliveryKind.OPEN]
    assert len(openings) == 1
    assert len([one for one in world.crisis.posts.values() if ":open:" in one.key]) == 1
    stored = run(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM mention").scalar())
    assert stored > 1500
    assert max(meter.starts[1:]) <= meter.starts[0] + 10, "ten times as many mentions, and a start does no more"
