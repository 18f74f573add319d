from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.capture import match
from brandmelder.capture.folding import TOKEN, fold
from brandmelder.capture.match import Matcher, Particulars, parse
from brandmelder.capture.query import NESTING
from brandmelder.capture.tree import FieldName
from brandmelder.errors import QueryError

ANY_TEXT = st.text(st.characters(exclude_categories=()))


def matches(query: str, text: str) -> bool:
    return Matcher({"m": query}).monitors([text]) == [("m",)]


# ------------------------------------------------------------------ the language


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("nordfunk", "Nordfunk ist weg", True),
        ("nordfunk", "@nordfunk", True),
        ("nordfunk", "#nordfunk", True),
        ("nordfunk", "@nordfunk_hilft!", True),
        ("nordfunk", "der Nordfunk-Shop", True),
        ("nordfunk", "nordfunk.de/hilfe", True),
        ("nordfunk", "ein Nordfunker", False),
        ("nord\u00adfunk", "Nordfunk ist weg", True),
        ("\u200bnordfunk\ufeff", "Nordfunk ist weg", True),
        ("nord\u200dfunk", "Nordfunk ist weg", True),
        ('"nord\u00adfunk ausfall"', "Nordfunk Ausfall", True),
        ("sto\u0308rung", "St\u00f6rung", True),
        ("nordfunk", "Altnordfunk", False),
        ("nordfunk", "", False),
        ("nordfunk*", "ein Nordfunker", True),
        ("nordfunk*", "Nordfunk", True),
        ("nordfunk*", "Altnordfunk", False),
        ("#nordfunk", "Nordfunk", False),
        ("#nordfunk", "so ein #Nordfunk.", True),
        ("#nordfunk", "#nordfunkt", False),
        ("#nordfunk", "#nordfunk_nervt", False),
        ("#nordfunk*", "#nordfunk_nervt", True),
        ("#nordfunk", "https://x.example/a#nordfunk", False),
        ("#nord_funk", "#Nord_Funk", True),
        ("#störung", "#Stoerung", True),
        ("＃nordfunk", "#nordfunk", True),
        ("@nordfunk", "@nordfunk: Hilfe", True),
        ("@nordfunk", "nordfunk", False),
        ("@nordfunk", "info@nordfunk.de", False),
        ("@nordfunk.bsky.social", "@nordfunk.bsky.social wann?", True),
        ("Störung", "STÖRUNG", True),
        ("Störung", "Stoerung", True),
        ("stoerung", "Sto\u0308rung", True),
        ("Störung", "Storung", False),
        ("straße", "STRASSE", True),
        ("café", "Cafe", True),
        ("nordfunk", "𝗡𝗼𝗿𝗱𝗳𝘂𝗻𝗸", True),
        ("nordfunk", "Ｎordfunk", True),
        ("nordfunk", "Nordfunk™", True),
        ('"nord funk"', "Nord Funk", True),
        ('"nord funk"', "nord-funk", True),
        ('"nord funk"', "Funk im Nord", False),
        ('"nord funk"', "Nord und Funk", False),
        ('"nord funk"', "nord nord funk", True),
        ('"nord fun*"', "Nord Funker", True),
        ('"nor* funk"', "Norden Funk", True),
        ("„nord funk“", "Nord Funk", True),
        ("nord-funk", "Nord Funk", True),
        ("1&1", "ich bin bei 1&1", True),
        ("1&1", "ich bin bei 1 & 1", True),
        ("1&1", "es steht 1:1", False),
        ("nordfunk 😡", "Nordfunk😡😡", True),
        ("a b", "b a", True),
        ("a b", "a", False),
        ("a AND b", "b x a", True),
        ("a OR b", "b", True),
        ("a b OR c", "c", True),
        ("a (b OR c)", "c", False),
        ("a -b", "a", True),
        ("a -b", "a b", False),
        ("a –b", "a b", False),
        ("a NOT b", "a b", False),
        ("a -(b OR c)", "a c", False),
        ("a -(b c)", "a c", True),
        ("a -(b -c)", "a b c", True),
        ('a -"b c"', "a b x c", True),
        ("a -#b", "a b", True),
        ("a -#b", "a #b", False),
        ("NOT NOT a", "a", True),
        ("und or", "or und", True),
        ('a "UND"', "a und b", True),
        ("ORF", "der orf", True),
        ('(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige', "Stellenanzeige: Nordfunk sucht", False),
        ("a\n  OR\tb", "b", True),
        ("a NEAR/1 b", "a b", True),
        ("a NEAR/1 b", "b, a!", True),
        ("a NEAR/1 b", "a x b", False),
        ("a NEAR/2 b", "a x b", True),
        ("a NEAR/2 b", "b x a", True),
        ("a NEAR/3 a", "a", False),
        ("a NEAR/3 a", "a x a", True),
        ('nord NEAR/5 "nord funk"', "nord funk", False),
        ('nord NEAR/5 "nord funk"', "nord funk nord", True),
        ('"nord funk" NEAR/2 aus', "nord funk ist aus", True),
        ('"nord funk" NEAR/2 aus', "nord funk ist ganz aus", False),
        ("nordfunk NEAR/4 (störung OR ausfall)", "Ausfall, sagt Nordfunk", True),
        ("nordfunk NEAR/4 (störung OR ausf*)", "Ausfälle bei Nordfunk", True),
        ("(a OR b) NEAR/1 (c OR d)", "b x c", False),
        ("a NEAR/1 b NEAR/1 c", "a b c", True),
        ("a NEAR/1 b NEAR/1 c", "a b x c", False),
        ("a NEAR/2 b OR c", "c", True),
        ("a -b NEAR/1 c", "a b c", False),
        ("a -b NEAR/1 c", "a b x c", True),
        ("near/5", "near 5", True),
        ("https://nordfunk.de/x", "https://nordfunk.de/x", True),
    ],
)
def test_a_query_and_a_text(query, text, expected):
    assert matches(query, text) is expected


