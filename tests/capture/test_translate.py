"""What platforms are asked for: never less than the query takes."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brandmelder.capture.match import Matcher
from brandmelder.capture.query import parse
from brandmelder.capture.sources.bluesky import BlueskyOptions
from brandmelder.capture.sources.hackernews import HackerNewsOptions
from brandmelder.capture.sources.x import XOptions
from brandmelder.capture.translate import Untranslatable, for_phrases, for_x, matched_here, positive, spellings, wanted
from brandmelder.capture.tree import Word
from brandmelder.model import MonitorId
from brandmelder.options import Secret
from capture.test_match import SEPARATORS, TREES, has_anchor, written

ONE = MonitorId("one")


# ------------------------------------------------- X as its documentation has it


class XPlays:
    """A search in X's syntax over one text: words split at signs, letters as they are, case aside."""

    def __init__(self, query: str) -> None:
        self.tokens = re.findall(r'"[^"]*"|[()]|[^\s()"]+', query)

    def finds(self, text: str) -> bool:
        self.text = unicodedata.normalize("NFC", text).lower()
        self.words = re.findall(r"[^\W_]+", self.text)
        self.at = 0
        found = self._both()
        assert self.at == len(self.tokens), "the query is not read to its end"
        return found

    def _both(self) -> bool:
        found = self._either()
        while self.at < len(self.tokens) and self.tokens[self.at] != ")":
            found = self._either() and found
        return found

    def _either(self) -> bool:
        found = self._one()
        while self.at < len(self.tokens) and self.tokens[self.at] == "OR":
            self.at += 1
            found = self._one() or found
        return found

    def _one(self) -> bool:
        token = self.tokens[self.at]
        self.at += 1
        if token == "(":
            found = self._both()
            assert self.tokens[self.at] == ")"
            self.at += 1
            return found
        if token == "-is:retweet":
            return True
        return holds(token, self.text, self.words)


def holds(asked: str, text: str, words: list[str]) -> bool:
    """Whether a word, a phrase or a tag stands in a text."""
    asked = asked.strip('"').lower()
    if asked[0] in "#@":
        return re.search(rf"{re.escape(asked)}(?![^\W_])", text) is not None
    row = re.findall(r"[^\W_]+", asked)
    return any(words[at : at + len(row)] == row for at in range(len(words))) if row else True


def takes(query: str, text: str) -> bool:
    return Matcher({ONE: query}).monitors([text]) == [(ONE,)]


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("nordfunk", "nordfunk"),
        ('nordfunk OR "nord funk" OR #nordfunk', '(nordfunk OR "nord funk" OR #nordfunk)'),
        ("nordfunk störung -werbung language:de", "nordfunk (stoerung OR störung)"),
        ("(nordfunk OR nofu) (ausfall OR störung)", "(nordfunk OR nofu) (ausfall OR stoerung OR störung)"),
        ("nordfunk NEAR/5 (netz OR leitung)", "nordfunk (netz OR leitung)"),
        ("nordfunk ausfäll*", "nordfunk"),
        ("1&1", '"1&1"'),
        ('"straße nord*"', "(strasse OR straße)"),
        ("a OR (b c)", "(a OR (b c))"),
    ],
)
def test_a_query_and_what_x_is_asked(query, asked):
    assert for_x(wanted([parse(query).tree])) == asked


def test_several_monitors_are_one_question():
    assert for_x(wanted([parse("nordfunk").tree, parse("nofu OR nordfunk").tree])) == "(nordfunk OR nofu)"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("*", "asks for everything"),
        ("nordf*", "no whole word"),
        ("author:anna", "no whole word"),
        ("a OR bc*", "no"),
    ],
)
def test_what_no_search_can_be_asked_for_says_so(query, why):
    with pytest.raises(Untranslatable, match=why):
        wanted([parse(query).tree])


def test_what_is_matched_here_is_named():
    query = "(nordfunk* OR nofu) -stellenanzeige language:de (a NEAR/3 b)"
    assert matched_here([parse(query).tree]) == ("nordfunk*", "-stellenanzeige", "language:de", "(a) NEAR/3 (b)")
    assert matched_here([parse('nordfunk OR "nord funk"').tree]) == ()


def test_each_platform_is_asked_in_its_own_way():
    trees = [parse('nordfunk (störung OR "kein netz")').tree]
    x = XOptions(type="x", token=Secret("t")).asking(trees)
    assert x.query == 'nordfunk (stoerung OR störung OR "kein netz") -is:retweet'
    sky = BlueskyOptions(type="bluesky", handle="a.example", app_password=Secret("p")).asking(trees)
    assert sky.searches == ("nordfunk",)
    assert HackerNewsOptions(type="hackernews").asking(trees).words == ("nordfunk",)
    own = XOptions(type="x", token=Secret("t"), query="mine")
    assert own.asking(trees) is own


def test_too_much_for_a_platform_is_said():
    many = " OR ".join(f"wort{number}" for number in range(80))
    with pytest.raises(ValueError, match="characters and X takes 512; write query"):
        XOptions(type="x", token=Secret("t")).asking([parse(many).tree])
    with pytest.raises(ValueError, match="80 searches and 5 are asked at most; write searches"):
        BlueskyOptions(type="bluesky", handle="a.example", app_password=Secret("p")).asking([parse(many).tree])


def test_umlauts_are_asked_for_in_both_spellings():
    assert set(spellings(Word("stoerung"))) == {"stoerung", "störung"}
    assert set(spellings(Word("strasse"))) == {"strasse", "straße"}
    assert len(spellings(Word("aeoeuessaeoe"))) > 8
    assert positive(Word("aeoeuessaeoe")) is None


# ------------------------------------------------------------------ properties

SPELT = ["nord", "funk", "Störung", "STOERUNG", "störung", "straße", "Strasse", "a", "über", "#funk", "@nord", "1&1"]
TEXTS = st.lists(st.tuples(st.sampled_from(SPELT), st.sampled_from(SEPARATORS)), max_size=6).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(TREES.filter(has_anchor), st.lists(TEXTS, min_size=1, max_size=4))
def test_what_the_query_takes_is_among_what_the_platform_brings(tree, texts):
    query = written(tree)
    try:
        node = wanted([parse(query).tree])
    except Untranslatable:
        return
    asked, phrases = XPlays(for_x(node)), for_phrases(node)
    for text in texts:
        if takes(query, text):
            assert asked.finds(text), f"{query!r} takes {text!r}, {for_x(node)!r} does not bring it"
            lower = unicodedata.normalize("NFC", text).lower()
            assert any(holds(one, lower, re.findall(r"[^\W_]+", lower)) for one in phrases)
