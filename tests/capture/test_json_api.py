"""Answers in JSON as services really send them: one post must not hide all others."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct

from brandmelder.capture.json_api import decoded, read_json
from brandmelder.capture.source import Answer
from brandmelder.errors import ShapeChanged
from brandmelder.model import SourceId


class Post(Struct):
    id: int
    text: str = ""


def answer(body: bytes) -> Answer:
    return Answer(url="https://x.example/", status=200, headers={"content-type": "application/json"}, body=body)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'[{"id":1,"text":"ok"},{"id":2,"text":"halb \ud83d"}]', "halb \ufffd"),
        (rb'[{"id":1,"text":"ok"},{"id":2,"text":"\ude00 hinten"}]', "\ufffd hinten"),
        (rb'[{"id":1,"text":"ok"},{"id":2,"text":"\ud83d\ude00 ganz \ud83d\ud83d\ude00"}]', "😀 ganz \ufffd😀"),
        (rb'[{"id":1,"text":"ok"},{"id":2,"text":"\\ud83d \udc00"}]', "\\ud83d \ufffd"),
        (b'[{"id":1,"text":"ok"},{"id":2,"text":"cut \xf0\x9f"}]', "cut \ufffd"),
    ],
)
@pytest.mark.parametrize("shape", [list[Post], Any])
def test_half_a_character_in_one_post_hides_no_other(body, text, shape):
    first, second = read_json(answer(body), shape, source=SourceId("one"), service="a forum")
    told = [one if isinstance(one, dict) else {"id": one.id, "text": one.text} for one in (first, second)]
    assert told == [{"id": 1, "text": "ok"}, {"id": 2, "text": text}]


@pytest.mark.parametrize("body", [b"[", b'["\xff', b'["a\x00b"]', b"", b'["\\ud83d', b'["\\ud8zz"]'])
def test_what_is_no_json_stays_none(body):
    with pytest.raises(ShapeChanged):
        read_json(answer(body), Any, source=SourceId("one"), service="a forum")


def test_a_whole_answer_is_read_as_it_stands():
    assert decoded(b'{"id": "7", "text": "\\ud83d\\ude00"}', Post, strict=False) == Post(7, "😀")


class Whole(Struct):
    posts: list[Post]
    after: str = ""


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b'{"posts": [{"id": 1, "text": null}, {"id": 2, "text": "b"}], "after": null}', ["", "b"]),
        (b'{"posts": [null, {"id": 2, "text": "b"}]}', ["b"]),
    ],
)
def test_null_is_as_good_as_nothing(body, texts):
    found = read_json(answer(body), Whole, source=SourceId("one"), service="a forum")
    assert ([one.text for one in found.posts], found.after) == (texts, "")


def test_what_is_needed_and_null_says_where_it_is_missing():
    with pytest.raises(ShapeChanged, match=r"got `null` - at `\$.posts\[0\].id`"):
        read_json(answer(b'{"posts": [{"id": null}]}'), Whole, source=SourceId("one"), service="a forum")
