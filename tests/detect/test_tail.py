"""The tail of the negative binomial against exact sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.detect.kinds.tails import count_surprise
from brandmelder.detect.tail import central_range, surprise

means = st.floats(2, 500)
spreads = st.floats(0.01, 2)


def exact(count, mean, variance):
    size = mean * mean / (variance - mean)
    share = size / (size + mean)
    upper = 0.0
    for value in range(count, count + 20_000):
        log = (
            math.lgamma(value + size)
            - math.lgamma(size)
            - math.lgamma(value + 1)
            + size * math.log(share)
            + value * math.log1p(-share)
        )
        term = math.exp(log)
        upper += term * (0.5 if value == count else 1.0)
        if value > mean and term < 1e-18 * upper:
            break
    return -math.log10(upper)


@given(means, spreads, st.floats(1, 6))
def test_the_score_agrees_with_the_exact_tail(mean, spread, deviations):
    variance = mean + spread * mean * mean
    count = math.ceil(mean + deviations * math.sqrt(variance))
    assert float(surprise(count, mean, variance)) == pytest.approx(exact(count, mean, variance), rel=0.04, abs=0.08)


@given(means, spreads)
def test_a_larger_count_is_never_less_surprising(mean, spread):
    counts = np.linspace(mean, mean + 10 * math.sqrt(mean + spread * mean**2), 200)
    assert np.all(np.diff(surprise(counts, mean, mean + spread * mean**2)) >= -1e-9)


@given(st.floats(2, 11), st.sampled_from([0.0, 1e-3, 0.02, 0.3, 2.0]))
def test_near_the_mean_nothing_is_surprising_however_many_there_are(decades, spread):
    mean = 10.0**decades
    deviation = math.sqrt(mean + spread * mean**2)
    counts = mean + deviation * np.linspace(0, 1, 400)
    scores = surprise(counts, mean, deviation**2)
    assert np.all(np.diff(scores) >= -0.02)
    assert np.all((scores > 0.25) & (scores < 1.0))
    single = [count_surprise(count, mean, deviation**2) for count in counts]
    assert max(single) < 1.0


def test_far_tails_stay_finite_and_ordered():
    scores = surprise([1e3, 1e5, 1e7], 1.0, 1.2)
    assert np.all(np.isfinite(scores))
    assert np.all(np.diff(scores) > 0)


def test_nothing_expected_and_nothing_seen_is_no_surprise():
    assert float(surprise(0.0, 0.0, 0.0)) < 1.0


@pytest.mark.parametrize(("mean", "variance"), [(0.02, 0.021), (1.0, 1.3), (3.0, 5.7), (30.0, 300.0), (5e4, 1e8)])
def test_the_usual_range_holds_nine_in_ten(mean, variance):
    low, high = central_range(mean, variance)
    size = mean**2 / (variance - mean)
    draws = np.random.default_rng(1).negative_binomial(size, size / (size + mean), 20_000)
    assert np.mean(draws > high) <= 0.055
    assert np.mean(draws < low) <= 0.055
    assert 0 <= low <= max(mean, 1)
    assert high + 1 >= mean
