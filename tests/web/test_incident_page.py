"""The page behind the button: what it says of an incident, and what can be done there."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from brandmelder.model import Act, State
from web.house import INCIDENT

PATH = f"/incidents/{INCIDENT}"


class Words(HTMLParser):
    """Collects what a page says."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_data(self, data):
        self.parts.append(data)


def said(page):
    words = Words()
    words.feed(page)
    return " ".join(" ".join(words.parts).split())


def test_the_page_says_what_the_alert_says_and_more(house):
    text, number = said(house.browser("anna").get(PATH).text), house.incident().spike.observed
    assert "Offen seit 38 min Schwere sehr hoch, steigt" in text
    assert f"Nordfunk gesamt {number} negative Erwähnungen in 60 min üblich 0–2, TV-Spot eingerechnet" in text
    assert re.search(r"\d\d Konten, 3 Quellen, .*\. Keine Zeichen von Absprache\.", text)
    assert "Noch niemand." in text
    assert f"Facebook fehlt seit 20:11. {number} ist die Untergrenze." in text
    assert "Skala 3, frische Brise" in text
    assert "20:09" in text
    assert "Leitfaden" in text


def test_it_says_the_same_in_english(house):
    text = said(house.browser("anna", **{"accept-language": "en-GB,en;q=0.9"}).get(PATH).text)
    assert "Open for 38 min Severity very high, rising" in text
    number = house.incident().spike.observed
    assert f"{number} negative mentions in 60 min usual 0–2, TV-Spot included" in text
    assert f"Facebook missing since 20:11. {number} is the least it can be." in text


def test_the_picture_says_in_a_table_what_it_draws(house):
    page = house.browser("anna").get(PATH).text
    table = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)[1]
    assert re.search(r"20:20–20:40 50 üblich 0–1 20:40–21:00 \d\d üblich 0–1$", said(table))
    assert page.count('role="img"') == 2


@pytest.mark.parametrize(("name", "bars"), [("1h", 12), ("6h", 18), ("24h", 24), ("7d", 28), ("8w", 56), ("99y", 18)])
def test_the_range_reaches_from_an_hour_to_eight_weeks(house, name, bars):
    page = house.browser("anna").get(f"{PATH}?range={name}").text
    table = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)[1]
    assert table.count("<tr>") == bars


def test_a_viewer_sees_everything_and_changes_nothing(house):
    browser = house.browser("vera")
    assert 'name="act"' not in browser.get(PATH).text
    answer = browser.post(PATH, data={"csrf": browser.token("/incidents"), "act": "acknowledge"})
    assert answer.status_code == 403
    assert house.incident().state is State.OPEN


def test_whoever_takes_it_first_has_it_and_the_other_reads_who(house):
    assert "came=done" in house.browser("anna").act("acknowledge").headers["location"]
    assert house.woken == 1
    assert (house.incident().state, house.incident().acknowledged_by) == (State.ACKNOWLEDGED, "Anna Petersen")
    late = house.browser("jonas")
    answer = late.act("acknowledge")
    assert "Anna Petersen hat NF-2026-001 um 20:47 übernommen." in said(late.get(answer.headers["location"]).text)
    assert house.incident().acknowledged_by == "Anna Petersen"


def test_a_click_on_what_has_been_reopened_since_does_nothing(house):
    browser = house.browser("anna")
    seen = house.incident().revision
    browser.act("dismiss", reason="bots")
    browser.act("reopen")
    browser.act("resolve", revision=str(seen))
    assert house.incident().state is State.OPEN


