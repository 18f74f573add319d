"""Row by row: what an answer, or none, says about a message."""

import asyncio
import json
import ssl
from datetime import timedelta
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from brandmelder.notify.channels.slack_outcomes import FORM, PLACE, UNEDITABLE, outcome_of
from brandmelder.notify.notifier import NotDelivered, RefusedForm, RefusedPlace, Unclear, Uneditable

KEY = ConnectionKey("slack.example", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)


def answered(data, status=200, **headers):
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="https://slack.example/api/chat.postMessage",
        req_args={},
        data=data,
        headers=headers,
        status_code=status,
    )
    return SlackApiError("failed", response)


def named(name, status=200):
    return answered({"ok": False, "error": name}, status)


NOT_DELIVERED = [
    aiohttp.ClientConnectorError(KEY, OSError(111, "refused")),
    aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "unknown name")),
    aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version")),
    aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("self-signed")),
    aiohttp.ClientProxyConnectionError(KEY, OSError(111, "refused")),
    aiohttp.ConnectionTimeoutError("no connection"),
]
UNCLEAR = [
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientOSError(104, "reset"),
    aiohttp.ClientPayloadError("cut"),
    aiohttp.SocketTimeoutError("no answer"),
    aiohttp.ServerTimeoutError("no answer"),
    TimeoutError(),
    AttributeError("'str' object has no attribute 'get'"),
    KeyError("channel"),
    json.JSONDecodeError("cut", "{", 1),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    aiohttp.TooManyRedirects(None, ()),
    answered({}, 503),
    answered({}, 500),
    answered({}, 408),
    answered({}, 200),
    answered({}, 404),
    answered("ok", 200),
    answered({"ok": False}, 200),
    answered({"ok": False, "error": 7}, 200),
    named("internal_error"),
    named("fatal_error"),
    named("service_unavailable"),
    named("something_new"),
    named("internal_error", 500),
    RuntimeError("anything else"),
]


@pytest.mark.parametrize("error", NOT_DELIVERED, ids=lambda error: type(error).__name__)
def test_what_never_connected_was_not_delivered(error):
    outcome = outcome_of(error)
    assert isinstance(outcome, NotDelivered)
    assert outcome.retry_after is None


@pytest.mark.parametrize(
    "error",
    [named("ratelimited"), named("rate_limited"), named("ratelimited", 429), answered({}, 429), named("x", 429)],
)
def test_being_asked_to_wait_is_not_delivered_and_says_how_long(error):
    assert outcome_of(error).retry_after == timedelta(seconds=30)
    error.response.headers["Retry-After"] = "7"
    assert outcome_of(error).retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("name", sorted(FORM))
def test_a_refused_form(name):
    assert isinstance(outcome_of(named(name)), RefusedForm)


@pytest.mark.parametrize(
    "name",
    [*sorted(PLACE), "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_locked"],
)
def test_a_refused_place(name):
    outcome = outcome_of(named(name))
    assert isinstance(outcome, RefusedPlace)
    assert name in outcome.reason


@pytest.mark.parametrize("name", sorted(UNEDITABLE))
def test_a_message_that_may_not_be_edited(name):
    outcome = outcome_of(named(name))
    assert isinstance(outcome, Uneditable)
    assert not outcome.is_gone


def test_a_message_that_is_gone():
    assert outcome_of(named("message_not_found")) == Uneditable("the message is gone", is_gone=True)


@pytest.mark.parametrize("error", UNCLEAR, ids=repr)
def test_anything_else_is_unclear(error):
    assert isinstance(outcome_of(error), Unclear)


def test_a_body_that_is_no_json_brings_the_response_of_aiohttp():
    raw = SimpleNamespace(status=429, headers={"Retry-After": "3"})
    assert outcome_of(SlackApiError("no JSON", raw)) == NotDelivered("Slack asks to wait: 429", timedelta(seconds=3))


def test_a_cancelled_attempt_has_no_outcome_here():
    assert not issubclass(asyncio.CancelledError, Exception)
