"""Holidays, events and the local week."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from brandmelder.detect.calendar import Event, cells_at, check_region, is_holiday, lift_at
from brandmelder.detect.scan import DetectorRules, new_state, step
from brandmelder.model import Bin

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_the_cell_follows_the_local_clock():
    unit = round(datetime(2026, 7, 6, 22, tzinfo=UTC).timestamp()) // 3600
    assert cells_at(unit, 3600, "Europe/Berlin", "") == (24, 24)
    assert cells_at(unit, 3600, "UTC", "") == (22, 22)


def test_a_day_wide_bin_keeps_its_cell_over_a_change_of_the_clock():
    days = [round(datetime(2026, 3, day, tzinfo=UTC).timestamp()) // 86400 for day in range(20, 32)]
    cells = [cells_at(day, 86400, "Europe/Berlin", "")[0] for day in days]
    assert cells[:5] == cells[7:]


def test_a_public_holiday_lies_half_way_to_a_sunday():
    unit = round(datetime(2026, 12, 25, 11, tzinfo=UTC).timestamp()) // 3600
    assert cells_at(unit, 3600, "Europe/Berlin", "DE") == (4 * 24 + 12, 6 * 24 + 12)
    assert cells_at(unit, 3600, "Europe/Berlin", "") == (4 * 24 + 12, 4 * 24 + 12)


@pytest.mark.parametrize(
    ("day", "region", "expected"),
    [
        (date(2026, 10, 3), "DE", True),
        (date(2026, 1, 6), "DE-BY", True),
        (date(2026, 1, 6), "DE-BE", False),
        (date(2026, 10, 26), "AT", True),
        (date(2026, 10, 3), "", False),
    ],
)
def test_holidays_are_those_of_the_region(day, region, expected):
    assert is_holiday(day, check_region(region)) is expected


@pytest.mark.parametrize("region", ["Bayern", "DE-XX", "ZZ"])
def test_an_unknown_region_says_what_would_be_right(region):
    with pytest.raises(ValueError, match="DE-BY"):
        check_region(region)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"until": NOON - HOUR}, "before it begins"),
        ({"lift": 0.5}, "between 1 and 1000"),
        ({"lift": float("nan")}, "between 1 and 1000"),
        ({"since": NOON.replace(tzinfo=None)}, "time zone"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused(fields, reason):
    with pytest.raises(ValueError, match=reason):
        Event(**{"since": NOON, "until": NOON + HOUR, "lift": 2.0, "name": "spot"} | fields)


def test_where_events_overlap_the_strongest_counts():
    events = (Event(since=NOON, until=NOON + HOUR, lift=2), Event(since=NOON, until=NOON + 2 * HOUR, lift=5))
    assert [lift_at(events, NOON + hours * HOUR) for hours in (-1, 0, 1, 2)] == [1, 5, 5, 1]


@pytest.mark.parametrize(("count", "events", "pages"), [(30, (), True), (30, (6.0,), False), (150, (6.0,), True)])
def test_an_event_raises_the_expectation_and_still_fires_beyond_it(count, events, pages):
    start = NOON - timedelta(days=20)
    night = NOON.replace(hour=19)
    rules = DetectorRules(events=tuple(Event(since=night, until=night + HOUR, lift=lift) for lift in events))
    state = new_state()
    series = [*np.random.default_rng(3).poisson(5, 20 * 24 + 7).tolist(), count]
    for place, negative in enumerate(series):
        bin_ = Bin(start=start + place * HOUR, width=HOUR, negative=float(negative), labelled=negative)
        state, finding = step(state, bin_, rules)
    assert finding.pages is pages