@pytest.mark.parametrize(
    ("query", "column", "message"),
    [
        ("", 1, "empty"),
        (" \n ", 1, "empty"),
        ("()", 1, "nothing in this group"),
        ("a ( )", 3, "nothing in this group"),
        ("(a OR b", 1, "never closed"),
        ("a (b (c)", 3, "never closed"),
        ("a OR b)", 7, "closes nothing"),
        (")", 1, "closes nothing"),
        ("a OR", 3, "after it"),
        ("(a OR) b", 4, "after it"),
        ("OR a", 1, "before it"),
        ("a AND OR b", 7, "before it"),
        ("a AND", 3, "after it"),
        ("NOT", 1, "after it"),
        ('a "b', 3, "quotation mark"),
        ("-a", 1, "nearly everything"),
        ("a OR -b", 6, "nearly everything"),
        ("NOT (a b)", 1, "nearly everything"),
        ("a - b", 3, "minus"),
        ("a …", 3, "to look for"),
        ('a ""', 3, "to look for"),
        ("a | b", 3, "write OR"),
        ("!a", 1, "write NOT"),
        ("a UND b", 3, "write AND"),
        ("a ODER b", 3, "write OR"),
        ("a NICHT b", 3, "write NOT"),
        ("from:anna", 1, "write author"),
        ("a quelle:blog", 3, "write source"),
        ("title:x", 1, "no field title"),
        ("a author:", 3, "needs a value"),
        ("author:ann*", 1, "pseudonyms"),
        ("language:deutsch", 1, "two letters"),
        ("url:a", 1, "three letters"),
        ("a reach>viel", 3, "a number"),
        ("a NEAR b", 3, "needs a distance"),
        ("a NEAR/0 b", 3, "needs a distance"),
        ("a NEAR/999 b", 3, "needs a distance"),
        ("a NEAR/3", 3, "after it"),
        ("NEAR/3 a", 1, "before it"),
        ("a NEAR/3 OR b", 10, "before it"),
        ("a NEAR/3 -b", 10, "what must not be"),
        ("a NEAR/3 #b", 3, "beside NEAR"),
        ("a NEAR/3 (b c)", 3, "beside NEAR"),
        ("a NEAR/3 author:anna", 3, "beside NEAR"),
        ("-author:anna", 1, "nearly everything"),
        ("a OR -reach>5", 6, "nearly everything"),
        ("nord*funk", 1, "end of a word"),
        ("a*", 1, "end of a word"),
        ("a * b", 3, "end of a word"),
        ("#nord-funk", 1, "tag or handle"),
        ("#", 1, "tag or handle"),
        ("(" * (NESTING + 1) + "a" + ")" * (NESTING + 1), NESTING + 1, "nested"),
    ],
)
def test_a_query_that_cannot_be_read_says_where_and_why(query, column, message):
    with pytest.raises(QueryError, match=message) as refused:
        parse(query)
    assert refused.value.column == column
    assert str(refused.value).endswith("\n  " + " " * (column - 1) + "^")


