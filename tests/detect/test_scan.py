"""The detector's step: what pages, what teaches, and what must not matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.detect.scan import (
    CARRIES,
    DetectorRules,
    close_history,
    decode,
    encode,
    look,
    new_state,
    review,
    revise,
    step,
    usual,
)
from brandmelder.model import BIN, Bin, SpikeKind

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
RULES = DetectorRules()
HOUR = timedelta(hours=1)


def bins_of(counts, start=MONDAY, width=BIN, exposure=None):
    seen = [1.0] * len(counts) if exposure is None else exposure
    return [
        Bin(
            start=start + number * width,
            width=width,
            total=2.0 * count,
            negative=float(count),
            labelled=round(count),
            exposure=seen[number],
        )
        for number, count in enumerate(counts)
    ]


def calm(days, rate=24.0, seed=1, width=BIN):
    per_day = timedelta(days=1) // width
    return np.random.default_rng(seed).poisson(rate / per_day, days * per_day).tolist()


def run(bins, state=None, rules=RULES):
    state = state or new_state()
    findings = []
    for bin_ in bins:
        state, finding = step(state, bin_, rules)
        findings.append(finding)
    return state, findings


@pytest.fixture(scope="module")
def seasoned():
    """Ten calm days at one negative an hour."""
    state, _ = run(bins_of(calm(10)))
    return state


def after(state):
    return datetime.fromtimestamp(state.next, UTC)


counts = st.lists(st.integers(0, 6), min_size=1, max_size=60)


@settings(max_examples=20, deadline=None)
@given(counts, counts)
def test_removing_the_future_changes_nothing(past, future):
    _, long = run(bins_of(past + future))
    _, short = run(bins_of(past))
    assert long[: len(past)] == short


@settings(max_examples=20, deadline=None)
@given(counts, st.integers(0, 60))
def test_a_state_that_was_put_away_goes_on_as_if_it_had_not(series, cut):
    bins = bins_of(series)
    whole, findings = run(bins)
    kept, first = run(bins[:cut])
    resumed, second = run(bins[cut:], decode(encode(kept)))
    assert first + second == findings
    assert encode(resumed) == encode(whole)


@settings(max_examples=20, deadline=None)
@given(counts)
def test_revising_with_the_same_bins_changes_nothing(series):
    bins = bins_of(series)
    state, _ = run(bins)
    revised = np.frombuffer(revise(state, bins).column)
    assert revised == pytest.approx(np.frombuffer(state.column), rel=1e-9, abs=1e-9)


def test_a_step_leaves_the_state_it_was_given_alone(seasoned):
    before = encode(seasoned)
    step(seasoned, bins_of([9], after(seasoned))[0], RULES)
    assert encode(seasoned) == before


def test_a_burst_pages_and_says_what_it_saw(seasoned):
    _, findings = run(bins_of([1, 1, 0, 12], after(seasoned)), seasoned)
    assert [finding.pages for finding in findings] == [False, False, False, True]
    spike = findings[-1].spike
    assert spike.until == after(seasoned) + 4 * BIN
    assert spike.observed >= 12
    assert 0 <= spike.usual_low <= spike.usual_high < spike.observed
    assert 0 < spike.expected < 10
    assert findings[-1].seen == 1.0
    assert spike.rarity > timedelta(days=30)
    assert spike.history == timedelta(days=10) + 4 * BIN
    assert not spike.learning
    assert not spike.is_partial
    assert not spike.is_open_bin
    assert not spike.is_estimate


def test_a_finding_says_what_the_last_hour_held_in_whatever_window_it_is_told():
    counts = [*calm(14), *[6] * 12, *[0] * 3]
    _, findings = run(bins_of(counts))
    assert [one.hour for one in findings] == [round(sum(counts[max(0, n - 11) : n + 1])) for n in range(len(counts))]
    assert len({one.spike.window for one in findings}) > 1
    _, daily = run(bins_of([3, 4], width=24 * HOUR))
    assert [one.hour for one in daily] == [None, None]


def test_calm_days_do_not_page():
    _, findings = run(bins_of(calm(14, seed=5)))
    assert not any(finding.pages for finding in findings)


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_two_negatives_never_page(rate):
    state, _ = run(bins_of(calm(7, rate=rate)))
    _, findings = run(bins_of([0] * 36 + [2], after(state)), state)
    assert not findings[-1].pages


def test_an_open_bin_pages_early_teaches_nothing_and_is_marked(seasoned):
    running = bins_of([15], after(seasoned))[0]
    finding = look(seasoned, running, RULES)
    assert finding.pages
    assert finding.spike.is_open_bin
    assert finding.spike.score == step(seasoned, running, RULES)[1].spike.score


def test_an_open_bin_is_held_against_the_whole_bins_expectation(seasoned):
    barely_seen = replace(bins_of([2], after(seasoned))[0], exposure=0.05)
    assert look(seasoned, barely_seen, RULES).spike.score == pytest.approx(
        look(seasoned, replace(barely_seen, exposure=1.0), RULES).spike.score
    )
    assert look(seasoned, barely_seen, RULES).spike.is_partial


def test_an_incident_is_high_below_what_opens_it(seasoned):
    scores = {}
    for count in range(1, 16):
        finding = look(seasoned, bins_of([count], after(seasoned))[0], RULES)
        scores[count] = finding
        assert finding.is_high or not finding.pages
    assert any(finding.is_high and not finding.pages for finding in scores.values())


@pytest.mark.parametrize("exposure", [0.0])
def test_what_was_not_seen_teaches_nothing(seasoned, exposure):
    blind = bins_of([0] * 600, after(seasoned), exposure=[exposure] * 600)
    state, findings = run(blind, seasoned)
    assert not any(finding.pages or finding.is_high for finding in findings)
    ahead = after(state) + 12 * HOUR
    assert usual(state, ahead, 24 * HOUR, RULES) == pytest.approx(usual(seasoned, ahead, 24 * HOUR, RULES), abs=3)
    assert findings[-1].spike.history == timedelta(days=10)
    assert findings[-1].spike.is_partial
    assert findings[-1].seen == 0.0


def test_bins_that_were_left_out_count_as_not_seen(seasoned):
    start = after(seasoned) + 3 * HOUR
    stepped, _ = run(bins_of([0] * 36, after(seasoned), exposure=[0.0] * 36), seasoned)
    bin_ = bins_of([4], start)[0]
    left, right = step(seasoned, bin_, RULES), step(stepped, bin_, RULES)
    assert encode(left[0]) == encode(right[0])
    assert left[1] == right[1]


def test_a_blindness_of_years_is_no_work():
    state, _ = run(bins_of([1, 2, 3]))
    later = Bin(start=MONDAY + timedelta(days=3650), negative=1.0, labelled=1)
    state, finding = step(state, later, RULES)
    assert after(state) == later.end
    assert finding.spike.history == 4 * BIN


def test_an_outage_and_its_backlog_by_event_time_page_nothing():
    series = calm(21, rate=240, seed=3)
    outage = slice(18 * 288, 18 * 288 + 100)
    exposure = np.ones(len(series))
    exposure[outage] = 0.0
    seen = np.where(exposure > 0, series, 0).tolist()
    state, before = run(bins_of(seen[: outage.stop], exposure=exposure.tolist()))
    state = revise(state, bins_of(series[: outage.stop]))
    _, rest = run(bins_of(series[outage.stop :], after(state)), state)
    assert not any(finding.pages for finding in before + rest)


def test_latecomers_are_counted_in_the_next_window(seasoned):
    state, _ = run(bins_of([0, 0], after(seasoned)), seasoned)
    late = revise(state, bins_of([9, 9], after(seasoned)))
    upcoming = bins_of([0], after(state))[0]
    assert step(late, upcoming, RULES)[1].spike.observed >= 18
    assert step(state, upcoming, RULES)[1].spike.observed <= 3
    too_old = bins_of([99], after(state) - CARRIES - 2 * HOUR)
    assert encode(revise(state, too_old)) == encode(state)
    assert revise(new_state(), too_old) == new_state()


@pytest.mark.parametrize("switch", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_the_days_the_clock_changes_page_nothing(switch):
    start = switch - timedelta(days=21)
    hours = [(start + number * HOUR) for number in range(24 * 24)]
    offset = [2 if (hour >= switch + HOUR) == (switch.month == 3) else 1 for hour in hours]
    rates = [4 + 56 * (7 <= (hour.hour + shift) % 24 < 20) for hour, shift in zip(hours, offset, strict=True)]
    series = np.random.default_rng(2).poisson(rates).tolist()
    _, findings = run(bins_of(series, start, HOUR))
    assert not any(finding.pages for finding in findings[7 * 24 :])


def test_usual_follows_the_hour_of_the_local_day():
    hours = [2 + 38 * (8 <= number % 24 < 18) for number in range(28 * 24)]
    state, _ = run(bins_of(hours, width=HOUR), rules=DetectorRules(zone="UTC"))
    day, night = (
        usual(state, MONDAY + timedelta(days=28, hours=end), HOUR, DetectorRules(zone="UTC")) for end in (12, 3)
    )
    assert night[1] < day[0]


def test_the_first_day_is_marked_as_learning_and_needs_much():
    _, findings = run(bins_of([3, 2, 1, 0, 0, 1] * 12))
    assert all(finding.spike.learning for finding in findings)
    assert not any(finding.pages for finding in findings)
    _, findings = run(bins_of([0, 1, 0, 0] * 30 + [60]))
    assert findings[-1].pages
    assert findings[-1].spike.learning


def test_unsure_mentions_show_the_rounded_sum():
    state, _ = run([replace(bin_, labelled=0) for bin_ in bins_of(calm(3))])
    bin_ = replace(bins_of([12.4], after(state))[0], labelled=4)
    spike = step(state, bin_, RULES)[1].spike
    assert spike.is_estimate
    assert spike.observed == round(spike.observed) >= 12


def test_a_world_that_changed_for_good_is_learnt():
    series = calm(10, rate=48, seed=8, width=HOUR) + calm(60, rate=480, seed=9, width=HOUR)
    state, findings = run(bins_of(series, width=HOUR))
    assert any(finding.pages for finding in findings)
    assert sum(finding.pages for finding in findings[-30 * 24 :]) <= 1
    low, high = usual(state, after(state), HOUR, RULES)
    assert low <= 20 <= high < 40


def test_one_day_wide_bins_are_judged_too():
    day = timedelta(days=1)
    state, findings = run(bins_of([20] * 60, width=day))
    assert not any(finding.pages for finding in findings)
    _, findings = run(bins_of([400], after(state), day), state)
    assert findings[-1].pages


@pytest.mark.parametrize(
    ("bin_", "reason"),
    [
        (Bin(start=MONDAY, negative=1.0), "judged already"),
        (Bin(start=MONDAY + timedelta(days=99, seconds=7)), "does not continue"),
        (Bin(start=MONDAY + timedelta(days=99), width=HOUR), "does not continue"),
    ],
)
def test_a_bin_that_does_not_continue_the_series_is_refused(seasoned, bin_, reason):
    with pytest.raises(ValueError, match=reason):
        step(seasoned, bin_, RULES)


@pytest.mark.parametrize("width", [timedelta(minutes=7), timedelta(hours=5), timedelta(seconds=1)])
def test_a_width_that_does_not_fit_the_hour_or_the_day_is_refused(width):
    with pytest.raises(ValueError, match="width"):
        step(new_state(), Bin(start=MONDAY, width=width), RULES)


@pytest.mark.parametrize("packed", [b"", b"0abc", b"1", b"1\xc1", b"1\x93\x01\x02\x03"])
def test_a_state_of_another_version_or_broken_is_refused(packed):
    with pytest.raises(ValueError, match="seed it anew"):
        decode(packed)


def test_a_review_tells_of_a_burst_that_came_late_and_teaches_nothing(seasoned):
    state, before = run(bins_of([0] * 24, after(seasoned)), seasoned)
    assert not any(finding.pages for finding in before)
    late = bins_of([0] * 12 + [9, 8, 7] + [0] * 9, after(seasoned))
    kept = encode(state)
    findings = review(state, late, RULES)
    assert [finding.start for finding in findings if finding.pages][:1] == [late[12].start]
    assert not any(finding.pages for finding in findings[:12])
    assert encode(state) == kept


def test_a_review_of_calm_bins_tells_nothing(seasoned):
    assert not any(finding.pages for finding in review(seasoned, bins_of(calm(1, seed=9), after(seasoned)), RULES))


def test_all_mentions_are_counted_when_that_is_asked_for():
    rules = DetectorRules(kind=SpikeKind.TOTAL)
    series = [replace(bin_, negative=0.0, labelled=0) for bin_ in bins_of(calm(10))]
    state, findings = run(series, rules=rules)
    assert not any(finding.pages for finding in findings)
    burst = Bin(start=after(state), total=30.0)
    spike = step(state, burst, rules)[1].spike
    assert step(state, burst, rules)[1].pages
    assert (spike.kind, spike.observed) == (SpikeKind.TOTAL, 30)
    late = revise(state, [replace(series[-1], total=40.0)])
    assert step(late, bins_of([0], after(state))[0], rules)[1].pages


def test_a_kind_that_no_count_tells_is_refused():
    with pytest.raises(ValueError, match="negative or total"):
        step(new_state(), bins_of([1])[0], DetectorRules(kind=SpikeKind.SILENCE))


def test_a_storm_that_is_put_out_of_sight_is_forgotten(seasoned):
    storm = bins_of([0] * 6 + [20] * 6 + [0] * 60, after(seasoned))
    state, findings = run(storm, seasoned)
    assert any(finding.pages for finding in findings)
    blanked = revise(state, [replace(bin_, negative=0.0, labelled=0, exposure=0.0) for bin_ in storm])
    fresh_storm = bins_of([6, 7], after(state))
    assert run(fresh_storm, blanked)[1][-1].is_high
    assert any(finding.pages for finding in run(fresh_storm, blanked)[1])
    assert not run(bins_of([0], after(state)), blanked)[1][-1].is_high


@pytest.mark.parametrize("rate", [3.0, 100.0, 3000.0])
def test_a_loud_series_does_not_page_for_being_met(rate):
    series = np.random.default_rng(4).poisson(rate, 2 * 288).tolist()
    _, findings = run(bins_of(series))
    assert not any(finding.pages for finding in findings)


def test_a_closed_history_teaches_all_it_has_and_never_pages():
    """A storm that was over before we came is known, and not told; the next one is told at once."""
    bins = [*bins_of(calm(3, seed=4)), *bins_of([40.0] * 12, MONDAY + timedelta(days=3))]
    state = new_state()
    for one in bins:
        state, _ = step(state, one, RULES)
    closed = close_history(state, RULES)
    assert closed.next == state.next
    quiet = bins_of([0.0] * 24, after(closed))
    told = []
    for one in quiet:
        closed, finding = step(closed, one, RULES)
        told.append(finding.pages)
    assert not any(told)
    assert finding.spike.history > timedelta(days=2, hours=20)
    _, finding = step(closed, bins_of([60.0], after(closed))[0], RULES)
    assert finding.pages
