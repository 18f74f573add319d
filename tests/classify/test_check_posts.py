"""The posts a judge is checked with are none of those it learnt from, and every one of them has a label."""

import re
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench/judgement"
LABELLED = re.compile(r"[-o+] \S")


def lines(path):
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]


def letters(text):
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def choices(post):
    """Return the post as a pattern without blanks: {one|two} matches either."""
    parts = re.split(r"(\{[^{}]*\})", post)
    return "".join(
        f"(?:{'|'.join(map(squeezed, part[1:-1].split('|')))})" if part[:1] == "{" else squeezed(part) for part in parts
    )


def squeezed(text):
    return re.escape(letters(text).replace(" ", ""))


def test_a_post_with_choices_is_known_by_each_of_them():
    pattern = re.compile(choices("Na toll, {kein Netz|schon wieder}!"))
    assert pattern.fullmatch(letters("na toll kein netz").replace(" ", ""))
    assert not pattern.fullmatch(letters("na toll kein").replace(" ", ""))


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_post_is_both_learnt_from_and_checked_with(language):
    learnt = re.compile("|".join(choices(line[2:]) for line in lines(BENCH / f"posts/{language}.txt")))
    for name in (language, f"turns.{language}"):
        both = [
            line
            for line in lines(BENCH / f"check/{name}.txt")
            if len(letters(line[2:]).split()) > 2 and learnt.fullmatch(letters(line[2:]).replace(" ", ""))
        ]
        assert not both


@pytest.mark.parametrize("path", [*BENCH.glob("check/*.txt"), BENCH / "posts/de.txt", BENCH / "posts/en.txt"])
def test_every_post_has_a_label(path):
    assert all(LABELLED.match(line) for line in lines(path))
