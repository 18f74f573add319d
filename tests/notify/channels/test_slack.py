"""The notifier through the real slack-sdk against the strict peer."""

import dataclasses
import logging
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from brandmelder.model import Form
from brandmelder.notify.channels.slack import POINTER
from brandmelder.notify.channels.slack_options import SlackOptions
from brandmelder.notify.channels.slack_outcomes import FORM, PLACE, UNEDITABLE
from brandmelder.notify.notifier import (
    Found,
    NotDelivered,
    RefusedForm,
    RefusedPlace,
    Sent,
    Unclear,
    Uneditable,
    Unreadable,
)
from notify.channels.samples import ALERT, VirtualClock, slack_notifier
from peers.slack import Fault, SlackPeer, Workspace

KEY = "NF-2026-042:open:crisis"
CHANNEL = "C0123456789"


class Scene:
    """A peer with a clock of its own, and the notifier that speaks to it."""

    def __init__(self, peer, notifier, clock):
        self.peer, self.notifier, self.clock = peer, notifier, clock
        self.workspace = peer.workspace

    async def push(self, message=ALERT, *, key=KEY, thread=None, form=Form.FULL):
        self.clock.advance(1)
        return await self.notifier.push(message, key=key, thread=thread, form=form)

    async def find(self, key=KEY, *, thread=None, back=120):
        since = self.clock.moment - timedelta(seconds=back)
        return await self.notifier.find(key, since=since, thread=thread)

    def asked(self, method):
        return [arguments for called, arguments in self.peer.api.requests if called == method]


@asynccontextmanager
async def scene(*, page=999, **options):
    clock = VirtualClock()
    async with SlackPeer(workspace=Workspace(clock=clock, page=page)) as peer:
        async with slack_notifier(options.pop("url", peer.url), **options) as notifier:
            yield Scene(peer, notifier, clock)
        assert peer.api.complaints == []


# ------------------------------------------------------------------------- push


async def test_an_alert_is_posted_with_a_key_by_which_it_is_found():
    async with scene() as here:
        outcome = await here.push()
        (seen,) = here.peer.visible()
        assert outcome == Sent(f"{CHANNEL}:{seen.ts}")
        assert seen.text == ALERT.lock_screen
        payload = dict(seen.metadata["event_payload"])
        assert seen.metadata["event_type"] == "brandmelder_alert"
        assert payload.pop("mac")
        assert payload == {"key": KEY, "incident": "NF-2026-042", "rev": 3, "schema": 1}
        assert await here.find() == Found((outcome.ref,))


async def test_nothing_unfurls_nothing_is_parsed_and_no_name_is_linked():
    async with scene() as here:
        await here.push()
        (asked,) = here.asked("chat.postMessage")
        assert (asked["unfurl_links"], asked["unfurl_media"], asked["parse"]) == (False, False, "none")
        assert "link_names" not in asked


async def test_the_plain_form_is_text_alone():
    async with scene() as here:
        await here.push(form=Form.PLAIN)
        (seen,) = here.peer.visible()
        assert seen.blocks == ()
        assert seen.text.startswith(ALERT.lock_screen)
        assert seen.key == KEY


@pytest.mark.parametrize("broadcast", [False, True])
async def test_news_goes_into_the_thread_and_to_the_channel_only_if_asked(broadcast):
    async with scene() as here:
        parent = await here.push()
        reply = await here.push(replace(ALERT, broadcast=broadcast), key="NF:thread:4:crisis", thread=parent.ref)
        seen = here.peer.visible()[1]
        assert (seen.thread_ts, seen.is_broadcast) == (parent.ref.split(":")[1], broadcast)
        assert await here.find("NF:thread:4:crisis", thread=parent.ref) == Found((reply.ref,))
        assert await here.find("NF:thread:4:crisis") == Found((reply.ref,) if broadcast else ())


async def test_an_alert_without_a_parent_never_asks_for_a_broadcast():
    async with scene() as here:
        assert isinstance(await here.push(replace(ALERT, broadcast=True)), Sent)


# --------------------------------------------- every row of what an outcome means


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/api/", "https://127.0.0.1:1/api/"])
async def test_a_refused_connection_was_not_delivered(url):
    async with scene(url=url) as here:
        assert isinstance(await here.push(), NotDelivered)