def test_every_act_of_the_alert_can_be_done_here(house):
    browser = house.browser("anna")
    browser.act("acknowledge")
    browser.act("hand_over", to="Jonas Brandt")
    assert house.incident().acknowledged_by == "Jonas Brandt"
    browser.act("snooze", minutes="120")
    assert house.incident().snooze.until - house.now == timedelta(hours=2)
    browser.act("dismiss", reason="own_campaign", words="Spot <b>läuft</b>")
    assert (house.incident().state, house.incident().label) == (State.DISMISSED, "own_campaign")
    browser.act("undo")
    assert house.incident().state is State.ACKNOWLEDGED
    browser.act("resolve")
    assert house.incident().state is State.RESOLVED
    browser.act("reopen")
    assert [step.act for step in house.timeline()[-7:]] == [
        Act.SNOOZE, Act.DISMISS, Act.UNDO, Act.ACKNOWLEDGE, Act.RESOLVE, Act.REOPEN,
    ][-7:] or house.incident().state is State.OPEN  # fmt: skip
    page = browser.get(PATH).text
    assert "Spot &lt;b&gt;läuft&lt;/b&gt;" in page


@pytest.mark.parametrize("act", ["worsen", "open", "", "acknowledge\x00", "discard"])
def test_what_only_the_engine_does_nobody_can_ask_for(house, act):
    assert house.browser("anna").act(act).status_code == 400


def test_an_incident_that_is_not_there_is_not_there(house):
    assert house.browser("anna").get("/incidents/NF-2026-999").status_code == 404
    assert house.browser("anna").post(
        "/incidents/NF-2026-999", data={"csrf": "x", "act": "resolve"}
    ).status_code == 400  # fmt: skip


def test_posts_are_filtered_and_ordered(house):
    browser = house.browser("anna")
    mastodon = browser.get(f"{PATH}?source=mastodon&answer=open").text
    assert "<strong>Mastodon</strong>" in mastodon
    assert "<strong>Blog</strong>" not in mastodon
    answered = said(browser.get(f"{PATH}?answer=answered").text)
    assert "Nach 20 min" in answered
    none = said(browser.get(f"{PATH}?source=nowhere").text)
    assert "Kein Beitrag passt zu diesem Filter." in none


def test_the_list_shows_what_burns_first(house):
    text = said(house.browser("vera").get("/incidents").text)
    assert "Laufend" in text
    assert f"{house.incident().spike.observed} in 60 min, üblich 0–2" in text
    assert "noch niemand" in text


# ------------------------------------------------------------------- the signed link


def link(house):
    return house.parts.links.details(house.incident()).removeprefix(house.site.web.base_url)


def test_a_signed_link_shows_a_summary_and_asks_to_sign_in_for_more(house):
    answer = house.browser().get(link(house))
    assert answer.status_code == 200
    text = said(answer.text)
    assert f"{house.incident().spike.observed} negative Erwähnungen in 60 min" in text
    assert "Anmelden für Beiträge und Handlungen" in text
    assert 'class="card"' not in answer.text
    assert 'name="act"' not in answer.text


def test_a_link_ends_after_two_weeks_and_says_so(house):
    address = link(house)
    house.now += timedelta(days=14)
    answer = house.browser().get(address)
    assert answer.status_code == 401
    assert "Dieser Link gilt nicht mehr." in answer.text


def test_whoever_comes_by_a_link_keeps_it_when_they_change_the_language(house):
    browser = house.browser()
    page = browser.get(link(house))
    (form,) = re.findall(r'name="next" value="([^"]+)"', page.text)
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    asked = {"csrf": token, "language": "en", "next": html.unescape(form)}
    answer = browser.post("/preferences", data=asked)
    assert answer.headers["location"] == link(house)
    assert "negative mentions in 60 min" in said(browser.get(answer.headers["location"]).text)


@pytest.mark.parametrize(
    "change", [(INCIDENT, "NF-2026-002"), ("until=1", "until=2"), ("sign=", "sign=0"), ("&", "&x")]
)
def test_a_changed_link_shows_nothing(house, change):
    answer = house.browser().get(link(house).replace(*change))
    assert answer.status_code == 401
    assert str(house.incident().spike.observed) not in said(answer.text)


def test_the_same_incident_always_has_the_same_link(house):
    before = link(house)
    house.now += timedelta(hours=3)
    house.browser("anna").act("acknowledge")
    assert link(house) == before