def test_a_query_too_long_is_refused():
    with pytest.raises(QueryError, match="longer"):
        parse("a " * 20_000)


PIECES = [*'ab(")-*#@&|! ORANDT„“😡.\n', " NEAR/2 ", "author:", "reach>", "url:", "1"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_every_query_is_read_or_refused_and_nothing_else_happens(query):
    column = 1
    try:
        Matcher({"m": query}).monitors(["a b", ""])
    except QueryError as refused:
        column = refused.column
    assert 1 <= column <= len(query) + 1


ANNA = Particulars(author="*anna", source="blog", language="de", url="https://www.Nordfunk.de/Hilfe?a=1", reach=10_000)
UNKNOWN = Particulars()


@pytest.mark.parametrize(
    ("query", "known", "expected"),
    [
        ("author:anna", ANNA, True),
        ("author:@anna", ANNA, True),
        ("author:ben", ANNA, False),
        ('a author:"anna"', ANNA, True),
        ("b author:anna", ANNA, False),
        ("a -author:anna", ANNA, False),
        ("author:anna", UNKNOWN, False),
        ("source:blog", ANNA, True),
        ("Source:blog", ANNA, True),
        ("source:x", ANNA, False),
        ("language:de", ANNA, True),
        ("language:DE", ANNA, True),
        ("language:en OR b", ANNA, False),
        ("url:nordfunk.de", ANNA, True),
        ("url:https://nordfunk.de/hilfe", ANNA, True),
        ("url:nordfunk.at", ANNA, False),
        ("url:nordfunk.de/störung", Particulars(url="https://nordfunk.de/St%C3%B6rung/7"), True),
        ("url:büro.example", Particulars(url="https://büro.example/"), True),
        ("url:nordfunk.de/st%C3%B6rung", Particulars(url="https://nordfunk.de/St%C3%B6rung/7"), True),
        ("reach>9999", ANNA, True),
        ("reach>10k", ANNA, False),
        ("reach>=10k", ANNA, True),
        ("reach:10000", ANNA, True),
        ("reach<10000", ANNA, False),
        ("reach<=10000", ANNA, True),
        ("reach=10000", ANNA, True),
        ("reach>5", UNKNOWN, False),
        ("a reach<5", UNKNOWN, False),
        ("a -reach>5", UNKNOWN, True),
        ("* -author:anna", ANNA, False),
        ("* -author:ben", ANNA, True),
        ("(author:anna OR reach>1m) language:de", ANNA, True),
    ],
)
def test_a_query_of_fields_and_a_mention(query, known, expected):
    matcher = Matcher({"m": query}, named=lambda name: f"*{name}")
    assert (matcher.monitors(["a"], [known]) == [("m",)]) is expected


def test_only_the_fields_that_some_query_asks_for_need_to_be_known():
    assert Matcher({"m": "a -language:en", "n": "b NEAR/2 c"}).asks_for == {FieldName.LANGUAGE}
    assert Matcher({"m": "*"}).asks_for == frozenset()


# ------------------------------------------------------------- many at once


def test_monitors_come_in_the_order_of_the_configuration_whatever_the_text():
    matcher = Matcher({"z": "nordfunk", "a": "störung", "m": "nordfunk störung", "n": "andere"})
    texts = ["Störung bei Nordfunk", "nichts", "", "Nordfunk"]
    assert matcher.monitors(texts) == [("z", "a", "m"), (), (), ("z",)]
    assert [matcher.monitors([text])[0] for text in texts] == matcher.monitors(texts)
    assert matcher.monitors([]) == []


def test_without_queries_nothing_matches():
    assert Matcher({}).monitors(["a", "b"]) == [(), ()]


def test_half_a_character_disturbs_no_other_text():
    matcher = Matcher({"m": "nord"})
    assert matcher.monitors(["\ud800", "Nord", "\udfff nord", "ä\ud800nord"]) == [(), ("m",), ("m",), ("m",)]


def test_a_text_that_holds_the_separator_disturbs_no_other():
    matcher = Matcher({"m": "nord", "p": '"nord funk"'})
    texts = ["nord", "x\n\x1e\nnord\n\x1e\nfunk", "\n\x1e\n", "funk", "nord"]
    assert matcher.monitors(texts) == [("m",), ("m", "p"), (), (), ("m",)]


@given(
    st.text(st.sampled_from("abé1ß_ -+&#😡"), max_size=30),
    st.text(st.sampled_from("abé1ß"), min_size=1, max_size=3),
)
def test_a_word_is_found_in_a_text_where_dividing_the_text_into_words_finds_it(text, word):
    assert match._stands_in(text, word) == (word in TOKEN.findall(text))


@given(st.lists(ANY_TEXT, max_size=5), ANY_TEXT)
def test_no_text_makes_it_raise_and_the_batch_makes_no_difference(texts, extra):
    matcher = Matcher({"m": "a", "p": '"a b"', "t": "#a", "x": "ab*"})
    together = matcher.monitors([*texts, extra, "a #a"])
    assert together == [matcher.monitors([text])[0] for text in [*texts, extra, "a #a"]]
    assert together[-1] == ("m", "t")


HOSTILE = [
    "a " * 32_768,
    "ab" * 32_768,
    "a b " * 16_384,
    "#a#" * 21_845,
    "ä" * 32_768,
    "a" * 65_536,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_costs_time_linear_in_its_length(text):
    queries = ["a", '"a a a a b"', "#a", '"ab* ab* ab* a"', "ab* -#a", "a NEAR/9 (b OR c)"]
    matcher = Matcher(dict(enumerate(queries)))
    before = time.perf_counter()
    matcher.monitors([text])
    assert time.perf_counter() - before < 1.0


@given(ANY_TEXT)
def test_folding_twice_changes_nothing_for_latin_text(text):
    latin = "".join(character for character in text if ord(character) < 0x250)
    assert fold(fold(latin)) == fold(latin)


# ---------------------------------------------------- against a naive evaluator

WORDS = ["nord", "funk", "Störung", "STROM", "aus", "nordfunk", "Nordfunker", "größe", "x1"]
SEPARATORS = [" ", "  ", "-", ", ", "_", "#", " #", " @", "", "\n", ". ", "/", "&"]


def naive(tree, text: str) -> bool:
    kind, *rest = tree
    match kind:
        case "and":
            return all(naive(part, text) for part in rest)
        case "or":
            return any(naive(part, text) for part in rest)
        case "not":
            return not naive(rest[0], text)
        case "near":
            return near(*rest, re.findall(r"[^\W_]+|[&+]", plain(text)))
        case _:
            return re.search(pattern(kind, rest), plain(text)) is not None


def near(distance, left, right, row) -> bool:
    """Try every pair of places."""

    def spans(words):
        wanted = list(map(plain, words))
        return [(at, at + len(words)) for at in range(len(row)) if row[at : at + len(words)] == wanted]

    return any(0 <= max(a, c) - min(b, d) < distance for a, b in spans(left) for c, d in spans(right))


def pattern(kind, words) -> str:
    if kind == "tag":
        return rf"(?<![\w&/])#{plain(words[0])}(?!\w)"
    between = r"(?:(?![&+])[\W_])+"
    end = "" if kind == "prefix" else r"(?![^\W_])"
    return rf"(?<![^\W_]){between.join(map(plain, words))}{end}"


def plain(text: str) -> str:
    for letter, pair in {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}.items():
        text = text.lower().replace(letter, pair)
    return text


def written(tree) -> str:
    kind, *rest = tree
    if kind == "near":
        distance, left, right = rest
        return '("{}" NEAR/{} "{}")'.format(" ".join(left), distance, " ".join(right))
    forms = {"not": "-{}", "word": "{}", "prefix": "{}*", "tag": "#{}", "and": "({})", "or": "({})", "phrase": '"{}"'}
    parts = rest if isinstance(rest[0], str) else list(map(written, rest))
    return forms[kind].format((" OR " if kind == "or" else " ").join(parts))


def has_anchor(tree, negated=False) -> bool:
    kind, *rest = tree
    if kind == "not":
        return has_anchor(rest[0], not negated)
    if kind in {"and", "or"}:
        needs_all = (kind == "or") != negated
        return (all if needs_all else any)(has_anchor(part, negated) for part in rest)
    return not negated


TERMS = st.one_of(
    st.tuples(st.just("word"), st.sampled_from(WORDS)),
    st.tuples(st.just("prefix"), st.sampled_from(WORDS)),
    st.tuples(st.just("tag"), st.sampled_from(WORDS)),
    st.tuples(st.just("phrase"), st.sampled_from(WORDS), st.sampled_from(WORDS)),
    st.tuples(
        st.just("near"),
        st.integers(1, 5),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=2),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=2),
    ),
)
TREES = st.recursive(
    TERMS,
    lambda part: st.one_of(
        st.tuples(st.just("and"), part, part),
        st.tuples(st.just("or"), part, part, part),
        st.tuples(st.just("not"), part),
    ),
    max_leaves=8,
)
TEXTS = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SEPARATORS)), max_size=8).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)


