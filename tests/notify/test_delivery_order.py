from datetime import timedelta

import pytest

from brandmelder.model import Detour
from brandmelder.notify import delivery as life
from brandmelder.notify.notifier import Found, Sent, Unclear, Unreadable
from notify.deliveries import (
    DEAD,
    DUE,
    MINUTE,
    NOW,
    OPEN,
    RESOLVE,
    SECOND,
    SENT,
    SUPERSEDED,
    TEST,
    THREAD,
    UPDATE,
    a_delivery,
    sending,
    unclear,
)


def opened(**fields):
    return a_delivery(OPEN, SENT, **({"ref": "C1:1.0", "attempt_at": NOW - 10 * MINUTE} | fields))


def keys(deliveries):
    return [one.key.split(":")[1] + ":" + one.key.split(":")[2] for one in deliveries]


def test_an_opening_goes_first_and_everything_else_waits_for_it():
    group = [a_delivery(THREAD, revision=3), a_delivery(RESOLVE, revision=4), a_delivery(OPEN)]
    decided = life.orders(group, NOW)
    assert keys(decided.go) == ["open:1"]
    assert {one.due_at for one in decided.changed} == {NOW + SECOND}
    assert {one.state for one in decided.changed} == {DUE}


@pytest.mark.parametrize(
    ("opening", "wait"),
    [
        (a_delivery(due_at=NOW + 5 * SECOND), 5),
        (a_delivery(due_at=NOW + 10 * MINUTE), 60),
        (sending(), 1),
        (unclear(), 60),
    ],
)
def test_waiting_for_an_opening_follows_it_and_asks_at_least_every_minute(opening, wait):
    (held,) = life.orders([opening, a_delivery(THREAD, revision=2)], NOW).changed
    assert held.due_at == NOW + wait * SECOND


@pytest.mark.parametrize("opening", [(), (a_delivery(OPEN, DEAD),)])
def test_without_an_alert_nothing_follows(opening):
    (dead,) = life.orders([*opening, a_delivery(THREAD, revision=2)], NOW).changed
    assert dead.state is DEAD


def test_the_most_urgent_goes_first():
    group = [a_delivery(TEST), a_delivery(THREAD, revision=3), a_delivery(RESOLVE, revision=3), opened()]
    assert keys(life.orders(group, NOW).go) == ["resolve:3", "thread:3", "test:1"]


def test_of_edits_only_the_newest_goes():
    group = [opened(), *(a_delivery(UPDATE, revision=revision) for revision in (4, 3, 2))]
    decided = life.orders(group, NOW)
    assert keys(decided.go) == ["update:4"]
    assert {one.state for one in decided.changed} == {SUPERSEDED}
    assert keys(decided.changed) == ["update:3", "update:2"]


def test_an_end_overtakes_updates_and_a_reopening_overtakes_the_end():
    end = a_delivery(RESOLVE, revision=5)
    assert keys(life.orders([opened(), a_delivery(UPDATE, revision=5), end], NOW).go) == ["resolve:5"]
    assert keys(life.orders([opened(), a_delivery(UPDATE, revision=6), end], NOW).go) == ["update:6"]


def test_an_update_that_the_opening_already_tells_is_not_sent():
    (told,) = life.orders([opened(revision=3), a_delivery(UPDATE, revision=3)], NOW).changed
    assert told.state is SUPERSEDED


def test_an_alert_that_is_found_may_be_its_first_attempt_and_is_edited_to_what_is():
    lost = life.after(life.begin(a_delivery(), NOW), Unclear("no answer"), NOW)
    unseen = life.after_look(lost, Unreadable("outage"), NOW + 11 * MINUTE)
    again = life.begin(unseen, NOW + 11 * MINUTE, revision=4)
    found = life.after_look(life.after(again, Unclear("no answer"), NOW), Found(("C1:1.0",)), NOW + 13 * MINUTE)
    assert (found.state, found.revision) == (SENT, 1)
    end = a_delivery(RESOLVE, revision=4)
    assert keys(life.orders([found, end], NOW + 14 * MINUTE).go) == ["resolve:4"]
    told = life.after(again, Sent("C1:2.0"), NOW)
    (superseded,) = life.orders([told, end], NOW + 14 * MINUTE).changed
    assert superseded.state is SUPERSEDED


def test_words_taken_away_between_two_attempts_are_taken_from_the_alert_that_is_found():
    lost = life.after(life.begin(a_delivery(), NOW), Unclear("no answer"), NOW)
    again = life.begin(life.after_look(lost, Unreadable("outage"), NOW + 11 * MINUTE), NOW + 11 * MINUTE)
    found = life.after_look(life.after(again, Unclear("no answer"), NOW), Found(("C1:1.0",)), NOW + 13 * MINUTE)
    correction = a_delivery(UPDATE, is_correction=True, created_at=NOW + MINUTE)
    assert keys(life.orders([found, correction], NOW + 14 * MINUTE).go) == ["update:1"]


def test_a_dead_or_superseded_edit_overtakes_nothing():
    for state in (DEAD, SUPERSEDED):
        group = [opened(), a_delivery(UPDATE, revision=2), a_delivery(UPDATE, state, revision=3)]
        assert keys(life.orders(group, NOW).go) == ["update:2"]


def test_updates_keep_45_seconds_apart_and_an_end_does_not_wait():
    group = [opened(attempt_at=NOW - 20 * SECOND), a_delivery(UPDATE, revision=2)]
    (held,) = life.orders(group, NOW).changed
    assert held.due_at == NOW + 25 * SECOND
    edited = a_delivery(UPDATE, SENT, revision=2, attempt_at=NOW - 44 * SECOND, ref="C1:1.0")
    (held,) = life.orders([opened(), edited, a_delivery(UPDATE, revision=3)], NOW).changed
    assert held.due_at == NOW + SECOND
    assert keys(life.orders([opened(), edited, a_delivery(RESOLVE, revision=3)], NOW).go) == ["resolve:3"]


def test_two_edits_are_never_under_way_at_once():
    (held,) = life.orders([opened(), sending(UPDATE, revision=2), a_delivery(RESOLVE, revision=3)], NOW).changed
    assert (held.state, held.due_at) == (DUE, NOW + life.ATTEMPT)


@pytest.mark.parametrize(
    ("kind", "expected"), [(THREAD, ("changed", DEAD)), (UPDATE, ("changed", DEAD)), (RESOLVE, ("go", DUE))]
)
def test_stale_news_dies_unsent_but_an_end_is_always_tried(kind, expected):
    decided = life.orders([opened(), a_delivery(kind, revision=2, created_at=NOW - timedelta(hours=80))], NOW)
    place, state = expected
    (one,) = getattr(decided, place)
    assert one.state is state


def test_an_opening_is_tried_however_late():
    old = a_delivery(OPEN, created_at=NOW - timedelta(days=30))
    assert life.orders([old], NOW).go == (old,)


def test_what_is_not_due_is_left_alone():
    assert life.orders([opened(), a_delivery(THREAD, revision=2, due_at=NOW + SECOND)], NOW) == life.Orders()


def test_an_alert_posted_anew_is_the_one_to_edit():
    anew = a_delivery(UPDATE, SENT, revision=4, ref="C1:9.0", detour=Detour.ANEW, attempt_at=NOW - MINUTE)
    reply = a_delivery(UPDATE, SENT, revision=5, ref="C1:10.0", detour=Detour.REPLY, attempt_at=NOW - MINUTE)
    assert life.parent([a_delivery(OPEN)]) is None
    assert life.parent([opened()]) == "C1:1.0"
    assert life.parent([opened(), reply, anew]) == "C1:9.0"