async def test_a_failed_handshake_was_not_delivered():
    async with SlackPeer() as peer, slack_notifier(peer.url.replace("http:", "https:")) as notifier:
        outcome = await notifier.push(ALERT, key=KEY, thread=None, form=Form.FULL)
        assert isinstance(outcome, NotDelivered)
        assert peer.visible() == ()


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault.limited("7"), 7),
        (Fault.limited("0.5"), 0.5),
        (Fault.limited("99999"), 600),
        (Fault.limited("soon"), 30),
        (Fault.limited(), 30),
        (Fault.named("ratelimited"), 30),
        (Fault(answer="status", status=429, headers=()), 30),
    ],
)
async def test_being_asked_to_wait_was_not_delivered(fault, seconds):
    async with scene() as here:
        here.peer.faults.plan("chat.postMessage", fault)
        outcome = await here.push()
        assert isinstance(outcome, NotDelivered)
        assert outcome.retry_after == timedelta(seconds=seconds)


async def test_the_channels_own_pace_is_such_a_wait():
    async with scene() as here:
        await here.push()
        here.clock.advance(-0.9)
        assert await here.push() == NotDelivered("Slack asks to wait: ratelimited", timedelta(seconds=1))


@pytest.mark.parametrize(
    ("names", "kind"), [(FORM, RefusedForm), (PLACE | {"restricted_action_x"}, RefusedPlace), (UNEDITABLE, Uneditable)]
)
async def test_refusals_by_name(names, kind):
    async with scene() as here:
        for name in sorted(names):
            here.peer.faults.plan("chat.postMessage", Fault.named(name))
            outcome = await here.push()
            assert isinstance(outcome, kind), name
            assert name in outcome.reason


BROKEN = ("close", "reset", "html", "plain", "cut", "short")
AMBIGUOUS = [
    *(Fault(answer=name, lands=lands) for name in BROKEN for lands in (False, True)),
    *(Fault(answer="status", status=status, lands=lands) for status in (500, 503, 408) for lands in (False, True)),
    Fault(answer="reset_early"),
    Fault(answer="list"),
    *(Fault.named(name) for name in ("internal_error", "fatal_error", "service_unavailable", "never_heard_of")),
]


@pytest.mark.parametrize("fault", AMBIGUOUS, ids=str)
async def test_anything_else_is_unclear_and_asked_once(fault):
    async with scene() as here:
        here.peer.faults.plan("chat.postMessage", fault)
        assert isinstance(await here.push(), Unclear)
        assert len(here.peer.visible()) == int(fault.lands)
        assert here.peer.faults.count == 1
        assert len(here.asked("chat.postMessage")) == int(fault.lands)
        assert len((await here.find()).refs) == int(fault.lands)


async def test_an_answer_that_does_not_come_is_unclear_within_the_deadline():
    async with scene(deadline=timedelta(seconds=0.2)) as here:
        here.peer.faults.plan("chat.postMessage", Fault(answer="slow", lands=True, seconds=0.6))
        assert isinstance(await here.push(), Unclear)
        assert len(here.peer.visible()) == 1


async def test_an_ok_that_names_no_place_is_unclear(monkeypatch):
    async with scene() as here:
        here.peer.api.workspace.stamp = lambda **_: None
        assert isinstance(await here.push(), Unclear)


# ------------------------------------------------------------------ find and sweep


async def test_a_key_is_found_on_every_page_oldest_first():
    async with scene(page=5) as here:
        refs = [(await here.push()).ref]
        for number in range(23):
            await here.push(key=f"NF-{number}:open:crisis")
        refs.append((await here.push()).ref)
        assert await here.find() == Found(tuple(refs))
        assert len(here.asked("conversations.history")) == 5


async def test_only_what_stands_since_then_is_found():
    async with scene() as here:
        await here.push()
        here.clock.advance(500)
        assert await here.find(back=400) == Found(())


