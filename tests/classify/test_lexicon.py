from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.classify.lexicon import BASE, COEFFICIENTS, LexiconClassifier, predict
from brandmelder.classify.words import CHARACTERS
from brandmelder.model import Label, Mention, SourceId, Stance
from classify.own_posts import FRESH, HELD_OUT, OTHER_TRADES, TUNING

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "sentiment"
ANY_TEXT = st.text(st.characters(exclude_categories=()))
JUDGE = LexiconClassifier("Nordfunk")
COLD = LexiconClassifier("Nordfunk")


def mention(text, **more):
    return Mention(source=SourceId("s"), external_id="1", text=text, published_at=NOON, captured_at=NOON, **more)


def judge(text, **more):
    (verdict,) = JUDGE.classify([mention(text, **more)])
    return verdict


# ------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Das ist gut.", Label.POSITIVE),
        ("Das ist nicht gut.", Label.NEGATIVE),
        ("Das ist nicht schlecht.", Label.POSITIVE),
        ("Nicht heute. Schlecht!", Label.NEGATIVE),
        ("Keine Störung, alles gut.", Label.POSITIVE),
        ("Seit heute Mittag Störung in Kiel.", Label.NEGATIVE),
        ("Die Störung in Kiel ist behoben, danke.", Label.POSITIVE),
        ("Es meldet sich einfach niemand.", Label.NEGATIVE),
        ("Sie meldet sich morgen.", Label.NEUTRAL),
        ("Gefällt mir nicht.", Label.NEGATIVE),
        ("Danke für nichts!", Label.NEGATIVE),
        ("Bravo, schon wieder Ausfall 👏", Label.NEGATIVE),
        ("Bravo, das habt ihr super gemacht 👏", Label.POSITIVE),
        ("Super, und wann geht es wieder? 🙄", Label.NEGATIVE),
        ("Der Kaffee ist lecker, aber der Service ist eine Katastrophe.", Label.NEGATIVE),
        ("Der Service war eine Katastrophe, aber jetzt ist alles perfekt und wunderbar gelöst.", Label.POSITIVE),
        ("😡😡😡", Label.NEGATIVE),
        ("😍🎉", Label.POSITIVE),
        ("👎🏽", Label.NEGATIVE),
        (":-(", Label.NEGATIVE),
        ("schleeeecht", Label.NEGATIVE),
        ("SCHLECHT", Label.NEGATIVE),
        ("Stoerung und Aerger", Label.NEGATIVE),
        ("Gibt es gerade eine Störung?", Label.NEUTRAL),
        ("Is there an outage right now?", Label.NEUTRAL),
        ("Nobody answers the phone.", Label.NEGATIVE),
        ("I can't recommend them.", Label.NEGATIVE),
        ("I can recommend them.", Label.POSITIVE),
        ("Great, another outage.", Label.NEGATIVE),
        ("Great help, thank you", Label.POSITIVE),
        ("So en Seich, gaht nüt!", Label.NEGATIVE),
        ("Merci vilmal, super gmacht", Label.POSITIVE),
        ("", Label.NEUTRAL),
        ("Nordfunk", Label.NEUTRAL),
        ("Die Filiale ist in der Holstenstraße.", Label.NEUTRAL),
        ("https://schlecht.example/furchtbar @katastrophe", Label.NEUTRAL),
    ],
)
def test_a_text_and_its_label(text, label):
    assert judge(text).label is label


@pytest.mark.parametrize(("name", "posts"), [("tuning", TUNING), ("held out", HELD_OUT)])
def test_own_posts_are_judged_right_often_enough(name, posts):
    found = [(label, verdict.label) for (label, _), verdict in zip(posts, judge_all(posts), strict=True)]
    negative = [said == "negative" for label, said in found if label == "negative"]
    neutral = [said == "negative" for label, said in found if label == "neutral"]
    assert sum(negative) >= 0.85 * len(negative)
    assert sum(neutral) <= 0.10 * len(neutral)


@pytest.mark.parametrize("posts", [OTHER_TRADES, FRESH], ids=["other trades", "fresh"])
def test_posts_the_list_was_not_written_for_are_still_told_apart(posts):
    found = list(zip([label for label, _ in posts], judge_all(posts), strict=True))
    negative = [verdict for label, verdict in found if label == "negative"]
    neutral = [verdict for label, verdict in found if label == "neutral"]
    assert mean_negative(negative) >= 1.7 * mean_negative(neutral)
    assert sum(verdict.label == "negative" for verdict in neutral) <= 0.1 * len(neutral)


def mean_negative(verdicts):
    return sum(verdict.p_negative for verdict in verdicts) / len(verdicts)


def judge_all(posts):
    return JUDGE.classify([mention(text) for _, text in posts])


def test_an_intensifier_strengthens_and_a_diminisher_weakens():
    plain, more, less = (judge(text).p_negative for text in ("ist schlecht", "ist sehr schlecht", "ist etwas schlecht"))
    assert less < plain < more


def test_an_outage_told_soberly_is_likelier_negative_than_a_question_about_it():
    assert judge("Ausfall in Kiel.").p_negative > judge("Ausfall in Kiel?").p_negative
    assert judge("Ausfall in Kiel?!").p_negative > judge("Ausfall in Kiel?").p_negative


# ------------------------------------------------------------------ verdicts


