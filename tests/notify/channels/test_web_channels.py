"""Channels that take a POST, each against a peer that refuses what its server would refuse."""

import json
import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import ValidationError

from brandmelder.capture.http import HttpClient
from brandmelder.model import ChannelId, DeliveryKind, Form, State
from brandmelder.notify.channels.mattermost import DIALECT as COMMONMARK
from brandmelder.notify.channels.mattermost import MattermostNotifier
from brandmelder.notify.channels.mattermost_options import MattermostOptions
from brandmelder.notify.channels.ntfy import NtfyNotifier
from brandmelder.notify.channels.ntfy_options import NtfyOptions
from brandmelder.notify.channels.pagerduty import PagerDutyNotifier
from brandmelder.notify.channels.pagerduty_options import PagerDutyOptions
from brandmelder.notify.channels.rocketchat import DIALECT as WIDE
from brandmelder.notify.channels.rocketchat import RocketChatNotifier
from brandmelder.notify.channels.rocketchat_options import RocketChatOptions
from brandmelder.notify.channels.teams import TeamsNotifier
from brandmelder.notify.channels.teams_card import LARGEST, request_of
from brandmelder.notify.channels.teams_options import TeamsOptions
from brandmelder.notify.message import QuoteText, Span
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
from brandmelder.options import Secret
from notify.channels.samples import ALERT, START, a_subject
from peers.chats import CHANNEL, TOKEN, Mattermost, Ntfy, PagerDuty, RocketChat, Teams, walk
from peers.receiver import Answer, Receiver

TOLD = replace(ALERT, subject=a_subject())
KEY = "NF-2026-042:open:far"
CASES = {
    "pagerduty": (
        PagerDuty,
        PagerDutyNotifier,
        lambda url: PagerDutyOptions(
            type="pagerduty", url=f"{url}/v2/enqueue", routing_key=Secret(PagerDuty.ROUTING), allow_private=True
        ),
    ),
    "ntfy": (
        Ntfy,
        NtfyNotifier,
        lambda url: NtfyOptions(type="ntfy", server=f"{url}/", topic=Secret(Ntfy.TOPIC), allow_private=True),
    ),
    "teams": (
        Teams,
        TeamsNotifier,
        lambda url: TeamsOptions(type="teams", url=Secret(f"{url}/workflows/1"), allow_private=True),
    ),
    "rocketchat": (
        RocketChat,
        RocketChatNotifier,
        lambda url: RocketChatOptions(type="rocketchat", webhook=Secret(f"{url}/hooks/1"), allow_private=True),
    ),
    "mattermost_hook": (
        Mattermost,
        MattermostNotifier,
        lambda url: MattermostOptions(type="mattermost", webhook=Secret(f"{url}/hooks/xyz"), allow_private=True),
    ),
    "mattermost": (
        Mattermost,
        MattermostNotifier,
        lambda url: MattermostOptions(
            type="mattermost", server=url, token=Secret(TOKEN), channel=CHANNEL, allow_private=True
        ),
    ),
}
ALL = pytest.mark.parametrize("name", CASES)


@asynccontextmanager
async def scene(name):
    rules, notifier, options = CASES[name]
    place = rules()
    async with Receiver(place) as peer:
        client = HttpClient()
        tools = Tools(exchange=client.exchange(allow_private=True), now=lambda: datetime.now(UTC))
        yield peer, place, notifier(ChannelId("far"), options(peer.url), tools)
        await client.close()


async def push(notifier, message=TOLD, *, key=KEY, thread=None, form=Form.FULL):
    return await notifier.push(message, key=key, thread=thread, form=form)


# ------------------------------------------------------------------- what they share


@ALL
@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("message", [TOLD, ALERT], ids=["alert", "by hand"])
async def test_an_alert_is_taken_in_every_form(name, form, message):
    async with scene(name) as (peer, _, notifier):
        outcome = await push(notifier, message, form=form)
        assert isinstance(outcome, Sent), outcome
        assert outcome.ref
        assert len(peer.requests) == 1
        assert list(await notifier.check()) == []
        await notifier.close()


@ALL
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(429, headers={"Retry-After": "5"}), NotDelivered),
        (Answer(413), RefusedForm),
        (Answer(403), RefusedPlace),
        (Answer(302, headers={"Location": "https://elsewhere.example/"}), RefusedPlace),
        (Answer(503), Unclear),
        (Answer(broken="close"), Unclear),
    ],
    ids=repr,
)
async def test_what_an_answer_means(name, answer, kind):
    async with scene(name) as (peer, _, notifier):
        peer.plan(answer)
        assert type(await push(notifier)) is kind
        assert peer.connections == 1


@ALL
async def test_who_cannot_edit_or_look_says_so(name):
    async with scene(name) as (peer, _, notifier):
        if not notifier.can_update:
            assert isinstance(await notifier.update("r", TOLD, key=KEY, form=Form.FULL), Uneditable)
        if not notifier.can_find:
            looked = await notifier.find(KEY, since=START, thread=None)
            assert isinstance(looked, Found if notifier.is_idempotent else Unreadable)
        if not notifier.can_update:
            assert isinstance(await notifier.delete("r"), Sent if notifier.is_idempotent else RefusedPlace)
            assert peer.requests == []


