"""How severe a spike is, and which way an incident moves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.incident.course import course, grows, pace_before
from brandmelder.incident.severity import severity
from brandmelder.model import BIN, Course, Finding, Pace, Spike, SpikeKind

EVENING = datetime(2026, 12, 15, 20, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def found(observed, low, high, score=3.0):
    spike = Spike(
        kind=SpikeKind.NEGATIVE,
        since=EVENING + BIN - HOUR,
        until=EVENING + BIN,
        window=HOUR,
        observed=observed,
        usual_low=low,
        usual_high=high,
        expected=(low + high) / 2,
        score=score,
    )
    return Finding(start=EVENING, spike=spike, pages=True, is_high=True)


def paces(*observed, every=BIN, window=HOUR):
    """Return paces that end with the bin of the evening, oldest first."""
    last = len(observed) - 1
    return tuple(
        Pace(start=EVENING - (last - n) * every, observed=count, window=window) for n, count in enumerate(observed)
    )


@pytest.mark.parametrize(
    ("observed", "low", "high", "expected"),
    [
        (3, 0, 0, 1),
        (4, 0, 1, 1),
        (9, 0, 1, 2),
        (12, 0, 3, 2),
        (19, 0, 0, 3),
        (33, 5, 15, 2),
        (38, 2, 6, 4),
        (121, 4, 12, 4),
        (500, 0, 3, 5),
        (1400, 1000, 1200, 3),
    ],
)
def test_severity_follows_excess_ratio_and_size(observed, low, high, expected):
    assert severity(found(observed, low, high)) == expected


def test_growth_adds_half_a_point():
    assert severity(found(33, 5, 15), paces(12, 33, every=6 * BIN)[:-1]) == 3
    assert severity(found(46, 5, 15), paces(20, 46, every=6 * BIN)[:-1]) == 4
    assert severity(found(46, 5, 15), paces(40, 46, every=6 * BIN)[:-1]) == 3


def test_the_p_value_has_no_say():
    assert severity(found(33, 5, 15, score=2.0)) == severity(found(33, 5, 15, score=300.0))


@given(st.integers(0, 5000), st.integers(0, 200), st.integers(0, 200), st.integers(1, 500))
def test_more_mentions_are_never_less_severe(observed, one, other, more):
    low, high = sorted((one, other))
    assert 1 <= severity(found(observed, low, high)) <= severity(found(observed + more, low, high)) <= 5


# ------------------------------------------------------------------ course


@pytest.mark.parametrize(
    ("observed", "before", "expected"),
    [
        ((10, 12, 16, 22, 30, 38, 44), Course.RISING, Course.RISING),
        ((40, 41, 39, 40, 42, 40, 41), Course.RISING, Course.HIGH),
        ((60, 58, 50, 44, 36, 30, 26), Course.RISING, Course.SUBSIDING),
        ((26, 26, 25, 25, 26, 27, 26), Course.SUBSIDING, Course.SUBSIDING),
        ((20, 22, 26, 30, 34, 38, 40), Course.SUBSIDING, Course.RISING),
        ((38,), Course.RISING, Course.RISING),
    ],
)
def test_the_course_is_read_from_the_last_findings(observed, before, expected):
    assert course(paces(*observed), before=before, is_calm=False) is expected


def test_a_slow_climb_shows_over_hours():
    climb = paces(*range(40, 40 + 31), every=BIN)
    assert course(climb, before=Course.HIGH, is_calm=False) is Course.CLIMBING


def test_calm_is_calm_whatever_it_was():
    assert course(paces(40, 3), before=Course.RISING, is_calm=True) is Course.CALM


def test_a_longer_window_alone_is_no_rise():
    trail = (*paces(20, 20, 20, every=6 * BIN)[:-1], Pace(start=EVENING, observed=120, window=6 * HOUR))
    assert course(trail, before=Course.HIGH, is_calm=False) is not Course.RISING


def test_what_is_compared_lies_twenty_to_ninety_minutes_back():
    trail = paces(1, 2, 3, 4, 5, every=timedelta(minutes=40))
    assert pace_before(trail, EVENING, window=HOUR).observed == 4
    assert pace_before(trail[:2], EVENING, window=HOUR) is None


@given(st.integers(0, 1000))
def test_chance_alone_does_not_turn_the_course(count):
    assert not grows(count + 1, count)
    assert grows(2 * count + 2, count)