async def test_other_bots_other_keys_people_and_forged_marks_are_no_hits():
    async with scene() as here:
        await here.push(key="NF-1:open:crisis")
        here.workspace.person_posts(KEY)
        await here.push()
        (_, _, ours) = here.peer.visible()
        forged = {"event_type": "brandmelder_alert", "event_payload": {"key": KEY, "mac": "0" * 32}}
        for change in (
            {"metadata": forged},
            {"bot_id": "B0OTHER"},
            {"metadata": None},
            {"metadata": {"event_type": "x"}},
        ):
            seen = {name: getattr(ours, name) for name in ours.__dataclass_fields__} | change
            here.workspace.put(type(ours)(**seen | {"ts": here.workspace.stamp()}))
        assert await here.find() == Found((f"{CHANNEL}:{ours.ts}",))


@pytest.mark.parametrize(
    "fault",
    [
        Fault.named("missing_scope"),
        Fault.limited("5"),
        Fault(answer="status"),
        Fault(answer="reset"),
        Fault(answer="cut"),
    ],
)
async def test_a_history_that_cannot_be_read_is_not_empty(fault):
    async with scene(page=2) as here:
        for number in range(4):
            await here.push(key=f"NF-{number}:open:crisis")
        here.peer.faults.plan("conversations.history", None, fault, fault)  # aiohttp itself asks again for a GET
        assert isinstance(await here.find(), Unreadable)


async def test_a_missing_scope_is_named():
    async with scene() as here:
        here.workspace.change_bot(scopes=frozenset({"chat:write"}))
        assert await here.find() == Unreadable("missing_scope channels:history")


async def test_a_thread_whose_parent_is_gone_cannot_be_read():
    async with scene() as here:
        assert await here.find(thread=f"{CHANNEL}:1.000000") == Unreadable("thread_not_found")


async def test_a_twin_is_deleted_and_deleting_it_twice_is_no_error():
    async with scene() as here:
        twin = (await here.push()).ref
        assert await here.notifier.delete(twin) == Sent(twin)
        assert here.peer.visible() == ()
        here.peer.faults.plan("conversations.replies", Fault.named("message_not_found"))
        assert await here.notifier.delete(twin) == Sent(twin)


async def test_a_twin_that_people_answered_becomes_a_pointer_without_a_key():
    async with scene() as here:
        twin = (await here.push()).ref
        here.workspace.person_posts("Ich kümmere mich.", thread_ts=twin.split(":")[1])
        assert await here.notifier.delete(twin) == Sent(twin)
        (pointer, reply) = here.peer.visible()
        assert (pointer.text, pointer.key, reply.text) == (POINTER, "", "Ich kümmere mich.")
        assert await here.find() == Found(())


# ------------------------------------------------------------------------- update


async def test_an_edit_replaces_text_and_blocks_and_keeps_the_key():
    async with scene() as here:
        alert = await here.push()
        calm = replace(ALERT, revision=4, emoji="🟢", headline="Nordfunk – beruhigt", lines=(), quotes=(), spark="")
        assert await here.notifier.update(alert.ref, calm, key="NF:resolve:4:crisis", form=Form.FULL) == alert
        (seen,) = here.peer.visible()
        assert (seen.text, seen.key, bool(seen.edited)) == ("🟢 Nordfunk – beruhigt", KEY, True)
        assert await here.find() == Found((alert.ref,))


async def test_a_full_edit_never_takes_the_last_rich_text_away():
    async with scene() as here:
        alert = await here.push()
        for left in ("sentence", "lines", "honest", "quotes"):
            bare = replace(
                ALERT, **{name: () for name in ("sentence", "lines", "honest", "quotes", "buttons") if name != left}
            )
            assert await here.notifier.update(alert.ref, bare, key="k", form=Form.FULL) == alert


async def test_an_edit_in_the_plain_form_of_a_rich_alert_becomes_a_reply():
    async with scene() as here:
        alert = await here.push()
        outcome = await here.notifier.update(alert.ref, ALERT, key="k", form=Form.PLAIN)
        assert isinstance(outcome, Uneditable)
        assert not outcome.is_gone


async def test_an_edit_of_what_a_person_deleted_says_so():
    async with scene() as here:
        alert = await here.push()
        here.workspace.person_deletes(alert.ref.split(":")[1])
        outcome = await here.notifier.update(alert.ref, ALERT, key="k", form=Form.FULL)
        assert outcome == Uneditable("the message is gone", is_gone=True)


async def test_an_edit_after_the_edit_window_says_so():
    async with scene() as here:
        alert = await here.push()
        here.workspace.edit_window = False
        assert isinstance(await here.notifier.update(alert.ref, ALERT, key="k", form=Form.FULL), Uneditable)