# ---------------------------------------------------------------------- PagerDuty


async def test_an_incident_opens_is_acknowledged_and_ends_in_pagerduty_under_one_key():
    async with scene("pagerduty") as (peer, place, notifier):
        ref = (await push(notifier)).ref
        assert (await push(notifier)).ref == ref
        assert place.alerts[ref][0] == "triggered"
        before = len(peer.requests)
        assert await notifier.update(ref, TOLD, key="k", form=Form.FULL) == Sent(ref)
        assert len(peer.requests) == before
        for state, there in ((State.ACKNOWLEDGED, "acknowledged"), (State.RESOLVED, "resolved")):
            message = replace(TOLD, subject=a_subject(state=state, kind=DeliveryKind.UPDATE))
            assert await notifier.update(ref, message, key="k", form=Form.FULL) == Sent(ref)
            assert place.alerts[ref][0] == there
        await push(notifier, key="NF-2026-042:thread:9:far", thread=ref)
        assert place.alerts[ref][0] == "triggered"
        assert await notifier.delete(ref) == Sent(ref)
        assert place.alerts[ref][0] == "resolved"


@pytest.mark.parametrize(("severity", "there"), list(enumerate(("info", "warning", "warning", "error", "critical"), 1)))
async def test_how_severe_it_is(severity, there):
    async with scene("pagerduty") as (peer, _, notifier):
        await push(notifier, replace(TOLD, subject=a_subject(severity=severity)))
        assert peer.requests[0].json["payload"]["severity"] == there


# --------------------------------------------------------------------------- ntfy


@pytest.mark.parametrize(
    ("fields", "thread", "priority"),
    [
        ({"severity": 5}, None, 5),
        ({"severity": 3}, None, 4),
        ({"severity": 5}, "ref", 3),
        ({"severity": 2, "kind": DeliveryKind.ESCALATE}, "ref", 5),
        ({"severity": 5, "state": State.RESOLVED}, "ref", 2),
        ({"severity": 5, "kind": DeliveryKind.TEST}, None, 3),
    ],
)
async def test_how_loudly_a_phone_rings(fields, thread, priority):
    async with scene("ntfy") as (peer, _, notifier):
        await push(notifier, replace(TOLD, subject=a_subject(**fields)), thread=thread)
        assert peer.requests[0].json["priority"] == priority


async def test_what_is_pushed_twice_is_shown_once_and_leads_to_the_page():
    async with scene("ntfy") as (_, place, notifier):
        await push(notifier)
        await push(notifier)
        (shown,) = place.shown.values()
        assert shown["title"] == ALERT.headline
        assert shown["click"] == "https://alarm.example/NF-2026-042"
        assert shown["actions"] == [{"action": "view", "label": "Details", "url": shown["click"]}]


async def test_a_long_alert_is_cut_at_the_end_of_a_line():
    async with scene("ntfy") as (_, place, notifier):
        quotes = tuple(QuoteText(text="ä" * 220, label=f"blog {n}") for n in range(30))
        assert isinstance(await push(notifier, replace(TOLD, quotes=quotes)), Sent)
        (shown,) = place.shown.values()
        assert len(shown["message"].encode()) <= 4000
        assert re.search(r"(> ä{220}|  blog \d+)$", shown["message"])


# -------------------------------------------------------------------------- Teams


def test_a_card_that_is_too_large_loses_quotes_and_then_facts():
    quotes = tuple(QuoteText(text="ä" * 220, label=str(n)) for n in range(80))
    body = request_of(replace(TOLD, quotes=quotes), Form.FULL)
    assert len(body) <= LARGEST
    assert ALERT.lines[0].label in body.decode()
    lines = tuple(replace(ALERT.lines[0], spans=(Span(text="ö" * 900),)) for _ in range(60))
    assert len(request_of(replace(TOLD, lines=lines), Form.FULL)) <= LARGEST


async def test_every_word_of_a_card_stands_in_a_run_without_mark_up():
    async with scene("teams") as (_, place, notifier):
        await push(notifier)
        (card,) = place.cards
        texts = {one["text"] for one in walk(card) if "text" in one}
        assert {one["type"] for one in walk(card) if "text" in one} == {"TextRun"}
        assert TOLD.lock_screen in texts
        assert [one["url"] for one in card["actions"]] == ["https://alarm.example/NF-2026-042"]


# --------------------------------------------------------------------- Mattermost


async def test_a_bot_posts_edits_and_answers_in_the_thread():
    async with scene("mattermost") as (_, place, notifier):
        ref = (await push(notifier)).ref
        news = await push(notifier, key="NF-2026-042:thread:5:far", thread=ref)
        assert place.posts[news.ref]["root_id"] == ref
        calm = replace(TOLD, headline="Nordfunk – beruhigt", subject=a_subject(state=State.RESOLVED))
        assert await notifier.update(ref, calm, key="k", form=Form.FULL) == Sent(ref)
        assert "beruhigt" in place.posts[ref]["message"]
        assert place.posts[ref]["props"]["attachments"][0]["color"] == "#2e7d32"
        since = datetime.fromtimestamp(0, UTC)
        assert await notifier.find(KEY, since=since, thread=None) == Found((ref,))
        assert await notifier.find("NF-2026-042:thread:5:far", since=since, thread=ref) == Found((news.ref,))


