"""Which mentions are near copies of one another."""

from hypothesis import given
from hypothesis import strategies as st

from brandmelder.incident.copies import fingerprint, first_of_kind

CALL = "Wer bei Nordfunk unterschreibt, wartet wochenlang auf einen Techniker. Bitte teilen!"


def test_case_links_handles_and_punctuation_make_no_difference():
    sent_on = (
        "@lena WER bei nordfunk unterschreibt wartet wochenlang auf einen Techniker – bitte teilen https://t.example/x"
    )
    assert fingerprint(CALL) == fingerprint(sent_on)


def test_a_word_more_or_less_is_still_a_copy():
    texts = [CALL, "Genau: " + CALL, "Ganz anderes Thema heute, mein Router ist kaputt", CALL + " Danke"]
    assert first_of_kind(texts) == [0, 0, 2, 0]


def test_short_texts_are_copies_only_if_equal():
    assert first_of_kind(["Danke!", "danke", "danke nein"]) == [0, 0, 2]


def test_texts_without_words_are_compared_as_they_are():
    assert first_of_kind(["😡", "😡", "👎"]) == [0, 0, 2]


def test_a_different_sentence_on_the_same_subject_is_no_copy():
    texts = ["Seit drei Tagen kein Internet in Husum, Nordfunk", "Seit gestern kein Telefon in Plön, Nordfunk schweigt"]
    assert first_of_kind(texts) == [0, 1]


def test_a_flood_of_variants_takes_no_quadratic_time():
    flood = [f"{CALL} Nummer {n} {n * n} {n % 7}" for n in range(5000)]
    assert len(set(first_of_kind(flood))) < 500


def test_a_flood_of_different_texts_that_share_words_ends_too():
    words = [f"wort{n}" for n in range(40)]
    flood = [" ".join(words[(n * k) % 40] for k in range(1, 12)) + f" eigen{n}" for n in range(4000)]
    assert len(first_of_kind(flood)) == 4000


@given(st.lists(st.text(alphabet="ab cdß😡.,@/:", max_size=30), max_size=20))
def test_the_first_of_a_kind_is_its_own_and_stands_before_its_copies(texts):
    places = first_of_kind(texts)
    assert len(places) == len(texts)
    for place, first in enumerate(places):
        assert first <= place
        assert places[first] == first
    assert places == first_of_kind(texts)
