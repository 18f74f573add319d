from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.model import (
    Act,
    ChannelId,
    Course,
    DeliveryKind,
    DeliveryState,
    Incident,
    IncidentId,
    MonitorId,
    Spike,
    SpikeKind,
    State,
    Transition,
)
from brandmelder.notify.escalation import Escalation, Step, Target
from brandmelder.notify.routing import PROMISED, Route, channels_of, escalation_of, promises

NOW = datetime(2026, 11, 22, 20, 15, tzinfo=UTC)
SLACK, CONSOLE, SECOND = ChannelId("crisis"), ChannelId("console"), ChannelId("second")
BRAND, OTHER = MonitorId("nordfunk"), MonitorId("other")
EVERYWHERE = (Route(channels=(SLACK, CONSOLE)),)


def an_incident(monitor=BRAND):
    spike = Spike(
        kind=SpikeKind.NEGATIVE,
        since=NOW - timedelta(hours=1),
        until=NOW,
        window=timedelta(hours=1),
        observed=38,
        usual_low=2,
        usual_high=6,
        expected=4.0,
        score=9.0,
    )
    return Incident(
        id=IncidentId("NK-1"),
        monitor=monitor,
        kind=SpikeKind.NEGATIVE,
        state=State.OPEN,
        revision=1,
        onset=NOW,
        opened_at=NOW,
        changed_at=NOW,
        spike=spike,
        peak=38,
        total=38,
        severity=3,
        first_severity=3,
        course=Course.RISING,
    )


def acts(*acts, since=1):
    return [
        Transition(incident=IncidentId("NK-1"), revision=revision, at=NOW, act=act, before=None, after=State.OPEN)
        for revision, act in enumerate(acts, since)
    ]


def promised(*happened, editable=(SLACK,), routes=EVERYWHERE, since=1):
    made = promises(an_incident(), acts(*happened, since=since), routes, now=NOW, editable=frozenset(editable))
    return [(one.channel, one.kind.value, one.revision) for one in made]


def test_every_act_has_its_promise():
    assert set(PROMISED) == set(Act)


@pytest.mark.parametrize(
    ("act", "in_slack", "in_console"),
    [
        (Act.SUSPECT, [], []),
        (Act.DISCARD, [], []),
        (Act.OPEN, ["open"], ["open"]),
        (Act.ACKNOWLEDGE, ["update"], []),
        (Act.AGE, ["update"], []),
        (Act.CORRECT, ["update"], []),
        (Act.HAND_OVER, ["update", "thread"], ["thread"]),
        (Act.WORSEN, ["update", "thread"], ["thread"]),
        (Act.TURN, ["update", "thread"], ["thread"]),
        (Act.REOPEN, ["update", "thread"], ["thread"]),
        (Act.RESOLVE, ["resolve", "thread"], ["thread"]),
        (Act.DISMISS, ["resolve", "thread"], ["thread"]),
    ],
)
def test_each_change_is_worth_so_much(act, in_slack, in_console):
    made = promised(act)
    assert [kind for channel, kind, _ in made if channel == SLACK] == in_slack
    assert [kind for channel, kind, _ in made if channel == CONSOLE] == in_console


def test_a_promise_is_due_at_once_and_carries_a_key_of_its_own():
    made = promises(an_incident(), acts(Act.OPEN), EVERYWHERE, now=NOW, editable=frozenset())
    assert [one.key for one in made] == ["NK-1:open:crisis", "NK-1:open:console"]
    assert {(one.state, one.due_at, one.created_at) for one in made} == {(DeliveryState.DUE, NOW, NOW)}
    later = promises(an_incident(), acts(Act.WORSEN, since=7), EVERYWHERE, now=NOW, editable=frozenset({SLACK}))
    assert [one.key for one in later] == ["NK-1:update:7:crisis", "NK-1:thread:7:crisis", "NK-1:thread:7:console"]


