"""Who is told, when: what the configuration may say, and where it is wrong."""

from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from brandmelder.errors import ConfigurationError
from brandmelder.model import PersonId, RotaId
from brandmelder.notify.escalation import Target
from brandmelder.notify.rota import Turns
from brandmelder.settings.duty import format_days

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

DUTY = """\
people:
  anna: {name: Anna Berg, slack: U0123ABCD, mail: anna@brand.example, channels: [console]}
  ben: {name: Ben Kurz, zone: America/New_York, language: en}
rota:
  crisis:
    turns: {handover: mon 09:00, begins: 2026-11-30, people: [anna, ben]}
    fallback: [ben]
  nights:
    zone: Europe/Vienna
    calendar: "https://calendar.example/nights.ics"
quiet_hours:
  - {days: mon-fri, from: "22:00", to: "07:00"}
  - {days: [sat, so], from: "20:00", to: "10:00", zone: Europe/Berlin, monitors: [nordfunk], breaks_at: 5}
silences: {longest: 8h, breaks_at: 4}
working_hours: {days: mon-thu, from: "08:00", to: "16:30"}
rest_reader: ben
people_in_figures: false
"""
ALERTS = """\
alerts:
  - monitors: all
    to: [crisis, console]
    escalation:
      - {to: "rota:crisis"}
      - {to: ["person:ben", "channel:console"], after: 10m}
    escalation_repeats: 30m
    acknowledgement_lapses: 3h
"""


@pytest.fixture
def written(good):
    return good[: good.index("alerts:")] + ALERTS + DUTY


def test_who_is_told_when_becomes_settings(read, written):
    settings = read(written)
    duty = settings.duty
    anna, ben = duty.people[PersonId("anna")], duty.people[PersonId("ben")]
    assert (anna.name, anna.slack, anna.zone, anna.language) == ("Anna Berg", "U0123ABCD", "Europe/Berlin", "de")
    assert (ben.zone, ben.language, anna.channels) == ("America/New_York", "en", ("console",))
    crisis, nights = duty.rotas[RotaId("crisis")], duty.rotas[RotaId("nights")]
    assert crisis.turns == Turns(begins=date(2026, 11, 30), weekday=0, clock=time(9), people=("anna", "ben"))
    assert (crisis.fallback, nights.turns, nights.zone) == (("ben",), None, ZoneInfo("Europe/Vienna"))
    assert duty.calendars[RotaId("nights")].is_address
    week, weekend = duty.quiet
    assert (week.days, week.since, week.until, week.broken_at, week.zone) == (
        frozenset(range(5)),
        time(22),
        time(7),
        4,
        None,
    )
    assert (weekend.days, weekend.zone, weekend.monitors) == ({5, 6}, ZoneInfo("Europe/Berlin"), {"nordfunk"})
    assert (duty.longest_silence, duty.silences_broken_at) == (8 * HOUR, 4)
    assert (duty.working.since, duty.working.until, duty.rest_reader) == (time(8), time(16, 30), "ben")
    assert duty.people_in_figures is False
    assert settings.warnings == ()


def test_an_escalation_has_its_steps_and_its_patience(read, written):
    escalation = read(written).alerts[0].escalation
    assert escalation.first == (Target(rota=RotaId("crisis")),)
    assert [step.after for step in escalation.steps] == [0 * MINUTE, 10 * MINUTE]
    assert (escalation.repeats, escalation.lapses, escalation.patience) == (30 * MINUTE, 3 * HOUR, 10 * MINUTE)


def test_without_a_word_about_duty_nobody_in_particular_is_called(read, good):
    settings = read(good)
    assert settings.alerts[0].escalation.steps == ()
    assert (settings.duty.people, settings.duty.rotas, settings.duty.quiet) == ({}, {}, ())
    assert settings.duty.people_in_figures is True


def test_a_channel_on_which_only_a_step_calls_is_in_use(read, written):
    text = written.replace("to: [crisis, console]", "to: [crisis]").replace(", channels: [console]", "")
    assert read(text).warnings == ()


