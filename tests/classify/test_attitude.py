"""Critics, defenders and neutral voices; insult and threat apart from tone: written examples, German and English."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.classify.attitude import EASED, THREAT, THREATENED, defending, heeded
from brandmelder.classify.linear import LinearClassifier
from brandmelder.classify.topic_words import folded
from brandmelder.classify.topics import Topics
from brandmelder.model import Label, Mention, SourceId, Stance, Verdict

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CRITICS = (
    "Nordfunk, seit drei Wochen kein Anschluss, eine Frechheit",
    "Nie wieder Nordfunk, nur Ärger",
    "Die lügen einen bei der Hotline an",
    "Ich kündige bei Nordfunk, es reicht",
    "Was für ein Saftladen",
    "Ihr habt mir das Geld immer noch nicht zurückgezahlt",
    "Worst provider I ever had",
    "Nordfunk keeps overcharging me",
    "Support is useless, avoid Nordfunk",
    "My parcel is lost and nobody at Nordfunk cares",
)
DEFENDERS = (
    "Leute, hört auf zu jammern, bei mir läuft Nordfunk seit Jahren top",
    "Also ich kann die Kritik nicht verstehen, mir wurde sofort geholfen",
    "Lasst Nordfunk doch mal in Ruhe, Fehler passieren überall",
    "Immer auf die Mitarbeiter, die können doch nichts dafür",
    "Bin seit zehn Jahren zufriedener Kunde, verstehe die Aufregung nicht",
    "Nordfunk ist besser als ihr Ruf",
    "Großes Lob an Nordfunk, alles bestens",
    "Stop bashing Nordfunk, they fixed my line within an hour",
    "I don't get the hate, Nordfunk has been great for me",
    "Cut them some slack, storms happen",
    "Unfair criticism, the staff are doing their best",
)
NEUTRAL = (
    "Nordfunk eröffnet einen Laden in Kiel",
    "Welche Ports braucht der Router von Nordfunk?",
    "Hat jemand Nordfunk in Husum?",
    "Nordfunk sponsert den Stadtlauf",
    "Nordfunk publishes its annual report on Friday",
    "Does Nordfunk support IPv6?",
)
THREATS = (
    "Ich weiß, wo ihr wohnt, ich komme vorbei und zünde den Laden an",
    "Euch sollte man alle erschießen",
    "Passt auf, ich komme mit dem Baseballschläger",
    "Ich schlag dem Chef die Fresse ein",
    "I will burn your office down",
    "Someone should shoot the CEO",
    "I know where you live",
)
INSULTS = (
    "Ihr seid doch alle Idioten und Verbrecher",
    "Dreckspack, schert euch zum Teufel",
    "Ihr elenden Betrüger",
    "You are a bunch of lying scumbags",
    "Fuck you Nordfunk, you morons",
)
CIVIL = (
    "Die Rechnung ist leider falsch",
    "Seit gestern Störung in Kiel",
    "Ich bin enttäuscht vom Service",
    "Das ist unverschämt teuer",
    "My line is down again",
    "The refund is late",
    "Der Techniker hat den alten Kasten umgebracht",
    "The new advert shoots for the moon",
    "Ich finde euch eigentlich ganz gut",
    "Dann komme ich halt vorbei und hole das Paket selbst",
    "This update will kill my battery",
    "Will shoot you an email about the invoice",
)


@pytest.fixture(scope="module")
def judge():
    classifier, topics = LinearClassifier("Nordfunk"), Topics({})

    def verdict_on(text):
        mention = Mention(source=SourceId("s"), external_id="1", text=text, published_at=NOW, captured_at=NOW)
        return topics.read(classifier.classify([mention]), [text], [()])[0]

    return verdict_on


@pytest.mark.parametrize(
    ("texts", "stance"), [(CRITICS, Stance.CRITIC), (DEFENDERS, Stance.DEFENDER), (NEUTRAL, Stance.NEUTRAL)]
)
def test_nine_of_ten_stand_where_they_stand(judge, texts, stance):
    wrong = [text for text in texts if judge(text).stance is not stance]
    assert len(wrong) <= len(texts) // 10, wrong


def test_who_defends_us_is_no_negative_mention_in_nine_of_ten(judge):
    wrong = [text for text in DEFENDERS if judge(text).label is Label.NEGATIVE]
    assert len(wrong) <= len(DEFENDERS) // 10, wrong


@pytest.mark.parametrize("text", THREATS)
def test_a_threat_is_the_highest_level_and_a_topic(judge, text):
    verdict = judge(text)
    assert verdict.insult >= THREATENED
    assert THREAT in verdict.topics
    assert verdict.stance is Stance.CRITIC


@pytest.mark.parametrize("text", INSULTS)
def test_insults_are_told_from_tone(judge, text):
    assert judge(text).insult > 0.7


@pytest.mark.parametrize("text", CIVIL)
def test_a_civil_complaint_is_no_insult_and_no_threat(judge, text):
    verdict = judge(text)
    assert verdict.insult < 0.7
    assert THREAT not in verdict.topics


def some(negative, share=0.5):
    return Verdict(
        p_negative=negative,
        p_neutral=(1 - negative) * share,
        p_positive=(1 - negative) * (1 - share),
        label=Label.NEGATIVE if negative > 0.5 else Label.NEUTRAL,
        unsure=False,
        language="de",
        classifier="t",
        model_version="1",
    )


def test_what_is_surely_bad_stays_bad_whatever_phrase_stands_in_it():
    verdict = heeded(some(0.95), folded("Fehler passieren, aber das ist Betrug"))
    assert verdict.label is Label.NEGATIVE
    assert verdict.stance is not Stance.DEFENDER


def test_a_defence_shifts_the_odds_by_the_same_whatever_they_were():
    for before in (0.1, 0.5, 0.9):
        after = defending(some(before)).p_negative
        assert math.log(before / (1 - before)) - math.log(after / (1 - after)) == pytest.approx(EASED, abs=1e-3)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_defence_only_eases(negative, share):
    after = defending(some(negative, share))
    assert after.p_negative <= negative + 1e-5
    assert after.p_negative + after.p_neutral + after.p_positive == pytest.approx(1, abs=1e-5)
    assert min(after.p_negative, after.p_neutral, after.p_positive) >= 0
