from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.classify import language
from brandmelder.classify.language import identify
from classify.own_posts import HELD_OUT, TUNING


@pytest.mark.parametrize(
    "text",
    [
        "Seit heute Morgen geht nichts mehr.",
        "Warum antwortet ihr nicht?",
        "Störung in Kiel behoben",
        "Danke für die schnelle Hilfe 👍",
        "Eifach nume no schlimm, sit drü Täg keis Netz.",
        "Mir händ scho zwei Wuche kes Internet, das isch doch nöd normal",
        "Do hob i nix davon, des is ned in Ordnung",
        "KÖNNT IHR BITTE MAL ANTWORTEN",
        "@nordfunk https://the.example/this/is/not Wann kommt der Techniker?",
    ],
)
def test_german_and_its_dialects_are_de(text):
    assert identify(text) == "de"


@pytest.mark.parametrize(
    "text",
    [
        "No internet since this morning.",
        "Why does nobody answer the phone?",
        "Thanks for the quick help 👍",
        "They never called me back, so I cancelled.",
        "WHAT IS GOING ON WITH YOUR APP",
        "I'm still waiting for my refund",
    ],
)
def test_english_is_en(text):
    assert identify(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "😡😡",
        "ok",
        "Nordfunk",
        "12345 67,89",
        "Je n'ai plus internet depuis ce matin, c'est vraiment nul",
        "Il servizio clienti non risponde da tre giorni, vergognoso",
        "No tengo internet desde ayer y nadie contesta el teléfono",
        "De klantenservice neemt al drie dagen niet op",
        "Nie mam internetu od rana i nikt nie odbiera",
        "Sabahtan beri internet yok, kimse cevap vermiyor",
        "Опять нет интернета",
        "今朝からインターネットがない",
    ],
)
def test_what_is_neither_or_says_too_little_is_undetermined(text):
    assert identify(text) == "und"


def test_most_customer_posts_are_one_of_the_two():
    found = [identify(text) for _, text in TUNING + HELD_OUT]
    assert found.count("und") <= 0.06 * len(found)
    assert {"de", "en"} <= set(found)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_has_an_answer(text):
    assert identify(text) in {"de", "en", "und"}
    assert identify(text) == identify(text)


def test_no_more_words_are_remembered_than_may_be(monkeypatch):
    votes = language._Votes()
    monkeypatch.setattr(language, "_MEMORY", len(votes) + 1)
    assert votes["entfernung"] == votes["entscheidung"] == language._LIKE_GERMAN
    assert len(votes) == language._MEMORY


def test_a_long_text_costs_no_more_than_its_beginning():
    assert identify("der " * 1_000_000) == "de"
    assert identify("a" * 1_000_000) == "und"
