"""Topics: the judge's own, those of the configuration, and incidents that a brand counts as bad news."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.classify.linear import LinearClassifier
from brandmelder.classify.topic_words import folded, pattern
from brandmelder.classify.topics import Topics, worsened
from brandmelder.model import Label, Mention, MonitorId, SourceId, Verdict

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NEUTRAL = Verdict(
    p_negative=0.25,
    p_neutral=0.65,
    p_positive=0.1,
    label=Label.NEUTRAL,
    unsure=False,
    language="de",
    classifier="t",
    model_version="1",
)
SHOP, RAIL = MonitorId("shop"), MonitorId("rail")


@pytest.fixture(scope="module")
def classifier():
    return LinearClassifier("Nordnetz")


def judged(classifier, text):
    (verdict,) = classifier.classify(
        [Mention(source=SourceId("s"), external_id="1", text=text, published_at=NOW, captured_at=NOW)]
    )
    return verdict


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Seit heute Morgen Ausfall in ganz Kiel", "outage"),
        ("Das Netz ist seit Stunden gestört", "outage"),
        ("The site has been down all morning", "outage"),
        ("Der Zug hat schon wieder Verspätung", "delay"),
        ("My train is delayed by an hour", "delay"),
        ("Die Preiserhöhung ist happig", "price"),
        ("Way too expensive for what you get", "price"),
        ("Die Rechnung stimmt nicht", "billing"),
        ("Still waiting for my refund", "billing"),
        ("Die Hotline geht nicht ran", "service"),
        ("Customer service never replies", "service"),
        ("Der Akku ist nach einem Jahr hinüber", "product"),
        ("The screen broke after a week", "product"),
        ("Der Fahrer war sehr unfreundlich", "staff"),
        ("The driver was rude", "staff"),
        ("Meine Daten sind gehackt worden", "privacy"),
        ("Another data breach", "privacy"),
        ("Der Herd fing Feuer, das ist gefährlich", "safety"),
        ("The charger caught fire, dangerous", "safety"),
        ("Die Werbung ist peinlich", "campaign"),
        ("That advert is everywhere", "campaign"),
    ],
)
def test_what_it_is_about_in_german_and_english(classifier, text, topic):
    assert topic in judged(classifier, text).topics


def read(text, monitors=(), **options):
    words = {"router": ["router", "fritzbox*", "kein empfang"]}
    (verdict,) = Topics(words, {SHOP: {"tvspot": ["spot"]}}, **options).read([NEUTRAL], [text], [monitors])
    return verdict


@pytest.mark.parametrize(
    "text", ["Mein Router!", "ROUTER kaputt", "die Fritzboxen sind alt", "Kein\nEmpfang im Keller", "#router"]
)
def test_words_stems_and_phrases_of_the_configuration_are_found(text):
    assert read(text).topics == ("router",)


@pytest.mark.parametrize("text", ["Routerzwang", "kein guter Empfang", "der Outer", "", "🤬"])
def test_parts_of_words_and_torn_phrases_are_not(text):
    assert read(text).topics == ()


def test_a_topic_of_a_monitor_is_only_for_its_mentions():
    assert read("Dieser Spot!", [SHOP]).topics == ("tvspot",)
    assert read("Dieser Spot!", [RAIL]).topics == ()


def test_umlauts_may_be_written_either_way():
    (verdict,) = Topics({"delay": ["verspätung*"]}).read([NEUTRAL], ["VERSPAETUNGEN überall"], [()])
    assert verdict.topics == ("delay",)


def test_incidents_are_bad_news_only_where_the_brand_wants_it():
    delayed = replace(NEUTRAL, topics=("delay",))
    for switch, label in ((True, Label.NEGATIVE), (False, Label.NEUTRAL)):
        (verdict,) = Topics({}, incidents_are_negative=switch).read([delayed], ["20 min später"], [()])
        assert verdict.label is label
    assert Topics({}, incidents_are_negative=True).read([NEUTRAL], ["Neuer Laden"], [()]) == [NEUTRAL]


def test_an_incident_of_the_configurations_own_words_counts_too():
    (verdict,) = Topics({"outage": ["zappenduster"]}, incidents_are_negative=True).read(
        [NEUTRAL], ["Alles zappenduster hier"], [()]
    )
    assert verdict.p_negative > 0.5


def test_good_news_of_an_incident_stays_good():
    solved = replace(NEUTRAL, topics=("outage",), label=Label.POSITIVE, p_positive=0.65, p_neutral=0.1)
    assert worsened(solved) == solved


@given(st.floats(0, 1), st.floats(0, 1))
def test_probabilities_still_sum_to_one_and_negative_never_falls(negative, share):
    verdict = replace(
        NEUTRAL, p_negative=negative, p_neutral=(1 - negative) * share, p_positive=(1 - negative) * (1 - share)
    )
    after = worsened(verdict)
    assert after.p_negative + after.p_neutral + after.p_positive == pytest.approx(1, abs=1e-5)
    assert min(after.p_negative, after.p_neutral, after.p_positive) >= 0
    assert after.p_negative >= negative - 1e-5


@given(st.text())
def test_any_text_can_be_looked_through(text):
    assert folded(text).startswith(" ")
    read(text)


@pytest.mark.parametrize("entry", ["", "*", "!!", "a*b", "stör*ung*"])
def test_an_entry_that_names_no_word_is_refused(entry):
    with pytest.raises(ValueError, match="write a word"):
        pattern(entry)
