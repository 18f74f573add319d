"""One message a second for each channel: who goes first, and when the others have their turn."""

from datetime import timedelta

from brandmelder.notify.pace import Pace, order_of
from notify.deliveries import MINUTE, NOW, OPEN, RESOLVE, SECOND, THREAD, UPDATE, a_delivery


def test_after_a_message_a_channel_rests_for_its_spacing():
    pace = Pace(SECOND)
    assert pace.is_free(NOW)
    pace.take(NOW)
    assert not pace.is_free(NOW + timedelta(milliseconds=999))
    assert pace.is_free(NOW + SECOND)


def test_a_place_that_takes_any_number_never_rests():
    pace = Pace(timedelta(0))
    pace.take(NOW)
    assert pace.is_free(NOW)


def test_being_asked_to_wait_holds_everything_and_is_never_shortened():
    pace = Pace(SECOND)
    pace.rest(NOW + MINUTE)
    pace.take(NOW)
    assert not pace.is_free(NOW + 59 * SECOND)
    assert pace.is_free(NOW + MINUTE)


def test_who_waits_has_a_turn_of_its_own_the_most_urgent_first():
    pace = Pace(SECOND)
    pace.take(NOW)
    kinds = (UPDATE, THREAD, RESOLVE, OPEN)
    put_off = pace.put_off([a_delivery(kind) for kind in kinds], NOW + timedelta(milliseconds=10))
    assert [(one.kind, one.due_at - NOW) for one in put_off] == [
        (OPEN, SECOND),
        (RESOLVE, 2 * SECOND),
        (THREAD, 3 * SECOND),
        (UPDATE, 4 * SECOND),
    ]


def test_a_turn_is_never_before_the_channel_is_free_though_moments_are_whole_seconds():
    pace = Pace(SECOND)
    begin = NOW + timedelta(milliseconds=300)
    pace.take(begin)
    (one,) = pace.put_off([a_delivery()], begin)
    assert one.due_at == NOW + 2 * SECOND
    assert pace.is_free(one.due_at)


def test_what_failed_often_does_not_hold_up_what_was_never_tried():
    tried, fresh = a_delivery(attempts=9, key="a"), a_delivery(key="b", created_at=NOW + MINUTE)
    assert sorted([tried, fresh], key=order_of) == [fresh, tried]
