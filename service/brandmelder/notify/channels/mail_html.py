"""A message as HTML for a mailbox: text alone, everything escaped here, nothing that loads from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.notify.message import Message, QuoteText, Span

_FONT = "font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_MUTED = "opacity:.75"  # of whatever ink the mailbox uses, light or dark
_LABEL = f"padding:3px 16px 3px 0;vertical-align:top;width:96px;{_MUTED}"
_FACT = "padding:3px 0;vertical-align:top"
_QUOTE = "margin:12px 0;padding:2px 0 2px 12px;border-left:3px solid #c3c9d1"
_BUTTON = (
    "display:inline-block;color:inherit;text-decoration:none;"
    "margin:4px 8px 4px 0;padding:8px 14px;border:1px solid #8a929c;border-radius:6px"
)


def html_of(message: Message, *, picture: str = "") -> str:
    """Return the message as a page; `picture` is the content id of the chart that travels with it, or empty."""
    body = "\n".join(_body(message, picture))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(message.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(message.headline)}</title></head>\n"
        f'<body style="margin:0;padding:16px;{_FONT};font-size:15px;line-height:1.45">\n'
        f'<div style="max-width:640px">\n{body}\n</div></body></html>\n'
    )


def _body(message: Message, picture: str) -> Iterator[str]:
    yield f'<h1 style="margin:0 0 12px;font-size:19px;line-height:1.3">{escape(message.lock_screen)}</h1>'
    if message.sentence:
        yield f'<p style="margin:0 0 12px">{_spans(message.sentence)}</p>'
    if picture:
        alt = escape(message.chart.alt if message.chart else message.headline)
        yield f'<p style="margin:0 0 12px"><img src="cid:{escape(picture)}" alt="{alt}" style="max-width:100%"></p>'
    elif message.spark:
        yield f'<p style="margin:0 0 12px;font-family:monospace;font-size:18px">{escape(message.spark)}</p>'
    if message.lines:
        rows = (
            f'<tr><td style="{_LABEL}">{escape(line.label)}</td><td style="{_FACT}">{_spans(line.spans)}</td></tr>'
            for line in message.lines
        )
        yield f'<table role="presentation" style="border-collapse:collapse;margin:0 0 12px">{"".join(rows)}</table>'
    yield from (f'<p style="margin:0 0 8px">⚠ {escape(limit)}</p>' for limit in message.honest)
    yield from (_quote(quote) for quote in message.quotes)
    links = [(button.label, button.url) for button in message.buttons if button.url]
    if links:
        yield f'<p style="margin:16px 0">{"".join(_link(text, url, _BUTTON) for text, url in links)}</p>'
    if message.footer:
        yield f'<p style="margin:16px 0 0;font-size:13px;{_MUTED}">{" · ".join(map(_spans, message.footer))}</p>'


def _spans(spans: Sequence[Span]) -> str:
    return "".join(f"<b>{escape(span.text)}</b>" if span.bold else escape(span.text) for span in spans)


def _quote(quote: QuoteText) -> str:
    source = _link(quote.label, quote.url, f"color:inherit;{_MUTED}") if quote.url else escape(quote.label)
    return (
        f'<blockquote style="{_QUOTE}">{escape(quote.text)}<br><span style="font-size:13px;{_MUTED}">{source}</span>'
        "</blockquote>"
    )


def _link(text: str, url: str, style: str) -> str:
    if not url.startswith("https://"):
        return escape(text)
    return f'<a href="{escape(url)}" rel="noopener nofollow" style="{style}">{escape(text)}</a>'
