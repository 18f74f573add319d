"""The notifier through the real slack-sdk against the strict peer."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import Form
from brandmelder.notify import delivery as life
from brandmelder.notify.channels.slack import POINTER
from brandmelder.notify.channels.slack_outcomes import FORM, PLACE, UNEDITABLE
from brandmelder.notify.notifier import (
    Found,
    NotDelivered,
    RefusedForm,
    RefusedPlace,
    Sent,
    Tools,
    Unclear,
    Uneditable,
    Unreadable,
)
from notify.channels.samples import ALERT, slack_notifier
from notify.channels.scene import CHANNEL, KEY, scene
from peers.slack import Fault, SlackPeer

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


@pytest.mark.parametrize("wrong", [timedelta(minutes=-30), timedelta(seconds=90), timedelta(hours=26)])
async def test_a_message_is_found_however_far_our_clock_is_from_slacks(wrong):
    async with scene() as here:
        sent = await here.push()
        tools = Tools(exchange=None, now=lambda: here.clock.moment + wrong)
        async with slack_notifier(here.peer.url, tools=tools) as ours:
            since = tools.now() - life.LOOK_BACK
            assert await ours.find(KEY, since=since, thread=None) == Found((sent.ref,))


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
