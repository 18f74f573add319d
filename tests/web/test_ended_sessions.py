"""When a session has ended: no screen may look as if it lived, and nobody takes for done what was not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from starlette.requests import Request

from brandmelder.store import members
from brandmelder.web import live
from brandmelder.web.app import PAGES, page_of
from brandmelder.web.reader import reader_of
from web.house import INCIDENT, House


def request_of(browser, path="/live"):
    cookies = f"brandmelder={browser.cookies.get('brandmelder', '')}"
    headers = [(b"cookie", cookies.encode()), (b"host", b"127.0.0.1")]
    return Request({"type": "http", "method": "GET", "path": path, "query_string": b"topic=now", "headers": headers})


async def told(house, browser, count):
    """Return so many words that a live line says, and whether it ended before."""
    request = request_of(browser)
    answer = await live.live(house.site, request, await reader_of(house.site, request))
    found = []
    async for word in answer.body_iterator:
        found.append(word.split("data:")[0].split("event: ")[-1].strip())
        if len(found) == count:
            break
    await answer.body_iterator.aclose()
    return found


@pytest.mark.parametrize(
    "end",
    [
        lambda house, _: house.database.run_now(members.remove, "anna"),
        lambda house, _: house.database.run_now(members.end_all, "anna"),
        lambda _, browser: browser.post("/sign-out", data={"csrf": browser.token("/me")}),
        lambda house, _: setattr(house, "now", house.now + timedelta(hours=13)),
    ],
    ids=["removed", "signed out elsewhere", "signed out", "idle"],
)
def test_a_live_line_ends_with_its_session_and_says_so(house, monkeypatch, end):
    monkeypatch.setattr(live, "BEAT", 0.02)
    browser = house.browser("anna")
    request = request_of(browser)
    assert asyncio.run(told(house, browser, 2)) == ["beat", "beat"]
    end(house, browser)

    async def after():
        words = live._told(
            house.site, "now", await reader_of(house.site, request), lambda: live.is_let_in(house.site, request)
        )
        return [word.split("data:")[0].split("event: ")[-1].strip() async for word in words]

    assert asyncio.run(asyncio.wait_for(after(), 10)) == ["beat", "over"]
    assert house.site.pulse.count == 0


def test_to_watch_is_no_use_of_a_session(house, monkeypatch):
    monkeypatch.setattr(live, "BEAT", 0.02)
    browser = house.browser("anna")
    house.now += timedelta(hours=11)
    request = request_of(browser)
    assert asyncio.run(live.is_let_in(house.site, request))
    house.now += timedelta(hours=2)
    assert not asyncio.run(live.is_let_in(house.site, request))


def test_one_reader_holds_so_many_lines_and_keeps_nobody_else_from_watching(house, monkeypatch):
    monkeypatch.setattr(live, "MOST_OF_ONE", 2)

    async def held():
        anna, vera = (request_of(house.browser(name)) for name in ("anna", "vera"))
        reader, other = [await reader_of(house.site, one) for one in (anna, vera)]
        lines = [await live.live(house.site, anna, reader) for _ in range(2)]
        for one in lines:
            await anext(one.body_iterator)
        assert (await live.live(house.site, anna, reader)).status_code == 503
        assert (await live.live(house.site, vera, other)).status_code == 200
        for one in lines:
            await one.body_iterator.aclose()
        assert (await live.live(house.site, anna, reader)).status_code == 200
        assert not house.site.pulse.by_reader

    asyncio.run(held())


def test_who_comes_back_finds_the_page_with_what_they_asked_of_it(house):
    browser = house.browser()
    where = browser.get("/mentions?q=nordfunk&label=negative").headers["location"]
    assert where == "/sign-in?next=/mentions%3Fq%3Dnordfunk%26label%3Dnegative"
    assert 'value="/mentions?q=nordfunk&amp;label=negative"' in browser.get(where).text
    signed = browser.sign_in("anna", next="/mentions?q=nordfunk&label=negative")
    assert signed.headers["location"] == "/mentions?q=nordfunk&label=negative"


@pytest.mark.parametrize("path", [one[1] for one in PAGES if one[0] == "POST" and "sign" not in one[1]])
def test_a_form_stands_on_a_page_that_there_is(path):
    if path != "/preferences":
        assert page_of(path) in {one[1] for one in PAGES if one[0] == "GET"}


def test_a_form_that_came_after_the_end_is_said_to_have_done_nothing(house):
    browser = house.browser("anna")
    token = browser.token("/me")
    house.now += timedelta(hours=13)
    answer = browser.post(f"/incidents/{INCIDENT}/notes", data={"csrf": token, "text": "Wir antworten."})
    assert answer.headers["location"] == f"/sign-in?late=1&next=/incidents/{INCIDENT}"
    said = browser.get(answer.headers["location"])
    assert "Es ist nichts geschehen" in said.text
    assert f'name="next" value="/incidents/{INCIDENT}"' in said.text


def test_a_form_of_the_session_before_leads_back_to_its_page(house):
    browser = house.browser("anna")
    old = browser.token("/me")
    browser.post("/sign-out", data={"csrf": old})
    browser.sign_in("anna")
    answer = browser.post(f"/incidents/{INCIDENT}", data={"csrf": old, "act": "acknowledge"})
    assert answer.status_code == 400
    assert f'href="/incidents/{INCIDENT}"' in answer.text


def test_where_nobody_signs_in_no_line_ends(tmp_path):
    with House(tmp_path / "a.db", web="web: {sign_in: open}") as house:
        assert asyncio.run(live.is_let_in(house.site, request_of(house.browser())))
