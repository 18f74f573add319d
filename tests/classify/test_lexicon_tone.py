from __future__ import annotations

import pytest

from brandmelder.classify.tone import (
    AFTER_BUT,
    ASKED,
    ASKED_INCIDENT,
    BEFORE_BUT,
    DEFENDED,
    LESS,
    MORE,
    NEGATION,
    SOLVED,
    UNMET,
    weigh,
)
from brandmelder.classify.words import Dictionary, fold, tokenise

DICTIONARY = Dictionary(("de", "en"))


def weights(text: str) -> list[tuple[str, float]]:
    tone = weigh(tokenise(fold(text)), DICTIONARY)
    return [(hit.term.text, pytest.approx(hit.value)) for hit in tone.hits if hit.value]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # negation
        ("gut", [("gut", 1.5)]),
        ("nicht gut", [("gut", 1.5 * NEGATION)]),
        ("nicht so richtig gut", [("gut", 1.5 * NEGATION * MORE)]),
        ("nicht in diesem Laden gut", [("gut", 1.5)]),
        ("nicht, gut", [("gut", 1.5)]),
        ("nicht. gut", [("gut", 1.5)]),
        ("nicht: gut", [("gut", 1.5)]),
        ("nicht\ngut", [("gut", 1.5)]),
        ("never good", [("good", 1.5 * NEGATION)]),
        ("isn't good", [("good", 1.5 * NEGATION)]),
        ("nicht schlecht", [("schlecht", -2 * NEGATION)]),
        ("kein Problem, gut", [("gut", 1.5)]),
        ("keine Idioten", [("idioten…", -3)]),
        # verbs whose negator stands behind them
        ("gefällt mir nicht", [("gefällt", 2 * NEGATION)]),
        ("gefällt mir, nicht", [("gefällt", 2)]),
        # duties
        ("Antwort", []),
        ("keine Antwort", [("antwort…", UNMET)]),
        ("es antwortet seit gestern niemand", [("antwort…", UNMET)]),
        ("keine Antwort und Hilfe", [("antwort…", UNMET)]),
        ("keine Störung gemeldet", [("störung", -2 * NEGATION)]),
        ("nobody replies", [("nobody replies", -2)]),
        ("it does not work", [("work", UNMET)]),
        # strength
        ("sehr gut", [("gut", 1.5 * MORE)]),
        ("etwas gut", [("gut", 1.5 * LESS)]),
        ("unglaublich schlecht", [("schlecht", -2 * MORE)]),
        ("unglaublich", [("unglaublich", -1)]),
        # phrases
        ("nie wieder", [("nie wieder", -3)]),
        ("danke für nichts", [("danke für nichts", -3)]),
        ("danke für alles", [("danke", 2)]),
        ("immer noch nicht gelöst", [("immer noch nicht", -1.5), ("gelöst", 1.5 * NEGATION)]),
        # but
        ("lecker, aber schlecht", [("lecker…", 2 * BEFORE_BUT), ("schlecht", -2 * AFTER_BUT)]),
        ("lecker. aber schlecht", [("lecker…", 2), ("schlecht", -2)]),
        # questions
        ("schlecht?", [("schlecht", -2 * ASKED)]),
        ("störung?", [("störung", -2 * ASKED_INCIDENT)]),
        ("störung?!", [("störung", -2)]),
        ("störung. warum?", [("störung", -2)]),
        # faults that are over, critics answered
        ("störung behoben", [("störung", -2 * SOLVED), ("behoben", 1.5)]),
        ("aufregung übertrieben", [("aufregung", -0.5 * DEFENDED), ("übertrieben", 1)]),
        # mockery
        ("super, störung", [("super", -1), ("störung", -2)]),
        ("super wieder störung", [("super", -1), ("störung", -2)]),
        ("super hilfe bei der störung", [("super", 2), ("störung", -2)]),
        ("toller laden, danke 🙄", [("toller laden", -1), ("danke", -1), ("🙄", -2)]),
        ("👏 störung", [("👏", -0.5), ("störung", -2)]),
        ("👏 perfekt", [("👏", 1), ("perfekt…", 3)]),
        ("", []),
    ],
)
def test_what_words_weigh_in_their_scope(text, expected):
    assert weights(text) == expected


def test_topics_come_most_named_first_and_once():
    tone = weigh(tokenise(fold("Rechnung, Hotline, Rechnung, App")), DICTIONARY)
    assert tone.topics == ("billing", "service", "product")


def test_sums_and_insults():
    tone = weigh(tokenise(fold("gut, schlecht, ihr idioten und trottel")), DICTIONARY)
    assert tone.positive == 1.5
    assert tone.negative == 8
    assert tone.insult == pytest.approx(1 - 0.2 * 0.2)
    assert not tone.defends
