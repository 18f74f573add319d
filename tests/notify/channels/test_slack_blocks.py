import json
import re
import unicodedata
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Form
from brandmelder.notify.channels.slack_blocks import escape, render, safe_url
from brandmelder.notify.message import Button, Line, Message, QuoteText, Span
from notify.channels.samples import ALERT, START
from peers.slack.blocks import refusals

OWN_DATE = re.compile(r"<!date\^\d+\^\{[a-z_]+\}( \{time\})?\|[^<>|]*>")


def walk(value):
    """Every object in the blocks."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def of_type(blocks, kind):
    return [one for one in walk(blocks) if one.get("type") == kind]


def words(blocks):
    return "".join(one["text"] for one in of_type(blocks, "text") + of_type(blocks, "link"))


# -------------------------------------------------------------------- the alert


def test_an_alert_stands_in_the_order_of_its_importance():
    text, blocks = render(ALERT)
    assert text == "🔴 Nordfunk – Negative Erwähnungen: 38 in 60 min, üblich 2–6"
    assert [block["type"] for block in blocks] == ["header", "rich_text", "rich_text", "rich_text", "context"]
    assert blocks[0]["text"]["text"] == text
    facts = [element["type"] for element in blocks[1]["elements"]]
    assert facts == ["rich_text_section", "rich_text_preformatted", "rich_text_section"]
    assert words(blocks[1]).startswith("38 negative Erwähnungen in der letzten Stunde; um diese Zeit")
    assert "▁▁▁▂▄█Quellen  blog 22, press 9\nNeu  „Netzausfall“ 21×\n⚠ Nur eine Quelle." in words(blocks[1])
    assert [element["type"] for element in blocks[2]["elements"]] == ["rich_text_quote"] * 2
    assert refusals(blocks) == []


def test_a_quote_is_followed_by_its_source_as_a_link():
    quotes = of_type(render(ALERT)[1], "rich_text_quote")
    assert quotes[0]["elements"][-1] == {"type": "link", "url": "https://blog.example/1", "text": "blog, 21:05"}
    assert quotes[1]["elements"][-1]["type"] == "text"


def test_without_a_listener_there_are_links_and_commands_instead_of_buttons():
    blocks = render(ALERT)[1]
    assert of_type(blocks, "actions") == []
    assert blocks[3]["elements"][0]["elements"] == [
        {"type": "link", "url": "https://alarm.example/NF-2026-042", "text": "Details"}
    ]
    assert "Übernehmen: `brandmelder incidents ack NF-2026-042`" in blocks[4]["elements"][0]["text"]


def test_with_a_listener_there_are_buttons_that_name_incident_and_revision():
    blocks = render(ALERT, receives_clicks=True)[1]
    (actions,) = of_type(blocks, "actions")
    assert [button["action_id"] for button in actions["elements"]] == ["acknowledge", "dismiss", "open_details"]
    assert {button["value"] for button in actions["elements"]} == {"NF-2026-042:3"}
    assert [button.get("style") for button in actions["elements"]] == ["primary", None, None]
    assert actions["elements"][2]["url"] == "https://alarm.example/NF-2026-042"
    assert "brandmelder incidents" not in blocks[-1]["elements"][0]["text"]
    assert refusals(blocks) == []


def test_there_are_at_most_four_buttons():
    many = replace(ALERT, buttons=tuple(Button(act=f"act{n}", label="x") for n in range(9)))
    (actions,) = of_type(render(many, receives_clicks=True)[1], "actions")
    assert len(actions["elements"]) == 4


def test_times_are_shown_in_the_readers_zone():
    context = render(ALERT)[1][-1]["elements"][0]
    at = int((START - timedelta(minutes=1)).timestamp())
    assert f"gelesen bis <!date^{at}^{{time}}|21:14>" in context["text"]
    assert context["verbatim"] is True
    dated = Line(label="Seit", spans=(Span(text="Sonntag, 21:14", moment=START),))
    (date,) = of_type(render(replace(ALERT, lines=(dated,)))[1], "date")
    assert date["format"] == "{date_short_pretty} {time}"
    assert date["fallback"] == "Sonntag, 21:14"


def test_foreign_words_in_the_footer_stand_in_plain_text():
    footer = ((Span(text="offen"),), (Span(text="*Anna* <@U1>", foreign=True),), (Span(text="NF-1"),))
    elements = render(replace(ALERT, footer=footer, buttons=()))[1][-1]["elements"]
    assert [(one["type"], one["text"]) for one in elements] == [
        ("mrkdwn", "offen"),
        ("plain_text", "*Anna* <@U1>"),
        ("mrkdwn", "NF-1"),
    ]


def test_the_plain_form_has_no_blocks_and_no_foreign_words():
    text, blocks = render(replace(ALERT, sentence=(*ALERT.sentence, Span(text="FREMD", foreign=True))), form=Form.PLAIN)
    assert blocks == []
    assert text.splitlines() == [
        ALERT.lock_screen,
        "38 negative Erwähnungen in der letzten Stunde; um diese Zeit sind es sonst 2–6.",
        "NF-2026-042",
    ]


def test_the_plain_form_rather_cuts_the_sentence_than_the_id():
    text, _ = render(replace(ALERT, sentence=(Span(text="& " * 400),)), form=Form.PLAIN)
    assert 290 < len(text) <= 300
    assert text.endswith("&amp;\nNF-2026-042")


def test_a_bare_message_is_still_an_alert():
    bare = Message(language="en", incident="NF-1", revision=1, emoji="🔴", headline="Nordfunk")
    text, blocks = render(bare)
    assert (text, [block["type"] for block in blocks]) == ("🔴 Nordfunk", ["header"])
    assert refusals(blocks) == []


def test_a_block_that_changes_has_a_new_id_and_one_that_does_not_keeps_it():
    before = render(ALERT)[1]
    after = render(replace(ALERT, headline="Nordfunk – beruhigt"))[1]
    changed = [one["block_id"] != other["block_id"] for one, other in zip(before, after, strict=True)]
    assert changed == [True, False, False, False, False]


@pytest.mark.parametrize("left_out", ["sentence", "spark", "lines", "honest", "quotes"])
def test_every_revision_of_an_alert_holds_rich_text(left_out):
    empty = "" if left_out == "spark" else ()
    assert of_type(render(replace(ALERT, **{left_out: empty}))[1], "rich_text")


def test_what_is_too_much_loses_quotes_first_then_lines():
    long = "ö" * 400
    quotes = tuple(QuoteText(text=long, label="x") for _ in range(10))
    lines = tuple(Line(label=f"Zeile {n}", spans=(Span(text=long),)) for n in range(8))
    blocks = render(replace(ALERT, quotes=quotes, lines=lines))[1]
    assert 9_000 < len(json.dumps(blocks, ensure_ascii=False).encode()) <= 10_000
    assert len(of_type(blocks, "rich_text_quote")) in range(1, 10)
    assert "Zeile 7" in words(blocks)
    blocks = render(replace(ALERT, quotes=quotes, lines=lines + lines))[1]
    assert of_type(blocks, "rich_text_quote") == []
    assert "Zeile 0" in words(blocks)


def test_even_the_longest_of_everything_fits():
    long, url = "😀" * 450, "https://blog.example/" + "a" * 1900
    spans = tuple(Span(text=long, bold=True) for _ in range(90))
    most = replace(
        ALERT,
        headline=long,
        sentence=tuple(Span(text="😀", bold=True) for _ in range(700)),
        spark="█" * 3000,
        lines=tuple(Line(label=long, spans=spans) for _ in range(40)),
        honest=(long,) * 40,
        quotes=tuple(QuoteText(text=long, label=long, url=url) for _ in range(40)),
        buttons=tuple(Button(act=f"act{n}", label=long, url=url) for n in range(4)),
        footer=(spans,) * 40,
    )
    for receives_clicks in (False, True):
        text, blocks = render(most, receives_clicks=receives_clicks)
        assert refusals(blocks) == []
        assert len(json.dumps(blocks, ensure_ascii=False).encode()) <= 10_000
        assert len(text) <= 300


def test_what_is_only_blank_is_left_out():
    blank = (Span(text="  "), Span(text="x"), Span(text="\u200b"))
    message = replace(ALERT, lines=(Line(label="\n", spans=blank),), quotes=(QuoteText(text="gut", label=""),))
    facts, quotes = render(message)[1][1:3]
    assert facts["elements"][2]["elements"][:2] == [{"type": "text", "text": " "}, {"type": "text", "text": "x"}]
    assert quotes["elements"] == [{"type": "rich_text_quote", "elements": [{"type": "text", "text": "gut"}]}]
    assert len(render(replace(ALERT, quotes=(QuoteText(text="\u202e", label="x"),)))[1]) == 4


# ------------------------------------------------------------------ small parts


@pytest.mark.parametrize(
    ("text", "limit", "escaped"),
    [
        ("a & b < c > d", 99, "a &amp; b &lt; c &gt; d"),
        ("<!channel>", 99, "&lt;!channel&gt;"),
        ("&amp;", 99, "&amp;amp;"),
        ("ab&", 6, "ab"),
        ("ab&", 7, "ab&amp;"),
        ("ab cd", 3, "ab"),
    ],
)
def test_exactly_three_characters_are_escaped_and_no_escape_is_cut(text, limit, escaped):
    assert escape(text, limit) == escaped


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://blog.example/a?b=c&d=%20#e", "https://blog.example/a?b=c&d=%20#e"),
        ("https://blog.example/größe", "https://blog.example/gr%C3%B6%C3%9Fe"),
        ("http://blog.example/", ""),
        ("javascript:alert(1)", ""),
        ("https:///path", ""),
        ("https://user:pass@blog.example/", ""),
        ("https://slack.com@evil.example/", ""),
        ("https://bl\u00f6g.example/", ""),
        ("https://blog.example/a|b", ""),
        ("https://blog.example/<!channel>", ""),
        ("https://blog.example/a b", ""),
        ("https://blog.example/\u202egpj", ""),
        ("https://blog.example/\n", ""),
        ("https://blog.example:99999/", ""),
        ("https://[::1/", ""),
        ("https://blog.example/\ud800", ""),
        ("https://blog.example/" + "a" * 3000, ""),
        ("", ""),
    ],
)
def test_only_plain_https_addresses_become_links(url, safe):
    assert safe_url(url) == safe


# --------------------------------------------------------------- hostile words

TRICKS = (
    *("<!channel>", "<!here|x>", "<!everyone>", "<@U0ANNA>", "<#C0123456789>", "<https://evil.example|Klick>"),
    *("<!date^1^{time}|x>", "<!subteam^S1>", "<mailto:a@b.c>", "&lt;!channel&gt;", "&amp;", "*fett*", "_x_", "~x~"),
    *("`x`", "```", ":fire:", "> Zitat", "\n", "\r\n", "\x1b[2J", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff"),
    *("\x00", "\ud800", "e" + "\u0301" * 50, "👩\u200d👩\u200d👧", "ß", "Ω" * 300, '"}],"blocks":[', "\\"),
    *("javascript:x", "https://evil.example", "\u2028", "\u061c", "|", "^", "{time}"),
)
HOSTILE = st.lists(st.one_of(st.sampled_from(TRICKS), st.text(max_size=12)), max_size=8).map(
    lambda parts: "FREMD" + "".join(parts)
)
FOREIGN = st.builds(
    Span, text=HOSTILE, bold=st.booleans(), foreign=st.just(True), moment=st.sampled_from([None, START])
)
OWN = st.sampled_from([Span(text="38 in 60 min"), Span(text="21:14", moment=START), Span(text=" & < >"), Span(text="")])
SPANS = st.lists(st.one_of(FOREIGN, OWN), max_size=5).map(tuple)
URLS = st.one_of(HOSTILE, HOSTILE.map(lambda text: f"https://blog.example/{text}"), st.just("https://blog.example/1"))
MESSAGES = st.builds(
    Message,
    language=st.sampled_from(["de", "en"]),
    incident=st.just("NF-1"),
    revision=st.integers(1, 99),
    emoji=st.just("🔴"),
    headline=HOSTILE,
    sentence=SPANS,
    spark=st.sampled_from(["", "▁▂█"]),
    lines=st.lists(st.builds(Line, label=HOSTILE, spans=SPANS), max_size=6).map(tuple),
    honest=st.lists(HOSTILE, max_size=3).map(tuple),
    quotes=st.lists(st.builds(QuoteText, text=HOSTILE, label=HOSTILE, url=URLS), max_size=6).map(tuple),
    buttons=st.lists(st.builds(Button, act=st.just("resolve"), label=HOSTILE, url=URLS), max_size=1).map(tuple),
    footer=st.lists(SPANS, max_size=5).map(tuple),
)


def inert_everywhere(text, blocks):
    assert refusals(blocks) == []
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 10_000
    assert len(text) <= 300
    for markup in [text, *(one["text"] for one in of_type(blocks, "mrkdwn"))]:
        bare = OWN_DATE.sub("", markup)
        assert "<" not in bare
        assert ">" not in bare
        assert not re.sub(r"&(amp|lt|gt);", "", bare).count("&")
    kinds = {one["type"] for one in walk(blocks) if "type" in one}
    assert not kinds & {"user", "usergroup", "broadcast", "channel", "emoji"}
    for one in walk(blocks):
        for field in ("text", "fallback", "label"):
            shown = one.get(field, "")
            assert not isinstance(shown, str) or not {unicodedata.category(c) for c in shown.replace("\n", "")} & {
                "Cc",
                "Cf",
                "Cs",
            }
        assert safe_url(one["url"]) == one["url"] if "url" in one else True


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(MESSAGES, st.booleans(), st.sampled_from(Form))
def test_hostile_words_are_inert_wherever_they_stand(message, clicks, form):
    text, blocks = render(message, form=form, receives_clicks=clicks)
    inert_everywhere(text, blocks)
    foreign = replace(message, headline="Nordfunk", buttons=())
    text, blocks = render(foreign, form=form)
    assert "FREMD" not in text
    assert all("FREMD" not in one["text"] for one in of_type(blocks, "mrkdwn"))