@pytest.mark.parametrize(
    "mistake",
    [
        ("slack: U0123ABCD", "slack: anna", "anna", "people.anna.slack"),
        ("name: Ben Kurz, ", "", "ben: {zone", 'the key "name" is missing'),
        ("zone: America/New_York", "zone: America/New_Yrok", "America/New_Yrok", 'did you mean "America/New_York"'),
        ("channels: [console]", "channels: [consol]", "consol]", 'did you mean "console"'),
        ("people: [anna, ben]", "people: [anna, bne]", "bne]", 'unknown person "bne" (did you mean "ben"?)'),
        ("fallback: [ben]", "fallback: [carl]", "carl]", 'unknown person "carl"'),
        ("handover: mon 09:00", "handover: monday", "monday", "says not when turns change"),
        ("handover: mon 09:00", "handover: mond 09:00", "mond 09:00", '"mond" is no day'),
        ("handover: mon 09:00", "handover: mon 24:00", "mon 24:00", '"24:00" is no time of day'),
        ("begins: 2026-11-30", "begins: soon", "soon", '"soon" is no day'),
        ("    zone: Europe/Vienna\n", "    zone: Europe/Wien\n", "Europe/Wien", 'there is no zone "Europe/Wien"'),
        ('"https://calendar.example/nights.ics"', '"webcal://x"', '"webcal', "neither a web address nor a file"),
        (
            "    zone: Europe/Vienna\n",
            "    turns: {handover: daily 09:00, begins: 2026-11-30, people: [ben]}\n",
            "nights:",
            "exactly one of turns and calendar",
        ),
        ("days: mon-fri, from", "days: mon-fry, from", "mon-fry", '"fry" is no day'),
        ('to: "07:00"}', 'to: "7 Uhr"}', '"7 Uhr"', "is no time of day"),
        ("monitors: [nordfunk]", "monitors: [nordfnuk]", "nordfnuk", 'unknown monitor "nordfnuk"'),
        ("breaks_at: 5}", "breaks_at: 6}", "6}", "at most 5"),
        ("longest: 8h", "longest: forever", "forever", "is no duration"),
        ("rest_reader: ben", "rest_reader: bern", "bern", 'unknown person "bern"'),
        ('"rota:crisis"', '"rota:krise"', '"rota:krise"', 'unknown rota "krise"'),
        ('"rota:crisis"', "crisis", "crisis}", "says not who is called"),
        ('"channel:console"', '"channel:sms"', '"channel:sms"', 'unknown channel "sms"'),
        ("after: 10m", "after: 0m", "0m", "not later than the step before"),
        ("people_in_figures: false", "people_in_figures: perhaps", "perhaps", "true or false"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read, written, mistake):
    before, after, where, said = mistake
    assert written.count(before) == 1, "the table names its place"
    text = written.replace(before, after)
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    (problem,) = caught.value.problems
    assert said in str(problem)
    lines = text.split("\n")
    assert lines[problem.line - 1][problem.column - 1 :].startswith(where)


def test_all_problems_are_told_at_once(read, written):
    text = (
        written.replace("[anna, ben]", "[x, y]")
        .replace("rota:crisis", "rota:z")
        .replace("rest_reader: ben", "rest_reader: w")
    )
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("days", "words"), [({0, 1, 2, 3, 4}, "mon-fri"), ({5, 6}, "sat, sun"), (set(range(7)), "all")]
)
def test_days_are_written_as_the_configuration_reads_them(days, words):
    assert format_days(frozenset(days)) == words


def test_a_calendar_without_its_package_is_refused_with_what_to_install(read, written, monkeypatch):
    monkeypatch.setattr("brandmelder.settings.duty_reading.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError) as caught:
        read(written)
    (problem,) = caught.value.problems
    assert '(install the extra "calendars", as docs/how-to/install.md says' in str(problem)
    assert written.split("\n")[problem.line - 1][problem.column - 1 :].startswith('"https://calendar.example')
