"""Edits that take words away: nothing sent before overtakes them, they live for days, and they tell nothing anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.notify import delivery as life
from brandmelder.notify.notifier import Uneditable
from notify.deliveries import DEAD, MINUTE, NOW, OPEN, RESOLVE, SENT, SUPERSEDED, UPDATE, a_delivery, sending

DAY = timedelta(days=1)
STANDING = a_delivery(OPEN, SENT, ref="C1:1.0", attempt_at=NOW - 5 * DAY, confirmed_at=NOW - 5 * DAY)


def correction(**more):
    return a_delivery(UPDATE, revision=3, key="NK-1:update:99:crisis", is_correction=True, **more)


@pytest.mark.parametrize("kind", [UPDATE, RESOLVE])
def test_what_was_sent_before_does_not_show_it(kind):
    sent = a_delivery(kind, SENT, revision=7, ref="C1:1.0", attempt_at=NOW - DAY)
    orders = life.orders([STANDING, sent, correction()], NOW)
    assert [one.key for one in orders.go] == ["NK-1:update:99:crisis"]
    ordinary = replace(correction(), is_correction=False)
    assert life.orders([STANDING, sent, ordinary], NOW).changed[0].state is SUPERSEDED


def test_what_was_sent_after_it_was_promised_does():
    sent = a_delivery(UPDATE, SENT, revision=7, ref="C1:1.0", attempt_at=NOW + MINUTE)
    assert life.orders([STANDING, sent, correction()], NOW + 2 * MINUTE).changed[0].state is SUPERSEDED


def test_it_is_tried_for_days():
    assert life.orders([STANDING, correction()], NOW + 2 * DAY).go
    assert life.orders([STANDING, correction()], NOW + 4 * DAY).changed[0].state is DEAD


def test_where_the_alert_is_gone_nothing_is_told_anew_and_where_it_cannot_be_edited_a_person_is_asked():
    one = sending(UPDATE, is_correction=True)
    assert life.after(one, Uneditable("message_not_found", is_gone=True), NOW).state is SUPERSEDED
    buried = life.after(one, Uneditable("edit_window_closed"), NOW)
    assert (buried.state, buried.last_error) == (DEAD, "edit_window_closed; take the words away by hand")
