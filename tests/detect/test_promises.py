"""What the engine owes to those who rely on it, row by row: early, seldom for nothing, explained, small.

What is not here stands beside its file: holidays and events in test_calendar, kinds in kinds/, floods and outages of
whole days in tests/pipeline, the states of an incident in tests/incident.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from brandmelder.detect.memory import SIZE
from brandmelder.detect.scan import DetectorRules, close_history, encode, look, new_state, revise, step
from brandmelder.model import BIN, Bin

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = DetectorRules(zone="UTC")
WEEKS = 5


def hours(counts, start, exposure=None):
    seen = np.ones(len(counts)) if exposure is None else exposure
    return [
        Bin(start=start + place * HOUR, width=HOUR, negative=float(count), labelled=int(count), exposure=float(eye))
        for place, (count, eye) in enumerate(zip(counts, seen, strict=True))
    ]


def walk(state, bins, rules=RULES):
    findings = []
    for one in bins:
        state, finding = step(state, one, rules)
        findings.append(finding)
    return state, findings


def usual(rate, count, seed, *, at=0):
    """Draw calm hours of a brand with `rate` negatives an hour by day and a third of it by night, from hour `at` on."""
    by_day = np.where(np.arange(at, at + count) % 24 < 7, rate / 3, rate)
    return np.random.default_rng(seed).poisson(by_day)


@pytest.fixture(scope="module", params=[0.3, 3.0, 40.0], ids=["5 a day", "60 a day", "800 a day"])
def known(request):
    """Return a state after five calm weeks, its rate and the moment after."""
    state, _ = walk(new_state(), hours(usual(request.param, WEEKS * 168, 3), MONDAY))
    return state, request.param, MONDAY + timedelta(weeks=WEEKS)


def first_page(findings):
    return next((place for place, finding in enumerate(findings) if finding.pages), None)


def test_a_burst_of_one_hour_pages_in_that_hour(known):
    state, rate, start = known
    counts = usual(rate, 12, 24)
    counts[9] += 8 + round(8 * rate**0.5 + rate)
    _, findings = walk(state, hours(counts, start))
    assert first_page(findings) == 9
    assert findings[9].spike.window <= HOUR


def test_a_climb_over_three_days_pages_on_its_way_by_a_long_window(known):
    state, rate, start = known
    climb = np.cumsum(np.linspace(0, 1.6 * rate**0.5 + 0.1, 72)).astype(int)
    counts = usual(rate, 72, 5) + np.diff(climb, prepend=0)
    _, findings = walk(state, hours(counts, start))
    page = first_page(findings)
    assert page is not None
    assert findings[page].spike.window >= 3 * HOUR


def test_a_ramp_of_one_percent_an_hour_is_not_learnt_but_told(known):
    state, rate, start = known
    ramp = rate * np.minimum(20.0, 1.01 ** np.arange(14 * 24))
    counts = np.random.default_rng(7).poisson(np.maximum(ramp, 0))
    _, findings = walk(state, hours(counts, start))
    page = first_page(findings)
    assert page is not None
    assert 1.01**page < 6


def test_a_running_bin_pages_before_it_ends_and_is_no_excuse_to_calm(known):
    state, rate, start = known
    calm = hours(usual(rate, 9, 8), start)
    state, _ = walk(state, calm)
    (running,) = hours([12 + round(10 * rate**0.5 + 2 * rate)], start + 9 * HOUR, exposure=[0.3])
    finding = look(state, running, RULES)
    assert finding.pages
    assert finding.spike.is_open_bin


def test_a_larger_budget_pages_no_later(known):
    state, rate, start = known
    counts = usual(rate, 48, 9) + np.random.default_rng(10).poisson(np.linspace(0, 2 * rate + 1, 48))
    bins = hours(counts, start)
    pages = [first_page(walk(state, bins, DetectorRules(budget=1 / days, zone="UTC"))[1]) for days in (7, 30, 90)]
    told = [10**6 if page is None else page for page in pages]
    assert told == sorted(told)
    assert told[0] < 48


def test_what_was_not_seen_is_neither_calm_nor_an_alarm_when_it_comes_back(known):
    state, rate, start = known
    counts = usual(rate, 72, 11)
    eyes = np.ones(72)
    eyes[10:34] = 0.0
    _, findings = walk(state, hours(counts * (eyes > 0), start, eyes))
    assert first_page(findings) is None
    assert findings[20].seen == 0
    assert max(finding.seen for finding in findings[10:34]) < 1
    assert all(finding.seen == 1 and not finding.spike.is_partial for finding in findings[60:])


def test_a_backlog_counted_where_it_was_written_pages_nothing(known):
    state, rate, start = known
    counts = usual(rate, 30, 14)
    eyes = np.ones(30)
    eyes[10:26] = 0.0
    state, findings = walk(state, hours(counts * (eyes > 0), start, eyes))
    state = revise(state, hours(counts[10:26], start + 10 * HOUR))
    _, later = walk(state, hours(usual(rate, 24, 15, at=30), start + 30 * HOUR))
    assert first_page(findings + later) is None


def test_a_seeded_history_never_pages_even_if_it_ends_in_a_storm(known):
    state, rate, start = known
    state, _ = walk(state, hours(usual(rate, 6, 14) + 60, start))
    state = close_history(state, RULES)
    _, findings = walk(state, hours(usual(rate, 48, 15, at=6), start + 6 * HOUR))
    assert first_page(findings) is None


def test_the_alert_can_be_explained(known):
    state, rate, start = known
    counts = usual(rate, 10, 16)
    counts[9] += 12 + round(10 * rate**0.5)
    _, findings = walk(state, hours(counts, start))
    spike = findings[-1].spike
    assert findings[-1].pages
    assert spike.observed == counts[10 - spike.window // HOUR :].sum()
    assert spike.usual_low <= spike.expected <= spike.usual_high < spike.observed
    assert spike.rarity > timedelta(days=20)
    assert timedelta(days=34) < spike.history < timedelta(days=36)
    assert (spike.learning, spike.is_partial) == (False, False)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_first_contact_that_finds_next_to_nothing_says_nothing(count):
    bins = [
        Bin(start=MONDAY + place * BIN, width=BIN, negative=float(count), labelled=count, exposure=1.0)
        for place in range(24)
    ]
    _, findings = walk(new_state(), bins)
    assert first_page(findings) is None
    assert all(finding.spike.learning for finding in findings)


def test_the_state_is_small_and_does_not_grow(known):
    state, rate, start = known
    later, _ = walk(state, hours(usual(rate, 24 * 14, 17), start))
    assert SIZE <= 3000
    assert abs(len(encode(later)) - len(encode(state))) <= 8


def test_a_storm_that_was_told_is_not_told_again_when_only_the_longest_windows_still_hold_it(known):
    state, rate, start = known
    counts = usual(rate, 110, 26)
    counts[14:22] += ((14 + 10 * rate**0.5) * np.array([0.5, 1.0, 1.0, 0.8, 0.6, 0.4, 0.2, 0.1])).astype(int)
    _, findings = walk(state, hours(counts, start))
    pages = [place for place, finding in enumerate(findings) if finding.pages]
    assert pages
    assert pages[0] >= 14
    assert pages[-1] < 24
