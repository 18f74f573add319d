from __future__ import annotations

from collections import Counter

import pytest

from brandmelder.classify.tone import _join_phrases
from brandmelder.classify.words import TOPICS, Dictionary, Role, _entry, fold, load_words, tokenise

ENTRIES = load_words()
DICTIONARIES = {"de": Dictionary(("de",)), "en": Dictionary(("en",)), "": Dictionary(())}


def example(text: str) -> str:
    """Write a text in which an entry must match."""
    if text.endswith("*"):
        return text[:-1] + "qqq"
    return "xyz" + text[1:] if text.startswith("*") else text.replace("0", "3")


def found(text: str, language: str) -> list[str]:
    dictionary = DICTIONARIES[language]
    tokens = tokenise(fold(text))
    return [term.text for term in _join_phrases(tokens, [dictionary[token] for token in tokens]) if term is not None]


def label(text: str) -> str:
    return " ".join("…" if word == "0" else word.replace("*", "…") for word in text.split(" "))


@pytest.mark.parametrize("language", ["de", "en", ""])
def test_every_entry_can_match(language):
    entries = [entry for entry in ENTRIES if entry.language == language]
    missed = [entry.text for entry in entries if label(entry.text) not in found(example(entry.text), language)]
    assert missed == [], missed


def test_every_stem_matches_longer_words_too():
    stems = [entry for entry in ENTRIES if entry.text.endswith("*")]
    for entry in stems:
        assert DICTIONARIES[entry.language][fold(entry.text[:-1]) + "qqq"].text == label(entry.text)


@pytest.mark.parametrize("language", ["de", "en", ""])
def test_no_entry_stands_twice(language):
    counts = Counter(fold(entry.text) for entry in ENTRIES if entry.language == language)
    assert [text for text, count in counts.items() if count > 1] == []


def test_the_list_is_large_enough_and_its_weights_have_the_sign_of_their_class():
    assert len(ENTRIES) >= 700
    assert sum(entry.language == "" for entry in ENTRIES) >= 100
    for entry in ENTRIES:
        assert entry.text == entry.text.lower().strip()
        if {"incident", "insult", "sarcasm"} & set(entry.classes):
            assert entry.weight < 0, entry
        if {"opener", "solved", "defence"} & set(entry.classes):
            assert entry.weight > 0, entry
        if "duty" in entry.classes:
            assert entry.weight >= 0, entry


def test_every_topic_has_words_in_both_languages():
    for language in ("de", "en"):
        assert {topic for entry in ENTRIES if entry.language == language for topic in entry.classes} >= set(TOPICS)


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("stoerung", "störung"),
        ("grossstoerung", "…störung"),
        ("stoerungsfreie", "störungsfrei…"),
        ("qualitaet", "qualität"),
        ("schlechtes", "schlechtes"),
        ("schleeeecht", "schlecht"),
        ("tollllll", "toll"),
        ("guthaben", "guthaben…"),
    ],
)
def test_the_longest_entry_that_fits_a_word_wins(token, text):
    assert DICTIONARIES["de"][token].text == text


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Grüße aus Köln", ["gruesse", "aus", "koeln"]),
        ("don’t", ["don't"]),
        ("Preis-Leistung", ["preis", "leistung"]),
        ("👍🏽 ❤️ 👩‍🔧", ["👍", "❤", "👩", "🔧"]),
        (":-( xD <3 ^^", [":-(", "xd", "<3", "^^"]),
        ("Was?! Nein...", ["was", "?!", "nein", "..."]),
        ("am 3. Mal, um 3. Dann", ["am", "3.", "mal", ",", "um", "3", ".", "dann"]),
        ("https://a.example/b?c @nordfunk #saftladen", ["saftladen"]),
        ("1.234,56 Euro", ["1.234,56", "euro"]),
    ],
)
def test_a_text_and_its_tokens(text, tokens):
    assert tokenise(fold(text)) == tokens


def test_a_dictionary_remembers_no_more_than_it_may(monkeypatch):
    dictionary = Dictionary(("de",))
    before = len(dictionary)
    assert dictionary["unbekannt"] is None
    assert dictionary["u" * 4_000] is None
    assert len(dictionary) == before + 1
    monkeypatch.setattr("brandmelder.classify.words._MEMORY", len(dictionary))
    assert dictionary["nochunbekannter"] is None
    assert len(dictionary) == before + 1


def test_numbers_in_digits_and_in_words_are_one():
    for text in ("seit 3 stunden", "seit drei Stunden", "seit 12 Stunden", "seit zwölf Stunden"):
        assert found(text, "de") == ["seit … stunden"]
    assert DICTIONARIES["de"]["4711"].roles == Role.NUMBER


@pytest.mark.parametrize("line", ["gut\t4\t-", "gut\t1\tunknown", "gut\t1", "gut\tviel\t-"])
def test_a_line_that_is_not_in_shape_is_refused(line):
    with pytest.raises(ValueError):
        _entry(line, "de")
