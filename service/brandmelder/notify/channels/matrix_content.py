"""A message as the content of a Matrix event: plain text, and the same as HTML with everything escaped.

`m.mentions` is empty: whatever a text says, it rings nobody (Matrix 1.7, intentional mentions).
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from brandmelder.model import Form
from brandmelder.notify.compose import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.notify.message import Message, QuoteText, Span

KEY = "org.brandmelder.key"


def content(message: Message, *, key: str, form: Form) -> dict[str, Any]:
    """Return a message's content; the lesser form has no HTML."""
    said: dict[str, Any] = {"msgtype": "m.text", "body": plain_text(message), "m.mentions": {}, KEY: key}
    if form is Form.FULL:
        said |= {"format": "org.matrix.custom.html", "formatted_body": "".join(_html(message))}
    return said


def in_thread(said: dict[str, Any], root: str) -> dict[str, Any]:
    """Return content that stands in the thread under `root`, and as a reply where a client knows no threads."""
    relation = {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": root},
    }
    return said | {"m.relates_to": relation}


def in_place_of(said: dict[str, Any], event: str) -> dict[str, Any]:
    """Return content that replaces that of `event`."""
    relation = {"rel_type": "m.replace", "event_id": event}
    return {**said, "body": f"* {said['body']}", "m.new_content": said, "m.relates_to": relation}


def _html(message: Message) -> Iterator[str]:
    yield f"<h4>{escape(message.lock_screen)}</h4>"
    if message.sentence:
        yield f"<p>{_spans(message.sentence)}</p>"
    if message.spark:
        yield f"<p><code>{escape(message.spark)}</code></p>"
    if message.lines:
        rows = (f"<li><b>{escape(line.label)}</b> {_spans(line.spans)}</li>" for line in message.lines)
        yield f"<ul>{''.join(rows)}</ul>"
    yield from (f"<p>⚠ {escape(limit)}</p>" for limit in message.honest)
    yield from (_quote(quote) for quote in message.quotes)
    links = [_link(one.label, one.url) for one in message.buttons if one.url.startswith("https://")]
    if links:
        yield f"<p>{' · '.join(links)}</p>"
    if message.footer:
        yield f"<p><i>{' · '.join(map(_spans, message.footer))}</i></p>"


def _spans(spans: Sequence[Span]) -> str:
    return "".join(f"<b>{escape(span.text)}</b>" if span.bold else escape(span.text) for span in spans)


def _quote(quote: QuoteText) -> str:
    source = _link(quote.label, quote.url) if quote.url.startswith("https://") else escape(quote.label)
    return f"<blockquote>{escape(quote.text)}<br>{source}</blockquote>"


def _link(text: str, url: str) -> str:
    return f'<a href="{escape(url)}">{escape(text)}</a>'
