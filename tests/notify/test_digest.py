"""The look back: counts against the usual, what was loud, blind and unanswered; a calm day in one line."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Covers
from brandmelder.notify.channels.slack_blocks import render
from brandmelder.notify.compose import plain_text
from brandmelder.notify.digest import Loudest, Period, Watched, digest, usual_of
from brandmelder.notify.voice import Voice, words_of
from notify.stories import ACKNOWLEDGED, BERLIN, ENDED, HOUR, INCIDENT
from peers.slack.blocks import refusals

UNTIL = datetime(2026, 12, 16, 7, 0, tzinfo=UTC)
"""Wednesday, eight in the morning in Berlin."""
NORDFUNK = Watched(title="Nordfunk", total=412, negative=61, usual=(8, 20), usual_share=0.06)
CALM = Period(
    covers=Covers.DAY,
    since=UNTIL - timedelta(days=1),
    until=UNTIL,
    watched=(replace(NORDFUNK, total=143, negative=12),),
)
LOUD = replace(
    CALM,
    incidents=(INCIDENT, ENDED, replace(ACKNOWLEDGED, id="NF-2026-043")),
    watched=(NORDFUNK, Watched(title="Tarife", total=9, negative=2)),
    loudest=Loudest(title="Nordfunk", at=UNTIL - 11 * HOUR, negative=98),
    blind=(("Facebook", UNTIL - 12 * HOUR),),
    asked=61,
    answered=6,
    oldest_unanswered=UNTIL - 10 * HOUR,
)


def told(period, language="de"):
    return digest("digest:0:1", period, brand="Nordfunk", voice=Voice(words_of(language), BERLIN, UNTIL))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("de", "⚪ Nordfunk, Di 15.12. ruhig: 143 Erwähnungen, 12 negative, üblich 8–20"),
        ("en", "⚪ Nordfunk, Tue 15 Dec calm: 143 mentions, 12 negative, usual 8–20"),
    ],
)
def test_a_calm_day_is_one_line(language, line):
    assert plain_text(told(CALM, language)) == line


def test_of_a_calm_day_it_is_still_said_who_waits():
    assert told(replace(CALM, asked=12, answered=9)).headline.endswith("üblich 8–20, 3 ohne Antwort")


def test_several_calm_monitors_are_one_line_too():
    calm = replace(CALM, watched=(CALM.watched[0],) * 3)
    assert told(calm).headline == "Nordfunk, Di 15.12. ruhig: 3 Monitore im Üblichen"


@pytest.mark.parametrize(
    "change",
    [
        {"incidents": (ENDED,)},
        {"blind": (("Facebook", UNTIL),)},
        {"watched": (replace(NORDFUNK, negative=21),)},
    ],
)
def test_a_day_with_something_to_look_at_is_not_calm(change):
    assert told(replace(CALM, **change)).lines


def test_a_loud_day_tells_the_worst_first_then_counts_then_who_waits():
    assert plain_text(told(LOUD)).splitlines() == [
        "📋 Nordfunk, Di 15.12.: 3 Vorfälle, am lautesten Nordfunk",
        "NF-2026-042       Di 15.12., 20:41, Spitze 121 in 60 min, Schwere hoch, nach 3 Std. 11 min beendet",
        "NF-2026-043       Di 15.12., 20:41, Spitze 98 in 60 min, Schwere hoch, läuft noch, Zuständig Anna",
        "NF-2026-042       Di 15.12., 20:41, Spitze 38 in 60 min, Schwere mittel, läuft noch",
        "Nordfunk          412 Erwähnungen, 61 negative, üblich 8–20, 15\u00a0% negativ, sonst 6\u00a0%",
        "Tarife            9 Erwähnungen, 2 negative, noch kein Vergleich",
        "Am lautesten      Nordfunk, Di 15.12., 21:00: 98 negative in einer Stunde",
        "Unsere Antworten  6 von 61 beantwortet, älteste seit 10 Std.",
        "Nicht gelesen     Facebook seit Di 15.12., 20:00",
    ]


def test_a_week_says_until_when():
    week = replace(LOUD, covers=Covers.WEEK)
    assert told(week).headline.startswith("Nordfunk, Woche bis Mi 16.12.: 3 Vorfälle")
    assert told(week, "en").headline.startswith("Nordfunk, week to Wed 16 Dec: 3 incidents")


def test_brand_and_number_stand_in_the_first_forty_characters():
    for period in (CALM, LOUD):
        shown = digest("x", period, brand="N" * 60, voice=Voice(words_of("de"), BERLIN, UNTIL)).headline[:40]
        assert "NNN" in shown
        assert any(letter.isdigit() for letter in shown)


def test_more_incidents_than_fit_are_counted():
    many = replace(LOUD, incidents=tuple(replace(INCIDENT, id=f"NF-2026-{number}") for number in range(11)))
    assert plain_text(told(many)).count("NF-2026-") == 8
    assert "3 weitere Vorfälle" in plain_text(told(many))


@pytest.mark.parametrize(
    ("earlier", "usual"),
    [
        ([], None),
        ([3, 4, 5, 6], None),
        ([5, 1, 3, 2, 4], (1, 5)),
        (list(range(20)), (2, 17)),
        ([0] * 9 + [900], (0, 0)),
    ],
)
def test_the_usual_is_the_middle_of_earlier_times(earlier, usual):
    assert usual_of(earlier) == usual


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.integers(0, 10**9), st.integers(0, 10**9), st.booleans())
def test_slack_takes_every_digest(title, total, negative, is_loud):
    period = LOUD if is_loud else CALM
    watched = (Watched(title=title, total=total, negative=negative, usual=(0, 3), usual_share=0.5),) * 30
    _, blocks = render(told(replace(period, watched=watched, blind=((title, UNTIL),) * 30)))
    assert refusals(blocks) == []
