"""The picture in Slack: its own chart, else a PNG in the thread, else the sparkline; and the alert always."""

import struct
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Form
from brandmelder.notify.channels import slack_chart
from brandmelder.notify.channels.slack_chart import REFUSED_FOR, Pictures, native
from brandmelder.notify.notifier import NotDelivered, RefusedForm, Sent, Unclear
from notify.channels.samples import ALERT
from notify.channels.scene import CHANNEL, scene
from notify.test_chart import COUNTS, USUAL, chart
from peers.slack import Fault
from peers.slack.blocks import refusals

TITLE = ((": ", False), ("98 negative", True), (" in 60 min, üblich 4–12", False))
CHART = chart(name="Nordfunk", title=TITLE, alt="98 negative Erwähnungen in 60 Minuten, üblich 4–12.")
DRAWN = replace(ALERT, chart=CHART)


@asynccontextmanager
async def studio(**options):
    """A scene whose pictures are timed by its own clock."""
    async with scene(**options) as here:
        here.notifier.pictures = Pictures(here.clock)
        yield here


async def arrived(here):
    """Wait for the uploads under way, and return what hangs in the channel."""
    await here.notifier.pictures.close()
    return [one for one in here.peer.visible() if one.files]


def kinds(seen):
    return [block["type"] for block in seen.blocks]


# ------------------------------------------------------------------ the native block


def test_the_block_holds_the_counts_and_the_edge_of_the_usual():
    block = native(CHART)
    assert refusals([block]) == []
    assert block["title"] == "Nordfunk: 98 negative in 60 min, üblich 4–12"
    negative, usual = block["chart"]["series"]
    assert (negative["name"], usual["name"]) == ("negativ", "üblich bis")
    assert [point["value"] for point in negative["data"]] == list(COUNTS)
    assert [point["value"] for point in usual["data"]] == [high for _, high in USUAL]
    assert block["chart"]["axis_config"]["categories"][-1] == "21:00"


def test_a_long_name_is_cut_and_the_number_stays():
    block = native(chart(name="Norddeutsche Funkgesellschaft AG & Co.", title=TITLE))
    assert len(block["title"]) <= 50
    assert block["title"].endswith("…: 98 negative in 60 min, üblich 4–12")


def test_of_many_bars_the_newest_twenty_are_shown():
    block = native(chart(counts=tuple(range(1, 29)), usual=((0, 2),) * 28, width=timedelta(hours=6)))
    assert [point["value"] for point in block["chart"]["series"][0]["data"]] == list(range(9, 29))
    assert block["chart"]["axis_config"]["categories"][-1] == "Di 15 15:20"


def test_what_the_block_could_not_say_truly_it_does_not_say():
    assert native(chart(counts=(3, -1, 9), usual=((0, 2),) * 3)) is None
    assert native(chart(counts=(0, 0, 0), usual=((0, 2),) * 3)) is None
    twice = datetime(2026, 10, 25, 1, 40, tzinfo=UTC)
    assert native(chart(until=twice, counts=(1,) * 10, usual=())) is None


def test_while_learning_there_is_only_the_count():
    assert [one["name"] for one in native(chart(usual=()))["chart"]["series"]] == ["negativ"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-1, 10**6), min_size=1, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_slack_takes_every_block(counts, name, after):
    block = native(chart(counts=tuple(counts), usual=((0, 9),) * len(counts), name=name, title=((after, True),)))
    assert block is None or refusals([block]) == []


# ------------------------------------------------------------------- what people see


async def test_slack_draws_it_itself_in_the_place_of_the_sparkline():
    async with studio() as here:
        assert isinstance(await here.push(DRAWN), Sent)
        (seen,) = here.peer.visible()
        assert kinds(seen)[:4] == ["header", "rich_text", "data_visualization", "rich_text"]
        assert ALERT.spark not in str(seen.blocks)
        assert await arrived(here) == []
        assert here.asked("files.getUploadURLExternal") == []


async def test_a_workspace_that_draws_nothing_gets_a_png_in_the_thread_of_the_alert():
    async with studio() as here:
        here.workspace.draws = False
        outcome = await here.push(DRAWN)
        (hung,) = await arrived(here)
        alert = here.peer.visible()[0]
        assert outcome == Sent(f"{CHANNEL}:{alert.ts}")
        assert "data_visualization" not in kinds(alert)
        assert ALERT.spark in str(alert.blocks)
        assert hung.thread_ts == alert.ts
        (file,) = hung.files
        assert file["alt_txt"] == CHART.alt
        picture = here.workspace.uploads[file["id"]]["content"]
        assert struct.unpack(">II", picture[16:24]) == (1440, 600)


async def test_a_refusal_is_remembered_for_a_day_and_then_tried_again():
    async with studio() as here:
        here.workspace.draws = False
        await here.push(DRAWN, key="NF-1:open:crisis")
        await here.push(DRAWN, key="NF-2:open:crisis")
        assert len(here.asked("chat.postMessage")) == 3
        here.workspace.draws = True
        here.clock.advance(REFUSED_FOR.total_seconds())
        await here.push(DRAWN, key="NF-3:open:crisis")
        assert len(here.asked("chat.postMessage")) == 4
        alerts = [one for one in here.peer.visible() if one.key]
        assert ["data_visualization" in kinds(one) for one in alerts] == [False, False, True]


