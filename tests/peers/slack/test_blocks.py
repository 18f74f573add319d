"""The peer refuses what Slack refuses."""

import pytest

from peers.slack.blocks import refusals


def plain(text="x", **more):
    return {"type": "plain_text", "text": text, **more}


def rich(*elements, **more):
    return {"type": "rich_text", "elements": list(elements), **more}


def section(*inline):
    return {"type": "rich_text_section", "elements": list(inline)}


def button(**more):
    return {"type": "button", "text": plain(), "action_id": "a", **more}


def word(text="x", **more):
    return {"type": "text", "text": text, **more}


def drawn(*series, names=("a", "b"), **more):
    known = {"type": "bar", "series": list(series), "axis_config": {"categories": list(names)}}
    return {"type": "data_visualization", "title": "x", "chart": known | more}


def bars(name="n", labels=("a", "b"), value=1):
    return {"name": name, "data": [{"label": label, "value": value} for label in labels]}


LABELS = tuple(str(number) for number in range(20))
USER = {"type": "user", "user_id": "U1"}
GOOD = [
    [],
    [{"type": "header", "text": plain("x" * 150, emoji=True)}],
    [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000, "verbatim": True}}],
    [{"type": "section", "fields": [plain("x" * 2000)] * 10}],
    [{"type": "section", "text": plain(), "accessory": button()}],
    [{"type": "context", "elements": [plain()] * 10}],
    [{"type": "context", "elements": [{"type": "image", "image_url": "https://x.example/1", "alt_text": "x"}]}],
    [{"type": "actions", "elements": [button(action_id=str(n)) for n in range(25)]}],
    [{"type": "actions", "elements": [button(style="danger", value="v", url="https://x.example")]}],
    [{"type": "image", "image_url": "https://x.example/1", "alt_text": "x", "title": plain()}],
    [{"type": "divider", "block_id": str(n)} for n in range(50)],
    [rich(section(word(style={"bold": True}), {"type": "link", "url": "https://x.example", "text": "x"}))],
    [rich({"type": "rich_text_quote", "elements": [word()], "border": 0})],
    [rich({"type": "rich_text_preformatted", "elements": [word()]})],
    [rich({"type": "rich_text_list", "style": "bullet", "elements": [section(word())]})],
    [rich(section({"type": "date", "timestamp": 1, "format": "um {time}", "fallback": "x"}))],
    [rich(section({"type": "emoji", "name": "fire"}, {"type": "user", "user_id": "U1"}))],
    [rich(section({"type": "broadcast", "range": "here"}))],
    [drawn(bars()), drawn(bars("m"), bars("n"), axis_config={"categories": ["a", "b"], "x_label": "x"})],
    [drawn(*(bars(str(number), LABELS) for number in range(6)), names=LABELS)],
]
BAD = [
    ("an object instead of a list", {"type": "divider"}),
    ("51 blocks", [{"type": "divider"}] * 51),
    ("an unknown type", [{"type": "marquee"}]),
    ("no type", [{}]),
    ("a string for a block", ["x"]),
    ("a header of 151", [{"type": "header", "text": plain("x" * 151)}]),
    ("a header in mrkdwn", [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]),
    ("a header without text", [{"type": "header"}]),
    ("an unknown key", [{"type": "divider", "colour": "red"}]),
    ("an empty text", [{"type": "section", "text": plain("")}]),
    ("a number for a text", [{"type": "section", "text": plain(1)}]),
    ("verbatim in plain text", [{"type": "section", "text": plain(verbatim=True)}]),
    ("emoji in mrkdwn", [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}]),
    ("emoji that is no boolean", [{"type": "section", "text": plain(emoji=1)}]),
    ("a section of nothing", [{"type": "section"}]),
    ("a section of 3001", [{"type": "section", "text": plain("x" * 3001)}]),
    ("eleven fields", [{"type": "section", "fields": [plain()] * 11}]),
    ("a field of 2001", [{"type": "section", "fields": [plain("x" * 2001)]}]),
    ("a divider for an accessory", [{"type": "section", "text": plain(), "accessory": {"type": "divider"}}]),
    ("an empty context", [{"type": "context", "elements": []}]),
    ("eleven in a context", [{"type": "context", "elements": [plain()] * 11}]),
    ("26 buttons", [{"type": "actions", "elements": [button(action_id=str(n)) for n in range(26)]}]),
    ("the same action twice", [{"type": "actions", "elements": [button(), button()]}]),
    ("a select", [{"type": "actions", "elements": [{"type": "static_select"}]}]),
    ("a label of 76", [{"type": "actions", "elements": [button(text=plain("x" * 76))]}]),
    ("a value of 2001", [{"type": "actions", "elements": [button(value="x" * 2001)]}]),
    ("an empty value", [{"type": "actions", "elements": [button(value="")]}]),
    ("a green button", [{"type": "actions", "elements": [button(style="green")]}]),
    ("a button to nowhere", [{"type": "actions", "elements": [button(url="nowhere")]}]),
    ("a picture without words", [{"type": "image", "image_url": "https://x.example/1"}]),
    ("a block id of 256", [{"type": "divider", "block_id": "x" * 256}]),
    ("a block id twice", [{"type": "divider", "block_id": "x"}] * 2),
    ("empty rich text", [rich()]),
    ("text straight in rich text", [rich(word())]),
    ("an empty passage", [rich(section())]),
    ("an empty word", [rich(section(word("")))]),
    ("an unknown style", [rich(section(word(style={"red": True})))]),
    ("a word of an unknown type", [rich(section({"type": "mrkdwn", "text": "x"}))]),
    ("a link without address", [rich(section({"type": "link", "text": "x"}))]),
    ("a link to javascript", [rich(section({"type": "link", "url": "javascript:x"}))]),
    (
        "a user in preformatted",
        [rich({"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U"}]})],
    ),
    ("a date as a string", [rich(section({"type": "date", "timestamp": "1", "format": "{time}"}))]),
    ("a date without a token", [rich(section({"type": "date", "timestamp": 1, "format": "heute"}))]),
    ("a list without style", [rich({"type": "rich_text_list", "elements": [section(word())]})]),
    ("a list of stars", [rich({"type": "rich_text_list", "style": "star", "elements": [section(word())]})]),
    ("three charts", [drawn(bars())] * 3),
    ("a chart without series", [drawn()]),
    ("seven series", [drawn(*(bars(str(number)) for number in range(7)))]),
    ("two series of one name", [drawn(bars(), bars())]),
    ("21 categories", [drawn(bars(labels=(*LABELS, "x")), names=(*LABELS, "x"))]),
    ("a category twice", [drawn(bars(labels=("a", "a")), names=("a", "a"))]),
    ("a category without a number", [drawn(bars(labels=("a",)))]),
    ("no number", [drawn(bars(value=None))]),
    ("a label of 21", [drawn(bars(labels=("a" * 21,)), names=("a" * 21,))]),
    ("a cake", [drawn(bars(), type="cake")]),
    ("a title of 51", [drawn(bars()) | {"title": "x" * 51}]),
    ("a list of words", [rich({"type": "rich_text_list", "style": "bullet", "elements": [word()]})]),
]


@pytest.mark.parametrize("blocks", GOOD)
def test_good_blocks_pass(blocks):
    assert refusals(blocks) == []


@pytest.mark.parametrize("blocks", [blocks for _, blocks in BAD], ids=[name for name, _ in BAD])
def test_bad_blocks_are_refused_with_a_pointer(blocks):
    refused = refusals(blocks)
    assert refused
    assert all("[json-pointer:/blocks" in why for why in refused)
