"""A message as Slack takes it: a line of text and blocks, within all limits, with foreign words kept inert.

Foreign words stand only in rich text, as text elements, or in plain text: neither knows markup. So does almost all
else: only the footer is mrkdwn, since it holds times in the reader's zone, and there only our own words, escaped.
Every full form holds a rich_text block: Slack refuses an edit that takes the last one away.
Limits: https://docs.slack.dev/reference/block-kit.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from msgspec.structs import replace

from brandmelder.model import Form
from brandmelder.notify.inert import inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.message import Button, Callee, Message, QuoteText, Span

Block = dict[str, Any]

MOST_BYTES = 10_000
"""Of blocks as JSON. Slack refuses somewhere near 13,200 characters and does not document where."""
MOST_TEXT = 300
MOST_HEADER = 150
MOST_SENTENCE = 600
MOST_LINE = 600
MOST_LABEL = 80
MOST_QUOTE = 220
MOST_SOURCE = 120
MOST_FOOTER, MOST_FOOTERS = 900, 4
MOST_URL = 2_000
MOST_BUTTONS = 4
MOST_ELEMENTS = 10
MOST_SPANS = 24

_COMMANDS = {"acknowledge": "ack", "resolve": "resolve"}
"""Acts that have a command of their own: `brandmelder incidents ack ID`."""
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%~"
_NO_URL_CHARACTERS = frozenset(' <>"|\\^`{}')
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,20}")
_CLOCK_TIME = re.compile(r"\d{1,2}:\d{2}")


def render(
    message: Message, *, form: Form = Form.FULL, receives_clicks: bool = False, chart: Block | None = None
) -> tuple[str, list[Block]]:
    """Return the line that phones show and the blocks; in the plain form all is in the text.

    A `chart` (a block of Slack's own) stands in the place of the sparkline.

    Without somebody who `receives_clicks` there are no buttons, since one that does nothing is worse than none: what
    has an address becomes a link, what has a command is named in the footer.
    """
    lock_screen = inert(message.lock_screen, MOST_TEXT)
    if form is Form.PLAIN:
        return _plain_form(message, lock_screen), []
    message = _bounded(message)
    blocks = _build(message, receives_clicks=receives_clicks, chart=chart)
    while _size(blocks) > MOST_BYTES:
        message = _smaller(message)
        blocks = _build(message, receives_clicks=receives_clicks, chart=chart)
    return escape(lock_screen, MOST_TEXT), blocks


def escape(text: str, limit: int) -> str:
    """Return our own words for mrkdwn: exactly & < > escaped, cut before an escape and not inside it."""
    pieces: list[str] = []
    room = limit
    for character in text.strip():
        piece = _ESCAPES.get(character, character)
        if len(piece) > room:
            break
        pieces.append(piece)
        room -= len(piece)
    return "".join(pieces).rstrip()


def safe_url(url: str) -> str:
    """Return an https address with a plain host and without a login or odd characters; else nothing."""
    if not url.isprintable() or not set(url).isdisjoint(_NO_URL_CHARACTERS):
        return ""
    try:
        parts = urlsplit(url)
        encoded = quote(f"{parts.scheme}{url[len(parts.scheme) :]}", safe=_URL_CHARACTERS)
        is_safe = len(encoded) <= MOST_URL and parts.scheme == "https" and parts.username is None and parts.port != 0
    except ValueError:
        return ""
    return encoded if is_safe and parts.hostname and parts.hostname.isascii() else ""


def _plain_form(message: Message, lock_screen: str) -> str:
    """Return all that one text holds: the lock-screen line, our own sentence as far as it fits, the incident's id."""
    ident = escape(message.incident, MOST_LABEL)
    own = inert("".join(span.text for span in message.sentence if not span.foreign), MOST_TEXT)
    text = escape(f"{lock_screen}\n{own}", MOST_TEXT - len(ident) - 1)
    return f"{text}\n{ident}"


# ----------------------------------------------------------------------- blocks


def _build(message: Message, *, receives_clicks: bool, chart: Block | None) -> list[Block]:
    header = inert(f"{message.emoji} {message.headline}", MOST_HEADER)
    blocks: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": True}}]
    sentence = _section(_runs(message.sentence, MOST_SENTENCE)) + _section(_called(message.calls))
    if chart is None:
        blocks += _rich_text([*sentence, *_spark(message), *_facts(message)])
    else:
        blocks += [*_rich_text(sentence), chart, *_rich_text(_facts(message))]
    blocks += _rich_text([element for one in message.quotes if (element := _quote(one)) is not None])
    if receives_clicks:
        blocks += _actions(message)
    else:
        blocks += _rich_text(_links(message.buttons))
    blocks += _context(message, receives_clicks=receives_clicks)
    return [{**block, "block_id": _block_id(place, block)} for place, block in enumerate(blocks)]


def _bounded(message: Message) -> Message:
    """Return the message without what could never be shown, so that no message takes long."""
    return replace(
        message,
        quotes=message.quotes[:MOST_ELEMENTS],
        lines=message.lines[: 2 * MOST_ELEMENTS],
        honest=message.honest[:MOST_ELEMENTS],
        footer=tuple(part[:MOST_SPANS] for part in message.footer[:MOST_FOOTERS]),
        buttons=message.buttons[:MOST_BUTTONS],
    )


def _smaller(message: Message) -> Message:
    """Return the message without its least important thing. Headline, sentence and picture stay, and always fit."""
    field = next(name for name in ("quotes", "lines", "honest", "footer", "buttons") if getattr(message, name))
    return replace(message, **{field: getattr(message, field)[:-1]})


def _size(blocks: Sequence[Block]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False).encode())


