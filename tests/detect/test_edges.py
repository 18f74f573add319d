"""Where the engine could go wrong unseen: unsure floods, gaps of weeks, events within an hour, large budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.detect.advance import advance
from brandmelder.detect.calendar import Event
from brandmelder.detect.memory import Memory, fresh
from brandmelder.detect.scan import DetectorRules, close_history, look, moment_at, new_state, revise, step, usual
from brandmelder.model import BIN, Bin

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = DetectorRules(zone="UTC")


def at(start, negative, labelled, exposure=1.0, width=BIN):
    return Bin(start=start, width=width, total=negative, negative=negative, labelled=labelled, exposure=exposure)


def walked(counts, width=BIN, rules=RULES, start=MONDAY):
    state, findings = new_state(), []
    for place, count in enumerate(counts):
        state, finding = step(state, at(start + place * width, float(count), int(count), width=width), rules)
        findings.append(finding)
    return state, findings


@lru_cache(maxsize=1)
def seasoned():
    """Return the state after ten calm days at one negative an hour, and the moment after."""
    state, _ = walked(np.random.default_rng(1).poisson(1 / 12, 10 * 288))
    return state, datetime.fromtimestamp(state.next, UTC)


@lru_cache(maxsize=1)
def empty():
    """Return the state after a hundred days by the hour without a single mention."""
    return walked([0] * 24 * 100, width=HOUR)[0]


def learnt(state, name):
    return Memory(np.frombuffer(state.column, dtype=np.float64).reshape(-1, 1))[name]


# ---------------------------------------------------------- what is labelled


def test_a_flood_of_unsure_mentions_that_is_not_told_hides_no_storm_that_follows():
    state, start = seasoned()
    state, unsure = step(state, at(start, 20.0, 0), RULES)
    assert not unsure.pages
    state, storm = step(state, at(start + BIN, 8.0, 8), RULES)
    assert storm.pages


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), max_size=14),
    st.tuples(st.integers(0, 4), st.integers(0, 12)),
    st.integers(1, 5),
)
def test_more_negative_mentions_never_make_an_alert_less_likely(before, now, more):
    state, start = seasoned()
    for place, (negative, unsure) in enumerate(before):
        state, finding = step(state, at(start + place * BIN, negative + 0.4 * unsure, negative), RULES)
        if finding.pages:
            return
    moment = start + len(before) * BIN
    negative, unsure = now
    fewer = at(moment, negative + 0.4 * unsure, negative)
    greater = at(moment, negative + more + 0.4 * unsure, negative + more)
    for judge in (look, lambda *found: step(*found)[1]):
        less, grown = judge(state, fewer, RULES), judge(state, greater, RULES)
        assert grown.pages >= less.pages
        assert grown.is_high >= less.is_high or not fewer.negative  # an empty bin is not weighed: it stays as it was
        assert grown.pages or grown.spike.score >= less.spike.score - 1e-9


# ------------------------------------------------------------------ budgets


@pytest.mark.parametrize("budget", [4.0, 1.0, 0.3, 1 / 30, 1 / 3650])
def test_however_large_the_budget_nothing_pages_before_anything_is_known(budget):
    _, findings = walked([5] * 30, rules=DetectorRules(zone="UTC", budget=budget))
    assert not any(one.pages for one in findings)


def test_however_large_the_budget_what_was_told_does_not_page_again_at_once():
    state, start = seasoned()
    rules = DetectorRules(zone="UTC", budget=4.0)
    pages = []
    for place in range(24):
        state, finding = step(state, at(start + place * BIN, 9.0 if place == 0 else 0.0, 9 if place == 0 else 0), rules)
        pages.append(finding.pages)
    assert pages == [True] + 23 * [False]


# ------------------------------------------------------------ gaps of weeks


def test_after_a_gap_of_weeks_each_hour_was_learnt_once_and_where_it_belongs():
    noon = [20 if hour % 24 == 12 else 0 for hour in range(21 * 24)]
    state, _ = walked(noon, width=HOUR)
    end = datetime.fromtimestamp(state.next, UTC)
    again = at(end + timedelta(days=10, hours=6), 0.0, 0, width=HOUR)
    resumed, _ = step(state, again, RULES)
    patient = state
    for place in range(10 * 24 + 6):
        patient, _ = step(patient, at(end + place * HOUR, 0.0, 0, exposure=0.0, width=HOUR), RULES)
    patient, _ = step(patient, again, RULES)
    for name in ("observed", "expected", "worth", "count", "shape", "learnt", "profile", "seen"):
        assert learnt(resumed, name) == pytest.approx(learnt(patient, name), rel=1e-9, abs=1e-9), name
    observed = learnt(resumed, "observed")[:, 0].reshape(7, 24)
    assert observed[:, 12].min() > 0
    assert np.delete(observed, 12, axis=1).max() == 0


# --------------------------------------------------------------- the calendar


@pytest.mark.parametrize(("begins", "ends"), [(10, 50), (0, 55), (30, 60), (55, 70)])
def test_an_event_within_an_hour_lifts_its_part_of_the_hour_and_no_more(begins, ends):
    since = MONDAY + 9 * HOUR
    event = Event(since=since + timedelta(minutes=begins), until=since + timedelta(minutes=ends), lift=10.0)
    rules = DetectorRules(zone="UTC", events=(event,))
    memory = fresh(1)
    for place in range(10 * 12):
        moment = moment_at(round((MONDAY + place * BIN).timestamp()), 300, rules)
        figures = (np.ones(1), np.ones(1), np.ones(1))
        judged = advance(memory, moment, figures, entry=9.0, floor=3.0)
    lifted = (min(60, ends) - begins) / 60
    assert judged.mean[0, 0] == pytest.approx(judged.mean[-1, 0], rel=1e-6)
    assert judged.mean[0, 0] == pytest.approx(judged.mean[-4, 0] * 12 * (1 + 9 * lifted), rel=1e-6) or ends >= 60


def test_a_series_that_begins_within_an_hour_expects_of_it_what_is_left():
    memory, start = fresh(1), MONDAY + 9 * HOUR + 5 * BIN
    for place in range(7):
        moment = moment_at(round((start + place * BIN).timestamp()), 300, RULES)
        judged = advance(memory, moment, (np.ones(1), np.ones(1), np.ones(1)), entry=9.0, floor=3.0)
    assert judged.mean[0, 0] == pytest.approx(judged.mean[-1, 0], rel=1e-6)


def test_an_event_that_was_as_large_as_expected_does_not_page_when_it_ends_within_an_hour():
    state, _ = walked(np.random.default_rng(5).poisson(2.0, 15 * 288))
    start = datetime.fromtimestamp(state.next, UTC)
    event = Event(since=start, until=start + timedelta(minutes=110), lift=6.0)
    rules = DetectorRules(zone="UTC", events=(event,))
    rng, pages = np.random.default_rng(6), []
    for place in range(36):
        count = int(rng.poisson(2.0 * (6 if place < 22 else 1)))
        state, finding = step(state, at(start + place * BIN, float(count), count), rules)
        pages.append(finding.pages)
    assert not any(pages)


def test_the_usual_range_knows_an_event_that_begins_within_the_hour():
    state, start = seasoned()
    begin = start + 18 * HOUR
    event = Event(since=begin + 3 * BIN, until=begin + 9 * BIN, lift=100.0)
    rules = DetectorRules(zone="UTC", events=(event,))
    whole = DetectorRules(zone="UTC", events=(Event(since=begin, until=begin + HOUR, lift=50.5),))
    assert usual(state, begin + HOUR, HOUR, rules)[1] == pytest.approx(
        usual(state, begin + HOUR, HOUR, whole)[1], rel=0.05
    )
    assert usual(state, begin + HOUR, HOUR, rules)[1] > 5 * usual(state, begin + HOUR, HOUR, RULES)[1]


# ------------------------------------------------------------------ revisions


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), min_size=1, max_size=30), st.integers(1, 400))
def test_what_is_put_out_of_sight_later_leaves_no_negative_sums(counts, pause):
    """A quiet series, a burst, then days later the burst was not seen after all."""
    state = empty()
    begin = datetime.fromtimestamp(state.next, UTC)
    bins = [at(begin + place * HOUR, float(n + m), n, width=HOUR) for place, (n, m) in enumerate(counts)]
    for one in bins:
        state, _ = step(state, one, RULES)
    for place in range(min(pause, 70 - len(bins))):
        state, _ = step(state, at(begin + (len(bins) + place) * HOUR, 0.0, 0, width=HOUR), RULES)
    state = revise(state, [at(one.start, 0.0, 0, exposure=0.0, width=HOUR) for one in bins])
    assert learnt(state, "labelled")[0] >= 0
    assert learnt(state, "summed")[0] >= 0
    _, finding = step(state, at(datetime.fromtimestamp(state.next, UTC), 1.0, 1, width=HOUR), RULES)
    assert 0.0 <= finding.spike.expected < 1.0


# ------------------------------------------------------------------- invariance


series = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([1.0, 1.0, 1.0, 0.5, 0.0])), min_size=1, max_size=80)


@settings(max_examples=15, deadline=None)
@given(series, st.integers(-60, 60), st.sampled_from(["UTC", "Asia/Kolkata", "Asia/Tokyo"]))
def test_a_series_that_happens_weeks_later_is_judged_alike(counts, weeks, zone):
    rules = DetectorRules(zone=zone)
    found = []
    for shift in (timedelta(0), weeks * timedelta(weeks=1)):
        state, findings = new_state(), []
        for place, (count, seen) in enumerate(counts):
            bin_ = at(MONDAY + shift + place * HOUR, float(count), count, exposure=seen, width=HOUR)
            state, finding = step(state, bin_, rules)
            findings.append((finding.pages, finding.is_high, finding.spike.observed, round(finding.spike.expected, 6)))
        found.append(findings)
    assert found[0] == found[1]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=50), st.sampled_from([300, 900, 3600, 86400]))
def test_whatever_is_counted_every_figure_is_a_number(counts, seconds):
    width = timedelta(seconds=seconds)
    state = new_state()
    for place, count in enumerate([*counts, *reversed(counts)]):
        bin_ = at(MONDAY + place * width, count, round(count), exposure=0.0 if place % 7 == 6 else 1.0, width=width)
        state, finding = step(state, bin_, RULES)
        assert np.isfinite(finding.spike.score)
        assert np.isfinite(finding.spike.expected)
        assert 0 <= finding.spike.usual_low <= finding.spike.usual_high
    state = close_history(state, RULES)
    assert np.isfinite(np.frombuffer(state.column)).all()


def test_a_series_that_fell_from_a_thousand_million_to_a_few_still_sees_few():
    state, _ = walked([10**9] * 24 * 5, width=HOUR)
    start = datetime.fromtimestamp(state.next, UTC)
    rng = np.random.default_rng(3)
    findings = []
    for place in range(24 * 60):
        count = int(rng.poisson(2)) + (30 if place == 24 * 60 - 1 else 0)
        state, finding = step(state, at(start + place * HOUR, float(count), count, width=HOUR), RULES)
        findings.append(finding)
    assert findings[-1].pages
    assert findings[-1].spike.observed >= 30
    assert findings[-1].spike.expected < 20
