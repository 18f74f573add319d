from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.capture.headers import clock_offset, parse_date, retry_at, seen_until, stays_fresh

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "late"),
    [
        ({}, timedelta(0)),
        ({"date": "Fri, 20 Nov 2026 13:00:00 GMT"}, timedelta(0)),
        ({"date": "Fri, 20 Nov 2026 12:58:00 GMT"}, timedelta(minutes=2)),
        ({"date": "Fri, 20 Nov 2026 13:02:00 GMT"}, timedelta(0)),
        ({"date": "Fri, 20 Nov 2026 03:00:00 GMT"}, timedelta(0)),
        ({"date": "yesterday"}, timedelta(0)),
        ({"age": "90"}, timedelta(seconds=90)),
        ({"age": "90", "date": "Fri, 20 Nov 2026 12:59:00 GMT"}, timedelta(seconds=150)),
        ({"age": "9" * 18}, timedelta(hours=1)),
        ({"age": "old"}, timedelta(0)),
    ],
)
def test_a_late_clock_or_a_cache_in_between_holds_the_watermark_back(headers, late):
    assert seen_until(headers, NOW) == NOW - late


@pytest.mark.parametrize(
    ("control", "fresh"),
    [
        ("", timedelta(0)),
        ("max-age=300", timedelta(minutes=5)),
        ("public, max-age=300, must-revalidate", timedelta(minutes=5)),
        ("s-maxage=999, max-age=60", timedelta(minutes=1)),
        ("s-maxage=999", timedelta(0)),
        ("max-age=31536000", timedelta(days=1)),
        ("max-age=0", timedelta(0)),
        ("no-store", timedelta(0)),
    ],
)
def test_how_long_an_answer_holds(control, fresh):
    assert stays_fresh({"cache-control": control}) == fresh


@given(text=st.text(max_size=60))
def test_no_header_breaks_the_reading(text):
    headers = {"retry-after": text, "date": text, "age": text, "cache-control": "max-age=" + text}
    until = retry_at(headers, NOW)
    assert until is not None
    assert NOW + timedelta(minutes=1) <= until <= NOW + timedelta(days=2)
    assert NOW - timedelta(hours=2) <= seen_until(headers, NOW) <= NOW
    assert timedelta(0) <= stays_fresh(headers) <= timedelta(days=1)


@pytest.mark.parametrize("text", ["Fri, 99 Nov 2026 13:00:00 GMT", "", "Fri, 20 Nov 99999 13:00:00 GMT", "x" * 500])
def test_what_is_no_date_is_none(text):
    assert parse_date(text) is None


def test_a_date_without_zone_is_utc():
    assert parse_date("Fri, 20 Nov 2026 13:00:00 -0000") == NOW


@pytest.mark.parametrize(
    ("headers", "offset"),
    [
        ({}, None),
        ({"date": "no date"}, None),
        ({"date": "Fri, 20 Nov 2026 13:00:00 GMT"}, timedelta(0)),
        ({"date": "Fri, 20 Nov 2026 13:20:00 GMT"}, timedelta(minutes=20)),
        ({"date": "Fri, 20 Nov 2026 12:40:00 GMT"}, timedelta(minutes=-20)),
        ({"date": "Fri, 20 Nov 2026 12:40:00 GMT", "age": "1200"}, timedelta(0)),
    ],
)
def test_a_servers_clock_is_held_against_ours_with_the_age_of_the_answer(headers, offset):
    assert clock_offset(headers, NOW) == offset