def _block_id(place: int, block: Block) -> str:
    """Return an id that changes with the block, as Slack asks for edits."""
    content = json.dumps([place, block], sort_keys=True).encode()
    return f"{block['type']}-{hashlib.blake2b(content, digest_size=8).hexdigest()}"


def _rich_text(elements: list[Block]) -> list[Block]:
    return [{"type": "rich_text", "elements": elements}] if elements else []


def _spark(message: Message) -> list[Block]:
    """Return the picture as a line of text."""
    spark = inert(message.spark, MOST_LINE)
    return [{"type": "rich_text_preformatted", "elements": [_text(spark)]}] if spark else []


def _facts(message: Message) -> list[Block]:
    """Return the labelled lines and what limits them."""
    rows = [row for line in message.lines if (row := _row(line.label, line.spans))]
    rows += [[_text(f"⚠ {words}", italic=True)] for honest in message.honest if (words := inert(honest, MOST_LINE))]
    return _section([run for row in rows for run in [*row, _text("\n")]][:-1])


def _called(calls: Sequence[Callee]) -> list[Block]:
    """Mention those whom a message calls: their ids stand in the configuration, no stranger writes them."""
    users = [{"type": "user", "user_id": one.slack} for one in calls[:MOST_ELEMENTS] if _MEMBER.fullmatch(one.slack)]
    return [part for user in users for part in (user, _text(" "))][:-1]


def _section(elements: list[Block]) -> list[Block]:
    return [{"type": "rich_text_section", "elements": elements}] if elements else []


def _row(label: str, spans: Sequence[Span]) -> list[Block]:
    runs = _runs(spans, MOST_LINE)
    name = inert(label, MOST_LABEL)
    return [_text(name, bold=True), _text("  "), *runs] if name and runs else runs


def _runs(spans: Sequence[Span], limit: int) -> list[Block]:
    """Return spans as elements of rich text, together at most `limit` characters."""
    runs: list[Block] = []
    for span in spans[:MOST_SPANS]:
        words = _spaced(span.text, limit)
        limit -= len(words)
        if not words:
            continue
        if span.moment is not None and not span.foreign:
            moment = int(span.moment.timestamp())
            runs.append({"type": "date", "timestamp": moment, "format": _date_format(words), "fallback": words})
        else:
            runs.append(_text(words, bold=span.bold))
    return runs


