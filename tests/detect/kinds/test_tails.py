"""Scalar tails against sums of the distributions themselves."""

from __future__ import annotations

import math

import pytest

from brandmelder.detect.kinds.tails import (
    count_surprise,
    normal_surprise,
    share_range,
    share_surprise,
    silence_surprise,
)


def beta_binomial(count, whole, share, spread):
    rate = 1 / spread - 1
    alpha, beta = share * rate, (1 - share) * rate

    def log_beta(a, b):
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    return math.comb(whole, count) * math.exp(log_beta(count + alpha, whole - count + beta) - log_beta(alpha, beta))


@pytest.mark.parametrize(("part", "whole"), [(5, 6), (20, 40), (40, 40), (120, 300)])
def test_the_share_is_the_sum_of_the_beta_binomial(part, whole):
    terms = [beta_binomial(count, whole, 0.2, 0.05) for count in range(part, whole + 1)]
    assert share_surprise(part, whole, 0.2, 0.05) == pytest.approx(-math.log10(sum(terms) - terms[0] / 2), rel=1e-6)


@pytest.mark.parametrize("scale", [2, 30, 400])
def test_a_share_of_very_many_is_what_a_share_of_many_tends_to(scale):
    exact = share_surprise(2_400, 9_000, 0.2, 0.01)
    assert share_surprise(2_400 * scale, 9_000 * scale, 0.2, 0.01) == pytest.approx(exact, rel=0.02)


def test_the_share_of_a_thousand_million_mentions_takes_no_time():
    assert 1 < share_surprise(250_000_000, 1_000_000_000, 0.2, 0.005) < 2
    assert share_surprise(999_999_999, 1_000_000_000, 0.2, 0.005) > 30


def test_nothing_is_surprising_at_or_below_the_mean():
    assert share_surprise(2, 10, 0.2, 0.05) == share_surprise(0, 0, 0.2, 0.05) == count_surprise(3, 3.0, 4.0) == 0


@pytest.mark.parametrize(("count", "mean"), [(9, 3.0), (30, 10.0), (5, 0.4)])
def test_a_count_is_close_to_the_negative_binomial(count, mean):
    size = 4.0
    terms = [
        math.exp(
            math.lgamma(k + size) - math.lgamma(k + 1) - math.lgamma(size)
            + size * math.log(size / (size + mean)) + k * math.log(mean / (size + mean))
        )
        for k in range(count, count + 400)
    ]  # fmt: skip
    expected = -math.log10(sum(terms) - terms[0] / 2)
    assert count_surprise(count, mean, mean + mean * mean / size) == pytest.approx(expected, rel=0.04)


def test_the_normal_tail_goes_on_where_the_error_function_ends():
    assert normal_surprise(29.999) == pytest.approx(normal_surprise(30.001), rel=1e-3)


@pytest.mark.parametrize(("spread", "expected"), [(0.0, 4.3429), (0.5, 2 * math.log10(6.0))])
def test_silence_is_the_chance_of_nothing(spread, expected):
    assert silence_surprise(10.0, spread) == pytest.approx(expected, rel=1e-3)


def test_the_usual_range_of_a_share_lies_round_its_mean():
    low, high = share_range(100, 0.2, 0.01)
    assert 5 <= low < 20 < high <= 35
    assert share_range(0, 0.2, 0.01) == (0, 0)
