"""Several lists in one cursor: each on its own trail, and what one of them missed is declared by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.errors import Blocked, RateLimited, ShapeChanged, Transient
from brandmelder.model import Mention, SourceId
from capture.conftest import NOW

PLACE = SourceId("forum")
HOUR = timedelta(hours=1)


def _page(ident, at):
    return Page(
        mentions=[Mention(source=PLACE, external_id=ident, text=ident, published_at=at, captured_at=NOW)],
        ids=[ident],
        following="older",
    )


async def test_several_gaps_in_one_poll_are_told_one_by_one():
    """A quiet stretch between two gaps was read: a hull around both would call it unseen."""
    found = {"news": NOW - HOUR, "offers": NOW - 30 * HOUR}

    async def ask(name, _page_token, _now):
        return _page(f"{name} {found[name]}", found[name])

    bounds = Bounds(history=timedelta(days=2), pages=1)
    poll = await poll_lists(Lists(source=PLACE, names=list(found), ask=ask, bounds=bounds), None, NOW)
    assert [(one.since, one.until) for one in poll.gaps] == [
        (NOW - 48 * HOUR, NOW - HOUR),
        (NOW - 48 * HOUR, NOW - 30 * HOUR),
    ]
    later = NOW + 20 * HOUR
    found |= {"news": later - HOUR, "offers": later - 2 * HOUR}
    poll = await poll_lists(
        Lists(source=PLACE, names=list(found), ask=ask, bounds=bounds), poll.cursor, later
    )  # fmt: skip
    assert [(one.since, one.until) for one in poll.gaps] == [
        (NOW - HOUR, later - HOUR),
        (NOW - HOUR, later - 2 * HOUR),
    ]


async def test_a_place_that_the_service_has_forgotten_begins_the_walk_anew_once_a_poll():
    asked = []

    async def ask(_name, page, _now):
        asked.append(page)
        if page == "older":
            raise ShapeChanged("the page token has expired")
        return _page(f"post {len(asked)}", NOW - HOUR)

    lists = Lists(source=PLACE, names=["news"], ask=ask, bounds=Bounds(history=timedelta(days=2)))
    poll = await poll_lists(lists, None, NOW)
    for _ in range(3):
        poll = await poll_lists(lists, poll.cursor, NOW)
        assert len(poll.mentions) == 1, "the head is read all the same"
        assert not poll.more
        assert "has expired" in poll.degraded
    assert asked == ["", "older"] + ["older", "", "older"] * 3


@pytest.mark.parametrize("error", [RateLimited("wait", NOW), Transient("broke off"), Blocked("too large", "size")])
async def test_what_passes_by_itself_does_not_begin_a_walk_anew(error):
    asked = []

    async def ask(_name, page, _now):
        asked.append(page)
        if page:
            raise error
        return _page("post", NOW - HOUR)

    lists = Lists(source=PLACE, names=["news"], ask=ask, bounds=Bounds(history=timedelta(days=2)))
    poll = await poll_lists(lists, None, NOW)
    with pytest.raises(type(error)):
        await poll_lists(lists, poll.cursor, NOW)
    assert asked == ["", "older", "older"]
