"""How long people could rest."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from brandmelder.notify.rest import WorkingHours, rests

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = WorkingHours()
HOUR = timedelta(hours=1)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def the_rest(*calls, until="2026-12-16T09:00", hours=HOURS):
    (one,) = rests([at(call) for call in calls], hours, BERLIN, since=at(until), until=at(until) + HOUR)
    return one


def test_a_night_without_calls_is_long_enough():
    night = the_rest()
    assert (night.since, night.until, night.last) == (at("2026-12-15T17:00"), at("2026-12-16T09:00"), 16 * HOUR)
    assert not night.is_short


@pytest.mark.parametrize(("call", "is_short"), [("21:59", False), ("22:00", False), ("22:01", True), ("23:30", True)])
def test_after_a_call_the_eleven_hours_begin_anew(call, is_short):
    assert the_rest(f"2026-12-15T{call}").is_short is is_short


def test_the_last_call_counts_and_the_longest_stretch_is_said():
    night = the_rest("2026-12-15T20:00", "2026-12-16T03:00")
    assert (night.last, night.longest) == (6 * HOUR, 7 * HOUR)
    assert night.is_short


@pytest.mark.parametrize("call", ["2026-12-15T16:59", "2026-12-16T09:00"])
def test_a_call_at_work_interrupts_no_rest(call):
    assert the_rest(call).calls == ()


def test_a_call_at_the_weekend_leaves_time_enough_before_monday():
    monday = "2026-12-21T09:00"
    assert not the_rest("2026-12-19T23:00", until=monday).is_short
    assert the_rest("2026-12-20T23:00", until=monday).is_short
    assert the_rest(until=monday).last == 64 * HOUR


@pytest.mark.parametrize(("monday", "hours"), [("2026-03-30", 63), ("2026-10-26", 65)])
def test_a_weekend_with_a_change_of_the_clock_is_as_long_as_it_was(monday, hours):
    assert the_rest(until=f"{monday}T09:00").last == hours * HOUR


def test_a_night_with_a_change_of_the_clock_is_reckoned_as_it_passed():
    everyday = WorkingHours(days=frozenset(range(7)))
    spring = the_rest("2026-03-28T22:00", until="2026-03-29T09:00", hours=everyday)
    assert spring.last == 10 * HOUR
    assert spring.is_short
    assert not the_rest("2026-10-24T22:30", until="2026-10-25T09:00", hours=everyday).is_short


def test_night_shifts_rest_by_day():
    nights = WorkingHours(since=time(22), until=time(6))
    day = the_rest("2026-12-16T12:00", until="2026-12-16T22:00", hours=nights)
    assert (day.since, day.last) == (at("2026-12-16T06:00"), 10 * HOUR)


def test_a_call_that_is_told_twice_counts_once():
    assert len(the_rest("2026-12-15T23:00", "2026-12-15T23:00").calls) == 1
