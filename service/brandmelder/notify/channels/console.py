"""The terminal as a channel: a panel for an alert, a few lines for its news; without a terminal the plain text.

Everything passes one filter on its way out, and nothing is read as markup: foreign words cannot move the cursor, colour
the screen or write links.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from brandmelder.notify.compose import plain_text
from brandmelder.notify.inert import visible
from brandmelder.notify.notifier import Found, Outcome, RefusedPlace, Sent, Uneditable, Unreadable
from brandmelder.options import ChannelOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message, Span
    from brandmelder.notify.notifier import Tools


class _SteadyConsole(Console):
    """A console whose reader may go without taking the service along."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class ConsoleNotifier:
    """Prints alerts as they come. What was printed is not edited: news is printed below."""

    Options: ClassVar[type[ChannelOptions]] = ChannelOptions
    can_update = False
    can_find = False
    is_idempotent = False
    spacing = timedelta(0)

    def __init__(
        self,
        channel_id: ChannelId,
        options: ChannelOptions,
        tools: Tools | None = None,  # a terminal needs none
        *,
        console: Console | None = None,
    ) -> None:
        del options, tools
        self.id = channel_id
        self._console = console or _SteadyConsole(highlight=False)

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Print a message: in full, or as news of the one printed before. A terminal takes every form."""
        del form
        shown = _Page(self._console.encoding)
        try:
            if not self._console.is_terminal:
                self._console.print(shown.text(plain_text(message)), soft_wrap=True)
            else:
                self._console.print(shown.panel(message) if thread is None else shown.news(message))
        except OSError as error:
            return RefusedPlace(f"the terminal is gone: {type(error).__name__}")
        return Sent(key)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Say that what was printed stays as it is."""
        del ref, message, key, form
        return Uneditable("what was printed is not edited")

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found | Unreadable:
        """Say that a terminal has no history."""
        del key, since, thread
        return Unreadable("a terminal cannot be searched")

    async def delete(self, ref: str) -> Outcome:
        """Say that what was printed stays."""
        del ref
        return RefusedPlace("what was printed is not deleted")

    async def check(self) -> Sequence[str]:
        """Return nothing: a terminal has no credentials."""
        return ()

    async def close(self) -> None:
        """Hold nothing, let go of nothing."""


class _Page:
    """Lays a message out for a console of one encoding."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def text(self, words: str, style: str = "") -> Text:
        """Return words as they may go out: filtered, never markup, with a mark for what the encoding lacks."""
        lines = "\n".join(visible(line) for line in words.split("\n"))
        return Text(lines.encode(self._encoding, "replace").decode(self._encoding), style)

    def spans(self, spans: Sequence[Span]) -> Text:
        return Text.assemble(*(self.text(span.text, "bold" if span.bold else "") for span in spans))

    def headline(self, message: Message) -> Text:
        return self.text(f"{message.emoji} {message.headline}", "bold")

    def news(self, message: Message) -> RenderableType:
        """Return what is news: the headline, and indented below it what happened and when."""
        footer = self.text(" · ").join([self.spans(part) for part in message.footer])
        footer.stylize("dim")
        below = self.text("  ").join(part for part in (self.spans(message.sentence), footer) if part)
        return Group(self.headline(message), Padding(below, (0, 0, 0, 3), expand=False))

    def panel(self, message: Message) -> RenderableType:
        """Return the whole alert in a frame."""
        body: list[RenderableType] = [self.spans(message.sentence)] if message.sentence else []
        if message.spark:
            body += ["", self.text(message.spark, "red")]
        if message.lines:
            facts = Table.grid(padding=(0, 2))
            for line in message.lines:
                facts.add_row(self.text(line.label, "dim"), self.spans(line.spans))
            body += ["", facts]
        limits = [self.text(f"! {honest}", "yellow") for honest in message.honest]
        body += ["", *limits] if limits else []
        for quote in message.quotes:
            source = " ".join(part for part in (quote.label, quote.url) if part)
            shown = Table.grid(padding=(0, 1))
            shown.add_row(self.text(">", "dim"), self.text(quote.text))
            shown.add_row("", self.text(source, "dim"))
            body += ["", shown]
        links = [self.text(f"{button.label}: {button.url}", "dim") for button in message.buttons if button.url]
        body += ["", *links] if links else []
        if message.footer:
            footer = self.text(" · ").join([self.spans(part) for part in message.footer])
            footer.stylize("dim")
            body += ["", footer]
        title = self.headline(message)
        return Panel(Group(*body), title=title, title_align="left", border_style="red", padding=(1, 2))
