"""What people read of each kind of spike, in German and English."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from brandmelder.model import Course, DeliveryKind, Evidence, SpikeKind, State, Transition
from brandmelder.notify.compose import compose, plain_text
from brandmelder.notify.voice import words_of
from notify.stories import ALARM, EVIDENCE, HOUR, INCIDENT, MINUTE, SIGHT, SPIKE, TEXTS, Act, context

RULE = {"rarity": None, "usual_low": 0, "usual_high": 0}
KINDS = {
    "share": {"kind": SpikeKind.SHARE, "observed": 31, "whole": 48, "usual_low": 5, "usual_high": 12,
              "window": 6 * HOUR},
    "reach": {"kind": SpikeKind.REACH, "observed": 1_234_567, "whole": 5, "usual_low": 0, "usual_high": 83_211},
    "source": {"kind": SpikeKind.NEW_SOURCE, "observed": 5, "subject": "source:facebook", "window": 24 * HOUR, **RULE},
    "topic": {"kind": SpikeKind.NEW_SOURCE, "observed": 5, "subject": "topic:outage", "window": 24 * HOUR, **RULE},
    "backlog": {"kind": SpikeKind.BACKLOG, "observed": 7, "whole": 12, "since": ALARM - 47 * MINUTE, **RULE},
    "silence": {"kind": SpikeKind.SILENCE, "observed": 0, "usual_low": 14, "usual_high": 30, "window": 9 * HOUR},
    "silent": {"kind": SpikeKind.SILENCE, "observed": 0, "usual_low": 14, "usual_high": 30, "window": 9 * HOUR,
               "subject": "source:facebook"},
    "account": {"kind": SpikeKind.KEY_MENTION, "observed": 1, "whole": 120_000, "subject": "reach", **RULE},
    "word": {"kind": SpikeKind.KEY_MENTION, "observed": 2, "subject": "word:Rückruf", **RULE},
    "author": {"kind": SpikeKind.KEY_MENTION, "observed": 1, "subject": "author:@minister", **RULE},
}  # fmt: skip


def incident(name, **fields):
    spike = replace(SPIKE, **KINDS[name])
    return replace(INCIDENT, kind=spike.kind, spike=spike, peak=spike.observed, **fields)


def said(name, language, **fields):
    one = incident(name, **fields)
    evidence = Evidence(sight=SIGHT) if one.kind is SpikeKind.SILENCE else EVIDENCE
    at = one.closed_at or ALARM
    message = compose(one, evidence, kind=DeliveryKind.OPEN, context=context(language, at=at), quotes=TEXTS)
    return plain_text(message)


@pytest.mark.parametrize(
    ("name", "german", "english"),
    [
        ("share", "65\u00a0% negativ in 6 Std. (31 von 48), üblich 10–25\u00a0%",
         "65% negative in 6 h (31 of 48), usual 10–25%"),
        ("reach", "Reichweite 1,2 Mio. in 60 min (5 negative Erwähnungen), üblich bis 83.000",
         "Reach 1.2m in 60 min (5 negative mentions), usual up to 83,000"),
        ("source", "neu: Facebook, 5 negative Erwähnungen in 24 Std., sonst keine",
         "new: Facebook, 5 negative mentions in 24 h, normally none"),
        ("topic", "neues Thema Ausfall, 5 negative Erwähnungen in 24 Std., sonst keine",
         "new topic outage, 5 negative mentions in 24 h, normally none"),
        ("backlog", "7 unbeantwortet, älteste seit 47 min", "7 unanswered, oldest for 47 min"),
        ("silence", "Stille seit 9 Std., üblich 14–30 Erwähnungen", "Silence for 9 h, usual 14–30 mentions"),
        ("silent", "Facebook still seit 9 Std., üblich 14–30 Erwähnungen",
         "Facebook silent for 9 h, usual 14–30 mentions"),
        ("account", "Konto mit 120.000 Followern: eine negative Erwähnung",
         "Account with 120,000 followers: a negative mention"),
        ("word", "Schlüsselwort „Rückruf“, 2 in 60 min", "Key word “Rückruf”, 2 in 60 min"),
        ("author", "Beitrag von @minister", "Post by @minister"),
    ],
)  # fmt: skip
def test_the_first_line_says_what_kind_it_is(name, german, english):
    for language, expected in (("de", german), ("en", english)):
        first = said(name, language).splitlines()[0]
        assert first.endswith(f" – {expected}")
        assert "Nord" in first


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", KINDS)
def test_no_message_has_a_blank_to_fill(name, language):
    closed = {"state": State.RESOLVED, "closed_at": ALARM + 3 * HOUR, "closed_by": "brandmelder"}
    for text in (said(name, language), said(name, language, **closed)):
        assert "{" not in text
        assert "  – " not in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("silence", "🟢 Beendet: Nordfunk – Stille vorbei, 3 Std. nach dem Alarm"),
        ("backlog", "🟢 Beendet: Nordfunk – Rückstand aufgelöst, 3 Std. nach dem Alarm"),
    ],
)
def test_the_end_says_what_is_over(name, expected):
    closed = {"state": State.RESOLVED, "closed_at": ALARM + 3 * HOUR, "closed_by": "brandmelder"}
    assert said(name, "de", **closed).splitlines()[0] == expected


def test_silence_shows_no_course_and_says_why_it_matters():
    text = said("silence", "de")
    assert "Verlauf" not in text
    assert "Entweder schreibt niemand, oder die Suche findet nichts mehr." in text


def test_silence_with_a_blind_source_claims_nothing():
    one = incident("silence")
    one = replace(one, spike=replace(one.spike, is_partial=True))
    message = compose(one, Evidence(sight=SIGHT), kind=DeliveryKind.OPEN, context=context("de"), quotes=TEXTS)
    assert "Entweder" not in plain_text(message)


def test_a_rule_that_people_set_names_no_false_alarm_budget():
    text = said("word", "de")
    assert "Fehlalarm" not in text
    assert "festgelegte Regel" in text


@pytest.mark.parametrize(("way", "expected"), [(Course.CALM, "Stille vorbei."), (Course.SUBSIDING, "Stille seit 9")])
def test_the_thread_tells_a_turn_in_the_words_of_the_kind(way, expected):
    one = incident("silence", course=way)
    step = Transition(
        incident=one.id, revision=2, at=ALARM, act=Act.TURN, before=State.OPEN, after=State.OPEN, note=way.value
    )
    told = compose(one, Evidence(), kind=DeliveryKind.THREAD, context=context("de", transition=step), quotes={})
    assert expected in plain_text(told)


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_new_topic_is_called_what_the_list_of_topics_calls_it(language):
    for topic, name in words_of(language).topics.items():
        one = incident("topic")
        one = replace(one, spike=replace(one.spike, subject=f"topic:{topic}"))
        text = plain_text(compose(one, EVIDENCE, kind=DeliveryKind.OPEN, context=context(language), quotes={}))
        assert {"de": f"neues Thema {name},", "en": f"new topic {name},"}[language] in text
