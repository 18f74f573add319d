"""Budgets in words."""

from __future__ import annotations

import pytest

from brandmelder.detect.budget import parse_budget


@pytest.mark.parametrize(
    ("text", "per_day"),
    [
        ("1 per 30 days", 1 / 30),
        ("2 per week", 2 / 7),
        ("1/month", 1 / 30),
        ("0.5 per day", 0.5),
        ("  1   PER  2 weeks ", 1 / 14),
        ("calm", 1 / 90),
        ("balanced", 1 / 30),
        ("alert", 1 / 7),
    ],
)
def test_a_budget_reads_as_pages_a_day(text, per_day):
    assert parse_budget(text) == pytest.approx(per_day)


@pytest.mark.parametrize("text", ["", "often", "1 per 0 days", "0 per week", "-1 per week", "1 per 30", "9 per day"])
def test_a_budget_that_cannot_be_read_says_what_would_be_right(text):
    with pytest.raises(ValueError, match=r"per \d+ (days|years)"):
        parse_budget(text)
