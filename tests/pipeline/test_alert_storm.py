"""Eight monitors catch fire in one minute: one message, the alerts in its thread, and none is lost."""

from datetime import timedelta

from brandmelder.model import DeliveryKind, DeliveryState
from brandmelder.notify.flood import MOST
from pipeline.world import STORM, YAML, World, complaint, mention, quiet_weeks

NAMES = ("anschluss", "warteschleife", "techniker", "rechnung", "router", "vertrag", "shop", "hotline")
MONITORS = "".join(
    f"""  {name}:
    query: 'nordfunk AND {name}'
    sources: [blog, press]
    false_alarms: 1 per 30 days
"""
    for name in NAMES
)
MANY = YAML.replace("channels:\n", f"{MONITORS}channels:\n").replace('(nordfunk OR "nord funk" OR #nordfunk)', "#ruhe")


def fires(at):
    """Return a fire of fifteen mentions for each monitor, all in the same quarter of an hour."""
    return [
        mention(
            700_000 + 100 * place + number,
            at + timedelta(seconds=55 * number + place),
            angry=True,
            text=f"{name}: {complaint(1000 * place + number)}",
        )
        for place, name in enumerate(NAMES)
        for number in range(15)
    ]


def quiet_days(until):
    """Return two weeks in which each monitor had something to count every day."""
    return [
        mention(
            800_000 + 100 * place + day,
            until - timedelta(days=day, hours=place),
            angry=True,
            text=f"{name}: {complaint(90_000 + 100 * place + day)}",
        )
        for place, name in enumerate(NAMES)
        for day in range(1, 15)
    ]


async def test_more_than_five_openings_stand_in_one_thread_and_none_is_lost():
    world = World([*quiet_weeks(STORM, days=14), *quiet_days(STORM), *fires(STORM)], yaml=MANY)
    await world.begin(STORM - timedelta(minutes=30))
    await world.run_until(STORM + timedelta(minutes=25))
    openings = [one for one in world.deliveries() if one.kind is DeliveryKind.OPEN]
    assert len(openings) == len(NAMES)
    assert {one.state for one in openings} == {DeliveryState.SENT}
    below = [one for one in openings if one.root]
    assert len(openings) - len(below) <= MOST
    (head,) = (one for one in world.deliveries() if one.kind is DeliveryKind.NOTICE)
    assert {one.root for one in below} == {head.ref}
    assert {one.under for one in below} == {head.key}
    told = world.recorder.first[head.incident.removesuffix(":de")].splitlines()
    assert told[0].startswith("🔴 Nordfunk: ")
    assert told[0].endswith(" neue Vorfälle in 10 min")
    assert world.said == []
