"""Lines of cron on the clock of a zone."""

from datetime import UTC, datetime

import pytest

from brandmelder.notify.cron import check_cron, next_after
from notify.stories import BERLIN

MONDAY = datetime(2026, 12, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 8 * * *", "2026-12-15 08:00"),
        ("0 14 * * *", "2026-12-14 14:00"),
        ("0 13 * * *", "2026-12-15 13:00"),
        ("0 8 * * 1", "2026-12-21 08:00"),
        ("0 8 * * 0", "2026-12-20 08:00"),
        ("0 8 * * 7", "2026-12-20 08:00"),
        ("0 8 * * 2-4", "2026-12-15 08:00"),
        ("0 8 * * mon", "2026-12-21 08:00"),
        ("*/20 * * * *", "2026-12-14 13:20"),
        ("30 8 1 1 *", "2027-01-01 08:30"),
    ],
)
def test_it_fires_at_the_next_time_strictly_after(line, expected):
    local = next_after(line, MONDAY, BERLIN).astimezone(BERLIN)
    assert f"{local:%Y-%m-%d %H:%M}" == expected


def test_eight_in_the_morning_stays_eight_in_the_morning_over_both_changes_of_the_clock():
    for before in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        local = next_after("0 8 * * *", before, BERLIN).astimezone(BERLIN)
        assert (local.hour, local.day) == (8, before.day + 1)


def test_a_time_that_comes_twice_fires_once():
    first = next_after("30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC), BERLIN)
    second = next_after("30 2 * * *", first, BERLIN)
    assert second.astimezone(BERLIN).day == 26


@pytest.mark.parametrize(
    "line", ["", "8", "0 8 * *", "0 8 * * * *", "61 8 * * *", "0 8 * * x", "0 25 * * *", "a b c d e"]
)
def test_what_is_no_line_of_cron_is_refused_with_a_reason(line):
    with pytest.raises(ValueError, match=r"fields and not 5|no line of cron"):
        check_cron(line)


def test_a_line_that_never_fires_has_no_next():
    assert next_after(check_cron("0 8 30 2 *"), MONDAY, BERLIN) is None
