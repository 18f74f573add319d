"""The pages beside the incident: who may see and do what, and that each says what stands in the database."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import DeliveryState, Doubt, DoubtKind, Label
from brandmelder.store import audit, deliveries, doubts, labels, mentions
from web.house import INCIDENT, YAML, House

ROLES = ("", "vera", "anna", "adam", "paula")
SEEN = {
    "/": "_vaap",
    "/wall": "_vaap",
    "/incidents": "_vaap",
    f"/incidents/{INCIDENT}": "_vaap",
    "/monitors": "_vaap",
    "/monitors/nordfunk": "_vaap",
    "/sources": "_vaap",
    "/mentions": "_vaap",
    "/accounts": "_vaap",
    "/deliveries": "_vaap",
    "/settings": "___a_",
    "/audit": "___ap",
    "/me": "_vaap",
}
DONE = (f"/incidents/{INCIDENT}", f"/incidents/{INCIDENT}/labels", f"/incidents/{INCIDENT}/notes", "/deliveries")


def test_who_sees_what(house):
    for place, name in enumerate(ROLES):
        browser = house.browser(name)
        for path, may in SEEN.items():
            status = browser.get(path).status_code
            assert (status == 200) is (may[place] != "_"), (name, path, status)
            assert status in {200, 303, 401, 403}


def test_who_does_what(house):
    for name in ROLES:
        browser = house.browser(name)
        token = browser.token("/incidents" if name else "/sign-in")
        for path in DONE:
            status = browser.post(path, data={"csrf": token, "act": "nothing"}).status_code
            is_refused = status == 403 or (status == 303 and not name)
            assert is_refused is (name not in {"anna", "adam"}), (name, path, status)


def test_several_verdicts_are_corrected_at_once_and_the_judge_learns(house):
    browser = house.browser("anna")
    newest = house.database.run_now(mentions.newest, None, house.now.replace(year=2000), 3)
    asked = {
        "csrf": browser.token("/incidents"),
        "label": "neutral",
        "mention": [str(ident) for ident, _, _ in newest] + ["x", "999999999"],
    }
    assert browser.post(f"/incidents/{INCIDENT}/labels", data=asked).status_code == 303
    said = house.database.run_now(labels.read)
    assert {(one.mention, one.label, one.by) for one in said} == {
        (ident, Label.NEUTRAL, "Anna Petersen") for ident, _, _ in newest
    }
    (row,) = [one for one in house.database.run_now(audit.newest, 5) if one.act == "label.set"]
    assert (row.actor, '"via":"page"' in row.detail) == ("Anna Petersen", True)
    assert "berichtigt" in browser.get(f"/incidents/{INCIDENT}?stance=neutral&most=400").text


def test_a_note_stands_on_the_page_with_its_author(house):
    browser = house.browser("anna")
    text = "Rückruf <b>bis</b> 22 Uhr"
    browser.post(f"/incidents/{INCIDENT}/notes", data={"csrf": browser.token("/incidents"), "text": text})
    page = house.browser("vera").get(f"/incidents/{INCIDENT}").text
    assert "Rückruf &lt;b&gt;bis&lt;/b&gt; 22 Uhr" in page
    assert "20:47, Anna Petersen" in page


def test_what_no_channel_took_is_tried_again_or_put_away(house):
    one = house.database.run_now(deliveries.all_deliveries)[0]
    dead = replace(one, state=DeliveryState.DEAD, last_error="channel_not_found")
    house.database.run_now(deliveries.save_delivery, dead, None, expected=one.state)
    browser = house.browser("anna")
    page = browser.get("/deliveries").text
    assert "Nicht zugestellt" in page
    assert "channel_not_found" in page
    asked = {"csrf": browser.token("/deliveries"), "key": dead.key, "wish": "retry"}
    assert browser.post("/deliveries", data=asked).headers["location"] == "/deliveries?came=retry"
    assert house.database.run_now(deliveries.find, dead.key).state is DeliveryState.DUE
    assert browser.post("/deliveries", data=asked).headers["location"] == "/deliveries?came=late"
    asked["wish"] = "discard"
    assert browser.post("/deliveries", data=asked).headers["location"] == "/deliveries?came=discard"
    assert house.woken == 3


def test_what_burns_stands_first_and_no_data_never_among_the_calm(house):
    page = house.browser("vera").get("/").text
    assert page.index("Nordfunk gesamt") < page.index("Vorstand, namentlich") < page.index("Glasfaser-Ausbau")
    assert "1 Vorfall offen." in page


def test_the_wall_names_no_post_and_no_handle(house):
    page = house.browser("vera").get("/wall").text
    assert str(house.incident().spike.observed) in page
    assert "author-" not in page
    assert 'class="card"' not in page


def test_a_blind_source_says_since_when_and_what_follows(house):
    page = house.browser("vera").get("/sources").text
    assert page.index("Facebook") < page.index("Blog")
    assert f"NF-2026-001 zählt ohne sie; {house.incident().spike.observed} ist die Untergrenze" in page
    assert "97\u00a0%" in page


def test_a_source_that_answers_and_is_doubted_says_why(house):
    now = house.now
    silent = Doubt(source="blog", kind=DoubtKind.SILENT, since=now - timedelta(hours=3), told_at=now, usual=12.4)
    house.database.run_now(doubts.begin, silent)
    page = house.browser("vera").get("/sources").text
    assert "Zweifelhaft" in page
    assert "1 zweifelhaft" in page
    assert "schweigt seit 3 Std.; üblich sind 12 Kommentare die Stunde" in page.replace("\u00a0", " ")


@pytest.mark.parametrize(("query", "status"), [("nordfunk", True), ("nordfunk AND (", False), ("\x00", False)])
def test_a_search_finds_or_says_what_is_wrong_with_it(house, query, status):
    page = house.browser("vera").get("/mentions", params={"q": query})
    assert page.status_code == 200
    assert ('class="card"' in page.text) is status
    assert ('role="alert"' in page.text) is not status


def test_a_query_is_tried_before_it_goes_into_the_configuration(house):
    page = house.browser("vera").get("/monitors/nordfunk", params={"q": "nordfunk"}).text
    assert "Erwähnungen des letzten Tages würden passen" in page


def test_the_configuration_shows_no_secret(house):
    page = house.browser("adam").get("/settings").text
    assert "monitors.nordfunk.query" in page
    assert "geheim" not in page


def test_the_configuration_shows_no_secret_within_an_address(tmp_path):
    address = "https://blog.example/feed?u=${X}&key=schlüssel-im-klartext&page=2"
    with House(tmp_path / "a.db", yaml=YAML.replace("https://blog.example/feed", address)) as house:
        page = house.browser("adam").get("/settings").text
        assert "https://blog.example/feed?u=${X}&amp;key=…&amp;page=2" in page
        assert "geheim" not in page
        assert "schlüssel" not in page


def test_the_configuration_is_shown_in_the_words_of_its_file(house):
    page = house.browser("adam").get("/settings").text
    assert "calendar.0.planned.start" in page
    assert "2026-12-15 19:58" in page
    assert not re.search(r"datetime|Planned\(|&lt;|False|True", page)


def test_mentions_are_shown_newest_first_whatever_source_was_read_first(house):
    page = house.browser("vera").get("/mentions").text
    times = re.findall(r"(?:Blog|Mastodon)</[a-z]+>, (\d\d:\d\d)", page)
    assert len(times) > 20
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("topic", ["", "else", "incident", "x" * 500])
def test_there_is_nothing_to_hear_of_an_unknown_topic(house, topic):
    assert house.browser("vera").get("/live", params={"topic": topic}).status_code == 404


def test_nobody_listens_without_a_sign_in(house):
    assert house.browser().get("/live?topic=now").status_code == 303
