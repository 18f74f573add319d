from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from brandmelder.capture.walk import SECOND, Walk, advance

T0 = datetime(2026, 11, 20, 13, tzinfo=UTC)
NOW = T0 + timedelta(days=1)


def at(*seconds: int) -> list[datetime]:
    return [T0 + second * SECOND for second in seconds]


def test_the_bound_stops_a_second_short_of_the_newest():
    assert advance(Walk(T0), at(1, 2, 9), is_last=False, now=NOW) == Walk(T0 + 8 * SECOND)


def test_within_one_second_pages_are_counted():
    assert advance(Walk(T0), at(1, 1, 1), is_last=False, now=NOW) == Walk(T0, 2)
    assert advance(Walk(T0, 2), at(1, 1, 5), is_last=False, now=NOW) == Walk(T0 + 4 * SECOND)


def test_a_page_of_unreadable_comments_is_not_the_end():
    assert advance(Walk(T0, 3), [], is_last=False, now=NOW) == Walk(T0, 4)


def test_the_last_page_ends_the_walk():
    assert advance(Walk(T0), at(1, 2), is_last=True, now=NOW) is None


def test_a_date_in_the_future_does_not_lead_there():
    assert advance(Walk(T0), [T0, NOW + timedelta(days=900)], is_last=False, now=NOW) == Walk(NOW)
    assert advance(Walk(NOW), [NOW + timedelta(days=900)], is_last=False, now=NOW) == Walk(NOW, 2)


@given(st.lists(st.integers(1, 40), max_size=120), st.integers(1, 12))
def test_every_comment_is_met_whatever_the_times_and_the_page_size(seconds, size):
    comments = sorted((second, number) for number, second in enumerate(seconds))
    walk: Walk | None = Walk(T0)
    met: set[tuple[int, int]] = set()
    for _ in range(500):
        if walk is None:
            break
        found = [one for one in comments if T0 + one[0] * SECOND > walk.after]
        page = found[(walk.page - 1) * size : walk.page * size]
        met |= set(page)
        walk = advance(walk, at(*(second for second, _ in page)), is_last=walk.page * size >= len(found), now=NOW)
    assert walk is None
    assert met == set(comments)
