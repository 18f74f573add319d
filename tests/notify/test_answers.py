"""Row by row: what the answer of a web server, or none, says about a message."""

from datetime import timedelta

import pytest

from brandmelder.capture.source import Answer
from brandmelder.errors import Unanswered, Unsent
from brandmelder.notify.answers import refusal, retry_after, unheard
from brandmelder.notify.notifier import NotDelivered, RefusedForm, RefusedPlace, Unclear


def answered(status, **headers):
    return Answer(url="https://chat.example/", status=status, headers=headers, body=b"")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_refusal(status):
    assert refusal(answered(status), "chat") is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, RefusedForm) for status in (400, 413, 415, 422)),
        *((status, RefusedPlace) for status in (300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 410)),
        (429, NotDelivered),
        *((status, Unclear) for status in (100, 199, 402, 405, 406, 408, 409, 425, 451, 500, 502, 503, 504, 599, 999)),
    ],
)
def test_what_a_status_means(status, kind):
    outcome = refusal(answered(status), "chat")
    assert type(outcome) is kind
    assert str(status) in outcome.reason
    assert "chat" in outcome.reason


def test_being_asked_to_wait_says_how_long():
    assert refusal(answered(429, **{"retry-after": "7"}), "chat").retry_after == timedelta(seconds=7)
    assert refusal(answered(429), "chat").retry_after == timedelta(seconds=30)


def test_no_answer_at_all():
    assert isinstance(unheard(Unsent("no connection"), "chat"), NotDelivered)
    assert isinstance(unheard(Unsent("not public", is_final=True), "chat"), RefusedPlace)
    assert isinstance(unheard(Unanswered("reset"), "chat"), Unclear)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "12"}, 12),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": " 3 "}, 3),
        ({"Retry-After": "1000000000"}, 600),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "inf"}, 30),
        ({"Retry-After": "nan"}, 30),
        ({"Retry-After": "soon"}, 30),
        ({"Retry-After": ""}, 30),
        ({}, 30),
        ({"Retry-After": "Sun, 22 Nov 2026 20:15:40 GMT", "Date": "Sun, 22 Nov 2026 20:15:00 GMT"}, 40),
        ({"Retry-After": "Sun, 22 Nov 2026 20:15:40 GMT", "Date": "Sun, 22 Nov 2026 21:15:00 GMT"}, 0),
        ({"Retry-After": "Sun, 22 Nov 2026 20:15:40 GMT"}, 30),
        ({"Retry-After": "Sun, 22 Nov 2026 20:15:40 GMT", "Date": "Sun, 22 Nov 2026 20:15:00 -0000"}, 30),
    ],
)
def test_retry_after_is_a_number_or_a_date_or_thirty_seconds(headers, seconds):
    assert retry_after(headers) == timedelta(seconds=seconds)