def test_promising_twice_gives_the_same_keys():
    once, twice = (
        promises(an_incident(), acts(Act.OPEN, Act.RESOLVE), EVERYWHERE, now=at, editable=frozenset({SLACK}))
        for at in (NOW, NOW + timedelta(days=1))
    )
    assert [one.key for one in once] == [one.key for one in twice]


def test_an_opening_tells_what_happened_in_the_same_moment_but_not_its_end():
    made = promised(Act.SUSPECT, Act.OPEN, Act.WORSEN, Act.CORRECT, routes=(Route(channels=(SLACK,)),))
    assert made == [(SLACK, "open", 2)]
    made = promised(Act.OPEN, Act.WORSEN, Act.RESOLVE, routes=(Route(channels=(SLACK,)),))
    assert made == [(SLACK, "open", 1), (SLACK, "resolve", 3), (SLACK, "thread", 3)]


def test_of_several_edits_only_the_newest_is_promised_but_every_word():
    made = promised(Act.WORSEN, Act.CORRECT, Act.TURN, routes=(Route(channels=(SLACK,)),), since=4)
    assert made == [(SLACK, "thread", 4), (SLACK, "update", 6), (SLACK, "thread", 6)]
    made = promised(Act.RESOLVE, Act.REOPEN, routes=(Route(channels=(SLACK,)),), since=4)
    assert made == [(SLACK, "thread", 4), (SLACK, "update", 5), (SLACK, "thread", 5)]


def test_nothing_happened_nothing_is_promised():
    assert promised() == []


@pytest.mark.parametrize(
    ("monitor", "channels"),
    [(BRAND, (SLACK, CONSOLE, SECOND)), (OTHER, (CONSOLE, SECOND)), (MonitorId("x"), (CONSOLE,))],
)
def test_a_channel_hears_once_of_each_monitor_it_is_routed(monitor, channels):
    routes = (
        Route(monitors=frozenset({BRAND}), channels=(SLACK,)),
        Route(channels=(CONSOLE,)),
        Route(monitors=frozenset({BRAND, OTHER}), channels=(CONSOLE, SECOND)),
    )
    assert channels_of(monitor, routes) == channels


def test_without_a_route_nobody_is_told():
    made = promises(
        an_incident(OTHER),
        acts(Act.OPEN),
        [Route(monitors=frozenset({BRAND}), channels=(SLACK,))],
        now=NOW,
        editable=frozenset(),
    )
    assert made == ()


def test_every_promised_kind_has_an_urgency_and_a_life():
    from brandmelder.notify.delivery import LIFE, URGENCY

    assert set(LIFE) == set(URGENCY) == set(DeliveryKind)


def test_what_is_done_about_what_nobody_takes_is_said_by_the_first_route_with_steps_else_by_the_first():
    patient = Escalation(lapses=timedelta(hours=5))
    calling = Escalation(steps=(Step(to=(Target(channel=SECOND),), after=timedelta(0)),))
    first, second = Route(channels=(SLACK,), escalation=patient), Route(channels=(CONSOLE,), escalation=calling)
    other = Route(channels=(SLACK,), monitors=frozenset({OTHER}), escalation=calling)
    assert escalation_of(BRAND, [first, second]) == calling
    assert escalation_of(BRAND, [other, first]) == patient
    assert escalation_of(BRAND, [other]) == Escalation()


def test_where_somebody_was_called_the_alert_is_kept_up_to_date_and_nothing_more_is_said():
    routes = (*EVERYWHERE, Route(channels=(SECOND,), only_edits=True))
    promised = promises(an_incident(), acts(Act.WORSEN), routes, now=NOW, editable=frozenset({SLACK, SECOND}))
    assert [(one.channel, one.kind) for one in promised] == [
        (SLACK, DeliveryKind.UPDATE),
        (SLACK, DeliveryKind.THREAD),
        (CONSOLE, DeliveryKind.THREAD),
        (SECOND, DeliveryKind.UPDATE),
    ]
