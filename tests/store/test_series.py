from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.errors import Conflict
from brandmelder.model import BIN, MentionId, MonitorId, SourceId
from brandmelder.store import series
from brandmelder.store.series import Entry, MonitorRow
from store.conftest import NOON

MONITOR = MonitorId("nordfunk")


def _entry(ident, minutes=0, *, source="blog", monitor=MONITOR, history=False, negative=0.5):
    return Entry(
        monitor=monitor, mention=MentionId(ident), source=SourceId(source), history=history,
        published_at=NOON + timedelta(minutes=minutes), total=1.0, negative=negative, labelled=1, reach=10.0,
    )  # fmt: skip


def _counts(database):
    return database.run_now(series.counts, MONITOR, NOON - timedelta(days=30), NOON + timedelta(days=30))


def test_entries_add_up_in_their_bins_of_event_time(database):
    database.run_now(series.enter, [_entry(1), _entry(2, 4), _entry(3, 5)])
    database.run_now(series.enter, [_entry(4, 3)])
    assert [(one.start, one.total, one.negative, one.labelled, one.reach) for one in _counts(database)] == [
        (NOON, 3.0, 1.5, 3, 30.0),
        (NOON + BIN, 1.0, 0.5, 1, 10.0),
    ]


def test_sources_and_history_are_kept_apart(database):
    database.run_now(series.enter, [_entry(1), _entry(2, source="press"), _entry(3, history=True)])
    assert [(one.source, one.history, one.total) for one in _counts(database)] == [
        ("blog", False, 1.0),
        ("blog", True, 1.0),
        ("press", False, 1.0),
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["blog", "press"]), st.booleans()), max_size=40))
def test_bins_rebuilt_from_the_ledger_are_the_bins_that_grew(rows):
    from brandmelder.store.database import Database

    database = Database("sqlite://")
    database.prepare()
    for n, (minutes, source, history) in enumerate(rows, start=1):
        database.run_now(series.enter, [_entry(n, minutes, source=source, history=history, negative=0.25)])
    grown = _counts(database)
    database.run_now(series.rebuild_bins)
    rebuilt = _counts(database)
    database.close()
    assert rebuilt == grown


def test_only_bins_that_were_evaluated_are_marked_as_changed(database):
    row = database.run_now(
        series.save_monitor, MonitorRow(id=MONITOR, rules="r", evaluated_through=NOON + timedelta(hours=1))
    )
    database.run_now(series.enter, [_entry(1, 70)])
    assert database.run_now(series.read_monitors)[MONITOR].dirty_since is None
    database.run_now(series.enter, [_entry(2, 30)])
    database.run_now(series.enter, [_entry(3, 40)])
    changed = database.run_now(series.read_monitors)[MONITOR]
    assert changed.dirty_since == NOON + timedelta(minutes=30)
    database.run_now(series.save_monitor, replace(changed, evaluated_through=NOON + timedelta(hours=2)))
    assert database.run_now(series.read_monitors)[MONITOR].dirty_since is None
    assert row.revision == 1


def test_a_latecomer_during_an_evaluation_stays_marked(database):
    database.run_now(
        series.save_monitor, MonitorRow(id=MONITOR, rules="r", evaluated_through=NOON + timedelta(hours=1))
    )
    read_before = database.run_now(series.read_monitors)[MONITOR]
    database.run_now(series.enter, [_entry(1, 30)])
    database.run_now(series.save_monitor, replace(read_before, evaluated_through=NOON + timedelta(hours=2)))
    assert database.run_now(series.read_monitors)[MONITOR].dirty_since == NOON + timedelta(minutes=30)


def test_the_slower_of_two_evaluations_is_refused(database):
    first = database.run_now(series.save_monitor, MonitorRow(id=MONITOR, rules="r"))
    database.run_now(series.save_monitor, first)
    with pytest.raises(Conflict):
        database.run_now(series.save_monitor, first)


def test_shares_are_the_mentions_of_each_source_in_the_span(database):
    database.run_now(series.enter, [_entry(1), _entry(2), _entry(3, source="press"), _entry(4, 60)])
    shares = database.run_now(series.shares, MONITOR, NOON, NOON + timedelta(minutes=30))
    assert shares == {"blog": 2.0, "press": 1.0}
    assert database.run_now(series.first_bins, MONITOR) == {"blog": NOON, "press": NOON}
