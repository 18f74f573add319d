"""What Slack is sent, block by block. After a change: BRANDMELDER_GOLDEN=write pytest -k golden."""

import json
import os
from pathlib import Path

import pytest

from brandmelder.notify.channels.slack_blocks import MOST_BYTES, render
from brandmelder.notify.channels.slack_chart import native
from notify.stories import CALLS, STORIES, called, told
from peers.slack.blocks import refusals

GOLDEN = Path(__file__).parents[1] / "golden/blocks"
SHOWN = ("opening", "acknowledged", "worsened", "incomplete", "copies", "one-source", "learning", "low-counts", "end")
SHOWN += ("ended", "spot", "guided", "escalated")


def sent(name, language):
    """Return text and blocks of a story, as a workspace that draws charts is sent them."""
    message = called(language, **CALLS[name]) if name in CALLS else told(**STORIES[name], language=language)
    chart = None if message.chart is None else native(message.chart)
    return render(message, receives_clicks=True, chart=chart)


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", SHOWN)
def test_golden_blocks(name, language):
    text, blocks = sent(name, language)
    page = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in (text, *blocks))
    file = GOLDEN / f"{name}.{language}.jsonl"
    if os.environ.get("BRANDMELDER_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(page, "utf-8")
    assert file.read_text("utf-8") == page


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", [*STORIES, *CALLS])
def test_every_story_is_within_slacks_limits(name, language):
    text, blocks = sent(name, language)
    assert refusals(blocks) == []
    assert len(text) <= 300
    assert len(json.dumps(blocks, ensure_ascii=False).encode()) <= MOST_BYTES
    assert any(block["type"] == "rich_text" for block in blocks)


@pytest.mark.parametrize("name", ["opening", "acknowledged", "low-counts", "learning"])
def test_brand_and_number_stand_in_the_first_forty_characters(name):
    for language in ("de", "en"):
        message = told(**STORIES[name], language=language)
        text, blocks = sent(name, language)
        for line in (text, blocks[0]["text"]["text"]):
            shown = line.removeprefix(f"{message.emoji} ")[:40]
            assert "Nordfunk" in shown
            assert any(letter.isdigit() for letter in shown)


def test_no_golden_block_is_left_over():
    assert {file.name.partition(".")[0] for file in GOLDEN.glob("*.jsonl")} == set(SHOWN)
