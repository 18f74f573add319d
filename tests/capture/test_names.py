"""Files of names: what a line means, and what it adds to a query."""

from __future__ import annotations

import pytest

from brandmelder.capture.match import Matcher
from brandmelder.capture.names import read_names, widened
from brandmelder.errors import QueryError


def matches(text: str, query: str, aliases=(), exclusions=()) -> bool:
    return Matcher({"m": widened(query, aliases=aliases, exclusions=exclusions)}).monitors([text]) == [("m",)]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("nordfunk", "nordfunk"),
        ("  Nord Funk  ", '"Nord Funk"'),
        ("Nord Funk # so heißt die Tochter", '"Nord Funk"'),
        ("#nordfunk", "#nordfunk"),
        ("@nord_funk", "@nord_funk"),
        ("nordfunk*", "nordfunk*"),
        ("nord NEAR/3 funk", "nord NEAR/3 funk"),
        ("(nord OR süd) funk", "(nord OR süd) funk"),
        ("Nord-Funk GmbH & Co. KG", '"Nord-Funk GmbH & Co. KG"'),
    ],
)
def test_a_line_is_a_name_or_a_query(line, meant):
    assert list(read_names(f"\ufeff# Namen\n\n{line}\n")) == [(3, meant)]


def test_a_line_that_means_nothing_is_told_with_its_number():
    (first, good), (second, bad) = read_names('nordfunk\n\n"nord funk')
    assert (first, good, second) == (1, "nordfunk", 3)
    assert isinstance(bad, QueryError)
    assert bad.column == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nordfunk", True),
        ("Nord Funk", True),
        ("#nf", True),
        ("nordfunk Nordlicht", False),
        ("#nf Nordlicht", False),
        ("Nordlicht", False),
    ],
)
def test_aliases_are_looked_for_too_and_exclusions_left_out(text, expected):
    assert matches(text, "nordfunk", ['"nord funk"', "#nf"], ["nordlicht"]) is expected


def test_aliases_stand_beside_the_whole_query():
    assert matches("süd", "nord funk", ["süd"])
    assert not matches("nord", "nord funk", ["süd"])
    assert not matches("süd x", "nord -x", ["süd"], ["x"])


def test_exclusions_are_taken_from_everything():
    assert matches("irgendwas", "*", (), ["nordlicht"])
    assert not matches("nordlicht", "*", (), ["nordlicht"])
    assert not matches("nordlicht", "* -a", (), ["nordlicht"])
    assert matches("irgendwas", "*")


def test_everything_is_no_name():
    with pytest.raises(QueryError, match="no name"):
        widened("nordfunk", aliases=["*"])
