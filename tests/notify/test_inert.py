import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.notify.inert import inert, visible


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("ganz normal, ß & ü", "ganz normal, ß & ü"),
        ("  zwei\n\nZeilen\tund \u2028 mehr ", "zwei Zeilen und mehr"),
        ("\x1b[31mrot\x1b[0m", "[31mrot[0m"),
        ("C1: \x9b31m", "C1: 31m"),
        ("um\u202egedreht\u2069", "umgedreht"),
        ("un\u200bsicht\u200dbar\ufeff", "unsichtbar"),
        ("halb\ud800", "halb"),
        ("u\u0308", "ü"),
        ("Z" + "\u0336" * 40, "Z\u0336\u0336\u0336"),
        ("", ""),
    ],
)
def test_foreign_text_is_made_harmless(text, harmless):
    assert inert(text, 100) == harmless


@pytest.mark.parametrize(("limit", "cut"), [(10, "abcdefghi…"), (1, "…"), (26, "abcdefghijklmnopqrstuvwxyz")])
def test_what_is_too_long_is_cut_with_an_ellipsis(limit, cut):
    assert inert("abcdefghijklmnopqrstuvwxyz", limit) == cut


@given(st.text(), st.integers(1, 60))
def test_nothing_unseen_is_left_and_nothing_is_longer_than_asked(text, limit):
    harmless = inert(text, limit)
    assert len(harmless) <= limit
    assert not {unicodedata.category(character) for character in harmless} & {"Cc", "Cf", "Cs", "Co"}
    assert harmless == " ".join(harmless.split())


def test_a_megabyte_is_not_walked_through():
    assert len(inert("x" * 1_000_000, 220)) == 220


def test_breaks_become_blanks_and_blanks_stay():
    assert visible("a  b\nc\x1b") == "a  b c"