# -------------------------------------------------------------------------- check


async def test_a_channel_in_order_has_nothing_to_say():
    async with scene() as here:
        assert list(await here.notifier.check()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.change_bot(refused="token_revoked"), "the token was revoked"),
        (lambda w: w.change_bot(refused="invalid_auth"), "Slack does not know the token"),
        (lambda w: w.change_bot(refused="account_inactive"), "the app was removed from the workspace"),
        (lambda w: w.change_bot(refused="two_factor_setup_required"), "two_factor_setup_required"),
        (lambda w: w.channels.clear(), f"there is no channel {CHANNEL}"),
        (lambda w: w.channels[CHANNEL].members.clear(), "the app is not in #krise; write there: /invite @brandmelder"),
        (lambda w: setattr(w.channels[CHANNEL], "is_archived", True), "#krise is archived"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(change, said):
    async with scene() as here:
        change(here.workspace)
        (sentence,) = await here.notifier.check()
        assert said in sentence


@pytest.mark.parametrize("scope", ["chat:write", "channels:read", "channels:history"])
async def test_a_scope_that_is_missing_is_named(scope):
    async with scene() as here:
        here.workspace.change_bot(scopes=here.workspace.bots["xoxb-test"].scopes - {scope})
        (sentence,) = await here.notifier.check()
        assert f"the token lacks the scope {scope}" in sentence
        assert "install the app again" in sentence


async def test_a_slack_that_cannot_be_reached_is_said_and_not_raised():
    async with scene(url="http://127.0.0.1:1/api/") as here:
        (sentence,) = await here.notifier.check()
        assert "cannot be asked: ClientConnectorError" in sentence


# ------------------------------------------------------------------------- tokens


async def test_a_token_from_a_file_is_read_for_each_call_and_a_rotated_one_still_finds(tmp_path):
    file = tmp_path / "token"
    file.write_text("xoxb-test\n")
    async with scene(token=None, token_file=file) as here:
        alert = await here.push()
        here.workspace.bots["xoxb-next"] = dataclasses.replace(here.workspace.bots.pop("xoxb-test"), token="xoxb-next")
        assert isinstance(await here.push(), RefusedPlace)
        file.write_text("xoxb-next\n")
        assert await here.find() == Found((alert.ref,))


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
async def test_a_token_that_cannot_be_read_was_not_delivered(tmp_path, content):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    async with scene(token=None, token_file=file) as here:
        outcome = await here.push()
        assert isinstance(outcome, NotDelivered)
        assert str(file) in outcome.reason
        assert isinstance(await here.find(), Unreadable)
        assert str(file) in (await here.notifier.check())[0]
        assert here.peer.api.requests == []


async def test_neither_token_nor_texts_reach_a_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with scene() as here:
        here.peer.faults.plan("chat.postMessage", None, Fault(answer="cut"), Fault.named("fatal_error"))
        for _ in range(3):
            await here.push()
        await here.find()
    assert "xoxb-test" not in caplog.text
    assert "kein Netz" not in caplog.text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "exactly one of `token` and `token_file`"),
        ({"token": "x", "token_file": "/x"}, "exactly one of `token` and `token_file`"),
        ({"token": "x", "channel": "#krise"}, "'#krise' is no channel id"),
        ({"token": "x", "channel": "c0123456789"}, "is no channel id"),
        ({"token": "x", "api_url": "http://slack.example/api/"}, "would carry the token in clear"),
        ({"token": "x", "api_url": "slack.com/api"}, "write https://"),
        ({"token": "x", "chanel": "C0123456789"}, "chanel"),
    ],
)
def test_options_that_would_not_do_say_why(options, said):
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        SlackOptions(**{"type": "slack", "channel": "C0123456789"} | options)


def test_an_address_gets_its_slash():
    options = SlackOptions(type="slack", token="x", channel="C0123456789", api_url="https://slack.example/api")
    assert options.api_url == "https://slack.example/api/"
    assert "x" not in repr(options.token)


async def test_closing_twice_is_no_error():
    async with scene() as here:
        await here.push()
        await here.notifier.close()
        await here.notifier.close()
        assert isinstance(await here.push(), Sent)