@settings(max_examples=300)
@given(TREES, st.lists(TEXTS, min_size=1, max_size=5))
def test_matching_agrees_with_a_naive_evaluator(tree, texts):
    if not has_anchor(tree):
        with pytest.raises(QueryError, match="nearly everything"):
            parse(written(tree))
        return
    found = Matcher({"m": written(tree)}).monitors(texts)
    assert found == [("m",) if naive(tree, text) else () for text in texts]


def random_tree(dice: random.Random, depth: int):
    terms, groups = ["word", "prefix", "tag", "phrase", "near"], ["near", "word", "phrase", "and", "or", "not", "and"]
    kind = dice.choice(groups if depth else terms)
    match kind:
        case "near":
            sides = [dice.choices(WORDS, k=dice.randint(1, 2)) for _ in range(2)]
            return (kind, dice.randint(1, 5), *sides)
        case "phrase":
            return (kind, *dice.choices(WORDS, k=dice.randint(2, 3)))
        case "and" | "or":
            return (kind, *(random_tree(dice, depth - 1) for _ in range(dice.randint(2, 4))))
        case "not":
            return (kind, random_tree(dice, depth - 1))
        case _:
            return (kind, dice.choice(WORDS))


def test_ten_thousand_queries_at_once_agree_with_a_naive_evaluator():
    dice = random.Random(7)
    trees = []
    while len(trees) < 10_000:
        tree = random_tree(dice, dice.randint(0, 3))
        if has_anchor(tree):
            trees.append(tree)
    pieces = [[dice.choice(WORDS) + dice.choice(SEPARATORS) for _ in range(dice.randint(0, 9))] for _ in range(12)]
    texts = ["".join(piece) for piece in pieces]
    found = Matcher({str(number): written(tree) for number, tree in enumerate(trees)}).monitors(texts)
    for text, monitors in zip(texts, found, strict=True):
        assert monitors == tuple(str(number) for number, tree in enumerate(trees) if naive(tree, text)), text


@pytest.mark.parametrize("query", ["*", " * ", "* -stellenanzeige", "* NOT (stellenanzeige OR praktikum)"])
def test_a_star_takes_everything_but_what_is_forbidden(query):
    texts = ["Seit drei Wochen kein Anschluss!", "Stellenanzeige: Technik in Husum", "", "🙂"]
    found = Matcher({"all": query, "brand": "nordfunk"}).monitors(texts)
    forbids = query.strip() != "*"
    assert found == [("all",), () if forbids else ("all",), ("all",), ("all",)]


@pytest.mark.parametrize("query", ["* -", "* (", "* OR", "* OR a"])
def test_what_follows_a_star_is_read_as_strictly(query):
    with pytest.raises(QueryError):
        parse(query)
