from __future__ import annotations

import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.settings.marks import Place, read_marked


def only_trouble(text):
    (trouble,) = read_marked(text).troubles
    return trouble


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", (1, 1), "empty"),
        ("# nothing but a comment\n", (1, 1), "empty"),
        ("a: 1\n\tb: 2\n", (2, 1), "a tab"),
        ("a: b: c\n", (1, 5), '": "'),
        ("a\nb: 1\n", (2, 2), "none may stand"),
        ('a: "x\nb: 1\n', (1, 4), "never closed"),
        ('a: 1\rb: "x\r', (2, 4), "never closed"),
        ('a: 1\u2028b: "x', (2, 4), "never closed"),
        ("a: 1\r\nb: \x07", (2, 4), "U+0007"),
        ("a: [1, 2\nb: 3\n", (2, 2), "not closed"),
        ("a: *x\n", (1, 4), "alias"),
        ("a: 1\n---\nb: 1\n", (2, 1), "second document"),
        ("a: @x\n", (1, 4), "may not begin"),
        ('a: "\\q"\n', (1, 6), "backslash"),
        ("a: 1\nb: 2\na: 3\n", (3, 1), 'the key "a" stands twice; the first is in line 1'),
        ("1: x\n", (1, 1), "a key is text"),
        ("? [a]\n: x\n", (1, 3), "a key is a word"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", (3, 3), "merge keys"),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "does not fit"),
        ("a: \x07\n", (1, 4), "U+0007"),
        ("a: !!python/object/apply:os.system [x]\n", (1, 4), "the tag"),
        ("a: !secret x\n", (1, 4), "the tag !secret"),
        ("[" * 5_000, (1, 1), "nested deeper"),
        ("a: " + "[" * 40 + "]" * 40, (1, 28), "nested deeper"),
        ("&a [*a]\n", (1, 1), "nested deeper"),
    ],
)
def test_a_broken_text_says_where_and_what(text, place, words):
    trouble = only_trouble(text)
    assert words in trouble.text
    assert trouble.place == Place(*place)


def test_an_expansion_bomb_is_refused_before_it_grows():
    layers = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"{name}: &{name} [{', '.join(['*' + chr(ord(name) - 1)] * 10)}]" for name in "bcdefgh"]
    marked = read_marked("\n".join(layers))
    assert marked.value is None
    assert "20,000 values" in marked.troubles[0].text


def test_an_alias_of_honest_size_is_read():
    assert read_marked("a: &x [1, 2]\nb: *x\n").value == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("0x10", "0x10"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("42", 42),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", "1e3"),
        ("007", "007"),
        ("2.5e3", 2500.0),
        ("=", "="),
        ("9" * 30, "9" * 30),
        ("'5'", "5"),
    ],
)
def test_words_that_look_like_something_else_stay_words(written, meant):
    assert read_marked(f"a: {written}\n").value == {"a": meant}


def test_every_key_and_value_knows_its_place():
    marked = read_marked("a:\n  - b: 1\n    cc: [x, 'y']\n")
    assert marked.key(("a", 0, "cc")) == Place(3, 5)
    assert marked.at(("a", 0, "cc", 1)) == Place(3, 13)
    assert marked.key(("a", 0, "missing")) == Place(2, 5)
    assert marked.key(("z",)) == Place(1, 1)
    assert marked.lines()[("a", 0, "b")] == 2


LONG = """\
q: >-
  (foo OR
   "nord funk")
  -baz
r: 'it''s x'
s: "a\\"b\\u00e4c"
t: foo
   bar
u: |
  one

  two
"""


@pytest.mark.parametrize(
    ("key", "character", "place"),
    [
        ("q", "-", (4, 3)),
        ("q", '"', (3, 4)),
        ("r", "x", (5, 11)),
        ("s", "c", (6, 15)),
        ("t", "b", (8, 4)),
        ("u", "w", (12, 4)),
    ],
)
def test_a_character_inside_a_text_is_found_in_the_file(key, character, place):
    marked = read_marked(LONG)
    assert marked.inside((key,), marked.value[key].index(character)) == Place(*place)


@pytest.mark.parametrize(("text", "place"), [("a: abc\n", (1, 7)), ("a: 'abc'\n", (1, 8)), ("a: ''\n", (1, 4))])
def test_the_place_behind_a_text_is_known_too(text, place):
    assert read_marked(text).inside(("a",), 3) == Place(*place)


def test_a_place_inside_something_that_is_no_text_is_where_it_begins():
    marked = read_marked("a: [1]\n")
    assert marked.inside(("a",), 3) == Place(1, 4)


def test_a_swallowed_hash_tag_is_noticed():
    marked = read_marked("q: nordfunk OR #nordfunk\nr: 'x' # said\ns: y\n")
    assert marked.comment_after(("q",)) == "#nordfunk"
    assert marked.comment_after(("r",)) == marked.comment_after(("s",)) == marked.comment_after(("none",)) == ""


@given(st.text(max_size=200))
def test_no_text_whatever_raises(text):
    marked = read_marked(text)
    assert (
        marked.troubles or marked.value is not None or not text.strip() or text.strip() in {"~", "null", "Null", "NULL"}
    )


WORDS = st.text(string.ascii_letters + string.digits + " äöüß\"'#:-{}[],&*!|>%@`\\\n", max_size=40)
KEYS = st.text(string.ascii_lowercase, min_size=1, max_size=8)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["one", "two", "three"]), TREES, min_size=1),
    st.sampled_from([None, '"', "'", "|", ">"]),
)
def test_what_yaml_writes_is_read_back_with_its_places(tree, style):
    text = yaml.safe_dump(tree, allow_unicode=True, default_style=style, width=30) if style else yaml.safe_dump(tree)
    marked = read_marked(text)
    assert not [trouble for trouble in marked.troubles if "tag" not in trouble.text]
    if style is None:
        assert marked.value == tree
    lines = text.split("\n")
    for path, line in marked.lines().items():
        if isinstance(path[-1], str) and not style:
            assert path[-1] in lines[line - 1]


@given(
    st.text(string.ascii_letters + " äöü'\"-#()", min_size=1, max_size=60), st.sampled_from(["'", '"', ">"]), st.data()
)
def test_each_character_stands_where_it_is_said_to_stand(text, style, data):
    written = yaml.safe_dump({"key": text}, allow_unicode=True, default_style=style, width=20)
    marked = read_marked(written)
    value = marked.value["key"]
    at = data.draw(st.integers(0, len(value) - 1))
    place = marked.inside(("key",), at)
    found = (written + "\n").split("\n")[place.line - 1]
    if value[at].isalpha():
        assert found[place.column - 1] in {value[at], "\\"}
