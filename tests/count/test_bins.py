"""Bins: alignment, sums, watermarks, exposure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.count.bins import EPOCH, Count, exposure, gapless, settled_until, start_of, watermark
from brandmelder.model import BIN, MonitorId, SourceClass, SourceId, SourceSight

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = MonitorId("acme")
FEED, FORUM = SourceId("feed"), SourceId("forum")
moments = st.integers(315_532_800, 4_102_444_800).map(lambda seconds: EPOCH + timedelta(seconds=seconds))


def sight(source=FEED, read=NOON, blind=None):
    return SourceSight(source=source, source_class=SourceClass.NEWS, read_until=read, blind_since=blind)


@given(moments)
def test_a_bin_holds_its_moment_and_starts_on_the_epochs_grid(moment):
    start = start_of(moment)
    assert start <= moment < start + BIN
    assert start.timestamp() % BIN.total_seconds() == 0


@given(moments)
def test_the_zone_of_a_moment_does_not_move_its_bin(moment):
    assert start_of(moment.astimezone(ZoneInfo("Europe/Berlin"))) == start_of(moment)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        start_of(NOON.replace(tzinfo=None))


def test_the_slowest_source_holds_the_watermark():
    mark, left_out = watermark(
        [sight(), sight(FORUM, NOON - timedelta(hours=1))], now=NOON, patience={FEED: BIN, FORUM: BIN}
    )
    assert (mark, left_out) == (NOON - timedelta(hours=1), frozenset())


def test_a_source_blind_beyond_its_patience_is_left_out():
    blind = sight(FORUM, NOON - timedelta(hours=5), NOON - timedelta(hours=4))
    patience = {FEED: timedelta(hours=1), FORUM: timedelta(hours=1)}
    assert watermark([sight(), blind], now=NOON, patience=patience) == (NOON, {FORUM})
    assert watermark([blind], now=NOON, patience=patience) == (NOON, {FORUM})


def test_a_source_within_its_patience_still_holds_time():
    blind = sight(FORUM, None, NOON - timedelta(minutes=30))
    mark, left_out = watermark([blind], now=NOON, patience={FORUM: timedelta(hours=1)})
    assert (mark, left_out) == (EPOCH, frozenset())


def test_a_watermark_never_runs_ahead_of_now():
    mark, _ = watermark([sight(read=NOON + timedelta(days=1))], now=NOON, patience={FEED: BIN})
    assert mark == NOON


@given(moments, moments, st.timedeltas(timedelta(0), timedelta(days=1)))
def test_settled_time_is_aligned_read_and_old_enough(mark, now, settle):
    until = settled_until(mark, now=now, settle=settle)
    assert until == start_of(until)
    assert until <= mark
    assert until + settle <= now


@pytest.mark.parametrize(
    ("seen", "shares", "expected"),
    [
        ({FEED: 1}, {FEED: 3, FORUM: 1}, 0.75),
        ({FEED: 1, FORUM: 1}, {FEED: 3, FORUM: 1}, 1.0),
        ({FEED: 0.5, FORUM: 1}, {FEED: 3, FORUM: 1}, 0.625),
        ({}, {FEED: 3, FORUM: 1}, 0.0),
        ({FEED: 1}, {FEED: 0, FORUM: 0}, 0.5),
        ({FEED: 1}, {}, 1.0),
    ],
)
def test_exposure_is_the_share_of_the_usual_volume(seen, shares, expected):
    assert exposure(seen, shares) == expected


def test_a_series_has_no_gaps_and_sums_its_sources():
    counts = [
        Count(monitor=ACME, source=source, start=NOON + BIN, total=2, negative=1.5, labelled=0.6, reach=7)
        for source in (FEED, FORUM)
    ]
    outside = Count(monitor=ACME, source=FEED, start=NOON + 9 * BIN, total=5)
    bins = gapless([*counts, outside], NOON, NOON + 3 * BIN, exposure_of=lambda start: 1.0 if start > NOON else 0.0)
    assert [bin_.start for bin_ in bins] == [NOON, NOON + BIN, NOON + 2 * BIN]
    assert [bin_.exposure for bin_ in bins] == [0.0, 1.0, 1.0]
    assert [bin_.total for bin_ in bins] == [0, 4, 0]
    assert (bins[1].negative, bins[1].labelled, bins[1].reach) == (3.0, 1, 14)
    assert gapless([], NOON, NOON - BIN, exposure_of=lambda _: 1.0) == ()
