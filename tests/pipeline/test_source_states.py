"""How a source's row changes with good and bad polls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.capture.source import Poll
from brandmelder.errors import AuthRefused, Gone, RateLimited, ShapeChanged, Transient
from brandmelder.model import Cursor, Gap, SourceClass, SourceId, SourceState
from brandmelder.pipeline.parts import Place
from brandmelder.pipeline.states import (
    LONGEST_BACKOFF,
    after_failure,
    after_poll,
    first_poll,
    next_poll,
    reads_backlog,
)
from brandmelder.store.sources import SourceRow

NOW = datetime(2026, 12, 15, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BLOG = SourceId("blog")
PLACE = Place(source_class=SourceClass.OWN, every=2 * MINUTE, where="brandmelder.yaml:7", title="Blog")


def _row(**fields):
    return SourceRow(id=BLOG, next_poll_at=NOW, **fields)


def _failed(times, error=None):
    row = _row(last_success_at=NOW - MINUTE)
    for n in range(times):
        row = after_failure(row, error or Transient("503"), NOW + n * MINUTE, PLACE)
    return row


def test_a_good_poll_moves_cursor_sight_and_the_next_poll():
    row = after_poll(_row(), Poll(cursor=Cursor("c"), read_until=NOW), NOW, PLACE)
    assert (row.cursor, row.read_until) == ("c", NOW)
    assert NOW < row.next_poll_at <= NOW + 2 * MINUTE
    assert (row.first_contact, row.history_done, row.state) == (NOW, True, SourceState.OK)


def test_an_unchanged_answer_keeps_the_cursor_and_sight_never_goes_back():
    before = _row(cursor=Cursor("c"), read_until=NOW)
    row = after_poll(before, Poll(read_until=NOW - MINUTE), NOW, PLACE)
    assert (row.cursor, row.read_until) == ("c", NOW)


def test_a_page_of_a_walk_is_followed_by_the_next_at_once_and_history_is_not_over():
    row = after_poll(_row(), Poll(cursor=Cursor("page2"), more=True), NOW, PLACE)
    assert (row.next_poll_at, row.history_done) == (NOW, False)


@pytest.mark.parametrize(
    ("behind", "more", "is_backlog"),
    [
        (3 * 24 * 60, True, True),
        (61, True, True),
        (60, True, False),
        (1, True, False),
        (3 * 24 * 60, False, False),
    ],
)
def test_a_source_reads_a_backlog_while_it_has_more_to_give_and_is_over_an_hour_behind(behind, more, is_backlog):
    row = after_poll(_row(), Poll(read_until=NOW - behind * MINUTE, more=more), NOW, PLACE)
    assert reads_backlog(row, NOW) is is_backlog


def test_first_contact_and_a_failing_source_read_no_backlog():
    assert not reads_backlog(after_poll(_row(), Poll(more=True), NOW, PLACE), NOW)
    failed = after_failure(_row(read_until=NOW - 90 * MINUTE), Transient("503"), NOW, PLACE)
    assert not reads_backlog(failed, NOW)


def test_a_server_may_ask_for_more_time_but_not_for_less():
    later = after_poll(_row(), Poll(not_before=NOW + 9 * MINUTE), NOW, PLACE)
    sooner = after_poll(_row(), Poll(not_before=NOW), NOW, PLACE)
    assert later.next_poll_at == NOW + 9 * MINUTE
    assert sooner.next_poll_at == next_poll(BLOG, 2 * MINUTE, NOW)


def test_a_gap_or_a_fallback_is_degraded_and_says_why():
    gap = Gap(source=BLOG, since=NOW, until=NOW, reason="none of the known entries is left")
    assert after_poll(_row(), Poll(gaps=(gap,)), NOW, PLACE).note == "none of the known entries is left"
    row = after_poll(_row(), Poll(degraded="the REST interface is closed"), NOW, PLACE)
    assert (row.state, row.note) == (SourceState.DEGRADED, "the REST interface is closed")


def test_a_source_is_blind_since_its_last_good_poll_and_fails_after_three():
    assert _failed(1).blind_since == NOW - MINUTE
    assert [_failed(n).state for n in (1, 2, 3)] == [SourceState.OK, SourceState.OK, SourceState.FAILING]
    seen_again = after_poll(_failed(5), Poll(read_until=NOW), NOW, PLACE)
    assert (seen_again.blind_since, seen_again.failures, seen_again.state) == (None, 0, SourceState.OK)


@pytest.mark.parametrize("error", [AuthRefused("401"), Gone("410")])
def test_what_a_person_must_mend_is_paused_but_still_asked_now_and_then(error):
    row = _failed(1, error)
    assert row.state is SourceState.PAUSED
    assert row.next_poll_at == NOW + LONGEST_BACKOFF


def test_being_asked_to_wait_is_heeded():
    row = after_failure(_row(), RateLimited("429", NOW + 40 * MINUTE), NOW, PLACE)
    assert row.next_poll_at == NOW + 40 * MINUTE


@given(st.integers(1, 5000))
def test_a_failing_source_is_asked_for_ever_and_never_more_often_than_it_should(times):
    row = _row(failures=times - 1)
    after = after_failure(row, ShapeChanged("HTML"), NOW, PLACE)
    assert PLACE.every <= after.next_poll_at - NOW <= LONGEST_BACKOFF


def test_first_polls_are_spread_and_the_same_after_a_restart():
    moments = {first_poll(SourceId(f"s{n}"), 10 * MINUTE, NOW) for n in range(50)}
    assert len(moments) > 45
    assert max(moments) - NOW <= timedelta(seconds=5)
    assert first_poll(BLOG, MINUTE, NOW) == first_poll(BLOG, MINUTE, NOW)


@given(st.integers(1, 86_400), st.floats(0, 1e6), st.text(min_size=1, max_size=9))
def test_polls_keep_their_own_slot_whenever_the_last_one_was(seconds, late, name):
    every, now = timedelta(seconds=seconds), NOW + timedelta(seconds=late)
    slot = next_poll(SourceId(name), every, now)
    assert now < slot <= now + every
    assert slot.microsecond == 0
    assert next_poll(SourceId(name), every, slot) - slot == every


def test_two_hundred_sources_are_spread_over_their_interval():
    slots = sorted(next_poll(SourceId(f"s{n}"), MINUTE, NOW) for n in range(200))
    gaps = [later - earlier for earlier, later in pairwise(slots)]
    assert max(gaps) < timedelta(seconds=3)
