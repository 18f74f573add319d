"""When a token ends that says so itself, and what of a source's options ends first."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.capture.credentials import Grant, Token, end_of
from brandmelder.capture.source import Answer, Tools
from brandmelder.capture.sources.json import JsonOptions
from brandmelder.model import SourceId
from brandmelder.wiring.access import access_ends

END = datetime(2027, 2, 28, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def token(claims):
    parts = ({"alg": "HS256"}, claims)
    return ".".join([*(_part(json.dumps(one).encode()) for one in parts), "c2lnbmF0dXJl"])


def _part(text):
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def options(**more):
    fields = {"external_id": "id", "text": "text", "published_at": "at"}
    return JsonOptions(type="json", url="https://api.example/x", fields=fields, **more)


def test_a_token_that_names_its_end_is_read():
    assert end_of(token({"exp": END.timestamp(), "sub": "brandmelder"})) == END


@pytest.mark.parametrize(
    "text",
    ["", "opaque", "a.b.c", token({"sub": "x"}), token({"exp": "soon"}), token({"exp": 1e30}), "ghp_x.y", token([1])],
)
def test_a_token_that_names_none_tells_nothing(text):
    assert end_of(text) is None


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: f"x.{_part(raw)}.y"))
def test_whatever_stands_for_a_token_is_read_without_an_error(text):
    end_of(text)


def test_the_earliest_known_end_holds():
    assert access_ends(options(), BERLIN) is None
    assert access_ends(options(token=token({"exp": END.timestamp()})), BERLIN) == END
    written = options(token=token({"exp": END.timestamp()}), token_expires="2027-02-01")
    assert access_ends(written, BERLIN) == datetime(2027, 2, 1, tzinfo=BERLIN)


def test_a_day_that_is_none_is_refused_in_words():
    with pytest.raises(ValueError, match="is no day; write it as in 2027-02-28"):
        options(token_expires="soon")


@pytest.mark.parametrize("told", ["NaN", 1e300, 2**63, -5, 0, None])
async def test_a_life_without_sense_is_taken_for_an_hour(told):
    async def fetch(url, **_question):
        body = json.dumps({"access_token": "t", "expires_in": told}).encode()
        return Answer(url=url, status=200, headers={"content-type": "application/json"}, body=body)

    one = Token(SourceId("one"), Tools(fetch=fetch, parse_feed=None), "a service")
    assert await one.get(Grant(url="https://x.example/token", form=""), END) == "t"
    assert END + timedelta(minutes=30) < one._until < END + timedelta(hours=1)
