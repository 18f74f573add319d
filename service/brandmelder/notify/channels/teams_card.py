"""A message as an adaptive card. Every word stands in a text run, which knows no mark-up, no mention and no link.

https://adaptivecards.io/explorer/RichTextBlock.html; a message of Teams holds about 28 kB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from brandmelder.model import Form, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.message import Message, QuoteText, Span

LARGEST = 26_000
"""Bytes of the whole request: the workflow wraps the card once more."""
_COLOURS = {State.OPEN: "attention", State.ACKNOWLEDGED: "warning", State.RESOLVED: "good"}

Block = dict[str, Any]


def request_of(message: Message, form: Form) -> bytes:
    """Return what is posted; whatever does not fit is left out from the end: quotes, then facts."""
    facts, quotes = (len(message.lines), len(message.quotes)) if form is Form.FULL else (0, 0)
    while True:
        body = msgspec.json.encode(_wrapped(message, facts, quotes))
        if len(body) <= LARGEST or not (facts or quotes):
            return body
        facts, quotes = (facts, quotes - 1) if quotes else (facts - 1, 0)


def _wrapped(message: Message, facts: int, quotes: int) -> Block:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "fallbackText": message.lock_screen,
        "msteams": {"width": "Full"},
        "body": _body(message, facts, quotes),
    }
    links = [
        {"type": "Action.OpenUrl", "title": one.label, "url": one.url}
        for one in message.buttons
        if one.url.startswith("https://")
    ]
    if links:
        card["actions"] = links
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _body(message: Message, facts: int, quotes: int) -> list[Block]:
    colour = _COLOURS.get(message.subject.state, "default") if message.subject else "default"
    head = {"size": "large", "weight": "bolder", "color": colour}
    blocks = [_text([_run(message.lock_screen, **head)])]
    if message.sentence:
        blocks.append(_text(_runs(message.sentence)))
    if message.spark:
        blocks.append(_text([_run(message.spark, fontType="monospace", size="large")]))
    blocks += [
        _text([_run(f"{line.label}  ", isSubtle=True), *_runs(line.spans)], spacing="small")
        for line in message.lines[:facts]
    ]
    blocks += [_text([_run(f"⚠ {limit}")]) for limit in message.honest]
    blocks += [_quote(quote) for quote in message.quotes[:quotes]]
    footer = [run for spans in message.footer for run in (*_runs(spans, isSubtle=True, size="small"), _run(" · "))]
    return [*blocks, _text(footer[:-1])] if footer else blocks


def _quote(quote: QuoteText) -> Block:
    source = _run(quote.label, isSubtle=True, size="small")
    if quote.url.startswith("https://"):
        source["selectAction"] = {"type": "Action.OpenUrl", "url": quote.url}
    return {"type": "Container", "style": "emphasis", "items": [_text([_run(quote.text)]), _text([source])]}


def _runs(spans: Sequence[Span], **more: Any) -> list[Block]:
    return [_run(span.text, **({"weight": "bolder"} if span.bold else {}), **more) for span in spans]


def _run(text: str, **more: Any) -> Block:
    return {"type": "TextRun", "text": text, **more}


def _text(runs: Sequence[Block], **more: Any) -> Block:
    return {"type": "RichTextBlock", "inlines": list(runs), **more}