def _spaced(text: str, limit: int) -> str:
    """Make a span inert and keep one blank at its ends, where spans meet."""
    core = inert(text, max(limit - 2, 0))
    if not core:
        return " "[:limit] if text.isspace() else ""
    return f"{' ' if text[0].isspace() else ''}{core}{' ' if text[-1].isspace() else ''}"


def _text(text: str, *, bold: bool = False, italic: bool = False) -> Block:
    style = {name: True for name, on in (("bold", bold), ("italic", italic)) if on}
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def _quote(one: QuoteText) -> Block | None:
    words = inert(one.text, MOST_QUOTE)
    if not words:
        return None
    elements = [_text(words)]
    label, url = inert(one.label, MOST_SOURCE), safe_url(one.url)
    if label:
        elements += [_text("\n"), {"type": "link", "url": url, "text": label} if url else _text(label, italic=True)]
    return {"type": "rich_text_quote", "elements": elements}


def _links(buttons: Sequence[Button]) -> list[Block]:
    links = [
        {"type": "link", "url": url, "text": label}
        for button in buttons
        if (url := safe_url(button.url)) and (label := inert(button.label, MOST_LABEL))
    ]
    return _section([part for link in links for part in (link, _text("  ·  "))][:-1])


def _actions(message: Message) -> list[Block]:
    buttons = []
    for button in message.buttons:
        label = {"type": "plain_text", "text": inert(button.label, 75) or button.act, "emoji": True}
        value = f"{message.incident}:{message.revision}"
        element: Block = {"type": "button", "action_id": button.act, "text": label, "value": value}
        if button.primary:
            element["style"] = "primary"
        if url := safe_url(button.url):
            # Slack tells of the press though it opens the page by itself: under a name that is no click of staff.
            element |= {"action_id": f"open_{button.act}", "url": url}
        buttons.append(element)
    return [{"type": "actions", "elements": buttons}] if buttons else []


def _context(message: Message, *, receives_clicks: bool) -> list[Block]:
    """Return the footer; foreign words in it stand in plain text of their own."""
    elements: list[Block] = []
    own: list[str] = []
    room = MOST_FOOTER
    for part in message.footer:
        if any(span.foreign for span in part):
            elements += [*_mrkdwn(own), *_plain("".join(span.text for span in part))]
            own = []
        elif (words := "".join(_footer_words(span) for span in part)) and len(words) <= room:
            own.append(words)
            room -= len(words)
    if not receives_clicks:
        own += [_command(button, message.incident) for button in message.buttons if button.act in _COMMANDS]
    elements += _mrkdwn(own)
    return [{"type": "context", "elements": elements[:MOST_ELEMENTS]}] if elements else []


def _mrkdwn(parts: Sequence[str]) -> list[Block]:
    return [{"type": "mrkdwn", "text": " · ".join(parts), "verbatim": True}] if parts else []


def _plain(text: str) -> list[Block]:
    words = inert(text, MOST_LINE)
    return [{"type": "plain_text", "text": words, "emoji": False}] if words else []


def _footer_words(span: Span) -> str:
    words = escape(inert(span.text, MOST_SOURCE), MOST_LINE)
    if span.moment is not None:
        words = f"<!date^{int(span.moment.timestamp())}^{_date_format(span.text)}|{words.replace('|', '/')}>"
    before, behind = (" " if edge.isspace() else "" for edge in (span.text[:1], span.text[-1:]))
    return f"{before}{words}{behind}" if words else before


def _command(button: Button, incident: str) -> str:
    label = escape(inert(button.label, MOST_LABEL), MOST_LABEL)
    return f"{label}: `brandmelder incidents {_COMMANDS[button.act]} {escape(incident, MOST_LABEL)}`"


def _date_format(text: str) -> str:
    """Return how Slack writes a moment in the reader's zone: the hour alone where we wrote the hour alone."""
    return "{time}" if _CLOCK_TIME.fullmatch(text.strip()) else "{date_short_pretty} {time}"