async def test_a_form_that_is_refused_anyway_says_nothing_against_the_chart():
    async with studio() as here:
        here.peer.faults.plan("chat.postMessage", *[Fault.named("invalid_blocks")] * 2)
        assert isinstance(await here.push(DRAWN), RefusedForm)
        assert here.notifier.pictures.takes(slack_chart.BLOCK)


@pytest.mark.parametrize("fault", [Fault.lost(), Fault(answer="status"), Fault.limited("3")], ids=str)
async def test_what_is_unclear_or_put_off_is_never_sent_a_second_time_without_the_chart(fault):
    async with studio() as here:
        here.peer.faults.plan("chat.postMessage", fault)
        assert isinstance(await here.push(DRAWN), (Unclear, NotDelivered))
        assert here.peer.faults.count == 1
        assert len(here.peer.visible()) == int(fault.lands)


async def test_an_edit_draws_anew_and_falls_back_alike():
    async with studio() as here:
        alert = await here.push(DRAWN)
        later = replace(DRAWN, revision=4, chart=replace(CHART, counts=(*COUNTS[1:], 55)))
        assert await here.notifier.update(alert.ref, later, key="k", form=Form.FULL) == alert
        assert "55" in str([one["chart"] for one in here.peer.visible()[0].blocks if "chart" in one])
        here.workspace.draws = False
        assert await here.notifier.update(alert.ref, later, key="k", form=Form.FULL) == alert
        assert "data_visualization" not in kinds(here.peer.visible()[0])
        assert await arrived(here) == []


async def test_news_worth_the_channel_brings_a_picture_only_where_slack_does_not_draw():
    async with studio() as here:
        here.workspace.draws = False
        alert = await here.push(replace(ALERT, chart=CHART))
        await arrived(here)
        await here.push(replace(DRAWN, lines=(), broadcast=True), key="NF:thread:4:crisis", thread=alert.ref)
        assert [one.thread_ts for one in await arrived(here)] == [alert.ref.split(":")[1]] * 2
    async with studio() as here:
        alert = await here.push(DRAWN)
        await here.push(replace(DRAWN, lines=(), broadcast=True), key="NF:thread:4:crisis", thread=alert.ref)
        assert await arrived(here) == []


async def test_an_alert_that_stands_in_a_thread_itself_is_drawn_there():
    async with studio() as here:
        head = await here.push(ALERT, key="storm:notice:crisis")
        await here.push(DRAWN, key="NF-2:open:crisis", thread=head.ref)
        assert "data_visualization" in kinds(here.peer.visible()[1])


# ------------------------------------------------------------ never a precondition


async def test_without_the_right_to_upload_the_alert_stands_and_nobody_asks_again_for_a_day():
    async with studio() as here:
        here.workspace.draws = False
        here.workspace.change_bot(scopes=here.workspace.bots["xoxb-test"].scopes - {"files:write"})
        for number in range(2):
            assert isinstance(await here.push(DRAWN, key=f"NF-{number}:open:crisis"), Sent)
            assert await arrived(here) == []
        assert len(here.asked("files.getUploadURLExternal")) == 1


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("files.getUploadURLExternal", Fault.limited("9")),
        ("files.getUploadURLExternal", Fault(answer="html")),
        ("upload", Fault(answer="status", status=500)),
        ("files.completeUploadExternal", Fault(answer="close")),
    ],
    ids=str,
)
async def test_an_upload_that_fails_costs_the_picture_and_is_tried_at_the_next_alert(method, fault):
    async with studio() as here:
        here.workspace.draws = False
        here.peer.faults.plan(method, fault)
        assert isinstance(await here.push(DRAWN), Sent)
        assert await arrived(here) == []
        assert isinstance(await here.push(DRAWN, key="NF-2:open:crisis"), Sent)
        assert len(await arrived(here)) == 1


async def test_the_alert_does_not_wait_for_its_picture():
    async with studio() as here:
        here.workspace.draws = False
        outcome = await here.push(DRAWN)
        assert isinstance(outcome, Sent)
        assert here.workspace.uploads == {}
        assert len(await arrived(here)) == 1


async def test_without_the_extra_there_is_the_sparkline(monkeypatch):
    monkeypatch.setattr(slack_chart, "can_draw", lambda: False)
    async with studio() as here:
        here.workspace.draws = False
        await here.push(DRAWN)
        assert await arrived(here) == []
        assert ALERT.spark in str(here.peer.visible()[0].blocks)


async def test_the_plain_form_has_no_picture_of_any_kind():
    async with studio() as here:
        await here.push(DRAWN, form=Form.PLAIN)
        assert await arrived(here) == []
        assert here.peer.visible()[0].blocks == ()


async def test_a_picture_of_an_alert_that_was_deleted_meanwhile_is_let_go():
    async with studio() as here:
        here.workspace.draws = False
        alert = await here.push(DRAWN)
        here.workspace.person_deletes(alert.ref.split(":")[1])
        assert await arrived(here) == []
