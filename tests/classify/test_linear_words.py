"""The compiled word list: every kind of entry is found, negations reach both ways, and no text is read whole."""

from datetime import UTC, datetime

import numpy as np
import pytest

from brandmelder.classify import features, linear
from brandmelder.classify.head import Head, moods
from brandmelder.model import Label, Mention, SourceId

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Unreadable(str):
    """A text of which only slices may be read."""

    __slots__ = ()

    def _refuse(self, *_args: object) -> None:
        raise AssertionError("a text of any length was read whole")

    lower = casefold = replace = split = encode = count = find = translate = isascii = _refuse
    __iter__ = __contains__ = _refuse

    def __getitem__(self, key):
        assert isinstance(key, slice)
        assert key.stop <= 4_000
        return str.__getitem__(self, key)


@pytest.fixture(scope="module")
def classifier():
    return linear.LinearClassifier("Nordnetz")


@pytest.fixture(scope="module")
def german() -> Head:
    return linear.load().heads["de"]


def found(head, text):
    """Return which tokens of a text have an entry, and which of them stand under a negation."""
    reading = head.read([text])
    return (reading.found.words > 0).tolist(), reading.found.negated.tolist()


def mention(text, **more):
    return Mention(source=SourceId("forum"), external_id="1", text=text, published_at=NOW, captured_at=NOW, **more)


def p_negative(classifier, text):
    return classifier.classify([mention(text)])[0].p_negative


@pytest.mark.parametrize(
    "word",
    ["ausfall", "schlechteste", "katastrophal", "Lieblingssaftladen", "Turmuhrstörung", "Fernsehabzocke", "😡", ":-("],
)
def test_words_stems_endings_and_signs_are_found(german, word):
    assert any(found(german, word)[0])


def test_a_word_that_only_begins_like_an_ending_is_not_taken_for_it(german):
    assert not any(found(german, "blubbstörungx")[0])


def test_a_negation_reaches_three_words_and_no_stop(german):
    assert found(german, "nicht a b gut")[1] == [False, True, True, True]
    assert found(german, "nicht a b c gut")[1][4] is False
    assert found(german, "nicht, gut")[1][2] is False


def test_a_duty_is_denied_from_behind_within_its_sentence_and_its_text(german):
    words, negated = found(german, "antwort kommt wohl keine")
    assert words[0]
    assert negated[0]
    assert not found(german, "antwort kommt. keine")[1][0]
    reading = german.read(["antwort", "keine"])
    assert not reading.found.negated[0]


def test_a_negator_that_ends_its_clause_denies_what_stands_before_it(german):
    assert found(german, "besonders gut war das nicht")[1][1]
    assert found(german, "gut war das nicht, aber")[1][0]
    assert not found(german, "gut, das war es nicht")[1][0]
    assert not found(german, "gut war das nicht ganz")[1][0]
    reading = german.read(["gut", "das war nicht"])
    assert not reading.found.negated[0]


def test_what_stands_behind_a_but_is_known_as_such_within_its_text(german):
    reading = german.read(["schön, aber teuer", "teuer", "", "gut jedoch alt"])
    assert [reading.found.behind[first:last].tolist() for first, last in
            zip(reading.tokens.first, reading.tokens.last, strict=True)] == [
        [False, False, False, True], [False], [], [False, False, True],
    ]  # fmt: skip


def test_a_mocking_turn_and_a_question_change_how_the_words_are_meant():
    question, mock = 0, 1
    counts = np.array([[0, 0], [3, 0], [0, 1], [2, 2]])
    assert moods(counts, question, mock).tolist() == [0, 1, 2, 2]


def test_what_is_missing_weighs_more_than_what_is_there(classifier):
    assert p_negative(classifier, "Am Telefon antwortet seit Tagen keiner.") > p_negative(
        classifier, "Am Telefon antwortet immer einer."
    )


def test_shipped_tables_say_which_units_compose():
    alone = features.read(["cafe\u0301", "\u1112\u1161\u11ab", "é"])
    first = alone.units[alone.starts[0] : alone.ends[0]].tobytes().decode("utf-16-le")
    assert first == " café "


def test_no_text_is_read_beyond_its_beginning(classifier):
    whole = "Seit drei Tagen kein Internet! " * 40_000
    (verdict,) = classifier.classify([mention(Unreadable(whole))])
    assert verdict == classifier.classify([mention(whole[:4_000])])[0]


@pytest.mark.parametrize(
    ("text", "judged_as"),
    [
        ("Scheisse Remix", "de"),
        ("lächerlich ...", "de"),
        ("Suppe schlürfen", "de"),
        ("Merci, mais rien ne marche depuis hier", "und"),
        ("Nie mam internetu od wczoraj", "und"),
        ("Интернет не работает", "und"),
        ("电信网络又断了", "und"),
    ],
)
def test_what_names_no_language_is_judged_as_german_unless_it_is_foreign(classifier, text, judged_as):
    assert classifier.language_of(text)[0] == judged_as


def test_the_hint_of_the_source_comes_before_the_guess(classifier):
    assert classifier.language_of("hmm", "en") == ("en", "en")


@pytest.mark.parametrize(
    "text",
    [
        "Danke für nichts, Nordfunk",
        "Danke für gar nichts, Stadtwerke!",
        "Na toll, jetzt ist auch noch die Rechnung falsch.",
        "Vielen Dank auch für den verlorenen Vormittag.",
        "Thanks for nothing, Nordfunk",
        "Oh great, the app is down again.",
        "Gotta love waiting two hours for a technician who never comes.",
    ],
)
def test_thanks_and_praise_that_mock_are_no_praise(classifier, text):
    (verdict,) = classifier.classify([mention(text)])
    assert verdict.label is Label.NEGATIVE


@pytest.mark.parametrize(
    "text", ["Danke für die schnelle Hilfe, Nordfunk", "Na das ging ja super schnell, danke!", "Thanks for the help!"]
)
def test_thanks_that_are_meant_stay_thanks(classifier, text):
    (verdict,) = classifier.classify([mention(text)])
    assert verdict.label is Label.POSITIVE


@pytest.mark.parametrize(
    "text",
    [
        "The 8:15 never showed up again and nobody tells us anything.",
        "Still waiting for my refund, it has been six weeks.",
        "App keeps logging me out since the update.",
        "Thanks for nothing, you lost my bag.",
        "My card was declined and support hung up on me.",
    ],
)
def test_sober_english_complaints_are_heard(classifier, text):
    (verdict,) = classifier.classify([mention(text)])
    assert verdict.label is Label.NEGATIVE


@pytest.mark.parametrize(
    "text", ["What time does the shop open on Sunday?", "The company will publish its results on Thursday."]
)
def test_english_questions_and_news_are_not(classifier, text):
    assert p_negative(classifier, text) < 0.2
