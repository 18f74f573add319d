from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.errors import Conflict
from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId, State
from brandmelder.store import calls, deliveries
from store.conftest import NOON
from store.test_incidents import _incident, _save, _step


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


def test_what_was_promised_of_incidents_that_ended_long_ago_is_deleted_and_nothing_else(database):
    day = timedelta(days=1)
    for number, (state, ended_at) in enumerate(
        [(State.RESOLVED, NOON), (State.RESOLVED, NOON + 2 * day), (State.OPEN, NOON)], 1
    ):
        one = replace(_incident(f"NF-{number}", f"m{number}", state), revision=1)
        _save(database, one, replace(_step(one), at=ended_at))
        told = replace(_delivery(f"NF-{number}:open:crisis", DeliveryState.SENT), incident=IncidentId(f"NF-{number}"))
        database.run_now(deliveries.promise, [(told, None)])
    waiting = replace(_delivery("NF-1:sweep:crisis", DeliveryState.SENT), incident=IncidentId("NF-1"))
    database.run_now(deliveries.promise, [(waiting, NOON)])
    assert database.run_now(deliveries.forget_ended, NOON + day) == 1
    left = {one.key for one in database.run_now(deliveries.all_deliveries)}
    assert left == {"NF-2:open:crisis", "NF-3:open:crisis", "NF-1:sweep:crisis"}
    assert database.run_now(deliveries.forget_ended, NOON + day) == 0


def test_what_was_promised_of_a_notice_goes_with_it(database):
    database.run_now(calls.give_notice, "digest:day:1:de", b"", NOON)
    for ident in ("digest:day:1:de", "digest:day:0:de", "NF-9"):
        one = replace(_delivery(f"{ident}:notice:crisis", DeliveryState.SENT), incident=IncidentId(ident))
        database.run_now(deliveries.promise, [(one, None)])
    assert database.run_now(deliveries.forget_notices) == 1
    database.run_now(calls.forget_notices, NOON + timedelta(days=1))
    assert database.run_now(deliveries.forget_notices) == 1
    assert [one.incident for one in database.run_now(deliveries.all_deliveries)] == ["NF-9"]
