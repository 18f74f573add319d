"""The thresholds that follow from budgets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from brandmelder.detect.calibrate import rarity, threshold


def test_a_smaller_budget_asks_for_a_rarer_window():
    assert threshold(1 / 90) > threshold(1 / 30) > threshold(1 / 7)


def test_a_score_at_the_threshold_is_as_rare_as_the_budget():
    assert rarity(threshold(1 / 30)) / timedelta(days=1) == pytest.approx(30)
    assert rarity(400.0) == timedelta(days=36_500)
