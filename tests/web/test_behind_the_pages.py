"""What stands behind the pages so that they answer at once: it says the same as if each had asked for itself."""

from __future__ import annotations

from datetime import timedelta

from brandmelder.capture import query as queries
from brandmelder.capture.match import Matcher
from brandmelder.model import BIN, Mention, MentionId, MonitorId, Reading, SourceId
from brandmelder.store import audit, mentions, readings, series
from brandmelder.web.bands import Bands
from brandmelder.web.chain import FRESH, Chain
from brandmelder.web.pages.mentions import MOST_PAGES, PAGE, _find
from brandmelder.web.rows import frame_to
from brandmelder.web.warm import warm


async def test_what_was_reckoned_beforehand_is_what_a_page_would_have_reckoned(house):
    await warm(house.site, house.now)
    cold, database = Bands(), house.database
    for moment in (house.now, house.now + BIN):
        frame = frame_to(moment)
        for watch in house.parts.watches.values():
            row = database.run_now(series.read_monitor, watch.id)
            database.run_now(cold.known, watch, house.now)
            warmed = house.site.bands.usual(watch, row, frame.ends, frame.width, now=moment)
            assert warmed == cold.usual(watch, row, frame.ends, frame.width, now=moment)
            assert watch.id != "nordfunk" or len(warmed) == frame.count


async def test_a_page_asks_for_nothing_that_was_reckoned_beforehand(house):
    await warm(house.site, house.now)
    known = dict(house.site.bands._bars)
    assert house.browser("vera").get("/").status_code == 200
    assert house.site.bands._bars == known


async def test_the_chain_is_looked_at_again_after_a_minute_and_not_before(house):
    chain = Chain()
    while (first := await chain.found(house.database, lambda: house.now)) is None:
        pass
    assert first.whole.broken is None
    house.database.run_now(lambda c: c.exec_driver_sql("DROP TRIGGER audit_never_changes"))
    house.database.run_now(audit.record, "note.add", by="anna", now=house.now)
    house.database.run_now(audit.record, "note.add", by="anna", now=house.now)
    house.database.run_now(lambda c: c.exec_driver_sql("UPDATE audit SET actor = 'vera' WHERE number = 1"))
    assert await chain.found(house.database, lambda: house.now) == first
    later = house.now + FRESH
    while (second := await chain.found(house.database, lambda: later)) == first:
        pass
    assert (second.whole.broken, second.at) == (1, later)


def test_the_audit_says_when_its_chain_was_looked_at(house):
    text = house.browser("paula").get("/audit").text
    assert "die Kette ist ganz" in text or "Die Kette wird geprüft" in text
    assert house.browser("paula").get("/audit").text.count("Geprüft") <= 1


def test_the_numbers_of_an_account_are_drawn_anew_once_they_are_read_anew(house):
    def read(value, hours):
        at = house.now - timedelta(hours=hours)
        one = Reading(source=SourceId("x"), account="nf", name="followers", value=value, at=at, own=True)
        house.database.run_now(readings.save_readings, [one])

    browser = house.browser("vera")
    for hours in range(100, 40, -1):
        read(1000 + hours % 7, hours)
    before = browser.get("/accounts").text
    assert before.count('class="line"') == 1
    assert browser.get("/accounts").text == before
    read(1900, 1)
    assert "1.900" in browser.get("/accounts").text


def _fill(house, many):
    first = house.now - timedelta(days=2)
    found = [
        Mention(
            source=SourceId("blog"),
            external_id=f"many{number}",
            text="Nordfunk, Störung" if number else "Rauchsäule",
            published_at=first,
            captured_at=first,
        )
        for number in range(many)
    ]
    house.database.run_now(mentions.insert_mentions, found, [one.external_id for one in found])


def test_a_search_goes_back_step_by_step_and_finds_what_lies_far_behind(house):
    _fill(house, (MOST_PAGES + 1) * PAGE)
    matcher = Matcher({MonitorId("asked"): queries.parse("Rauchsaeule")})
    found, following = house.database.run_now(_find, None, (matcher, "", ""), most=40)
    assert found == []
    assert following is not None
    found, following = house.database.run_now(_find, following, (matcher, "", ""), most=40)
    assert [one.text for _, one, _ in found] == ["Rauchsäule"]
    assert following is None
    text = house.browser("vera").get("/mentions?q=Rauchsaeule").text
    assert "Unter 6.000 Erwähnungen passt keine" in text
    assert "Ältere" in text


def test_pages_of_a_search_follow_one_another_without_a_gap_or_a_repeat(house):
    everything = [
        ident for ident, _, _ in house.database.run_now(mentions.newest, None, house.now.replace(year=2000), 99)
    ]
    seen: list[MentionId] = []
    following = None
    while len(seen) < 60:
        found, following = house.database.run_now(_find, following, (None, "", ""), most=20)
        seen += [ident for ident, _, _ in found]
    assert seen == everything[: len(seen)]


def test_a_search_keeps_to_its_source_and_its_label(house):
    for source, label in (("mastodon", ""), ("", "negative"), ("blog", "positive")):
        found, _ = house.database.run_now(_find, None, (None, source, label), most=200)
        assert all(source in {"", one.source} for _, one, _ in found)
        assert all(not label or verdict.label == label for _, _, verdict in found)
        assert found or label == "positive"
