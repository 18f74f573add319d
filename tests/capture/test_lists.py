"""Several lists in one cursor: each on its own trail, and what one of them missed is declared by itself."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.errors import AuthRefused, Blocked, Gone, RateLimited, ShapeChanged, Transient
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


def _failing(errors, log):
    async def ask(name, page, _now):
        log.append(name)
        if name in errors:
            raise errors[name]
        ident = f"{name} {page} {len(log)}"
        return Page(
            mentions=[Mention(source=PLACE, external_id=ident, text=ident, published_at=NOW, captured_at=NOW)],
            ids=[ident],
        )

    return ask


GOOD, OTHER, BAD = "good", "other", "bad"


@pytest.mark.parametrize(
    "error", [Gone("answered 410"), AuthRefused("answered 403"), ShapeChanged("no JSON"), Transient("answered 500")]
)
async def test_a_list_that_fails_for_good_is_told_and_keeps_the_others_from_nothing(error):
    log = []
    lists = Lists(source=PLACE, names=[BAD, GOOD, OTHER], ask=_failing({BAD: error}, log), bounds=Bounds(history=HOUR))
    poll = await poll_lists(lists, None, NOW)
    for _ in range(3):
        assert {one.external_id.split()[0] for one in poll.mentions} == {GOOD, OTHER}
        assert poll.degraded == f"'bad' cannot be read, the others are: {error}"
        assert not poll.more
        assert (poll.read_until is None) is isinstance(error, Transient), "time goes on without what a person must mend"
        poll = await poll_lists(lists, poll.cursor, NOW)
    assert log == [BAD, GOOD, OTHER] + [GOOD, OTHER, BAD] * 3, "it is asked last from then on"


async def test_a_list_that_failed_for_long_is_read_on_where_it_stood():
    log, errors = [], {}
    lists = Lists(source=PLACE, names=[BAD, GOOD], ask=_failing(errors, log), bounds=Bounds(history=HOUR))
    poll = await poll_lists(lists, None, NOW)
    before = msgspec.json.decode(poll.cursor)["lists"][BAD]
    errors[BAD] = Gone("answered 410")
    for _ in range(3):
        poll = await poll_lists(lists, poll.cursor, NOW)
        assert msgspec.json.decode(poll.cursor)["lists"][BAD] == before
    errors.clear()
    poll = await poll_lists(lists, poll.cursor, NOW)
    assert {one.external_id.split()[0] for one in poll.mentions} == {GOOD, BAD}
    assert not poll.degraded


@pytest.mark.parametrize("error", [Gone("answered 410"), Transient("broke off"), RateLimited("wait", NOW)])
async def test_where_no_list_can_be_read_the_poll_fails(error):
    log = []
    names = [str(number) for number in range(12)]
    lists = Lists(
        source=PLACE, names=names, ask=_failing(dict.fromkeys(names, error), log), bounds=Bounds(history=HOUR)
    )
    with pytest.raises(type(error)):
        await poll_lists(lists, None, NOW)
    assert len(log) == {Gone: 10, Transient: 3, RateLimited: 1}[type(error)]
