"""What a letter says, by whom and when: its words without quotation and signature, and whether a person wrote it.

RFC 5322, RFC 3834 (automatic answers). Everything in it is a stranger's word.
"""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from typing import Final

from msgspec import Struct

from brandmelder.capture.normalise import clean_text, strip_html

PARTS: Final = 100
"""How many parts of a letter are looked at."""
_BULK: Final = frozenset({"bulk", "junk", "auto_reply"})
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,250}>")
_SIGNATURE: Final = re.compile(r"^-- ?$", re.MULTILINE)
_QUOTED: Final = re.compile(
    r"^(?:Am .{0,120} schrieb.{0,120}:|On .{0,120} wrote:|-{2,} ?(?:Original|Ursprüngliche).{0,40}-{2,}"
    r"|Von: .{1,120}|From: .{1,120}|_{20,})[ \t]*$",
    re.MULTILINE,
)


class Told(Struct, frozen=True, kw_only=True):
    """A letter, read."""

    ident: str
    """Its Message-ID; empty if it has none."""
    subject: str
    text: str
    author: str
    """The address it claims to come from, in lower case."""
    written: datetime | None
    parent: str
    """The Message-ID of the letter it answers."""
    is_automatic: bool
    """Written by a machine: out-of-office, bounce, newsletter."""


def read_letter(raw: bytes) -> Told:
    """Read a letter. Never raises: what cannot be read is empty."""
    try:
        letter = email.message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
        return _told(letter)
    except Exception:  # noqa: BLE001 - the parser raises many kinds on hostile input, none of which is ours
        return Told(ident="", subject="", text="", author="", written=None, parent="", is_automatic=False)


def _told(letter: EmailMessage) -> Told:
    return Told(
        ident=next(iter(_ids(letter, "message-id")), ""),
        subject=" ".join(clean_text(_header(letter, "subject")).split())[:300],
        text=_own_words(_body(letter)),
        author=parseaddr(_header(letter, "from"))[1].lower()[:200],
        written=_date(_header(letter, "date")),
        parent=next(iter([*_ids(letter, "in-reply-to"), *reversed(_ids(letter, "references"))]), ""),
        is_automatic=_is_automatic(letter),
    )


def _header(letter: EmailMessage, name: str) -> str:
    try:
        return str(letter.get(name, ""))
    except Exception:  # noqa: BLE001 - a header that cannot be parsed is as good as none
        return ""


def _ids(letter: EmailMessage, name: str) -> list[str]:
    return _MESSAGE_ID.findall(_header(letter, name)[:4_000])


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _body(letter: EmailMessage) -> str:
    """Return the best text: plain before HTML, attachments left alone."""
    plain: str | None = None
    rich: str | None = None
    for number, part in enumerate(letter.walk()):
        if number >= PARTS:
            break
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        if kind == "text/plain" and plain is None:
            plain = _content(part)
        elif kind == "text/html" and rich is None:
            rich = strip_html(_content(part))
    return clean_text(plain if plain is not None and plain.strip() else rich or "")


def _content(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        return payload.decode(charset, "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")


def _own_words(text: str) -> str:
    """Return what the sender wrote, without the letter it answers and the signature."""
    for cut in (_SIGNATURE, _QUOTED):
        found = cut.search(text)
        if found is not None and text[: found.start()].strip():
            text = text[: found.start()]
    kept = [line for line in text.split("\n") if not line.startswith(">")]
    own = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return own or text.strip()


def _is_automatic(letter: EmailMessage) -> bool:
    submitted = _header(letter, "auto-submitted").strip().lower()
    return (
        submitted not in {"", "no"}
        or _header(letter, "precedence").strip().lower() in _BULK
        or bool(_header(letter, "x-autoreply"))
        or bool(_header(letter, "list-unsubscribe"))
        or letter.get_content_type() == "multipart/report"
        or _header(letter, "return-path").strip() == "<>"
    )
