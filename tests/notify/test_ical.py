"""What a calendar says about who is on call."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.model import Person, PersonId
from brandmelder.notify.ical import MOST_BYTES, CalendarUnreadable, roster

BERLIN = ZoneInfo("Europe/Berlin")
PEOPLE = (
    Person(id=PersonId("anna"), name="Anna Berg", zone="Europe/Berlin", mail="anna@brand.example"),
    Person(id=PersonId("ben"), name="Ben Kurz", zone="Europe/Berlin"),
)
SPAN = {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 5, 1, tzinfo=UTC)}
BERLIN_RULES = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""


def calendar(*events):
    head = "BEGIN:VEVENT\nUID:{}\nDTSTAMP:20260101T000000Z\n"
    body = "".join(f"{head.format(number)}{event}\nEND:VEVENT\n" for number, event in enumerate(events))
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{BERLIN_RULES}\n{body}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def read(*events, **span):
    return roster(calendar(*events), PEOPLE, BERLIN, **{**SPAN, **span})


WEEKLY = """SUMMARY:Bereitschaft: Anna Berg
DTSTART;TZID=Europe/Berlin:20260302T090000
DTEND;TZID=Europe/Berlin:20260309T090000
RRULE:FREQ=WEEKLY;INTERVAL=2"""


def test_a_recurring_event_keeps_its_hour_over_the_change_of_the_clock():
    begins = [one.since for one in read(WEEKLY).turns]
    assert begins == [
        datetime(2026, 3, 2, 8, tzinfo=UTC),
        datetime(2026, 3, 16, 8, tzinfo=UTC),
        datetime(2026, 3, 30, 7, tzinfo=UTC),
        datetime(2026, 4, 13, 7, tzinfo=UTC),
        datetime(2026, 4, 27, 7, tzinfo=UTC),
    ]
    assert {one.people for one in read(WEEKLY).turns} == {("anna",)}


def test_a_turn_over_the_change_ends_at_its_hour_too():
    begin, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    last = read(WEEKLY, since=begin, until=end).turns[-1]
    assert (last.since, last.until) == (datetime(2026, 10, 26, 8, tzinfo=UTC), datetime(2026, 11, 2, 8, tzinfo=UTC))
    before = read(WEEKLY.replace("20260302", "20261019").replace("20260309", "20261026"), since=begin, until=end).turns[
        0
    ]
    assert before.until - before.since == timedelta(days=7, hours=1)


def test_a_moved_week_counts_where_it_was_moved_to():
    moved = """SUMMARY:Ben Kurz
RECURRENCE-ID;TZID=Europe/Berlin:20260316T090000
DTSTART;TZID=Europe/Berlin:20260317T090000
DTEND;TZID=Europe/Berlin:20260318T090000"""
    content = calendar(WEEKLY, moved).replace(b"UID:1", b"UID:0")
    turns = roster(
        content, PEOPLE, BERLIN, since=datetime(2026, 3, 10, tzinfo=UTC), until=datetime(2026, 3, 25, tzinfo=UTC)
    ).turns
    assert [(one.people, one.since) for one in turns] == [(("ben",), datetime(2026, 3, 17, 8, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("title", "who"),
    [
        ("Anna Berg", ("anna",)),
        ("anna", ("anna",)),
        ("Krise ANNA BERG / Ben Kurz", ("anna", "ben")),
        ("Annabell", ()),
        ("Anna Bergmann", ("anna",)),  # the id stands there as a word
        ("Urlaub", ()),
    ],
)
def test_a_title_names_people_by_name_or_id_as_whole_words(title, who):
    found = read(f"SUMMARY:{title}\nDTSTART:20260302T090000Z\nDTEND:20260303T090000Z")
    assert tuple(person for one in found.turns for person in one.people) == who
    assert found.unknown == (() if who else (title,))


def test_an_attendee_counts_more_than_the_title():
    found = read(
        "SUMMARY:Ben Kurz\nATTENDEE:MAILTO:Anna@Brand.example\nDTSTART:20260302T090000Z\nDTEND:20260303T090000Z"
    )
    assert found.turns[0].people == ("anna",)


def test_a_whole_day_and_a_time_without_zone_are_the_rotas():
    day = read("SUMMARY:Ben Kurz\nDTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330").turns[0]
    assert (day.since, day.until) == (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))
    floating = read("SUMMARY:Ben Kurz\nDTSTART:20260330T090000\nDTEND:20260330T180000").turns[0]
    assert floating.since == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_a_cancelled_event_is_nobodys_turn():
    assert read("SUMMARY:Ben Kurz\nSTATUS:CANCELLED\nDTSTART:20260302T090000Z\nDTEND:20260303T090000Z").turns == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>Sign in</html>", "is no iCalendar"),
        (b"", "is no iCalendar"),
        (b"BEGIN:VCALENDAR" + b"x" * MOST_BYTES, "larger than"),
        (calendar(WEEKLY.replace("FREQ=WEEKLY;INTERVAL=2", "FREQ=SECONDLY")), "every hour"),
        (calendar(WEEKLY.replace("FREQ=WEEKLY", "FREQ=\n SECONDLY")), "every hour"),
        (calendar(WEEKLY.replace("INTERVAL=2", "INTERVAL=0")), "every hour"),
        (calendar(WEEKLY.replace("INTERVAL=2", "BYHOUR=9;BYMINUTE=0,30")), "every hour"),
        (calendar(WEEKLY.replace("20260302T090000", "yesterday")), "cannot be read"),
    ],
)
def test_what_is_no_calendar_is_said(content, said):
    with pytest.raises(CalendarUnreadable, match=said):
        roster(content, PEOPLE, BERLIN, **SPAN)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_say_that_they_cannot_be_read(rubbish):
    content = calendar(WEEKLY).replace(b"INTERVAL=2", rubbish)
    with contextlib.suppress(CalendarUnreadable):
        assert all(one.since < one.until for one in roster(content, PEOPLE, BERLIN, **SPAN).turns)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "Pacific/Auckland"])
@pytest.mark.parametrize(
    "event",
    [
        "SUMMARY:Anna Berg\nDTSTART;VALUE=DATE:20260310\nDTEND;VALUE=DATE:20260311",
        "SUMMARY:Anna Berg\nDTSTART:20260310T000000\nDTEND:20260311T000000",
    ],
)
def test_a_day_is_that_of_the_rota_from_its_first_hour_to_its_last(zone, event):
    here = ZoneInfo(zone)
    for hour in (0, 23):
        now = datetime(2026, 3, 10, hour, 30, tzinfo=here).astimezone(UTC)
        read_ = roster(calendar(event), PEOPLE, here, since=now, until=now + timedelta(seconds=1))
        assert [one.people for one in read_.turns] == [("anna",)]
