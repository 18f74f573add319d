"""What a source usually brings, and when silence or few mentions are chance no longer."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.detect.rhythm import FARTHEST, LEAST_HOURS, Hour, _chance, expected, few, is_back, learn, silent_at

FIRST = int(datetime(2026, 9, 21, tzinfo=UTC).timestamp()) // 3600
ZONE = "Europe/Berlin"
DAYS = 28
NOW = datetime.fromtimestamp((FIRST + DAYS * 24) * 3600, UTC)
HOUR = timedelta(hours=1)


def local(hour):
    return datetime.fromtimestamp(hour * 3600, ZoneInfo(ZONE))


def hours(rate, *, seed=1, days=DAYS, shape=lambda _local: 1.0):
    rng = np.random.default_rng(seed)
    return [Hour(at, int(rng.poisson(rate * shape(local(at))))) for at in range(FIRST, FIRST + days * 24)]


def by_day(moment):
    return 0.1 if moment.hour < 6 else 1.3


def at_the_office(moment):
    return 168 / 45 if moment.weekday() < 5 and 8 <= moment.hour < 17 else 0.0


def test_too_few_hours_or_too_few_mentions_make_no_rhythm():
    assert learn(hours(5)[: LEAST_HOURS - 1], ZONE) is None
    assert learn(hours(0.005), ZONE) is None
    assert learn(hours(0.0), ZONE) is None
    assert learn(hours(5)[:LEAST_HOURS], ZONE) is not None


def test_the_rate_of_the_hour_is_learnt():
    rhythm = learn(hours(12, shape=by_day), ZONE)
    noon = rhythm.rate(FIRST + 10 * 24 + 10)
    night = rhythm.rate(FIRST + 10 * 24 + 1)
    assert 11 < noon < 16
    assert night < 3


@pytest.mark.parametrize(("rate", "least", "most"), [(0.1, 48, 200), (1, 5, 20), (12, 0.6, 2), (60, 0.1, 0.5)])
def test_the_more_a_source_writes_the_sooner_its_silence_is_certain(rate, least, most):
    due = silent_at(learn(hours(rate), ZONE), NOW, [], NOW)
    assert least < (due - NOW) / HOUR < most


def test_a_silence_at_night_takes_longer_to_be_certain():
    rhythm = learn(hours(12, shape=by_day), ZONE)
    night = NOW.replace(hour=23) + timedelta(days=1)
    day = night + 10 * HOUR
    assert silent_at(rhythm, night, [], night) - night > 3 * (silent_at(rhythm, day, [], day) - day)


def test_a_weekend_without_anything_is_usual_for_an_office():
    rhythm = learn(hours(3, shape=at_the_office), ZONE)
    friday = datetime(2026, 10, 23, 14, 50, tzinfo=UTC)
    assert silent_at(rhythm, friday, [], friday) > friday + timedelta(days=2, hours=14)


def test_a_public_holiday_counts_as_a_sunday():
    rhythm = learn(hours(3, shape=at_the_office), ZONE, "DE-SN")
    repentance = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)  # Buß- und Bettag, a Wednesday
    assert rhythm.rate(int(repentance.timestamp()) // 3600) < 0.5
    assert rhythm.rate(int((repentance + timedelta(days=1)).timestamp()) // 3600) > 5


def test_hours_that_were_not_seen_say_nothing():
    rhythm = learn(hours(12), ZONE)
    later = NOW + 10 * HOUR
    assert silent_at(rhythm, NOW, [], later) > later
    assert silent_at(rhythm, NOW, range(FIRST + DAYS * 24, FIRST + DAYS * 24 + 10), later) < later


def test_a_storm_teaches_no_haste():
    calm = hours(1)
    stormy = [Hour(one.at, one.came + (400 if 300 <= n < 340 else 0)) for n, one in enumerate(calm)]
    patient = silent_at(learn(stormy, ZONE), NOW, [], NOW) - NOW
    assert patient >= 0.9 * (silent_at(learn(calm, ZONE), NOW, [], NOW) - NOW)


def test_what_comes_in_bursts_is_waited_for_longer():
    rng = np.random.default_rng(3)
    bursty = [Hour(FIRST + n, int(rng.geometric(0.1)) if rng.random() < 0.1 else 0) for n in range(DAYS * 24)]
    even = hours(1.0)
    assert silent_at(learn(bursty, ZONE), NOW, [], NOW) > silent_at(learn(even, ZONE), NOW, [], NOW) + 24 * HOUR


def test_a_silence_like_one_in_memory_is_told_later():
    gone = [Hour(one.at, 0 if 400 <= n < 412 else one.came) for n, one in enumerate(hours(3))]
    due = silent_at(learn(gone, ZONE), NOW, [], NOW)
    assert due > NOW + 12 * HOUR


def test_a_source_that_hardly_writes_is_never_certainly_silent():
    rhythm = learn(hours(0.03, seed=4), ZONE)
    due = rhythm and silent_at(rhythm, NOW, [], NOW)
    assert due is None or due <= NOW + FARTHEST


def test_few_are_told_over_the_shortest_window_and_with_their_numbers():
    rhythm = learn(hours(12), ZONE)
    thin = [Hour(FIRST + DAYS * 24 + n, int(n % 3 == 0)) for n in range(8)]
    found = few(rhythm, hours(12)[-66:] + thin)
    assert found.hours == 6
    assert found.came == 2
    assert 55 < found.usual < 80


def test_a_third_less_is_not_few():
    rhythm = learn(hours(12), ZONE)
    assert few(rhythm, [Hour(FIRST + DAYS * 24 + n, 8) for n in range(72)]) is None


def test_a_window_with_a_hole_in_it_tells_nothing():
    rhythm = learn(hours(12), ZONE)
    assert few(rhythm, [Hour(FIRST + DAYS * 24 + 2 * n, 0) for n in range(72)]) is None


def test_half_of_the_usual_for_six_hours_is_back():
    rhythm = learn(hours(12), ZONE)
    assert is_back(rhythm, [Hour(FIRST + DAYS * 24 + n, 8) for n in range(6)])
    assert not is_back(rhythm, [Hour(FIRST + DAYS * 24 + n, 1) for n in range(24)])


def test_the_expected_number_adds_up_over_parts_of_hours():
    rhythm = learn(hours(6, shape=by_day), ZONE)
    whole = expected(rhythm, NOW, NOW + 5 * HOUR)
    parts = sum(expected(rhythm, NOW + n * HOUR / 4, NOW + (n + 1) * HOUR / 4) for n in range(20))
    assert parts == pytest.approx(whole)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.05, 200), st.integers(0, 10_000), st.sampled_from([by_day, at_the_office, lambda _at: 1.0]))
def test_whatever_a_source_brings_a_longer_silence_is_not_less_certain(rate, seed, shape):
    rhythm = learn(hours(rate, seed=seed, shape=shape), ZONE)
    if rhythm is None:
        return
    assert rhythm.need > 1
    assert all(one >= 0 for one in rhythm.rates)
    due, later = silent_at(rhythm, NOW, [], NOW), silent_at(rhythm, NOW + HOUR, [], NOW + HOUR)
    assert due is None or due > NOW
    assert due is None or later is None or later >= due


@pytest.mark.parametrize("rate", [5, 50, 500, 5_000, 50_000])
def test_few_are_told_however_much_a_source_writes(rate):
    rhythm = learn(hours(rate), ZONE)
    thin = [Hour(FIRST + DAYS * 24 + n, rate // 20) for n in range(72)]
    assert few(rhythm, thin) is not None


@pytest.mark.parametrize(("count", "mean"), [(0, 14.0), (3, 30.0), (20, 200.0), (60, 600.0), (7.9, 80.0)])
def test_the_chance_of_few_is_the_sum_of_the_poisson(count, mean):
    terms = [math.exp(one * math.log(mean) - mean - math.lgamma(one + 1)) for one in range(int(count) + 1)]
    assert _chance(count, mean) == pytest.approx(sum(terms), rel=1e-9)
