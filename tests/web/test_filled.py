"""Every page with everything on it: what a press officer reads of sources, accounts, deliveries and the audit."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import Act
from brandmelder.store import members, silences
from brandmelder.web.pages import audit
from web.filled import FILLED, fill
from web.house import INCIDENT, House


@pytest.fixture
def filled(evening_copy):
    with House(evening_copy, yaml=FILLED) as house:
        house.database.run_now(fill, house)
        yield house


def read(house, path, language="de", name="adam"):
    """Return the words of a page, as one line."""
    text = house.browser(name, **{"accept-language": language}).get(path).text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text.partition("<main")[2])).split())


def test_a_quota_is_told_with_what_is_spent_and_how_long_it_lasts(filled):
    text = read(filled, "/sources")
    assert "52 % 31,50 von 60 $ im Monat reicht bis Di 29.12." in text
    assert "100 % 8.000 von 8.000 Abrufen heute neu ab Mi 16.12., 01:00" in text
    assert "62.600 von 200.000 Abrufen im Monat reicht, am Ende 69 %" in text
    assert "720 Abrufe heute" in text
    english = read(filled, "/sources", "en")
    assert "52% 31.50 of $60 this month lasts until Tue 29 Dec" in english


def test_a_source_says_in_words_what_is_wrong_and_when_it_is_asked_again(filled):
    text = read(filled, "/sources")
    assert "2 ohne Daten, 1 verspätet, 1 teilweise, 1 pausiert. 3 vollständig gelesen." in text
    assert "antwortet nicht answers 503; it is asked again nächster Versuch 20:58" in text
    assert "alle 34 min statt 5 min" in text
    assert "schont das Kontingent" in text
    assert "Lücke 01:47 bis 03:27: answered 503 Service Unavailable 11:47 bis 11:56: more posts" in text


def test_accounts_stand_by_platform_ours_first(filled):
    text = read(filled, "/accounts")
    names = ["Nordfunk auf Facebook", "dort.net", "@nordfunk ", "@nordfunk_hilft", "Küstentele", "Mein Nordfunk"]
    places = [text.index(name) for name in names]
    assert places == sorted(places)
    assert "Follower 48.022 −151 +1.810" in text
    assert "Bewertung, von 5 3,84 −0,01 −0,62" in text
    assert "Letzter Beitrag vor 33 Tagen" in text
    assert "Last post today" in read(filled, "/accounts", "en")


def test_eight_weeks_of_hourly_numbers_are_a_light_page(filled):
    assert len(filled.browser("adam").get("/accounts").content) < 60_000


def test_a_dead_letter_says_what_it_was_and_of_which_incident(filled):
    page = filled.browser("adam").get("/deliveries").text
    text = read(filled, "/deliveries")
    assert "2 nicht zugestellt. 2 unterwegs." in text
    assert "Nicht zugestellt Alarm NF-2026-001" in text
    assert "9 Versuche, zuletzt 20:28" in text
    assert '<a href="/incidents/NF-2026-001">' in page
    assert page.count('value="retry"') == 2


def test_the_audit_is_told_in_words_and_in_the_readers_time(filled):
    text = read(filled, "/audit", name="paula")
    assert "Stummschaltung begonnen" in text
    assert "Grund Pressekonferenz zum Ausbau, Nachfragen erwartet, ab 19:47, bis 23:47" in text
    assert "Vorfall übernommen NF-2026-110" in text
    assert "{" not in text


def test_every_act_on_an_incident_has_its_words_in_the_audit():
    peoples = {Act.ACKNOWLEDGE, Act.HAND_OVER, Act.SNOOZE, Act.RESOLVE, Act.DISMISS, Act.UNDO, Act.REOPEN}
    assert {f"incident.{act.value}" for act in peoples} <= set(audit.ACTS)


def test_what_nobody_has_yet_stands_first_among_the_running_incidents(filled):
    text = read(filled, "/incidents")
    assert text.index("NF-2026-001") < text.index("NF-2026-110")
    assert "Spitze 1.204 in 60 min, Dauer 26 Std." in text


# ------------------------------------------------------- who is next, what is muted, whose time


def test_the_incident_says_who_is_called_next_and_when(filled):
    text = read(filled, f"/incidents/{INCIDENT}")
    assert "Noch niemand." in text
    assert "Als Nächstes gerufen, 20:59: Jonas Brandt." in text
    filled.now += timedelta(minutes=13)
    assert "Jetzt gerufen: Jonas Brandt." in read(filled, f"/incidents/{INCIDENT}")


def test_an_acknowledged_incident_says_when_a_sign_is_asked_for(filled):
    filled.browser("anna").act("acknowledge")
    text = read(filled, f"/incidents/{INCIDENT}")
    assert "Anna Petersen seit 20:47." in text
    assert "Ohne Lebenszeichen wird um 22:47 gefragt, wer noch dran ist." in text


def test_of_a_muted_incident_nobody_is_called(filled):
    filled.browser("anna").act("snooze")
    text = read(filled, f"/incidents/{INCIDENT}")
    assert "Als Nächstes" not in text


def test_a_silenced_monitor_is_muted_though_nothing_burns(filled):
    text = read(filled, "/")
    assert "1 stumm." in text
    assert "Stumm Vorstand, namentlich bis 23:47: Pressekonferenz zum Ausbau, Nachfragen erwartet" in text
    assert "von Anna Petersen, 19:47" in text
    filled.now += timedelta(hours=4)
    assert "1 stumm." not in read(filled, "/")


def test_a_silence_over_some_sources_does_not_mute_the_monitor(filled):
    def narrow(connection):
        (one,) = silences.ending_after(connection, filled.now)
        silences.save(connection, replace(one, matcher=replace(one.matcher, sources=frozenset({"blog"}))))

    filled.database.run_now(narrow)
    assert "1 stumm." not in read(filled, "/")


def test_everybody_reads_the_time_of_their_own_zone_on_every_device(filled):
    browser = filled.browser("anna")
    page = browser.get("/me").text
    assert '<option value="">wie die Konfiguration: Berlin' in page
    asked = {"csrf": browser.token("/me"), "zone": "America/New_York", "next": "/me"}
    assert browser.post("/preferences", data=asked).status_code == 303
    elsewhere = read(filled, f"/incidents/{INCIDENT}", name="anna")
    assert "Stand 14:47 New York" in elsewhere
    assert "14:09 Alarm" in elsewhere
    assert "Als Nächstes gerufen, 14:59: Jonas Brandt." in elsewhere
    assert "Stand 20:47" in read(filled, f"/incidents/{INCIDENT}", name="jonas")
    assert browser.post("/preferences", data=asked | {"zone": ""}).status_code == 303
    assert "Stand 20:47" in read(filled, "/", name="anna")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Etc/GMT+5", "\x00"])
def test_a_zone_that_is_none_changes_nothing(filled, zone):
    browser = filled.browser("anna")
    asked = {"csrf": browser.token("/me"), "zone": zone, "next": "/"}
    assert browser.post("/preferences", data=asked).status_code == 303
    assert filled.database.run_now(members.find, "anna").zone == ""


def test_a_zone_outlives_a_new_role_and_a_new_password(filled):
    filled.database.run_now(members.move, "anna", "Asia/Tokyo")
    known = filled.database.run_now(members.find, "anna")
    filled.database.run_now(members.save, replace(known, shown="Anna P.", zone=""))
    assert filled.database.run_now(members.find, "anna").zone == "Asia/Tokyo"


def test_what_is_usual_is_never_promised_for_a_day_that_is_over(filled):
    filled.browser("anna").act("dismiss", reason="other")
    filled.database.run_now(lambda connection: connection.exec_driver_sql("UPDATE monitor SET state = NULL"))
    text = read(filled, "/")
    assert re.search(r"Nordfunk gesamt \d+ 60 min – ", text), text
    assert "ab Di 22.12." in text


def test_a_row_is_told_to_a_reader_of_screens_in_one_sentence(filled):
    page = html.unescape(filled.browser("adam").get("/").text)
    assert 'aria-label="Nordfunk gesamt: 98 in 60 min, üblich 0–2"' in page
    assert 'aria-label="Tarife: 0 in 60 min, ab Di 22.12."' in page
