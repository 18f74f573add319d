"""Ten thousand hostile strings through a whole alert to Slack's blocks: nobody is called, no link, nothing too long."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import DeliveryKind, MentionId, Phrase, Quote
from brandmelder.notify.channels.slack_blocks import MOST_BYTES, render
from brandmelder.notify.channels.slack_chart import native
from brandmelder.notify.compose import Case
from notify.stories import ALARM, EVIDENCE, HOUR, INCIDENT, TEXTS, told
from notify.test_message_hostile import BAD
from peers.slack.blocks import refusals

STRINGS, EXAMPLES = 25, 400
"""So many strings in each example: 10,000 in all."""
PIECES = st.one_of(
    BAD,
    st.text(max_size=30),
    st.sampled_from(["<!here>", "<!everyone>", "<!subteam^S1>", "<@U0ANNA>", "@channel", "<#C1|x>", "<mailto:a@b.c>"]),
    st.sampled_from(["javascript:x", "https://ok.example/?q=<b>", "https://a:b@c.example", "HTTPS://EVIL.EXAMPLE"]),
    st.sampled_from(["x" * 3_000, "\u0301" * 400, "🔥" * 300, "<" * 500, "&" * 500, '"' * 500, "\\" * 500]),
)
HOSTILE = st.lists(st.lists(PIECES, max_size=4).map(" ".join), min_size=STRINGS, max_size=STRINGS)
SCARCE = frozenset({"user", "usergroup", "channel", "broadcast", "emoji"})
"""What a rich text can call by: no alert of ours does."""


def walk(value):
    """Return every object of a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from walk(one)


@settings(max_examples=EXAMPLES, deadline=None)
@given(HOSTILE, st.sampled_from([DeliveryKind.OPEN, DeliveryKind.UPDATE, DeliveryKind.RESOLVE]), st.booleans())
def test_ten_thousand_hostile_strings(strings, kind, receives_clicks):
    phrases, texts, urls, (what,) = strings[:8], strings[8:16], strings[16:24], strings[24:]
    quotes = tuple(
        Quote(mention=MentionId(number), source=EVIDENCE.quotes[0].source, url=url, published_at=ALARM)
        for number, url in enumerate(urls)
    )
    message = told(
        INCIDENT,
        replace(EVIDENCE, phrases=tuple(Phrase(text=text, count=3) for text in phrases), quotes=quotes),
        kind=kind,
        texts=TEXTS | {MentionId(number): text for number, text in enumerate(texts)},
        cases=(Case(id="NF-2025-061", opened_at=ALARM - HOUR, duration=HOUR, community=2, what=what),),
    )
    text, blocks = render(message, receives_clicks=receives_clicks, chart=native(message.chart))
    assert refusals(blocks) == []
    assert len(text) <= 300
    assert len(json.dumps(blocks, ensure_ascii=False).encode()) <= MOST_BYTES
    objects = list(walk(blocks))
    assert not [one for one in objects if one.get("type") in SCARCE]
    links = [one["url"] for one in objects if one.get("type") == "link"]
    assert all(link.startswith("https://") and "@" not in link.split("/")[2] for link in links)
    ours = [text, *(one["text"] for one in objects if one.get("type") == "mrkdwn")]
    assert not any(mark in words.replace("<!date^", "") for words in ours for mark in ("<!", "<@", "<#", "<http"))
    assert not any("evil" in words.lower() for words in ours)
