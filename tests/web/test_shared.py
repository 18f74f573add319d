"""One drawing for a crowd: each is handed their own page, none sees what was before they or others acted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from brandmelder.model import Act
from brandmelder.store import notes
from brandmelder.store.readers import Readers
from brandmelder.web.live import Pulse
from brandmelder.web.shared import CROWD
from web.house import INCIDENT, STORM

PATH = f"/incidents/{INCIDENT}"


@pytest.fixture
def crowd(house):
    """Return the house while many watch its incident."""
    house.site.pulse.viewers[f"incident:{INCIDENT}"] = {asyncio.Event() for _ in range(CROWD)}
    return house


def written(house, text):
    one = notes.Note(incident=INCIDENT, at=house.now, by="x", text=text)
    house.database.run_now(notes.add, one)


def test_each_of_a_crowd_is_handed_the_page_they_would_have_been_drawn(house):
    alone = {name: house.browser(name) for name in ("anna", "jonas", "vera")}
    pages = {name: browser.get(PATH).text for name, browser in alone.items()}
    house.site.pulse.viewers["incidents"] = {asyncio.Event() for _ in range(CROWD)}
    for name, browser in alone.items():
        assert browser.get(PATH).text == pages[name]
    assert "Anna Petersen</summary>" in pages["anna"]
    assert "Jonas Brandt</summary>" in pages["jonas"]


def test_a_drawing_is_shared_for_two_seconds_and_no_longer(crowd):
    browser = crowd.browser("anna")
    browser.get(PATH)
    written(crowd, "Im Takt der Blicke")
    crowd.now += timedelta(seconds=1)
    assert "Im Takt der Blicke" not in browser.get(PATH).text
    crowd.now += timedelta(seconds=1)
    assert "Im Takt der Blicke" in browser.get(PATH).text


def test_whoever_acts_sees_it_at_once_and_so_does_everybody(crowd):
    anna, jonas = crowd.browser("anna"), crowd.browser("jonas")
    jonas.get(PATH)
    assert anna.act(Act.ACKNOWLEDGE).status_code == 303
    for browser in (anna, jonas):
        assert "Übernommen" in browser.get(PATH).text


def test_readers_of_different_rights_languages_and_filters_share_nothing(crowd):
    anna, vera = crowd.browser("anna"), crowd.browser("vera")
    assert 'name="act"' in anna.get(PATH).text
    assert 'name="act"' not in vera.get(PATH).text
    assert 'lang="en"' in anna.get(f"{PATH}?language=en").text[:300]
    assert anna.get(f"{PATH}?range=8w").text != anna.get(PATH).text


def test_a_form_from_a_shared_page_is_the_readers_own(crowd):
    anna, jonas = crowd.browser("anna"), crowd.browser("jonas")
    assert anna.token(PATH) != jonas.token(PATH)
    assert jonas.act(Act.ACKNOWLEDGE).status_code == 303


def test_a_change_is_seen_whichever_connection_looks(house):
    pulse, topic = Pulse(), f"incident:{INCIDENT}"
    connections = [Readers(house.database.path) for _ in range(2)]
    seen = None
    for number in range(12):
        if number % 3 == 0:
            written(house, f"Notiz {number}")
        found = connections[number % 2 if number < 6 else number // 2 % 2].look(pulse.read, (topic,))
        pulse._seen |= found
        assert (number % 3 == 0) is (pulse._seen[topic] != seen), number
        seen = pulse._seen[topic]
    for one in connections:
        one.close()


def test_a_monitor_that_learns_anew_says_why_its_picture_has_no_band(house):
    def forgotten(connection):
        connection.exec_driver_sql("UPDATE monitor SET state = x'00', revision = revision + 1")

    browser = house.browser("vera")
    assert "was üblich ist, wird neu gelernt" not in browser.get("/monitors/nordfunk").text
    house.database.run_now(forgotten)
    house.now = STORM + timedelta(minutes=53)
    house.site.bands._bars.clear()
    assert "was üblich ist, wird neu gelernt" in browser.get("/monitors/nordfunk").text
