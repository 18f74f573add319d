"""What every source tells becomes one shape, whatever a service puts into its fields."""

from __future__ import annotations

import pytest

from brandmelder.capture.mentions import Told, mention_of
from brandmelder.model import SourceId
from brandmelder.options import SourceOptions
from capture.conftest import NOW


def told(**fields):
    one = Told(**{"ident": "1", "text": "Nordfunk", "published": NOW} | fields)
    return mention_of(one, source=SourceId("one"), options=SourceOptions(type="test"), now=NOW)


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("de", "de"), ("DE", "de"), ("de-DE", "de"), ("de_AT", "de"), ("gsw", "gsw"), ("zh-Hant-TW", "zh"),
        ("", None), (None, None), ("und", None), ("Deutsch", None), ("mul", None),
        ("x" * 300, None), ("d", None), ("de\x00", None), ("дe", None),
    ],
)  # fmt: skip
def test_a_language_is_two_letters_or_three_whatever_its_region(said, language):
    assert told(language=said).language == language


@pytest.mark.parametrize(("said", "reach"), [(0, 0), (120, 120), (None, None), (-1, None), (2**63, None)])
def test_more_followers_than_people_are_none(said, reach):
    assert told(reach=said).reach == reach
