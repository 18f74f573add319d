from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.options import Secret, SourceOptions, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("2m", timedelta(minutes=2)),
        ("2 min", timedelta(minutes=2)),
        ("4h", timedelta(hours=4)),
        ("7d", timedelta(days=7)),
        ("8w", timedelta(weeks=8)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, span):
    assert parse_duration(text) == span
    assert parse_duration(span) == span


@pytest.mark.parametrize("text", ["", "2", "m", "-2m", "2.5h", "2 moons", "1234567s", None, 90])
def test_anything_else_is_none_and_says_what_would_be_right(text):
    with pytest.raises(ValueError, match="write a number and a unit, as in 90s"):
        parse_duration(text)


@given(st.integers(0, 999_999), st.sampled_from(["s", "m", "h", "d", "w"]))
def test_what_is_written_is_read_back(count, unit):
    span = parse_duration(f"{count}{unit}")
    assert parse_duration(format_duration(span)) == span or len(format_duration(span)) > 7


def test_a_duration_is_written_in_its_largest_unit():
    assert [format_duration(timedelta(seconds=s)) for s in (1, 60, 90, 3600, 86400, 604800)] == [
        "1s",
        "1m",
        "90s",
        "1h",
        "1d",
        "1w",
    ]


def test_a_secret_never_shows_itself():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("other")
    assert len({secret, Secret("hunter2")}) == 1
    assert secret != "hunter2"


@pytest.mark.parametrize(
    ("author", "ours"), [("nordfunk", True), ("@NordFunk", True), ("nordfunker", False), ("", False)]
)
def test_our_own_accounts_are_known_by_name(author, ours):
    assert SourceOptions(type="x", own_accounts=("Nordfunk",)).owns(author) is ours
