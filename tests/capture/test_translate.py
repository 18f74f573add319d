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
from brandmelder.capture.sources.mastodon import MastodonOptions
from brandmelder.capture.sources.reddit import RedditOptions
from brandmelder.capture.sources.x import XOptions
from brandmelder.capture.sources.youtube import YouTubeOptions
from brandmelder.capture.translate import (
    Untranslatable,
    for_phrases,
    for_reddit,
    for_x,
    for_youtube,
    matched_here,
    positive,
    spellings,
    wanted,
)
from brandmelder.capture.tree import Word
from brandmelder.model import MonitorId
from brandmelder.options import Secret
from capture.test_match import SEPARATORS, TREES, has_anchor, written

ONE = MonitorId("one")
MASTODON = MastodonOptions(type="mastodon", url="https://social.example", token=Secret("t"))


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


class RedditPlays:
    """A search in Reddit's syntax over one post: AND and OR between brackets, phrases, letters alone."""

    def __init__(self, query: str) -> None:
        self.tokens = re.findall(r'"[^"]*"|[()]|[^\s()"]+', query)

    def finds(self, text: str) -> bool:
        self.words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).lower())
        self.at = 0
        found = self._chain()
        assert self.at == len(self.tokens), "the query is not read to its end"
        return found

    def _chain(self) -> bool:
        found, kinds = self._one(), set()
        while self.at < len(self.tokens) and self.tokens[self.at] in {"AND", "OR"}:
            kinds.add(self.tokens[self.at])
            self.at += 1
            other = self._one()
            found = found and other if kinds == {"AND"} else found or other
        assert len(kinds) <= 1, "and and or without brackets mean different things in different places"
        return found

    def _one(self) -> bool:
        token = self.tokens[self.at]
        self.at += 1
        if token != "(":
            assert token[0] not in "#@"
            return holds(token, "", self.words)
        found = self._chain()
        assert self.tokens[self.at] == ")"
        self.at += 1
        return found


def youtube_finds(query: str, text: str) -> bool:
    """A search in YouTube's syntax: words or phrases, of which one must stand there."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).lower())
    parts = query.split("|")
    assert all(re.fullmatch(r'"[^"|]+"|\w+', part) for part in parts), query
    return any(holds(part, "", words) for part in parts)


def mastodon_brings(options: MastodonOptions, text: str) -> bool:
    """A tag timeline holds what is tagged, whatever its case; a search finds words, accents folded."""
    lower = unicodedata.normalize("NFC", text).lower()
    if any(holds(f"#{tag}", lower, []) for tag in options.tags):
        return True
    words = [without_accents(one) for one in re.findall(r"[^\W_]+", lower)]
    return any(holds(without_accents(one), "", words) for one in options.searches)


def without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


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


def test_what_the_others_are_asked():
    trees = [parse('nordfunk (störung OR "kein netz" OR #ausfall)').tree]
    reddit = RedditOptions(type="reddit", client_id=Secret("i"), client_secret=Secret("s"), user_agent="server:x:1 (y)")
    assert reddit.asking(trees).search == '(nordfunk AND ((stoerung OR störung) OR "kein netz" OR ausfall))'
    assert reddit.model_copy(update={"subreddits": ("de",)}).asking(trees).search == ""
    youtube = YouTubeOptions(type="youtube", api_key=Secret("k"), every="30m")
    assert youtube.asking([parse('nordfunk OR "nord funk" OR #nofu').tree]).search == 'nordfunk|"nord funk"|nofu'
    assert youtube.model_copy(update={"search": "mine"}).asking(trees).search == "mine"


def test_a_mastodon_server_is_asked_for_tags_and_searched_for_words():
    trees = [parse('#nordfunk OR "kein netz" OR @nordfunk OR störung').tree]
    asked = MASTODON.asking(trees)
    assert asked.tags == ("nordfunk",)
    assert asked.searches == ('"kein netz"', "nordfunk", "stoerung", "störung")
    assert MASTODON.model_copy(update={"tags": ("mine",)}).asking(trees).searches == ()
    only_tags = MastodonOptions(type="mastodon", url="https://social.example").asking([parse("#nordfunk").tree])
    assert (only_tags.tags, only_tags.searches) == (("nordfunk",), ())


@pytest.mark.parametrize(
    ("options", "query", "why"),
    [
        (lambda: MastodonOptions(type="mastodon", url="https://a.example"), "nordfunk", "tags do not hold; add token"),
        (lambda: MASTODON, "the", "nothing that a server's search knows"),
        (lambda: MASTODON, " OR ".join(f"wort{n}" for n in range(6)), "0 tags and 6 searches, and 8 and 5 are asked"),
        (
            lambda: YouTubeOptions(type="youtube", api_key=Secret("k"), every="30m"),
            "nord*",
            "write channel, videos, or",
        ),
        (lambda: YouTubeOptions(type="youtube", api_key=Secret("k")), "nordfunk", "write every: 15m or more"),
        (
            lambda: MastodonOptions(type="mastodon", url="https://a.example", searches=("nordfunk",)),
            "nordfunk",
            "wants to know who asks",
        ),
    ],
)
def test_what_a_platform_cannot_be_asked_is_refused_with_what_to_do(options, query, why):
    with pytest.raises(ValueError, match=why):
        options().asking([parse(query).tree])


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
            assert RedditPlays(for_reddit(node)).finds(text), f"{query!r} takes {text!r}, {for_reddit(node)!r} not"
            assert youtube_finds(for_youtube(node), text), f"{query!r} takes {text!r}, {for_youtube(node)!r} not"


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(TREES.filter(has_anchor), st.lists(TEXTS, min_size=1, max_size=4))
def test_what_the_query_takes_is_among_what_a_mastodon_server_brings(tree, texts):
    query = written(tree)
    try:
        options = MASTODON.asking([parse(query).tree])
    except ValueError:
        return
    for text in texts:
        if takes(query, text):
            assert mastodon_brings(options, text), f"{query!r} takes {text!r}, {options.tags} {options.searches} do not"
