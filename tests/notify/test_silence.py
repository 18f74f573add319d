"""When nobody is to be told: silences, quiet hours, and what breaks through both."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Evidence, Matcher, MonitorId, Phrase, Silence, SourceId, SpikeKind
from brandmelder.notify.silence import Quiet, QuietHours, hush_of, matches, next_edge, quiet_until, refusal
from notify.stories import INCIDENT

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
NIGHT = QuietHours(days=frozenset(range(7)), since=time(22), until=time(7))
NOW = datetime(2026, 12, 15, 20, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
EVERYTHING = Matcher()
NOTHING_QUIET = Quiet(zone=BERLIN)
PARTS = Evidence(
    sources=((SourceId("blog"), 3), (SourceId("press"), 0)), phrases=(Phrase(text="Rückruf Kaffee", count=4),)
)


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def a_silence(**fields):
    made = {"id": 1, "matcher": EVERYTHING, "since": NOW, "until": NOW + HOUR, "by": "Anna", "reason": "test"}
    return Silence(**({"broken_at": None} | made | fields))


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-12-15T21:59:59", None),
        ("2026-12-15T22:00:00", "2026-12-16T07:00"),
        ("2026-12-16T06:59:59", "2026-12-16T07:00"),
        ("2026-12-16T07:00:00", None),
        ("2026-03-28T22:00:00", "2026-03-29T07:00"),  # this night is an hour shorter
        ("2026-03-29T03:00:00", "2026-03-29T07:00"),
        ("2026-03-29T07:00:00", None),
        ("2026-10-24T22:00:00", "2026-10-25T07:00"),  # this one an hour longer
        ("2026-10-25T06:59:59", "2026-10-25T07:00"),
        ("2026-10-25T07:00:00", None),
    ],
)
def test_the_night_begins_and_ends_by_the_clock_on_the_wall(moment, until):
    assert quiet_until(NIGHT, BERLIN, at(moment)) == (at(until) if until else None)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 8), ("2026-10-24", 10), ("2026-06-01", 9)])
def test_a_night_over_a_change_of_the_clock_is_shorter_or_longer(day, hours):
    begin = at(f"{day}T22:00")
    assert quiet_until(NIGHT, BERLIN, begin) - begin == hours * HOUR


def test_an_hour_that_comes_twice_ends_the_quiet_hours_once():
    short = QuietHours(days=frozenset(range(7)), since=time(22), until=time(2, 30))
    end = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert quiet_until(short, BERLIN, end - SECOND) == end
    assert [quiet_until(short, BERLIN, end + minutes * timedelta(minutes=10)) for minutes in range(12)] == [None] * 12


def test_the_night_is_that_of_whoever_is_on_call_unless_it_names_its_own():
    there = at("2026-12-15T23:00", NEW_YORK)
    assert quiet_until(NIGHT, NEW_YORK, there) == at("2026-12-16T07:00", NEW_YORK)
    assert quiet_until(NIGHT, BERLIN, there) == at("2026-12-16T07:00")
    assert quiet_until(NIGHT, BERLIN, at("2026-12-16T03:00", NEW_YORK)) is None
    assert quiet_until(replace(NIGHT, zone=NEW_YORK), BERLIN, at("2026-12-16T03:00", NEW_YORK)) is not None


def test_the_day_is_the_one_on_which_the_night_begins():
    friday = replace(NIGHT, days=frozenset({4}))
    assert quiet_until(friday, BERLIN, at("2026-12-19T03:00")) == at("2026-12-19T07:00")  # Saturday, before dawn
    assert quiet_until(friday, BERLIN, at("2026-12-19T23:00")) is None


def test_hours_within_a_day_and_the_whole_day_can_be_quiet():
    noon = QuietHours(days=frozenset({1}), since=time(12), until=time(13))
    assert quiet_until(noon, BERLIN, at("2026-12-15T12:30")) == at("2026-12-15T13:00")
    sunday = QuietHours(days=frozenset({6}), since=time(0), until=time(0))
    assert quiet_until(sunday, BERLIN, at("2026-10-25T23:59")) == at("2026-10-26")


@pytest.mark.parametrize(
    ("matcher", "is_meant"),
    [
        (Matcher(), True),
        (Matcher(monitors=frozenset({INCIDENT.monitor})), True),
        (Matcher(monitors=frozenset({MonitorId("other")})), False),
        (Matcher(kinds=frozenset({SpikeKind.NEGATIVE})), True),
        (Matcher(kinds=frozenset({SpikeKind.REACH})), False),
        (Matcher(sources=frozenset({SourceId("blog")})), True),
        (Matcher(sources=frozenset({SourceId("press")})), False),
        (Matcher(topic="rückruf"), True),
        (Matcher(topic="Strom"), False),
        (Matcher(below=INCIDENT.severity), False),
        (Matcher(below=INCIDENT.severity + 1), True),
        (Matcher(monitors=frozenset({INCIDENT.monitor}), topic="Strom"), False),
    ],
)
def test_a_matcher_means_what_fits_all_its_parts(matcher, is_meant):
    assert matches(matcher, INCIDENT, PARTS) is is_meant


def test_what_comes_from_elsewhere_too_escapes_a_silence_of_one_source():
    wider = replace(PARTS, sources=((SourceId("blog"), 3), (SourceId("press"), 1)))
    assert not matches(Matcher(sources=frozenset({SourceId("blog")})), INCIDENT, wider)


def test_without_evidence_no_source_and_no_topic_is_silenced():
    assert not matches(Matcher(sources=frozenset({SourceId("blog")})), INCIDENT, Evidence())
    assert not matches(Matcher(topic="Rückruf"), INCIDENT, Evidence())


def hushed(*silences, quiet=NOTHING_QUIET, now=NOW, incident=INCIDENT):
    return hush_of(incident, PARTS, silences=silences, quiet=quiet, now=now)


@pytest.mark.parametrize(
    ("offset", "holds"), [(-SECOND, False), (0 * SECOND, True), (HOUR - SECOND, True), (HOUR, False)]
)
def test_a_silence_holds_from_its_first_second_to_its_last(offset, holds):
    assert (hushed(a_silence(), now=NOW + offset) is not None) is holds


def test_a_silence_that_was_ended_early_holds_no_more():
    ended = a_silence(expired_at=NOW + HOUR / 2)
    assert hushed(ended, now=NOW + HOUR / 2 - SECOND)
    assert hushed(ended, now=NOW + HOUR / 2) is None


@pytest.mark.parametrize(("severity", "is_told"), [(3, False), (4, True), (5, True)])
def test_severity_breaks_a_silence_and_quiet_hours(severity, is_told):
    incident = replace(INCIDENT, severity=severity)
    assert (hushed(a_silence(broken_at=4), incident=incident) is None) is is_told
    quiet = Quiet(zone=BERLIN, hours=(replace(NIGHT, broken_at=4),))
    assert (hushed(quiet=quiet, now=at("2026-12-15T23:00"), incident=incident) is None) is is_told


def test_of_two_reasons_the_longer_is_said():
    quiet = Quiet(zone=BERLIN, hours=(NIGHT,))
    now = at("2026-12-15T23:00")
    assert hushed(a_silence(since=now, until=now + HOUR), quiet=quiet, now=now).silence is None
    assert hushed(a_silence(since=now, until=now + 10 * HOUR), quiet=quiet, now=now).silence is not None


def test_quiet_hours_of_other_monitors_do_not_matter():
    quiet = Quiet(zone=BERLIN, hours=(replace(NIGHT, monitors=frozenset({MonitorId("other")})),))
    assert hushed(quiet=quiet, now=at("2026-12-15T23:00")) is None


def test_the_next_edge_is_the_nearest_beginning_or_end():
    quiet = Quiet(zone=BERLIN, hours=(NIGHT,))
    assert next_edge([a_silence()], [quiet], NOW) == NOW + HOUR  # 22:00 in Berlin, too
    assert next_edge([], [quiet], at("2026-12-15T22:00")) == at("2026-12-16T07:00")
    assert next_edge([], [], NOW) is None


@given(st.integers(0, 370 * 24 * 4), st.sampled_from([BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe")]))
def test_between_two_edges_nothing_changes(quarter, zone):
    now = at("2026-01-01") + quarter * HOUR / 4
    quiet = Quiet(zone=zone, hours=(NIGHT,))
    edge = next_edge([], [quiet], now)
    before = {quiet_until(NIGHT, zone, now + (edge - now) * share) is None for share in (0, 0.3, 0.6, 0.999)}
    assert len(before) == 1
    assert (quiet_until(NIGHT, zone, edge) is None) not in before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, None),
        ({"reason": " "}, "who made it and why"),
        ({"by": ""}, "who made it and why"),
        ({"until": NOW}, "before it begins"),
        ({"until": NOW + 25 * HOUR}, "within 24 h"),
        ({"until": NOW + 25 * HOUR, "matcher": Matcher(below=3)}, "within 24 h"),
        ({"until": NOW + 25 * HOUR, "matcher": Matcher(topic="Kaffee")}, None),
    ],
)
def test_a_silence_is_taken_or_it_is_said_why_not(fields, said):
    refused = refusal(a_silence(**fields))
    assert refused is None if said is None else said in refused
