"""The default judge: what it promises on any text, in any batch, and what it says of plain cases."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.classify import linear
from brandmelder.classify.adapt import Calibration, Correction
from brandmelder.errors import BrandmelderError
from brandmelder.model import Label, Mention, SourceId, Stance

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NASTY = (
    "",
    " ",
    "\0",
    "\0\0\0\0\0\0",
    "a",
    "🤬",
    "👍🏽👩‍👩‍👧❤️",
    "\ud83d lone surrogate \udc00",
    "Sch\u200bei\u200bße",
    "\u202eredro retsevr\u202c",
    "ﷺ" * 1000,
    "ß…" * 4000,
    "İstanbul'da internet yok",
    "电信网络又断了",
    "Интернет не работает",
    "الإنترنت لا يعمل",
    "a\u0308\u0308\u0308" * 3000,
    "http://" + "x" * 5000,
    "@" * 3000,
    "!?" * 3000,
    "☀☂" * 3000,
    "nicht " * 3000,
    "Zug " + "\n" * 1000 + "aus",
)


def mention(text, **more):
    return Mention(source=SourceId("forum"), external_id="1", text=text, published_at=NOW, captured_at=NOW, **more)


@pytest.fixture(scope="module")
def classifier():
    return linear.LinearClassifier("Nordnetz")


def judge(classifier, *texts):
    return classifier.classify([mention(text) for text in texts])


@pytest.mark.parametrize(
    "text",
    [
        "Zug fällt schon wieder aus, keine Auskunft. Unverschämt!",
        "Seit drei Tagen kein Internet und die Hotline legt einfach auf 😡",
        "Danke für nichts, 40 Minuten Warteschleife und dann aufgelegt.",
        "Scho wieder 20 Minute z'spaat, langsam längts.",
        "Das Gerät ist kaputt und niemand hilft mir.",
        "My parcel never arrived and support is useless.",
        "Worst service ever, still waiting for my refund.",
        "🤬🤬",
    ],
)
def test_plain_complaints_are_negative(classifier, text):
    (verdict,) = judge(classifier, text)
    assert verdict.label is Label.NEGATIVE
    assert verdict.p_negative > max(verdict.p_neutral, verdict.p_positive)
    assert verdict.stance is Stance.CRITIC


@pytest.mark.parametrize(
    "text",
    [
        "Super schnelle Hilfe, vielen Dank!",
        "Toller Service, gerne wieder 😊",
        "Love the new app, great job!",
        "❤️❤️",
    ],
)
def test_plain_praise_is_positive(classifier, text):
    (verdict,) = judge(classifier, text)
    assert verdict.label is Label.POSITIVE
    assert verdict.stance is Stance.DEFENDER


@pytest.mark.parametrize(
    "text",
    ["Wann macht die Filiale am Montag auf?", "Der Konzern legt am Donnerstag seine Quartalszahlen vor."],
)
def test_questions_and_news_are_neutral(classifier, text):
    assert judge(classifier, text)[0].label is Label.NEUTRAL


def test_a_negation_turns_praise(classifier):
    plain, denied = judge(classifier, "Das ist gut gelöst.", "Das ist nicht gut gelöst.")
    assert denied.p_negative > plain.p_negative
    assert denied.p_positive < plain.p_positive


def test_a_language_nobody_knows_is_unsure_with_the_share_that_is_usual(classifier):
    (verdict,) = judge(
        classifier, "Le train pour Lyon est encore une fois en retard et personne ne nous dit rien du tout"
    )
    assert verdict.language == "und"
    assert verdict.unsure
    assert verdict.p_negative == pytest.approx(linear.load().prior[0], abs=1e-6)


def test_the_language_of_the_source_helps_where_the_text_says_nothing(classifier):
    text = "Nexus 7: Google untersucht Probleme, Ausfall, Totalschaden, Betrug, Wucher, Skandal, Horror, Pfusch, Murks"
    alone, hinted = classifier.classify([mention("Blubb blubb"), mention("Blubb blubb", language="de")])
    assert (alone.language, hinted.language) == ("und", "de")
    assert judge(classifier, text)[0].p_negative > 0.5


def test_mixed_languages_and_sarcasm_of_the_common_kind_are_seen(classifier):
    mixed, ironic = judge(
        classifier,
        "Der Support ist so useless, worst service ever, echt jetzt",
        "Na toll, wieder eine Stunde Warteschleife. Danke für nichts!",
    )
    assert mixed.label is Label.NEGATIVE
    assert ironic.label is Label.NEGATIVE


def test_topics_insults_and_reasons_are_told(classifier):
    (verdict,) = judge(classifier, "Ihr dreckigen Betrüger habt zweimal abgebucht, wo bleibt die Erstattung?")
    assert "billing" in verdict.topics
    assert verdict.insult > 0.5
    assert 1 <= len(verdict.reasons) <= 5
    assert "betrüger" in dict(verdict.reasons)
    assert dict(verdict.reasons)["betrüger"] > 0


def test_who_takes_the_side_of_the_brand_is_a_defender(classifier):
    (verdict,) = judge(classifier, "Lasst euch nicht ärgern, ihr macht das gut. Der Shitstorm ist lächerlich.")
    assert verdict.stance is Stance.DEFENDER


def test_own_posts_and_spam_are_judged_and_not_counted(classifier):
    spam = "#a1 #b2 #c3 #d4 #e5 #f6 #g7 #h8 #i9 gratis"
    own, bait, plain = classifier.classify([mention("Danke!", own=True), mention(spam), mention("Danke!")])
    assert (own.weight, bait.weight, plain.weight) == (0, 0, 1)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_no_text_breaks_it(classifier, text):
    (verdict,) = judge(classifier, text)
    total = verdict.p_negative + verdict.p_neutral + verdict.p_positive
    assert total == pytest.approx(1, abs=2e-6)
    assert min(verdict.p_negative, verdict.p_neutral, verdict.p_positive) >= 0


def test_only_the_beginning_of_a_text_counts(classifier):
    start = "Zug ausgefallen, keine Auskunft. " * 60
    one, other = judge(classifier, start, start + "Alles super, vielen Dank! " * 500)
    assert one.p_negative == other.p_negative


def test_a_verdict_does_not_depend_on_the_batch(classifier):
    texts = [*NASTY, "Zug fällt aus 😡", "Great, thanks", "Wann öffnet ihr?", "Super!!!", "x" * 700] * 3
    together = judge(classifier, *texts)
    alone = tuple(judge(classifier, text)[0] for text in texts)
    assert together == alone


@given(st.lists(st.text(max_size=300), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_batch_of_any_texts_gives_what_each_gives_alone(texts):
    classifier = linear.LinearClassifier("Acme")
    assert judge(classifier, *texts) == tuple(judge(classifier, text)[0] for text in texts)


@pytest.mark.parametrize(
    "sign", ["\U0001d160", "\U0001d1c0", "\u0344", "\ufb2c", "\u1fb7", "\ufdfa", "…", "😀", "&lt;"]
)
def test_a_flood_of_signs_that_grow_when_they_are_read_breaks_nothing(classifier, sign):
    flood = [mention(sign * 1200) for _ in range(60)]
    verdicts = classifier.classify([*flood, mention("Schon wieder Ausfall, unverschämt!")])
    assert len({verdict.p_negative for verdict in verdicts[:-1]}) == 1
    assert verdicts[-1].label is Label.NEGATIVE


def test_an_empty_batch_is_no_verdict(classifier):
    assert classifier.classify([]) == ()


def test_zero_width_characters_do_not_hide_a_word(classifier):
    plain, hidden = judge(classifier, "So eine Scheiße hier", "So eine Sch\u200be\u200biße hier")
    assert plain.p_negative == hidden.p_negative


def test_the_version_names_model_and_correction():
    plain = linear.LinearClassifier("Acme")
    taught = linear.LinearClassifier(
        "Acme", corrections={"de": Correction(calibration=Calibration(1, 1), version="ab")}
    )
    assert plain.version == linear.load().version
    assert taught.version == f"{plain.version}+deab"


def test_a_correction_moves_the_chances_and_keeps_their_sum(classifier):
    taught = linear.LinearClassifier(
        "Acme", corrections={"de": Correction(calibration=Calibration(1, 1), version="ab")}
    )
    text = "Der Zug nach Kiel hatte heute Verspätung und war voll."
    before, after = judge(classifier, text)[0], judge(taught, text)[0]
    assert after.p_negative > before.p_negative
    assert after.p_negative + after.p_neutral + after.p_positive == pytest.approx(1, abs=2e-6)
    ratio = before.p_neutral / before.p_positive
    assert after.p_neutral / after.p_positive == pytest.approx(ratio, rel=1e-2)


def test_another_model_file_is_refused(monkeypatch):
    monkeypatch.setattr(linear, "SHA256", "0" * 64)
    with pytest.raises(BrandmelderError, match="install Brandmelder again"):
        linear.load.__wrapped__()


def test_the_model_is_small_and_holds_nothing_that_runs():
    folder = Path(linear.__file__).parent / "model"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000
    with np.load(folder / linear.FILE, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)
