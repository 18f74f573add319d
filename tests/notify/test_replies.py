"""What one person is told: who was first and when, in German and English, whatever somebody calls themselves."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Act, Evidence, Snooze, SpikeKind, State, Transition
from brandmelder.notify.details import details
from brandmelder.notify.replies import Speaker
from brandmelder.notify.story import Context
from pipeline.duty import burning

AT = datetime(2026, 11, 22, 13, 43, tzinfo=UTC)
BURNING = burning(AT - timedelta(hours=1))
ZONE = ZoneInfo("Europe/Berlin")


def speaker(language="de"):
    return Speaker(language=language, zone=ZONE, now=AT + timedelta(minutes=9))


TAKEN = replace(BURNING, state=State.ACKNOWLEDGED, acknowledged_by="Anna", acknowledged_at=AT)
ENDED = replace(TAKEN, state=State.RESOLVED, closed_by="Ben", closed_at=AT)


@pytest.mark.parametrize(
    ("incident", "language", "text"),
    [
        (TAKEN, "de", "Anna hat NF-2026-042 um 14:43 übernommen."),
        (TAKEN, "en", "Anna took NF-2026-042 at 14:43."),
        (ENDED, "de", "Ben hat NF-2026-042 um 14:43 abgeschlossen."),
        (replace(ENDED, closed_by="brandmelder"), "de", "NF-2026-042 ist um 14:43 von selbst zu Ende gegangen."),
        (replace(ENDED, closed_by="brandmelder"), "en", "NF-2026-042 ended by itself at 14:43."),
        (BURNING, "de", "NF-2026-042 ist offen, noch hat niemand übernommen."),
        (replace(BURNING, state=State.PENDING), "en", "NF-2026-042 is not confirmed yet."),
        (
            replace(ENDED, state=State.DISMISSED),
            "de",
            "Ben hat NF-2026-042 um 14:43 als „keine Krise“ geschlossen.",
        ),
    ],
)
def test_the_loser_is_told_who_was_first_and_when(incident, language, text):
    assert speaker(language).refused(incident, Act.ACKNOWLEDGE).text == text


def test_an_undo_that_comes_too_late_names_the_other_way():
    told = speaker().refused(replace(ENDED, state=State.DISMISSED), Act.UNDO).text
    assert told.endswith("Dafür gibt es „Wieder öffnen“.")


def test_a_snooze_says_until_when_and_what_wakes():
    quiet = Snooze(until=AT + timedelta(hours=1), by="Anna", observed=38, window=timedelta(hours=1))
    answer = speaker().done(replace(TAKEN, snooze=quiet), Act.SNOOZE, is_spoken=False)
    assert answer.text.startswith("NF-2026-042 ist stumm bis 15:43. Eine Verdopplung")


@pytest.mark.parametrize("act", [Act.ACKNOWLEDGE, Act.HAND_OVER, Act.RESOLVE, Act.REOPEN])
def test_what_the_alert_shows_at_once_is_said_only_to_whom_spoke(act):
    assert speaker().done(TAKEN, act, is_spoken=False) is None
    assert speaker("en").done(TAKEN, act, is_spoken=True).text


@given(st.text(max_size=200))
def test_a_name_is_inert_whatever_somebody_calls_themselves(name):
    told = speaker().standing(replace(TAKEN, acknowledged_by=name))
    assert "\n" not in told
    assert len(told) < 100


def test_details_tell_how_it_was_counted_and_who_did_what():
    steps = [
        Transition(incident=TAKEN.id, revision=n + 1, at=AT, act=act, before=None, after=State.OPEN, by=by)
        for n, (act, by) in enumerate([(Act.OPEN, "brandmelder"), *[(Act.WORSEN, "brandmelder")] * 9])
    ] + [
        Transition(incident=TAKEN.id, revision=11, at=AT, act=Act.ACKNOWLEDGE, before=None, after=State.OPEN, by="Anna")
    ]
    context = Context(brand="Nordfunk", zone=ZONE, now=AT)
    message = details(TAKEN, Evidence(mentions=80, negatives=38, unclear_share=0.1), steps, context)
    told = {line.label: "".join(span.text for span in line.spans) for line in message.lines}
    assert told["Gezählt"] == "38 in 60 min, erwartet 3,8, üblich 2–6"
    assert told["Beurteilt"] == "80 Erwähnungen, 38 davon negativ, 8 unklar"
    assert told["Hergang"].startswith("davor 3 weitere · ")
    assert told["Hergang"].endswith("14:43 übernommen (Anna)")


def test_details_of_a_reach_tell_no_number_of_mentions():
    spike = replace(TAKEN.spike, kind=SpikeKind.REACH, observed=480_000, usual_high=3_900, whole=3)
    wide = replace(TAKEN, kind=SpikeKind.REACH, spike=spike, peak=480_000)
    message = details(wide, Evidence(), [], Context(brand="Nordfunk", zone=ZONE, now=AT))
    told = {line.label: "".join(span.text for span in line.spans) for line in message.lines}
    assert told["Gezählt"] == "Reichweite 480.000 in 60 min (3 negative Erwähnungen), üblich bis 3.900"
    assert "Spitze und Summe" not in told


def test_details_leave_out_that_figures_were_what_they_were():
    acts = [(Act.OPEN, ""), *[(Act.CORRECT, f"{n} → {n}") for n in range(40, 60)], (Act.CORRECT, "60 → 62")]
    steps = [
        Transition(incident=TAKEN.id, revision=n + 1, at=AT, act=act, before=None, after=State.OPEN, note=note)
        for n, (act, note) in enumerate(acts)
    ]
    message = details(TAKEN, Evidence(), steps, Context(brand="Nordfunk", zone=ZONE, now=AT))
    told = {line.label: "".join(span.text for span in line.spans) for line in message.lines}
    assert told["Hergang"] == "14:43 eröffnet · 14:43 Zahlen berichtigt"


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_act_has_its_word(language):
    context = Context(brand="Nordfunk", zone=ZONE, now=AT, language=language)
    for act in Act:
        step = Transition(incident=TAKEN.id, revision=1, at=AT, act=act, before=None, after=State.OPEN)
        assert details(TAKEN, Evidence(), [step], context).lines
