"""A message as Markdown for chats that read it: our own words marked up, strangers' words inert.

Chats ring people for `@all` even behind a backslash, so in strangers' words the sign becomes its full-width twin.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.notify.message import Message, QuoteText, Span

_SIGNS = re.compile(r"[\\`*_{}\[\]()<>#+~|:!&^$-]")
_WIDE = 0xFEE0
"""From a sign to its full-width twin."""


def escaped(text: str) -> str:
    """Return text that CommonMark shows as it stands: no mark-up, no mention, no link, no emoji code."""
    return _SIGNS.sub(lambda sign: f"\\{sign[0]}", _line(text))


def widened(text: str) -> str:
    """Return text whose signs of mark-up are their full-width twins: for chats that know no escapes."""
    return _SIGNS.sub(lambda sign: chr(ord(sign[0]) + _WIDE), _line(text))


def _line(text: str) -> str:
    return " ".join(text.replace("@", "＠").split())


class Dialect(Struct, frozen=True, kw_only=True):
    """How one chat marks words up."""

    show: Callable[[str], str]
    bold: str
    link: str
    """With places for `label` and `url`."""

    def spans(self, parts: Sequence[Span]) -> str:
        """Return spans; bold is marked."""
        return "".join(
            f"{self.bold}{self.show(span.text)}{self.bold}"
            if span.bold and span.text.strip()
            else self._kept(span.text)
            for span in parts
        )

    def body(self, message: Message) -> str:
        """Return everything but the headline and the labelled lines."""
        parts: list[str] = []
        if message.sentence:
            parts.append(self.spans(message.sentence))
        if message.spark:
            parts.append(self.show(message.spark))
        parts += [f"⚠ {self.show(limit)}" for limit in message.honest]
        parts += [self._quote(quote) for quote in message.quotes]
        links = [self._link(one.label, one.url) for one in message.buttons if address(one.url)]
        if links:
            parts.append(" · ".join(links))
        if message.footer:
            parts.append(" · ".join(map(self.spans, message.footer)))
        return "\n\n".join(parts)

    def fields(self, message: Message) -> Iterator[dict[str, object]]:
        """Yield the labelled lines as fields of an attachment."""
        for line in message.lines:
            yield {"title": self.show(line.label), "value": self.spans(line.spans), "short": False}

    def _kept(self, text: str) -> str:
        """Show text with the blanks around it, which part it from its neighbours."""
        lead, trail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{' ' if lead else ''}{self.show(text)}{' ' if trail and text.strip() else ''}"

    def _quote(self, quote: QuoteText) -> str:
        source = self._link(quote.label, quote.url) if address(quote.url) else self.show(quote.label)
        return f"> {self.show(quote.text)}\n> {source}"

    def _link(self, label: str, url: str) -> str:
        return self.link.format(label=self.show(label), url=address(url))


def address(url: str) -> str:
    """Return an https address that can stand inside mark-up, or nothing."""
    return url if url.startswith("https://") and not re.search(r"[\s<>\\()|]", url) else ""
