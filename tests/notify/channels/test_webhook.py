"""Signed events, verified by the specification's own library."""

import base64
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from brandmelder.capture.http import HttpClient
from brandmelder.model import ChannelId, DeliveryKind, Form
from brandmelder.notify.channels.webhook import WebhookNotifier
from brandmelder.notify.channels.webhook_options import WebhookOptions
from brandmelder.notify.notifier import Found, NotDelivered, RefusedForm, RefusedPlace, Sent, Tools, Unclear
from brandmelder.options import Secret
from notify.channels.samples import ALERT, a_subject
from peers.receiver import Answer, Receiver

SECRET, FORMER = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/reference/webhook.schema.json").read_text("utf-8"))
KEY = "NF-2026-042:open:hook"
TOLD = replace(ALERT, subject=a_subject())


def verified(request, *secrets):
    """The payload, if one of the secrets verifies it as a receiver would; raises WebhookVerificationError."""
    seen = [Webhook(secret).verify(request.body, request.headers) for secret in secrets]
    jsonschema.validate(seen[0], SCHEMA)
    return seen[0]


@asynccontextmanager
async def scene(*answers, **fields):
    async with Receiver() as peer:
        peer.plan(*answers)
        options = WebhookOptions(
            type="webhook", url=f"{peer.url}/brand", allow_private=True, **({"secret": Secret(SECRET)} | fields)
        )
        client = HttpClient()
        tools = Tools(exchange=client.exchange(allow_private=True), now=lambda: datetime.now(UTC))
        yield peer, WebhookNotifier(ChannelId("hook"), options, tools)
        await client.close()


async def push(notifier, message=TOLD, *, key=KEY, form=Form.FULL):
    return await notifier.push(message, key=key, thread=None, form=form)


async def test_an_event_is_signed_and_its_identifier_is_the_key():
    async with scene() as (peer, notifier):
        outcome = await push(notifier)
        (request,) = peer.requests
        seen = verified(request, SECRET)
        assert outcome == Sent(f"{KEY}:{int(TOLD.subject.opened_at.timestamp())}")
        assert request.headers["webhook-id"] == outcome.ref
        assert (request.method, request.path) == ("POST", "/brand")
        assert (seen["type"], seen["data"]["key"], seen["data"]["incident"]) == ("alert.opened", KEY, "NF-2026-042")
        assert seen["data"]["figures"]["observed"] == 38
        assert seen["data"]["quotes"][0]["text"] == "Seit Stunden kein Netz."


async def test_a_changed_byte_a_changed_identifier_and_an_old_moment_are_noticed():
    async with scene() as (peer, notifier):
        await push(notifier)
        (request,) = peer.requests
        old = str(int((datetime.now(UTC) - timedelta(minutes=6)).timestamp()))
        for change in ({"webhook-id": "other"}, {"webhook-timestamp": old}):
            with pytest.raises(WebhookVerificationError):
                Webhook(SECRET).verify(request.body, request.headers | change)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(request.body.replace(b"38", b"39"), request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(FORMER).verify(request.body, request.headers)


async def test_while_the_secret_is_changed_both_verify():
    async with scene(former_secret=Secret(FORMER)) as (peer, notifier):
        await push(notifier)
        assert verified(peer.requests[0], SECRET, FORMER)


async def test_each_of_several_secrets_signs():
    async with scene(secret=Secret(f"{SECRET}\n{FORMER}\n")) as (peer, notifier):
        await push(notifier)
        assert verified(peer.requests[0], SECRET, FORMER)
        assert len(peer.requests[0].headers["webhook-signature"].split()) == 2


async def test_the_same_event_sent_again_has_the_same_identifier():
    async with scene(Answer(503)) as (peer, notifier):
        assert isinstance(await push(notifier), Unclear)
        assert isinstance(await push(notifier), Sent)
        first, second = peer.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize("kind", DeliveryKind)
async def test_every_kind_of_delivery_has_a_type_that_the_schema_knows(kind):
    async with scene() as (peer, notifier):
        await notifier.update("ref", replace(TOLD, subject=a_subject(kind=kind)), key="k", form=Form.FULL)
        assert verified(peer.requests[0], SECRET)["type"].startswith(("alert.", "notice", "test"))


async def test_a_message_about_no_incident_is_a_notice_and_the_lesser_form_is_short():
    async with scene() as (peer, notifier):
        await push(notifier, ALERT, form=Form.PLAIN)
        seen = verified(peer.requests[0], SECRET)
        assert (seen["type"], seen["data"]["figures"], seen["data"]["facts"]) == ("notice", None, [])
        assert seen["data"]["text"] == ALERT.lock_screen


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(204), Sent),
        (Answer(429, headers={"Retry-After": "9"}), NotDelivered),
        (Answer(413), RefusedForm),
        (Answer(410), RefusedPlace),
        (Answer(308, headers={"Location": "https://other.example/"}), RefusedPlace),
        (Answer(500), Unclear),
        (Answer(broken="reset"), Unclear),
    ],
)
async def test_what_an_answer_means(answer, kind):
    async with scene(answer) as (_, notifier):
        assert type(await push(notifier)) is kind


async def test_nothing_is_looked_for_and_nothing_taken_back():
    async with scene() as (peer, notifier):
        assert await notifier.find(KEY, since=datetime.now(UTC), thread=None) == Found(())
        assert await notifier.delete("ref") == Sent("ref")
        assert list(await notifier.check()) == []
        assert peer.requests == []
        await notifier.close()


@pytest.mark.parametrize(
    "bad",
    [
        {"secret": Secret("whsec_AAAA")},
        {"secret": Secret("not base64")},
        {"former_secret": Secret("")},
        {"url": "http://hooks.example.org/a"},
        {"url": "https://user:pass@hooks.example.org/a"},
        {"url": "hooks.example.org"},
    ],
)
def test_options_that_cannot_be_meant_are_refused_without_showing_a_secret(bad):
    fields = {"url": "https://hooks.example.org/a", "secret": Secret(SECRET)} | bad
    with pytest.raises(ValidationError) as caught:
        WebhookOptions(type="webhook", **fields)
    assert "AAAA" not in str(caught.value)
