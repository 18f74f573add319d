"""Hours without Slack, days without a source: everything is told once, late things say so, a backlog is no storm."""

from __future__ import annotations

from datetime import timedelta

import pytest

from brandmelder.model import DeliveryKind
from brandmelder.store import deliveries, incidents
from simulation import plan as plans
from simulation.oracles import complaints
from simulation.sources import Habits, Item
from simulation.workers import quiet
from simulation.world import Workshop

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BACK = 6 * 3600 + 300
"""When Slack is back, in seconds: it was down for six hours."""


@pytest.fixture(scope="module")
def workshop():
    quiet()
    return Workshop()


def evening(shape, storms, **more):
    """A plan with storms at these moments, each of 30 posts within ten minutes, and no faults but those given."""
    logs = {name: list(log) for name, log in plans.history(shape).items()}
    told = []
    for number, (brand, begin) in enumerate(storms):
        for place in range(30):
            at = begin + timedelta(seconds=20 * place)
            ident = 10_000 * (number + 1) + place
            logs["s0"].append(Item(source="s0", number=ident, published=at, visible=at, is_angry=True, brand=brand))
        told.append(plans.Storm(brand=brand, begin=begin, end=begin + 10 * MINUTE, count=30, visible_from=begin))
    habits = {name: Habits() for name in logs}
    return plans.Plan(shape=shape, storms=told, logs=logs, habits=habits, **more)


@pytest.mark.parametrize("shape", [plans.SHAPES[4], plans.Shape(brands=("Nordfunk", "Westnetz"))])
def test_after_six_hours_without_slack_everything_is_told_once_within_two_minutes_and_says_it_is_late(workshop, shape):
    storms = [("Nordfunk", plans.START + HOUR), ("Westnetz", plans.START + 3 * HOUR)]
    plan = evening(shape, storms, slack_outages=((300, BACK),), faulty=6 * HOUR + 30 * MINUTE)
    world = workshop.simulate(1, plan=plan)
    assert complaints(world) == []
    run = workshop.disk.database.run_now
    openings = [
        one for one in run(deliveries.all_deliveries) if one.kind is DeliveryKind.OPEN and one.channel == "crisis"
    ]
    assert len(openings) == len(run(incidents.all_incidents)) == 2
    for one in openings:
        assert BACK <= (one.confirmed_at - plans.START).total_seconds() <= BACK + 120
    for post in world.crisis.alerts():
        assert post.first.honest[0].startswith(("Verspätet", "Late"))


def test_three_days_without_a_source_and_their_backlog_raise_nothing(workshop):
    shape = plans.Shape()
    plan = evening(shape, [])
    for number in range(700):  # as calm as the days before
        at = plans.START + number * timedelta(minutes=6)
        plan.logs["s0"].append(
            Item(source="s0", number=20_000 + number, published=at, visible=at, is_angry=number % 70 == 0)
        )
    plan.habits["s0"] = Habits(page=200, outages=((60, 72 * 3600),))
    plan.faulty, plan.healed = 72 * HOUR, HOUR
    world = workshop.simulate(2, plan=plan)
    assert complaints(world) == []
    assert workshop.disk.database.run_now(incidents.all_incidents) == []
