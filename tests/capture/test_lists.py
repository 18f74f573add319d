"""Several lists in one cursor: each on its own trail, and what one of them missed is declared by itself."""

from __future__ import annotations

from datetime import timedelta

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.lists import Lists, poll_lists
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