async def test_only_our_own_standing_posts_since_then_are_found():
    async with scene("mattermost") as (_, place, notifier):
        first, twin = (await push(notifier)).ref, (await push(notifier)).ref
        place.person_posts("x", props=place.posts[first]["props"])
        since = datetime.fromtimestamp(0, UTC)
        assert await notifier.find(KEY, since=since, thread=None) == Found((first, twin))
        late = datetime.fromtimestamp(place.posts[twin]["create_at"] / 1000, UTC)
        assert await notifier.find(KEY, since=late, thread=None) == Found((twin,))
        assert await notifier.delete(twin) == Sent(twin)
        assert await notifier.delete(twin) == Sent(twin)
        assert await notifier.find(KEY, since=since, thread=None) == Found((first,))


async def test_a_post_that_a_person_deleted_is_gone():
    async with scene("mattermost") as (_, place, notifier):
        ref = (await push(notifier)).ref
        place.posts[ref]["delete_at"] = 1
        outcome = await notifier.update(ref, TOLD, key="k", form=Form.FULL)
        assert outcome == Uneditable("the post is gone", is_gone=True)


async def test_a_history_that_cannot_be_read_is_not_empty():
    async with scene("mattermost") as (peer, _, notifier):
        for answer in (Answer(401), Answer(broken="reset"), Answer(500)):
            peer.plan(answer)
            assert isinstance(await notifier.find(KEY, since=START, thread=None), Unreadable)
        peer.plan(Answer(403))
        assert "403" in (await notifier.check())[0]


# ------------------------------------------------------------------ hostile words

HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["@all @channel @here", "[x](https://evil.example)", "<!channel>", "**b** _i_ ~s~ `c`", ":fire: ~town-square",
         "https://evil.example", "![i](https://evil.example/i.png)", "# h", "> q", "1\n- a", "&lt;script&gt;", "\\@all"]
    ),
)  # fmt: skip
LIVE = re.compile(r"(?<!\\)[`*_\[\]()<>#|~:!@]")


@given(HOSTILE)
def test_strangers_words_mark_nothing_up_ring_nobody_and_link_nowhere(words):
    foreign = replace(ALERT, sentence=(Span(text=words, foreign=True),), spark="", lines=(), honest=(), buttons=())
    bare = replace(foreign, quotes=(), footer=())
    for dialect in (COMMONMARK, WIDE):
        shown = dialect.body(bare)
        assert not LIVE.search(shown.replace("\\\\", ""))
        assert "@" not in shown
        assert "\n" not in shown


@given(HOSTILE)
def test_a_quote_stays_one_block_and_its_link_is_the_posts_own(words):
    quote = QuoteText(text=words, label="blog, 21:05", url="https://blog.example/1")
    for dialect in (COMMONMARK, WIDE):
        first, second = dialect.body(
            replace(ALERT, sentence=(), spark="", honest=(), buttons=(), footer=(), quotes=(quote,))
        ).split("\n")
        assert first.startswith("> ")
        assert not LIVE.search(first[2:].replace("\\\\", ""))
        assert second.startswith("> [blog, 21")


@given(HOSTILE)
def test_hostile_words_leave_the_json_as_it_was(words):
    message = replace(TOLD, sentence=(Span(text=words, foreign=True),), quotes=(QuoteText(text=words, label=words),))
    card = json.loads(request_of(message, Form.FULL))
    assert {one["url"] for one in walk(card) if "url" in one} == {"https://alarm.example/NF-2026-042"}


# --------------------------------------------------------------------- the options


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (PagerDutyOptions, {"routing_key": Secret("short")}),
        (PagerDutyOptions, {"routing_key": Secret("a" * 32), "url": "http://events.example/"}),
        (NtfyOptions, {"topic": Secret("a b")}),
        (NtfyOptions, {"topic": Secret("a"), "server": "http://ntfy.example"}),
        (TeamsOptions, {"url": Secret("http://flows.example/")}),
        (TeamsOptions, {"url": Secret("nonsense")}),
        (RocketChatOptions, {"webhook": Secret("http://chat.example/")}),
        (MattermostOptions, {}),
        (MattermostOptions, {"webhook": Secret("https://mm.example/hooks/1"), "token": Secret("t")}),
        (MattermostOptions, {"server": "https://mm.example", "token": Secret("t")}),
        (MattermostOptions, {"server": "http://mm.example", "token": Secret("t"), "channel": "c" * 26}),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, fields):
    with pytest.raises(ValidationError):
        options(type="x", **fields)


def test_two_databases_that_number_alike_do_not_share_a_key():
    other = replace(TOLD, subject=a_subject(opened_at=START + timedelta(days=1)))
    assert TOLD.stamped(KEY) != other.stamped(KEY)
