"""What they talk about now that they did not before."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.incident.phrases import LEAST_BACKGROUND, Background, background, key_phrases, terms

THINGS = "Router Rechnung Hotline Techniker Vertrag Leitung Störung Portal Kündigung Gutschrift Umzug Tarif".split()  # noqa: SIM905
MOODS = "nervt dauert hakt fehlt stimmt passt klappt ruckelt wartet schweigt".split()  # noqa: SIM905
TOWNS = "Husum Plön Eutin Heide Kappeln Mölln Preetz Rendsburg".split()  # noqa: SIM905
WORDS = random.Random(1)


def quiet(number, rng=WORDS):
    return [
        f"{rng.choice(THINGS)} von Nordfunk {rng.choice(MOODS)} in {rng.choice(TOWNS)}, "
        f"{rng.choice(THINGS)} {rng.choice(MOODS)} auch seit {rng.randint(2, 90)} Stunden"
        for _ in range(number)
    ]


BEFORE = background(quiet(800))


def storm(number, *, cause, share=0.4, rng=WORDS):
    return [text + (f" und dann dieser {cause}" if rng.random() < share else "") for text in quiet(number, rng)]


def test_the_cause_of_a_storm_is_named_with_the_number_of_mentions():
    texts = storm(33, cause="TV-Spot")
    phrases = key_phrases(texts, BEFORE)
    assert phrases[0].text == "TV-Spot"
    assert phrases[0].count == sum("TV-Spot" in text for text in texts)


def test_nothing_is_better_than_noise():
    for seed in range(20):
        assert key_phrases(quiet(40, random.Random(seed)), BEFORE) == ()


def test_without_enough_mentions_before_the_onset_nothing_is_new():
    few = background(quiet(LEAST_BACKGROUND - 1))
    assert key_phrases(storm(40, cause="TV-Spot"), few) == ()


def test_a_word_in_two_mentions_is_no_phrase():
    assert key_phrases(["Glassplitter im Kaffee", "Glassplitter gefunden"], BEFORE) == ()


def test_copies_count_once():
    texts = ["Bitte alle teilen: Glassplitter in jeder dritten Packung gefunden"] * 30
    assert key_phrases([*texts, *quiet(20)], BEFORE) == ()


def test_the_brands_own_names_are_no_news():
    texts = storm(30, cause="Chef von Nordfunk Mobil", share=1.0)
    found = [
        phrase.text for phrase in key_phrases(texts, BEFORE, own_names=["Nordfunk", "#nordfunk", "Nordfunk Mobil"])
    ]
    assert found
    assert not any("nordfunk" in text.casefold() or "Mobil" in text for text in found)


@pytest.mark.parametrize("word", ["Nordfunks", "Nordfunk-Chef", "#Nordfunk"])
def test_forms_of_the_brands_name_are_no_news_either(word):
    assert key_phrases([f"{word} {text}" for text in quiet(30)], BEFORE, own_names=["Nordfunk"]) == ()


def test_phrases_of_the_same_mentions_become_the_longer_one():
    texts = storm(40, cause="Vorfall in der Filiale Kiel")
    found = [phrase.text for phrase in key_phrases(texts, BEFORE)]
    assert "Filiale Kiel" in found
    assert "Filiale" not in found


def test_the_form_that_stands_most_often_is_shown():
    texts = storm(20, cause="Rückruf", share=1.0) + storm(5, cause="RÜCKRUF", share=1.0)
    assert key_phrases(texts, BEFORE)[0].text == "Rückruf"


def test_words_and_pairs_are_read_once_per_mention():
    found = terms("Filiale Kiel, Filiale Kiel! #Splitter @lena https://t.example/a?b=Filiale 14 Tage warten, 3 x")
    assert found == {
        "filiale": "Filiale",
        "filiale kiel": "Filiale Kiel",
        "kiel": "Kiel",
        "#splitter": "#Splitter",
        "tage": "Tage",
        "14 tage": "14 Tage",
        "warten": "warten",
        "tage warten": "Tage warten",
    }


def test_how_many_is_told_with_what_is_counted_and_never_alone():
    assert terms("Drei Termine geplatzt, nur zwei Eight") == {
        "drei termine": "Drei Termine",
        "termine": "Termine",
        "termine geplatzt": "Termine geplatzt",
        "geplatzt": "geplatzt",
    }


def test_a_verb_of_every_story_is_no_cause_but_may_stand_beside_one():
    assert "sagt" not in terms("Jeder sagt etwas anderes")
    assert "anderes" not in terms("Jeder sagt etwas anderes")
    assert "router geht" in terms("Mein Router geht schon wieder aus")


def test_a_pair_neither_begins_nor_ends_with_a_function_word():
    assert set(terms("die Antwort auf unsere Frage")) == {"antwort", "frage"}


def test_a_very_long_word_is_no_phrase():
    assert terms("a" * 500) == {}


def test_an_empty_background_has_seen_nothing():
    assert background([]) == Background(counts={}, mentions=0)


@given(st.lists(st.text(max_size=60), max_size=30))
def test_any_text_is_survived_and_phrases_hold_what_they_promise(texts):
    for phrase in key_phrases(texts, BEFORE):
        assert 3 <= phrase.count <= len(texts)
        assert phrase.text == " ".join(phrase.text.split())
