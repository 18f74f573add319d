"""How often a source is asked: faster in a storm, slower when idle, never beyond its budget."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.pipeline.pace import Budget, Rhythm, Used, forecasts, pace

NOW = datetime(2026, 11, 10, 0, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TODAY = NOW.date()


def rhythm(every=2 * MINUTE, **fields):
    budget = {name: fields.pop(name) for name in list(fields) if "_per_" in name}
    return Rhythm(every=every, budget=Budget(**budget), **fields)


def test_without_budget_and_bounds_the_interval_stands():
    assert pace(rhythm(), {}, NOW, empty_polls=50).every == 2 * MINUTE


@pytest.mark.parametrize(
    ("every", "storm_every", "in_storm"),
    [
        (10 * MINUTE, None, 5 * MINUTE),
        (90 * timedelta(seconds=1), None, MINUTE),
        (timedelta(seconds=30), None, timedelta(seconds=30)),
        (10 * MINUTE, MINUTE, MINUTE),
    ],
)
def test_a_storm_makes_polls_faster_within_bounds(every, storm_every, in_storm):
    assert pace(rhythm(every, storm_every=storm_every), {}, NOW, is_storm=True).every == in_storm


def test_an_idle_source_slows_down_up_to_its_bound_and_a_storm_wakes_it():
    idle = rhythm(idle_every=10 * MINUTE)
    slow = [pace(idle, {}, NOW, empty_polls=n).every for n in range(12)]
    assert slow[:3] == [2 * MINUTE] * 3
    assert slow[3] == 3 * MINUTE
    assert slow == sorted(slow)
    assert slow[-1] == 10 * MINUTE
    assert pace(idle, {}, NOW, is_storm=True, empty_polls=12).every == MINUTE


def test_a_budget_is_stretched_over_the_day_and_half_of_it_kept_for_a_storm():
    tight = rhythm(requests_per_day=480)
    quiet, storm = pace(tight, {}, NOW), pace(tight, {}, NOW, is_storm=True)
    assert quiet.every == DAY / 240
    assert quiet.saves == "requests_per_day"
    assert storm.every == DAY / 480


def test_what_a_poll_takes_is_learnt_from_the_last_day():
    used = {TODAY - DAY: Used(requests=300, polls=100)}
    assert pace(rhythm(requests_per_day=1440), used, NOW).every == DAY / 240


def test_a_spent_budget_ends_the_polls_of_its_period_alone():
    used = {TODAY: Used(requests=100, polls=100)}
    over = pace(rhythm(requests_per_day=100), used, NOW + HOUR)
    assert over.spent.until == NOW + DAY
    assert pace(rhythm(requests_per_day=100), used, NOW + DAY).spent is None


def test_money_of_the_month_is_said_to_the_source_that_spends_it():
    used = {TODAY: Used(micros=30_000_000, polls=10, requests=10)}
    assert pace(rhythm(money_per_month=100.0), used, NOW + HOUR).dollars_left == pytest.approx(70.0)
    spent = pace(rhythm(money_per_month=30.0), used, NOW + HOUR).spent
    assert spent.until == datetime(2026, 12, 1, tzinfo=UTC)


@given(
    limit=st.integers(1, 5_000),
    each=st.integers(1, 20),
    every=st.integers(30, 3_600),
    storms=st.lists(st.booleans(), min_size=24, max_size=24),
)
def test_a_whole_day_of_polls_stays_within_its_budget_and_spreads_over_it(limit, each, every, storms):
    taken, polls, now, moments = 0, 0, NOW, []
    rules = rhythm(timedelta(seconds=every), requests_per_day=limit)
    while now < NOW + DAY:
        used = {TODAY: Used(requests=taken, polls=polls)} if polls else {}
        found = pace(rules, used, now, is_storm=storms[now.hour])
        if found.spent is not None:
            break
        taken, polls = taken + each, polls + 1
        moments.append(now)
        now += found.every
    assert taken <= max(limit, each)
    if not any(storms) and limit >= 2 * each * 24:
        assert moments[-1] >= NOW + DAY - 2 * (moments[-1] - moments[-2])


def test_the_forecast_names_the_day_on_which_the_budget_ends():
    used = {TODAY - timedelta(days=n): Used(micros=4_000_000, polls=100, requests=100) for n in range(1, 8)}
    (told,) = forecasts(Budget(money_per_month=80.0), used, NOW)
    assert told.used == pytest.approx(28.0)  # the first seven... days of this month that are among them
    assert told.ends_on.day == 23
    assert told.at_end > 80


def test_the_forecast_says_when_a_budget_lasts():
    used = {TODAY - DAY: Used(requests=100, polls=100)}
    (told,) = forecasts(Budget(requests_per_month=100_000), used, NOW)
    assert told.ends_on is None
    assert told.at_end == pytest.approx(100 + 100 * 21)


def test_the_first_days_of_a_month_know_the_pace_of_the_last():
    first = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
    used = {date(2026, 11, 30) - n * DAY: Used(requests=1_000, polls=1) for n in range(6)}
    (told,) = forecasts(Budget(requests_per_month=10_000), used, first)
    assert told.used == 0
    assert told.ends_on == first + 10 * DAY


@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_ends_where_the_next_begins(month):
    now = datetime(2027, month, 17, 5, tzinfo=UTC)
    (limit,) = Budget(requests_per_month=1).limits(now)
    assert limit.since == datetime(2027, month, 1, tzinfo=UTC)
    assert limit.until == datetime(2027 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