def test_a_verdict_says_why_and_about_what():
    verdict = judge("Die Hotline ist unfreundlich, die Rechnung falsch, und das Internet fällt ständig aus.")
    assert verdict.label is Label.NEGATIVE
    assert verdict.reasons[0] == ("fällt ständig aus", 0.5)
    assert set(verdict.topics) == {"outage", "service", "staff", "billing"}
    assert verdict.language == "de"
    assert verdict.classifier == "lexicon"
    assert verdict.stance is Stance.CRITIC


def test_reasons_are_entries_of_the_list_and_never_words_of_the_author():
    assert judge("Katastrophenverein*<script>").reasons == (("katastroph…", 1.0),)


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("Ihr Betrüger!", Stance.CRITIC),
        ("Danke, alles bestens.", Stance.DEFENDER),
        ("Ich verstehe die Aufregung nicht, bei mir läuft alles.", Stance.DEFENDER),
        ("Everyone complains, but they have always treated me well.", Stance.DEFENDER),
        ("Wann macht die Filiale auf?", Stance.NEUTRAL),
    ],
)
def test_where_an_author_stands(text, stance):
    assert judge(text).stance is stance


def test_insults_are_measured_apart_from_tone():
    assert judge("Das Internet ist ausgefallen, sehr schlecht.").insult == 0
    mild, hard, harder = (judge(text).insult for text in ("ihr clowns", "ihr idioten", "ihr idioten und lügner"))
    assert judge("You clowns").insult > mild
    assert 0.5 < hard < harder < 1


def test_own_posts_count_nothing():
    assert judge("Danke für den Hinweis.", own=True).weight == 0
    assert judge("Danke für den Hinweis.").weight == 1


def test_the_name_of_the_brand_says_nothing():
    assert judge("Mist ist da").label is Label.NEGATIVE
    (verdict,) = LexiconClassifier("Mist").classify([mention("Mist ist da")])
    assert verdict.label is Label.NEUTRAL
    (verdict,) = LexiconClassifier("Super Service").classify([mention("Super Service ist in Kiel")])
    assert verdict.label is Label.NEUTRAL
    assert LexiconClassifier("").version == LexiconClassifier("1&1").version == JUDGE.version


def test_a_text_in_another_language_is_unsure_unless_its_emoji_speak():
    french = "Je n'ai plus internet depuis ce matin, le service client est super nul"
    assert (judge(french).unsure, judge(french).language, judge(french).reasons) == (True, "und", ())
    assert judge(french + " 😡").p_negative > judge(french).p_negative + 0.2
    assert judge("").unsure


def test_what_the_source_says_of_the_language_settles_an_undetermined_one():
    assert judge("Top!").language == "und"
    assert judge("Top!", language="de").language == "de"
    assert judge("Top!", language="fr").language == "und"


def test_the_version_is_short_and_stable():
    assert LexiconClassifier("a").version == JUDGE.version
    assert len(JUDGE.version) == 12


# ---------------------------------------------------------------- properties


@given(ANY_TEXT)
def test_no_text_makes_it_raise_and_every_verdict_is_in_shape(text):
    verdict = judge(text)
    shares = (verdict.p_negative, verdict.p_neutral, verdict.p_positive)
    assert sum(shares) == pytest.approx(1, abs=1e-9)
    assert all(0 <= share <= 1 for share in shares)
    assert 0 <= verdict.insult <= 1
    assert len(verdict.reasons) <= 5
    assert all(0 < share <= 1 for _, share in verdict.reasons)


PIECES = "nicht gut schlecht Ausfall ? ! . , aber seit 3 Stunden 😡 danke für nichts"


@settings(max_examples=200)
@given(st.lists(st.lists(st.sampled_from(PIECES.split(" ")), max_size=12).map(" ".join), max_size=6))
def test_the_batch_makes_no_difference(texts):
    together = JUDGE.classify([mention(text) for text in texts])
    assert together == tuple(judge(text) for text in texts)
    assert together == COLD.classify([mention(text) for text in texts])


HOSTILE = [
    "a" * 1_000_000,
    "ä" * 1_000_000,
    "ausfall " * 125_000,
    "e\u0301\u0308" * 300_000,
    "\x00" * 1_000_000,
    "\ud800" * 1_000_000,
    ":'(" * 300_000,
    "!?" * 500_000,
    "seit 3 " * 140_000,
    "nicht " * 160_000,
    "www." * 250_000,
    "".join(f"wort{number:x} " for number in range(100_000)),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_read_beyond_its_first_characters(text):
    assert judge(text) == judge(text[:CHARACTERS])


def test_the_head_gives_the_base_rates_their_order_where_nothing_speaks():
    negative, neutral, positive = predict((0, 0, 0, 0, 0, 0, 0, 1))
    assert neutral > negative > positive
    assert BASE == (0.3, 0.5, 0.2)


@pytest.mark.skipif(not DATA.is_dir(), reason="the sentiment corpora do not stand beside the checkout")
def test_the_coefficients_are_those_the_fit_gives():
    specification = importlib.util.spec_from_file_location("fit_lexicon", ROOT / "bench" / "fit_lexicon.py")
    fit_lexicon = importlib.util.module_from_spec(specification)
    sys.modules["fit_lexicon"] = fit_lexicon
    specification.loader.exec_module(fit_lexicon)
    posts = [post for name in fit_lexicon.TRAIN for post in fit_lexicon.read(DATA, name)]
    fitted = fit_lexicon.fit(*fit_lexicon.design(posts))
    assert fitted.tolist() == [pytest.approx(row, abs=0.002) for row in COEFFICIENTS]
