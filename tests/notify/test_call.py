"""What people on call read: calls, questions, the end of a silence, a change of duty."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import (
    Act,
    Covers,
    DeliveryKind,
    IncidentId,
    Matcher,
    MonitorId,
    RotaId,
    Silence,
    SourceId,
    SpikeKind,
    State,
    Transition,
    Turn,
)
from brandmelder.notify import bulletin, flood
from brandmelder.notify.bulletin import Happened, Reader, Standing
from brandmelder.notify.call import Hole, call, with_holes
from brandmelder.notify.channels.slack_blocks import render
from brandmelder.notify.compose import Beside, Context, compose, plain_text
from brandmelder.notify.digest import Period, digest
from brandmelder.notify.kinds import figures
from brandmelder.notify.message import Callee
from brandmelder.notify.story import Story
from notify.stories import EVIDENCE, INCIDENT
from peers.slack.blocks import refusals

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOW = INCIDENT.opened_at + 12 * MINUTE
BERLIN = ZoneInfo("Europe/Berlin")
BEN = Callee(name="Ben Kurz", slack="U0456EFGH", mail="ben@brand.example")
TAKEN = replace(
    INCIDENT, state=State.ACKNOWLEDGED, acknowledged_by="Anna Berg", acknowledged_at=NOW - 2 * HOUR, asked_at=NOW
)


ASKED = (
    "Anna Berg, still on it? No sign of Anna Berg for 2 h, and it still burns: 38 in 60 min, usual 2–6. "
    "Please acknowledge once more; without an answer people are called again in 10 min."
)


def told(act, note="1", *, incident=INCIDENT, language="de", callees=(BEN,)):
    context = Context(brand="Nordfunk", language=language, zone=BERLIN, now=NOW, silenced_since=NOW - 9 * HOUR)
    step = Transition(incident=incident.id, revision=5, at=NOW, act=act, before=None, after=incident.state, note=note)
    return call(Story(incident, EVIDENCE, context), step, callees=callees, patience=10 * MINUTE)


def reader(language="de"):
    return Reader(
        brand="Nordfunk",
        language=language,
        zone=BERLIN,
        now=NOW,
        titles={MonitorId("nordfunk"): "Nordfunk"},
        sources={"press": "Presse"},
    )


@pytest.mark.parametrize(
    ("case", "head", "sentence"),
    [
        (
            (Act.ESCALATE, "1", INCIDENT, "de"),
            "seit 12 min niemand dran",
            "Seit 12 min hat niemand übernommen. Jetzt 38 in 60 min, üblich 2–6.",
        ),
        (
            (Act.ESCALATE, "1", INCIDENT, "en"),
            "nobody on it for 12 min",
            "Nobody has acknowledged for 12 min. Now 38 in 60 min, usual 2–6.",
        ),
        (
            (Act.ESCALATE, "0 lapsed Anna Berg", INCIDENT, "de"),
            "niemand dran",
            "Anna Berg hat sich nicht mehr gemeldet, jetzt ist niemand dran. Jetzt 38 in 60 min, üblich 2–6.",
        ),
        (
            (Act.ESCALATE, "0 again", INCIDENT, "en"),
            "nobody on it",
            "Open again, and nobody is on it. Now 38 in 60 min, usual 2–6.",
        ),
        (
            (Act.ASK, "Anna Berg", TAKEN, "en"),
            "Anna Berg, still on it?",
            ASKED,
        ),
        (
            (Act.SPEAK, "over", INCIDENT, "de"),
            "die Stille ist vorbei",
            "Es brennt noch. Still war es seit 11:53. Jetzt 38 in 60 min, üblich 2–6.",
        ),
    ],
)
def test_a_call_says_what_happened_and_how_it_stands(case, head, sentence):
    act, note, incident, language = case
    lines = plain_text(told(act, note, incident=incident, language=language)).splitlines()
    assert lines == [f"📣 Nordfunk – 38 in 60 min, {head}", sentence, "NF-2026-042, 20:53"]


@pytest.mark.parametrize("act", [Act.ESCALATE, Act.ASK, Act.SPEAK])
def test_a_call_is_seen_by_the_whole_channel_and_can_be_answered_at_once(act):
    message = told(act)
    assert message.broadcast
    assert [(button.act, button.primary) for button in message.buttons] == [("acknowledge", True)]


def test_slack_mentions_those_who_are_called_and_takes_the_blocks():
    _, blocks = render(told(Act.ESCALATE), receives_clicks=True)
    users = [
        element
        for block in blocks
        if block["type"] == "rich_text"
        for section in block["elements"]
        for element in section["elements"]
        if element["type"] == "user"
    ]
    assert users == [{"type": "user", "user_id": "U0456EFGH"}]
    assert refusals(blocks) == []


@given(st.text(max_size=40))
def test_no_name_and_no_id_from_elsewhere_becomes_a_mention(text):
    message = told(Act.ASK, text, callees=(Callee(name=text, slack=text),))
    line, blocks = render(message)
    assert "<!" not in line
    assert "<@" not in line
    assert refusals(blocks) == []


def test_a_hole_is_said_with_who_was_called_instead():
    message = with_holes(told(Act.ESCALATE), [Hole(rota=RotaId("crisis"), instead=("Ben Kurz",))])
    assert message.honest == ("Im Bereitschaftsplan crisis steht jetzt niemand; ersatzweise gerufen: Ben Kurz.",)
    assert with_holes(told(Act.ESCALATE), [Hole(rota=RotaId("crisis"))]).honest == (
        "Im Bereitschaftsplan crisis steht jetzt niemand.",
    )
    assert with_holes(told(Act.ESCALATE), []).honest == ()


OTHER = replace(TAKEN, id=IncidentId("NF-2026-043"), severity=4)
A_SILENCE = Silence(
    id=3,
    matcher=Matcher(monitors=frozenset({MonitorId("nordfunk")}), below=4),
    since=NOW,
    until=NOW + 2 * HOUR,
    by="Carla",
    reason="Wartung",
    broken_at=5,
)


def test_what_still_burns_is_listed_the_worst_first():
    message = bulletin.still_burning("burning:1", [INCIDENT, OTHER], reader(), (BEN,))
    assert message.headline == "Nordfunk: 2 Vorfälle brennen noch"
    assert [line.label for line in message.lines] == ["NF-2026-043", "NF-2026-042"]
    assert "bei Anna Berg" in plain_text(message)
    assert "niemand dran" in plain_text(message)
    assert message.calls == (BEN,)


def test_a_hand_over_note_says_what_the_next_person_needs():
    stands = Standing(running=(INCIDENT,), silences=(A_SILENCE,), blind=(("press", NOW - 3 * HOUR),))
    happened = Happened(since=NOW - timedelta(days=7), opened=3, closed=2, calls=4)
    turn = ("crisis", "Ben Kurz", "Anna Berg")
    text = plain_text(bulletin.handover_note("turn:1", turn, happened, stands, reader()))
    assert text.splitlines()[:2] == [
        "🔁 Bereitschaft crisis: jetzt Ben Kurz",
        "Ben Kurz übernimmt die Bereitschaft von Anna Berg.",
    ]
    assert "Nr. 3 bis 22:53, Carla: Wartung (Monitor nordfunk, Schwere unter 4)" in text
    assert "3 eröffnet, 2 beendet, 4 Mal gerufen" in text
    assert "Presse fehlt seit 17:53" in text


def test_a_hand_over_to_nobody_says_so_and_a_calm_turn_is_short():
    message = bulletin.handover_note("turn:1", ("crisis", "", ""), Happened(since=NOW), Standing(), reader("en"))
    assert message.sentence[0].text == "Nobody is on call now."
    assert [line.spans[0].text for line in message.lines] == ["no open incident", "0 opened, 0 ended", "all read"]


def test_the_troubles_of_a_rota_are_said_in_the_first_line():
    turn = Turn(since=NOW + timedelta(days=3), until=NOW + timedelta(days=4), people=())
    hole = bulletin.hole("crisis", turn, reader())
    assert hole.head == "Bereitschaftsplan crisis: Lücke ab Fr 18.12., 20:53"
    stale = bulletin.stale("crisis", NOW - 30 * HOUR, "answers 503.", reader("en"))
    assert stale.sentence.endswith("until it can be read again that copy holds. answers 503.")
    unknown = bulletin.unknown("crisis", ["Urlaub\u202e", "Dora"], reader())
    assert unknown.sentence == "Im Kalender steht „Urlaub“, „Dora“; so heißt niemand unter people."


@pytest.mark.parametrize(
    ("matcher", "german", "english"),
    [
        (Matcher(), "alles", "everything"),
        (Matcher(kinds=frozenset({SpikeKind.SHARE})), "Art share", "kind share"),
        (
            Matcher(sources=frozenset({SourceId("blog")}), topic="Strom"),
            "Quelle blog, Thema Strom",
            "source blog, topic Strom",
        ),
    ],
)
def test_a_matcher_is_said_in_the_readers_language(matcher, german, english):
    assert (bulletin.matcher_words(matcher, "de"), bulletin.matcher_words(matcher, "en")) == (german, english)


@pytest.mark.parametrize("act", [Act.ESCALATE, Act.ASK, Act.SPEAK])
def test_a_call_tells_the_figures_of_its_kind(act):
    """Reach is no number of mentions, and who waits for an answer is none in a window."""
    for kind in (SpikeKind.BACKLOG, SpikeKind.REACH, SpikeKind.SHARE):
        incident = replace(TAKEN, kind=kind, spike=replace(TAKEN.spike, kind=kind, observed=9, whole=20))
        context = Context(brand="Nordfunk", zone=BERLIN, now=NOW)
        assert figures(Story(incident, EVIDENCE, context)) in plain_text(told(act, "Anna Berg", incident=incident))


def test_who_waits_since_a_lapse_is_told_from_then_on():
    context = Context(brand="Nordfunk", language="en", zone=BERLIN, now=NOW, given_up_at=NOW - 5 * MINUTE)
    step = Transition(
        incident=INCIDENT.id, revision=5, at=NOW, act=Act.ESCALATE, before=None, after=INCIDENT.state, note="1"
    )
    message = call(Story(INCIDENT, EVIDENCE, context), step, callees=(BEN,), patience=10 * MINUTE)
    assert "Nobody has acknowledged for 5 min." in plain_text(message)


def test_a_list_tells_the_figures_of_each_kind():
    """In a hand-over note, a digest, a flood and beside another alert, a reach is a reach."""
    spike = replace(INCIDENT.spike, kind=SpikeKind.REACH, observed=480_000, usual_high=3_900, whole=3)
    wide = replace(INCIDENT, kind=SpikeKind.REACH, spike=spike, peak=480_000)
    note = bulletin.handover_note("turn:1", ("c", "B", "A"), Happened(since=NOW), Standing(running=(wide,)), reader())
    said = "Reichweite 480.000 in 60 min (3 negative Erwähnungen), üblich bis 3.900"
    assert said in plain_text(note)
    assert said in plain_text(flood.storm("f", [wide], brand="N", titles={}, voice=reader().voice))
    context = Context(brand="N", zone=BERLIN, now=NOW, beside=(Beside(id="NF-2", title="Tarife", spike=spike),))
    beside = compose(INCIDENT, EVIDENCE, kind=DeliveryKind.OPEN, context=context, quotes={})
    assert f"Tarife {said}" in plain_text(beside)
    period = Period(covers=Covers.DAY, since=NOW - 24 * HOUR, until=NOW, incidents=(wide,))
    assert said in plain_text(digest("d", period, brand="N", voice=reader().voice))
    ended = replace(wide, state=State.RESOLVED, closed_at=NOW, closed_by="brandmelder")
    over = plain_text(digest("d", replace(period, incidents=(ended,)), brand="N", voice=reader().voice))
    assert "Reichweite wieder üblich" in over
    assert "480" not in over


@pytest.mark.parametrize(
    ("names", "calls", "language", "said"),
    [
        ("Anna & Ben", 1, "de", ("Anna & Ben übernehmen die Bereitschaft von Carla.", "einmal gerufen")),
        ("Anna", 2, "de", ("Anna übernimmt die Bereitschaft von Carla.", "2 Mal gerufen")),
        ("Anna & Ben", 1, "en", ("Anna & Ben take over from Carla.", "called once")),
    ],
)
def test_a_hand_over_note_counts_whom_it_names(names, calls, language, said):
    happened = Happened(since=NOW, calls=calls)
    note = bulletin.handover_note(
        "turn:1", ("c", names, "Carla"), happened, Standing(running=(INCIDENT,)), reader(language)
    )
    assert all(part in plain_text(note) for part in said)
    assert ("seit 20:41" if language == "de" else "since 20:41") in plain_text(note)
