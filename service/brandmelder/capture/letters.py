"""What a letter says, by whom and when: its words without quotation and signature, and whether a person wrote it.

RFC 5322, RFC 3834 (automatic answers). Everything in it is a stranger's word. Headers are taken apart by the older half
of Python's library: the newer one takes quadratic time, and a From of a megabyte would hold everything up for hours.
"""

from __future__ import annotations

import codecs
import re
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import parseaddr, parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.capture.normalise import clean_text, strip_html

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PARTS: Final = 100
"""How many parts of a letter are looked at."""
HEADER: Final = 4_000
"""How many characters of a header are read."""
_BORDERS: Final = 1_000
"""How many lines may look like the border of a part; a letter ends before the next."""
_BORDER: Final = re.compile(rb"^--", re.MULTILINE)
_SLOW: Final = frozenset({"punycode", "idna"})
"""Made for names, and quadratic in longer texts."""
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


class _Short(Compat32):
    """Keeps the beginning of each header: what parts of a letter say of themselves is read by the library, too."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:HEADER]


_PARSER: Final = BytesParser(policy=_Short())


def read_letter(raw: bytes) -> Told:
    """Read a letter, in time linear in its length. Never raises: what cannot be read is empty."""
    raw = _bounded(raw)
    try:
        letter: Message = _PARSER.parsebytes(raw)
    except Exception:  # noqa: BLE001 - the parser raises many kinds on hostile parts, none of which is ours
        letter = _PARSER.parsebytes(raw, headersonly=True)
    return Told(
        ident=next(iter(_ids(letter, "message-id")), ""),
        subject=" ".join(clean_text(_decoded(_header(letter, "subject"))).split())[:300],
        text=_own_words(_body(letter)),
        author=_address(_header(letter, "from")),
        written=_date(_header(letter, "date")),
        parent=next(iter([*_ids(letter, "in-reply-to"), *reversed(_ids(letter, "references"))]), ""),
        is_automatic=_is_automatic(letter),
    )


def _bounded(raw: bytes) -> bytes:
    """Return a letter without what nobody would write: parts without number."""
    for number, border in enumerate(_BORDER.finditer(raw)):
        if number == _BORDERS:
            return raw[: border.start()]
    return raw


def _header(letter: Message, name: str) -> str:
    """Return a header as it came, in one line; what is not ASCII in it is taken for UTF-8 (RFC 6532)."""
    value = next((str(value) for one, value in letter.raw_items() if one.lower() == name), "")
    return " ".join(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())


def _decoded(text: str) -> str:
    """Return the words of a header in which some are coded (RFC 2047)."""
    try:
        parts: Sequence[tuple[str | bytes, str | None]] = decode_header(text)
    except HeaderParseError:
        return text
    return "".join(part if isinstance(part, str) else _in_charset(part, charset) for part, charset in parts)


def _in_charset(raw: bytes, charset: str | None) -> str:
    """Return text; `charset` is what its sender claims, None for what decode_header has written for us."""
    try:
        name = codecs.lookup(charset or "raw-unicode-escape").name
        return raw.decode("utf-8" if name in _SLOW else name, "replace")
    except (LookupError, ValueError):  # a charset that is none, or none for texts
        return raw.decode("utf-8", "replace")


def _address(text: str) -> str:
    try:
        return parseaddr(text)[1].lower()[:200]
    except (IndexError, RecursionError, ValueError):
        return ""


def _ids(letter: Message, name: str) -> list[str]:
    return _MESSAGE_ID.findall(_header(letter, name)[:4_000])


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _body(letter: Message) -> str:
    """Return the best text: plain before HTML, attachments left alone."""
    plain: str | None = None
    rich: str | None = None
    for number, part in enumerate(_parts(letter)):
        if number >= PARTS:
            break
        try:
            kind = (
                "" if part.is_multipart() or part.get_content_disposition() == "attachment" else part.get_content_type()
            )
            if kind == "text/plain" and plain is None:
                plain = _content(part)
            elif kind == "text/html" and rich is None:
                rich = strip_html(_content(part))
        except Exception:  # noqa: BLE001, S112 - what is wrong with one part hides no other
            continue
    return clean_text(plain if plain is not None and plain.strip() else rich or "")


def _parts(letter: Message) -> Iterator[Message]:
    """Walk through a letter's parts, however deep they are nested."""
    left = [letter]
    while left:
        part = left.pop()
        yield part
        # Of a text the library would try its charset here, whatever a stranger calls it.
        inner = part.get_payload() if part.is_multipart() else None
        if isinstance(inner, list):
            left += [one for one in reversed(inner) if isinstance(one, Message)]


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return _in_charset(payload, part.get_content_charset("utf-8")) if isinstance(payload, bytes) else ""


def _own_words(text: str) -> str:
    """Return what the sender wrote, without the letter it answers and the signature."""
    for cut in (_SIGNATURE, _QUOTED):
        found = cut.search(text)
        if found is not None and text[: found.start()].strip():
            text = text[: found.start()]
    kept = [line for line in text.split("\n") if not line.startswith(">")]
    own = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return own or text.strip()


def _is_automatic(letter: Message) -> bool:
    submitted = _header(letter, "auto-submitted").strip().lower()
    return (
        submitted not in {"", "no"}
        or _header(letter, "precedence").strip().lower() in _BULK
        or bool(_header(letter, "x-autoreply"))
        or bool(_header(letter, "list-unsubscribe"))
        or letter.get_content_type() == "multipart/report"
        or _header(letter, "return-path").strip() == "<>"
    )
