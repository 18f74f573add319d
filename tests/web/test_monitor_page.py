"""The page of a monitor: what it would have paged at other sensitivities, and what a changed query would bring."""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from brandmelder.model import Act, MonitorId
from brandmelder.pipeline.openings import Openings, openings_of, read_past
from brandmelder.store import incidents
from brandmelder.web.pages.monitors import _would
from brandmelder.web.reader import reader_of
from brandmelder.web.reckon import NotReckoned, reckoned
from brandmelder.web.trial import yaml_of
from brandmelder.web.would import DOUBLE, HALF, PRESENT, TIMES, Would

NORDFUNK = MonitorId("nordfunk")


@pytest.fixture
def recent(house):
    """Return what is read of eight weeks, as far as there are any."""
    watch = house.parts.watches[NORDFUNK]
    return house.database.run_now(read_past, house.parts, watch, house.now, back=timedelta(days=56))


def test_the_code_that_runs_live_says_when_it_would_have_paged(house, recent):
    found = openings_of(recent, {PRESENT: house.parts.watches[NORDFUNK].rules.budget})
    (opened,) = [one for one in house.timeline() if one.act is Act.OPEN]
    assert [abs(one - opened.at) <= timedelta(minutes=10) for one in found.at[PRESENT]] == [True]
    assert (found.since, found.until) == (recent.since, recent.until)


async def test_a_process_of_its_own_reckons_the_same(house, recent):
    budgets = {name: times * house.parts.watches[NORDFUNK].rules.budget for name, times in TIMES.items()}
    assert await reckoned(recent, budgets) == openings_of(recent, budgets)


async def test_who_stops_it_waits_for_nothing_and_leaves_no_process(recent):
    others = _children()
    work = asyncio.create_task(reckoned(recent, {HALF: 1 / 60}))
    for _ in range(500):
        await asyncio.sleep(0.02)
        if children := _children() - others:
            break
    assert children
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await asyncio.get_running_loop().shutdown_default_executor()
    assert not children & _children()


async def test_a_process_that_fails_is_an_error_and_no_answer(recent, capfd):
    with pytest.raises(NotReckoned, match="ended with 1"):
        await reckoned(replace(recent, rules=None), {HALF: 1 / 60})
    assert "Traceback" in capfd.readouterr().err


def _children():
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text("utf-8").rpartition(")")[2].split()
            if fields[1] == str(os.getpid()) and fields[0] != "Z":
                found.add(status.parent.name)
    return found


async def test_it_is_reckoned_once_for_a_day_and_a_configuration_while_pages_go_on(house):
    watch, told = house.parts.watches[NORDFUNK], asyncio.Queue()
    would = Would()
    first = would.ask(house.parts, watch, house.now, told=told.put_nowait)
    assert (first.found, first.is_pending) == (None, True)
    assert would.ask(house.parts, watch, house.now, told=told.put_nowait).is_pending
    assert await told.get() == NORDFUNK
    second = would.ask(house.parts, watch, house.now + timedelta(minutes=30), told=told.put_nowait)
    assert not second.is_pending
    assert set(second.found.at) == set(TIMES)
    assert [len(second.found.at[name]) for name in TIMES] == sorted(len(at) for at in second.found.at.values())
    tomorrow = would.ask(house.parts, watch, house.now + timedelta(days=1), told=told.put_nowait)
    assert (tomorrow.found, tomorrow.is_pending) == (second.found, True), "the day before is told meanwhile"


async def test_the_page_names_the_moments_and_leads_to_them(house):
    watch = house.parts.watches[NORDFUNK]
    since, opened = house.now - timedelta(days=56), house.now - timedelta(days=3, hours=2)
    at = {HALF: (), PRESENT: (opened,), DOUBLE: (opened - timedelta(days=9), opened)}
    found = Openings(monitor=NORDFUNK, since=since, until=house.now, at=at)
    browser = house.browser("vera")
    request = browser.build_request("GET", "/monitors/nordfunk")
    reader = await reader_of(house.site, _Asked(request))
    shown = _would(found, watch, reader)
    assert [row["is_present"] for row in shown["rows"]] == [False, True, False]
    ((words, address),) = shown["rows"][1]["dates"]
    page = browser.get(f"/monitors/nordfunk{address}").text
    assert f"The picture around {words}" in page or f"Das Bild um {words}" in page


class _Asked:
    """What a reader is made of."""

    def __init__(self, request) -> None:
        self.headers, self.cookies, self.query_params = request.headers, {}, {}


def test_while_it_is_reckoned_the_page_says_so_and_is_told(house):
    text = house.browser("vera").get("/monitors/nordfunk").text
    assert "Wird aus den gezählten Erwähnungen errechnet" in text
    assert 'data-live="monitor:nordfunk"' in text


def test_a_query_that_cannot_be_read_is_shown_with_a_caret_below_the_place(house):
    text = house.browser("vera").get("/monitors/nordfunk", params={"q": "nordfunk AND (glasfaser"}).text
    assert "<pre" in text
    lines = text[text.index("<pre") :].splitlines()
    assert lines[0].endswith("nordfunk AND (glasfaser")
    assert lines[1].partition("</pre>")[0].strip() == "^"


@pytest.mark.parametrize("span", ["day", "week", "year"])
def test_a_changed_query_says_what_it_would_bring_and_gives_its_yaml(house, span):
    text = house.browser("vera").get("/monitors/nordfunk", params={"q": "nordfunk OR 'n f'", "span": span}).text
    assert ("der letzten Woche" if span == "week" else "des letzten Tages") in text
    assert "monitors:\n  nordfunk:\n    query: &#39;nordfunk OR &#39;&#39;n f&#39;&#39;&#39;" in text


@pytest.mark.parametrize(
    "query", ["nordfunk", "it's AND #x", 'a: "b"', "{x}", "- a", "% & *", "a\n  b", "ö \u202e x", "null", "'", "\\"]
)
def test_the_yaml_says_the_query_and_nothing_else(query):
    read = yaml.safe_load(yaml_of("m", query))
    assert read == {"monitors": {"m": {"query": " ".join(query.replace("\u202e", "").split())}}}


def test_an_address_that_asks_for_no_moment_shows_now(house):
    browser = house.browser("vera")
    for at in ("", "x", "-1", "99999999999", "0", "१२"):
        page = browser.get("/monitors/nordfunk", params={"at": at})
        assert page.status_code == 200
        assert "Das Bild um" not in page.text
    assert house.database.run_now(incidents.all_incidents) != []
