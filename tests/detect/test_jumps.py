"""What is a jump of a number, and what is an ordinary day of it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.detect.jumps import DAY, Jump, jump, value_at

NOW = datetime(2026, 12, 15, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def series(daily, *, start=1_000.0, latest=0.0):
    """Hourly readings that change by the days' amounts, oldest first, and by `latest` in the last hour."""
    values = [start]
    for change in daily:
        values += [values[-1] + change * (hour + 1) / 24 for hour in range(24)]
    values = [float(round(value)) for value in values]
    values[-1] += latest
    return [NOW - HOUR * number for number in reversed(range(len(values)))], values


def test_a_change_far_from_usual_is_a_jump_within_the_hour():
    times, values = series([3, 5, -2, 4, 6, 1, 3, 4, 2, 5] * 3, latest=-60)
    found = jump(times, values, NOW)
    assert isinstance(found, Jump)
    assert (found.after, found.before + found.change) == (values[-1], values[-1])
    assert -60 <= found.change <= -50
    assert -3 <= found.usual_low < found.usual_high <= 7


@pytest.mark.parametrize("latest", [0, 12, -12])
def test_an_ordinary_day_is_none(latest):
    assert jump(*series([3, 5, -2, 4, 6, 1, 3, 4, 2, 5] * 3, latest=latest), NOW) is None


def test_an_account_that_jumps_every_week_is_no_news():
    week = [2, 3, 1, 2, 3, 2, 80]
    assert jump(*series(week * 4, latest=0), NOW) is None
    assert jump(*series(week * 4 + [2], latest=90), NOW) is None
    assert jump(*series(week * 4 + [2], latest=200), NOW) is not None


def test_small_accounts_do_not_jump_by_a_few():
    assert jump(*series([0] * 29, start=21, latest=5), NOW) is None
    assert jump(*series([0] * 29, start=21, latest=9), NOW) is not None


def test_a_rating_jumps_by_tenths():
    times, _ = series([0] * 29)
    rating = [4.1 + 0.01 * (number % 2) for number in range(len(times) - 1)]
    assert jump(times, [*rating, 3.7], NOW) is not None
    assert jump(times, [*rating, 4.07], NOW) is None


def test_of_less_than_a_week_nothing_is_said():
    assert jump(*series([3, 4, 2, 5, 3, 4, 3], latest=-500), NOW) is None
    assert jump(*series([3, 4, 2, 5, 3, 4, 3, 3], latest=-500), NOW) is not None


def test_hours_without_a_reading_say_nothing():
    times, values = series([3] * 29)
    assert value_at(times, values, NOW + 7 * HOUR) is None
    assert jump(times, values, NOW + 7 * HOUR) is None
    hole = [(at, value) for at, value in zip(times, values, strict=True) if not NOW - 40 * HOUR < at < NOW - 12 * HOUR]
    assert jump([at for at, _ in hole], [value for _, value in hole], NOW) is None, "a day ago nobody looked"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-1_000, 1_000), max_size=40), st.integers(0, 10_000))
def test_no_series_breaks_it_and_adding_a_constant_changes_nothing(daily, start):
    times, values = series(daily, start=float(start))
    found, moved = jump(times, values, NOW), jump(times, [value + 5.0 for value in values], NOW)
    assert found is None or moved is None or found.change == moved.change


def test_heavy_tailed_days_raise_less_than_one_notice_in_half_a_year():
    """Daily changes as a t distribution with three degrees of freedom has them: rounder than followers ever are."""
    rng = random.Random(20261129)
    told, days = 0, 0
    for _ in range(12):
        normal = [rng.gauss(0, 1) for _ in range(200 * 4)]
        draws = [
            10 * normal[4 * n] / (sum(x * x for x in normal[4 * n + 1 : 4 * n + 4]) / 3) ** 0.5 for n in range(200)
        ]
        values = [5_000.0]
        for change in draws:
            values.append(float(round(values[-1] + change)))
        times = [NOW + DAY * number for number in range(len(values))]
        for number in range(30, len(values)):
            told += jump(times[number - 30 : number + 1], values[number - 30 : number + 1], times[number]) is not None
            days += 1
    assert days / max(told, 1) > 180, f"{told} in {days} days"
