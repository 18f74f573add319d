"""Words in an alert's thread become acts: `übernehmen`, `snooze 30m`, `keine krise sarkasmus`, `an @anna`.

German and English, with or without umlauts. What is not exactly a command is none: people talk in threads.
"""

from __future__ import annotations

import html
import re
from typing import Final

from msgspec import Struct

MOST = 300
"""Longer texts are conversation, not commands."""
_PERSON: Final = re.compile(r"<@([UW][A-Z0-9]{2,})(?:\|[^>]*)?>")
_SPAN: Final = re.compile(r"(\d{1,4})\s*(m|min|minuten?|minutes?|h|hours?|std\.?|stunden?|d|days?|tage?)")
_UNITS: Final = {"m": 60, "h": 3600, "s": 3600, "d": 86400, "t": 86400}
"""By the first letter of the unit: `std` and `stunde` are hours, `tag` is a day."""
_HEADS: Final = (
    ("acknowledge", r"(?:ich )?(?:ü|ue)bernehmen?|ack|acknowledge|take"),
    ("snooze", r"(?:stumm|snooze|mute)\b(?: für| for)?"),
    ("dismiss", r"keine krise\b|dismiss\b|not a crisis\b|no crisis\b"),
    ("resolve", r"abschlie(?:ß|ss)en|abgeschlossen|resolve|resolved"),
    ("reopen", r"wieder (?:ö|oe)ffnen|reopen"),
    ("undo", r"r(?:ü|ue)ckg(?:ä|ae)ngig|zur(?:ü|ue)cknehmen|undo"),
    ("hand_over", r"(?:(?:ü|ue)bergeben )?an\b|hand ?over\b(?: to)?"),
    ("status", r"status"),
    ("details", r"details?"),
    ("help", r"hilfe|help|\?"),
)
_TAKES_MORE: Final = frozenset({"snooze", "dismiss", "hand_over"})
_HEAD: Final = tuple(
    (act, re.compile(rf"(?:{words})(?P<rest>{'.*' if act in _TAKES_MORE else ''})[.!]?", re.IGNORECASE | re.DOTALL))
    for act, words in _HEADS
)
_REASONS: Final = (
    ("sarcasm", ("sarkasmus", "sarkastisch", "ironie", "sarcasm", "irony")),
    ("own_campaign", ("eigene kampagne", "kampagne", "own campaign", "campaign")),
    ("sports_result", ("sportergebnis", "sport", "sports result", "sports")),
    ("bots", ("bots", "bot", "spam")),
    ("wrong_brand", ("falsche marke", "verwechslung", "wrong brand")),
    ("other", ("anderes", "sonstiges", "other")),
)


class Spoken(Struct, frozen=True, kw_only=True):
    """A command, as a Click carries it."""

    act: str
    note: str = ""
    other: str = ""
    seconds: int = 0


UNCLEAR: Final = Spoken(act="unclear")


def parse(text: str, *, to: str | None) -> Spoken | None:
    """Return what was asked; `to` is the id under which the channel knows us.

    Spoken to us, it is a command or unclear. Said among people it is a command or nothing.
    """
    us = f"<@{to}" if to else None
    is_to_us = us is not None and us in text
    said = " ".join(re.sub(rf"<@{re.escape(to)}(?:\|[^>]*)?>", " ", text).split()) if to and is_to_us else text
    otherwise = UNCLEAR if is_to_us else None
    words = " ".join(said.split())
    if len(words) > MOST:
        return otherwise
    spoken = _command(words)
    if spoken is None or (not is_to_us and _is_conversation(spoken)):
        return otherwise
    return spoken


def _is_conversation(spoken: Spoken) -> bool:
    """Whether people may say so to one another: `keine Krise, oder?` dismisses nothing, `?` asks for no help."""
    return ":" in spoken.note or spoken.act == "help"


def _command(words: str) -> Spoken | None:
    for act, pattern in _HEAD:
        match = pattern.fullmatch(words)
        if match is not None:
            return _with_rest(act, html.unescape(match["rest"]).strip(" :,."))
    return None


def _with_rest(act: str, rest: str) -> Spoken | None:
    match act:
        case "snooze":
            return _snooze(rest)
        case "dismiss":
            return Spoken(act=act, note=_reason(rest))
        case "hand_over":
            return _hand_over(rest)
        case _:
            return Spoken(act=act)


def _snooze(rest: str) -> Spoken | None:
    if not rest:
        return Spoken(act="snooze")
    match = _SPAN.fullmatch(rest.casefold())
    return Spoken(act="snooze", seconds=int(match[1]) * _UNITS[match[2][0]]) if match and int(match[1]) else None


def _reason(rest: str) -> str:
    low = rest.casefold()
    for reason, names in _REASONS:
        for name in names:
            if low == name or re.match(rf"{re.escape(name)}[\s:,.-]", low):
                words = rest[len(name) :].strip(" :,.-")
                return f"{reason}: {words}" if words else reason
    return f"other: {rest}" if rest else "other"


def _hand_over(rest: str) -> Spoken | None:
    """Return to whom; only a mention says for sure who is meant."""
    match = _PERSON.fullmatch(rest)
    return Spoken(act="hand_over", other=match[1]) if match else None
