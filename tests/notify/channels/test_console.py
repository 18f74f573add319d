import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from brandmelder.model import ChannelId, Form
from brandmelder.notify.channels.console import ConsoleNotifier
from brandmelder.notify.compose import plain_text
from brandmelder.notify.message import Line, QuoteText, Span
from brandmelder.notify.notifier import RefusedPlace, Sent, Uneditable, Unreadable
from brandmelder.options import ChannelOptions
from notify.channels.samples import ALERT, START

NEWS = replace(
    ALERT,
    headline="Nordfunk – stärker: 61 in 60 min",
    sentence=(Span(text="Die Schwere steigt."),),
    footer=((Span(text="NF-2026-042, 21:30"),),),
)


class Screen:
    """What a reader sees, and how it got there."""

    def __init__(self, *, is_terminal, encoding="utf-8", width=100):
        self.bytes = io.BytesIO()
        file = io.TextIOWrapper(self.bytes, encoding=encoding, write_through=True)
        console = Console(file=file, force_terminal=is_terminal, width=width, color_system="standard")
        self.notifier = ConsoleNotifier(ChannelId("console"), ChannelOptions(type="console"), console=console)
        self.encoding = encoding

    async def push(self, message, thread=None):
        return await self.notifier.push(message, key="NF-2026-042:open:console", thread=thread, form=Form.FULL)

    @property
    def text(self):
        return self.bytes.getvalue().decode(self.encoding)


async def test_an_alert_is_a_panel_in_a_terminal():
    screen = Screen(is_terminal=True)
    assert await screen.push(ALERT) == Sent("NF-2026-042:open:console")
    shown = re.sub(r"\x1b\[[\d;]*m", "", screen.text)
    assert "╭─ 🔴 Nordfunk – Negative Erwähnungen: 38 in 60 min, üblich 2–6" in shown
    for part in (
        "38 negative Erwähnungen in der letzten Stunde; um diese",
        "▁▁▁▂▄█",
        "„Netzausfall“ 21×",
        "! Nur eine",
    ):
        assert part in shown
    assert "> Seit Stunden kein Netz." in shown
    assert "blog, 21:05 https://blog.example/1" in shown
    assert "offen · NF-2026-042 · gelesen bis 21:14" in shown
    assert "Details: https://alarm.example/NF-2026-042" in shown


async def test_news_is_two_lines_and_no_second_panel():
    screen = Screen(is_terminal=True)
    await screen.push(NEWS, thread="NF-2026-042:open:console")
    shown = re.sub(r"\x1b\[[\d;]*m", "", screen.text)
    assert shown == "🔴 Nordfunk – stärker: 61 in 60 min\n   Die Schwere steigt.  NF-2026-042, 21:30\n"


async def test_what_does_not_fit_a_narrow_terminal_goes_on_below_itself():
    screen = Screen(is_terminal=True, width=60)
    sentence = (Span(text="Die Schwere steigt. " * 4),)
    await screen.push(replace(NEWS, sentence=sentence), thread="NF-2026-042:open:console")
    quote = QuoteText(text="Seit Stunden kein Netz. " * 4, label="blog, 21:05", url="")
    await screen.push(replace(ALERT, quotes=(quote,)))
    shown = re.sub(r"\x1b\[[\d;]*m", "", screen.text).splitlines()
    news = shown[1 : shown.index(next(line for line in shown if line.startswith("╭")))]
    assert len(news) >= 2
    assert all(re.match(r"   \S", line) for line in news)
    quoted = [line[1:] for line in shown if "kein Netz" in line]
    assert [line[:4] for line in quoted] == ["  > ", *["    "] * (len(quoted) - 1)]


@pytest.mark.parametrize("thread", [None, "NF-2026-042:open:console"])
async def test_without_a_terminal_there_is_plain_text(thread):
    screen = Screen(is_terminal=False)
    await screen.push(ALERT, thread=thread)
    assert screen.text == plain_text(ALERT) + "\n"


async def test_a_bare_alert_is_still_a_panel():
    screen = Screen(is_terminal=True)
    bare = replace(ALERT, sentence=(), spark="", lines=(), honest=(), quotes=(), buttons=(), footer=())
    assert isinstance(await screen.push(bare), Sent)
    assert "Nordfunk" in screen.text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("is_terminal", [True, False])
async def test_what_the_encoding_lacks_becomes_a_mark(encoding, is_terminal):
    screen = Screen(is_terminal=is_terminal, encoding=encoding)
    assert isinstance(await screen.push(ALERT), Sent)
    assert "? Nordfunk ? Negative Erw" in screen.text


async def test_a_reader_who_left_does_not_take_the_service_along():
    class Gone(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    notifier = ConsoleNotifier(ChannelId("console"), ChannelOptions(type="console"))
    notifier._console.file = Gone()
    outcome = await notifier.push(ALERT, key="k", thread=None, form=Form.FULL)
    assert outcome == RefusedPlace("the terminal is gone: BrokenPipeError")


async def test_what_was_printed_can_be_neither_edited_nor_found_nor_deleted():
    notifier = Screen(is_terminal=True).notifier
    assert not notifier.can_update
    assert not notifier.can_find
    assert isinstance(await notifier.update("r", ALERT, key="k", form=Form.FULL), Uneditable)
    assert isinstance(await notifier.find("k", since=START, thread=None), Unreadable)
    assert isinstance(await notifier.delete("r"), RefusedPlace)
    assert await notifier.check() == ()
    await notifier.close()


TRICKS = (
    *("\x1b[2J", "\x1b]0;x\x07", "\x9b31m", "\x1b]8;;https://e.example\x1b\\", "[red]x[/red]", "[/]", ":fire:"),
    *("[link=https://e.example]x[/link]", "\r", "\b\b", "\u202e", "\u2066", "\ud800", "\x00", "\n"),
)
HOSTILE = st.lists(st.one_of(st.sampled_from(TRICKS), st.text(max_size=8)), max_size=6).map("".join)
OUR_STYLES = re.compile(r"\x1b\[[0-9;]*m")


@settings(max_examples=200, deadline=None)
@given(HOSTILE, st.booleans(), st.booleans())
async def test_foreign_words_never_steer_the_terminal(hostile, is_terminal, is_news):
    screen = Screen(is_terminal=is_terminal)
    span = Span(text=hostile, foreign=True)
    message = replace(
        ALERT,
        headline=hostile,
        sentence=(span,),
        lines=(Line(label=hostile, spans=(span,)),),
        honest=(hostile,),
        quotes=(QuoteText(text=hostile, label=hostile, url=hostile),),
        footer=((span,),),
    )
    await screen.push(message, thread="x" if is_news else None)
    left = OUR_STYLES.sub("", screen.text) if is_terminal else screen.text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", left)


async def test_markup_of_the_terminal_is_shown_as_it_was_written():
    screen = Screen(is_terminal=True)
    await screen.push(replace(ALERT, headline="[red]rot[/red] :fire:"))
    assert "[red]rot[/red] :fire:" in OUR_STYLES.sub("", screen.text)
