"""Many series at once and one series alone are the same arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.detect.advance import advance
from brandmelder.detect.calibrate import threshold
from brandmelder.detect.memory import fresh
from brandmelder.detect.scan import DetectorRules, moment_at, new_state, step
from brandmelder.model import Bin

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
RULES = DetectorRules()


def storms(seed, series, bins, rate):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate, (series, bins)).astype(float)
    for row in range(series):
        start = rng.integers(bins // 2, bins - 4)
        counts[row, start : start + 3] += rng.integers(0, 30)
    seen = np.where(rng.random((series, bins)) < 0.05, rng.choice([0.0, 0.5]), 1.0)
    return counts, seen


def together(counts, seen, width, rules=RULES):
    memory = fresh(len(counts))
    found = []
    for place in range(counts.shape[1]):
        moment = moment_at(round(MONDAY.timestamp()) + place * width, width, rules)
        figures = (counts[:, place].copy(), counts[:, place].copy(), seen[:, place].copy())
        judged = advance(memory, moment, figures, entry=threshold(rules.budget), floor=rules.floor)
        found.append((judged.pages.copy(), judged.high.copy(), judged.flagged.copy(), judged.chance.copy()))
    return [np.array(column).T for column in zip(*found, strict=True)]


@pytest.mark.parametrize(("width", "bins"), [(300, 420), (900, 200), (3600, 300), (86400, 60)])
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.7, 9.0]))
def test_a_series_alone_is_judged_as_among_many(width, bins, seed, rate):
    counts, seen = storms(seed, 5, bins, rate)
    pages, high, flagged, chance = together(counts, seen, width)
    for row in (0,):
        state, findings = new_state(), []
        for place in range(bins):
            bin_ = Bin(
                start=MONDAY + timedelta(seconds=place * width),
                width=timedelta(seconds=width),
                negative=counts[row, place],
                labelled=int(counts[row, place]),
                exposure=seen[row, place],
            )
            state, finding = step(state, bin_, RULES)
            findings.append(finding)
        assert [finding.pages for finding in findings] == pages[row].tolist()
        assert [finding.is_high for finding in findings] == high[row].tolist()
        assert [finding.flagged for finding in findings] == flagged[row].tolist()
        assert [finding.spike.score for finding in findings] == pytest.approx(chance[row].tolist(), rel=1e-4, abs=1e-4)


def test_a_brand_as_steady_as_chance_keeps_its_budget_however_large_it_is():
    series, weeks, learning = 8, 12, 6
    hours = np.arange(weeks * 168)
    usual = 100_000 / 24 * (1 + 0.6 * np.sin((hours - 10) * np.pi / 12))
    counts = np.random.default_rng(2).poisson(usual, (series, len(hours))).astype(float)
    pages, *_ = together(counts, np.ones_like(counts), 3600, DetectorRules(zone="UTC"))
    paged = [np.flatnonzero(row[learning * 168 :]) for row in pages]
    alerts = sum(1 + int((np.diff(row) > 24).sum()) for row in paged if row.size)
    assert alerts <= 1.4 * series * (weeks - learning) * 7 * RULES.budget
