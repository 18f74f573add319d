from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.errors import Conflict
from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId
from brandmelder.store import deliveries
from store.conftest import NOON


def _delivery(key="NF-1:open:crisis", state=DeliveryState.DUE, seconds=0):
    at = NOON + timedelta(seconds=seconds)
    return Delivery(
        key=key, incident=IncidentId("NF-1"), channel=ChannelId("crisis"), kind=DeliveryKind.OPEN, revision=1,
        state=state, due_at=at, created_at=at,
    )  # fmt: skip


def test_a_promise_is_kept_once_under_its_key(database):
    database.run_now(deliveries.promise, [(_delivery(), NOON)])
    database.run_now(deliveries.promise, [(_delivery(seconds=60), NOON + timedelta(seconds=60))])
    assert database.run_now(deliveries.all_deliveries) == [_delivery()]


def test_only_what_wants_attention_is_returned_longest_waiting_first(database):
    rows = [(_delivery("b", seconds=5), NOON + timedelta(seconds=5)), (_delivery("a"), NOON), (_delivery("c"), None)]
    database.run_now(deliveries.promise, rows)
    assert [one.key for one in database.run_now(deliveries.wanting, NOON + timedelta(seconds=9))] == ["a", "b"]
    assert [one.key for one in database.run_now(deliveries.wanting, NOON)] == ["a"]
    assert database.run_now(deliveries.next_attention) == NOON


def test_a_delivery_that_somebody_else_moved_on_is_refused(database):
    one = _delivery()
    database.run_now(deliveries.promise, [(one, NOON)])
    sending = replace(one, state=DeliveryState.SENDING)
    database.run_now(deliveries.save_delivery, sending, None, expected=DeliveryState.DUE)
    with pytest.raises(Conflict):
        database.run_now(deliveries.save_delivery, sending, None, expected=DeliveryState.DUE)
    assert database.run_now(deliveries.in_state, DeliveryState.SENDING) == [sending]
    assert database.run_now(deliveries.wanting, NOON + timedelta(days=1)) == []
