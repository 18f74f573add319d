"""A feed's bytes become entries of plain text. Runs in the parser child only: its input is hostile.

Two ways lead to the same entries: ElementTree for well-formed RSS 2.0, RSS 1.0 and Atom, feedparser for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from msgspec import Struct

from brandmelder.capture.normalise import clean_text, strip_html
from brandmelder.capture.source import Entry, ParsedFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ENTRIES: Final = 1000
"""How many entries are given back: the newest."""
READ: Final = 5000
"""How many are read at all, in the order of the document."""
LONGEST_LIFE: Final = timedelta(days=1)

_ZONES: Final = {"CET": "+0100", "MEZ": "+0100", "CEST": "+0200", "MESZ": "+0200"}
_ZONE: Final = re.compile(r"\b(?:CES?T|MES?Z)$", re.IGNORECASE)
"""Our own zones by their names, which RFC 822 does not know and feeds write all the same."""

_ATOM, _RSS1, _RDF = (
    "{http://www.w3.org/2005/Atom}",
    "{http://purl.org/rss/1.0/}",
    "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}",
)
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_DC = "{http://purl.org/dc/elements/1.1/}"
_THREAD = "{http://purl.org/syndication/thread/1.0}in-reply-to"
_CLOSED = re.compile(rb"</(?:\w{1,20}:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_ENTITY = re.compile(rb"<!\s*ENTITY", re.IGNORECASE)
_MAILBOX = re.compile(
    r"\S{1,254}@\S{1,254}\s*\((?P<after>[^()]{1,200})\)|(?P<before>[^()]{1,200}?)\s*\(\S{1,254}@[^()\s]{1,254}\)"
)
"""`post@example.org (Name)`, as RSS has it, and `Name (post@example.org)`, as feedparser makes it."""
_ANSWER = re.compile(
    r"\s*(?:<p>)?[^<]{1,60}<a [^<>]{0,200}href=\"(?P<parent>[^\"]{1,2000}#comment-\d{1,20})\"[^<>]{0,200}>"
    r"[^<]{0,200}</a>\.?(?:\s|</p>|<br ?/?>)*"
)
"""`Antwort auf <a href="…#comment-11">Name</a>.`: what WordPress puts before a reply in its feeds."""


class Raw:
    """One entry as the document has it: texts with their kind, and a date not yet read."""

    __slots__ = ("author", "date", "html", "id", "link", "parent", "title", "title_is_html", "words")

    def __init__(self) -> None:
        self.id = self.link = self.title = self.author = self.parent = self.date = self.words = ""
        self.html = self.title_is_html = True


class Found(Struct):
    """What one of the two ways makes of a document."""

    version: str = ""
    raws: Sequence[Raw] = ()
    total: int = 0
    life: timedelta | None = None


def parse(body: bytes, content_type: str) -> ParsedFeed:
    """Read a feed. Never raises for what the document holds; `refusal` says why it is none."""
    if _declares_entities(body):
        return ParsedFeed(refusal="a document that declares entities of its own")
    found, is_cut = parse_well_formed(body), False
    if found is None:
        found = parse_tolerantly(body, content_type)
        is_cut = not _CLOSED.search(body[-4096:].replace(b"\0", b""))
    if not found.version:
        return ParsedFeed(refusal=_name(body))
    raws = found.raws[:-1] if is_cut and found.total <= READ else found.raws
    return ParsedFeed(
        version=found.version,
        entries=_newest([(raw, parse_date(raw.date)) for raw in raws]),
        total=found.total - is_cut,
        is_cut=is_cut,
        time_to_live=found.life,
    )


def parse_date(text: str) -> datetime | None:
    """Read an RFC 822 or ISO 8601 date; without a zone it is UTC. None if it is neither."""
    text = text.strip()[:64]
    try:
        if text[:4].isdigit():
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        fields = parsedate_tz(_ZONE.sub(_offset, text))
        if fields is None:
            return None
        return datetime(*fields[:6], tzinfo=UTC) - timedelta(seconds=fields[9] or 0)
    except (ValueError, OverflowError, TypeError):
        return None


def _offset(zone: re.Match[str]) -> str:
    return _ZONES[zone[0].upper()]


def _newest(dated: list[tuple[Raw, datetime | None]]) -> tuple[Entry, ...]:
    if len(dated) > ENTRIES:
        oldest = datetime.min.replace(tzinfo=UTC)
        ranked = sorted(range(len(dated)), key=lambda n: dated[n][1] or oldest, reverse=True)
        dated = [dated[n] for n in sorted(ranked[:ENTRIES])]
    return tuple(_entry(raw, published) for raw, published in dated)


def _entry(raw: Raw, published: datetime | None) -> Entry:
    words, parent = raw.words, raw.parent
    if "#comment-" in raw.link and (answer := _ANSWER.match(words)):
        words, parent = words[answer.end() :], parent or answer["parent"]
    return Entry(
        id=clean_text(raw.id),
        link=raw.link.strip()[:4096],
        title=_text(raw.title, is_html=raw.title_is_html).replace("\n", " "),
        text=_text(words, is_html=raw.html),
        author=_person(raw.author),
        parent=clean_text(parent)[:4096],
        published=published,
    )


def _person(author: str) -> str:
    """Return a name without the mail address beside it, which is nobody's business."""
    author = _text(author, is_html=True)[:600]
    mailbox = _MAILBOX.fullmatch(author)
    return (mailbox["after"] or mailbox["before"] if mailbox else author)[:200].strip()


def _text(words: str, *, is_html: bool) -> str:
    if not is_html:
        return clean_text(words)
    if "<" not in words and "&" not in words:
        return clean_text(re.sub(r"[ \t\r\n]+", " ", words))  # what strip_html would do, 20 times as fast
    return strip_html(words)


def _declares_entities(body: bytes) -> bool:
    """Whether an entity is declared before the first element; NULs are dropped, so UTF-16 hides nothing."""
    bare = body.replace(b"\0", b"")
    first = re.search(rb"<\w", bare)
    return _ENTITY.search(bare, 0, first.start() if first else len(bare)) is not None


def _name(body: bytes) -> str:
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        return "an empty document"
    if _HTML.search(head):
        return "HTML"
    if head[:1] in {b"{", b"["}:
        return "JSON"
    return "XML of another kind" if head.startswith(b"<?xml") else "text of another kind"


# ------------------------------------------------------------ the straight way


def parse_well_formed(body: bytes) -> Found | None:
    """Read RSS 2.0, RSS 1.0 or Atom 1.0 that is well-formed; None for everything else."""
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    if root.tag == f"{_ATOM}feed":
        entries = root.findall(f"{_ATOM}entry")
        return Found("atom10", [_read_atom(entry) for entry in entries[:READ]], len(entries))
    if root.tag == f"{_RDF}RDF":
        items = root.findall(f"{_RSS1}item")
        return Found("rss10", [_read_rss(item, _RSS1) for item in items[:READ]], len(items))
    channel = root.find("channel") if root.tag == "rss" else None
    if channel is None:
        return None
    items = channel.findall("item")
    life = _life(channel.findtext("ttl"))
    return Found("rss20", [_read_rss(item, "") for item in items[:READ]], len(items), life)


def _read_rss(item: Element, space: str) -> Raw:
    parts = {child.tag: child for child in reversed(item)}  # of repeated elements the first
    read = _reader(parts)
    raw = Raw()
    raw.title, raw.link = read(f"{space}title"), read(f"{space}link")
    raw.id = read("guid") or item.get(f"{_RDF}about", "")
    if not raw.link and "guid" in parts and parts["guid"].get("isPermaLink", "true") != "false":
        raw.link = raw.id
    raw.words = read(_CONTENT) or read(f"{space}description")
    raw.author = read(f"{_DC}creator") or read(f"{space}author")
    raw.date = read("pubDate") or read(f"{_DC}date")
    if _THREAD in parts:
        raw.parent = parts[_THREAD].get("ref", "")
    return raw


def _read_atom(entry: Element) -> Raw:
    parts = {child.tag: child for child in reversed(entry)}
    read = _reader(parts)
    raw = Raw()
    raw.id, raw.date = read(f"{_ATOM}id"), read(f"{_ATOM}published") or read(f"{_ATOM}updated")
    raw.link = next(_alternates(entry.iterfind(f"{_ATOM}link")), "")
    raw.title, raw.title_is_html = _construct(parts.get(f"{_ATOM}title"))
    raw.words, raw.html = _construct(parts.get(f"{_ATOM}content"))
    if not raw.words.strip():
        raw.words, raw.html = _construct(parts.get(f"{_ATOM}summary"))
    author = parts.get(f"{_ATOM}author")
    raw.author = (author.findtext(f"{_ATOM}name") or "").strip() if author is not None else ""
    if _THREAD in parts:
        raw.parent = parts[_THREAD].get("ref", "")
    return raw


def _reader(parts: dict[str, Element]) -> Callable[[str], str]:
    def read(tag: str) -> str:
        part = parts.get(tag)
        if part is None:
            return ""
        return ("".join(part.itertext()) if len(part) else part.text or "").strip()

    return read


def _alternates(links: Iterable[Element]) -> Iterator[str]:
    return (link.get("href", "").strip() for link in links if link.get("rel", "alternate") == "alternate")


def _construct(part: Element | None) -> tuple[str, bool]:
    """Return the text of an Atom construct (RFC 4287, 3.1 and 4.1.3), and whether it is HTML."""
    if part is None:
        return "", False
    kind = part.get("type", "text")
    if kind == "xhtml":
        for element in part.iter():
            element.tag = element.tag.rpartition("}")[2]
        return "".join(tostring(child, encoding="unicode", method="html") for child in part), True
    return "".join(part.itertext()), kind in {"html", "text/html"}


# ---------------------------------------------------------- the tolerant way


def parse_tolerantly(body: bytes, content_type: str) -> Found:
    """Read whatever feedparser takes for a feed; the version is empty if it takes it for none."""
    import feedparser  # noqa: PLC0415 - 20 MB that most feeds never need

    try:
        found: Any = feedparser.parse(
            BytesIO(body),
            response_headers={"content-type": content_type or "application/xml"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        version = found.get("version", "")
        raws = [_read_tolerantly(entry, version) for entry in found.entries[:READ]]
        return Found(version, raws, len(found.entries), _life(found.feed.get("ttl")))
    except Exception:  # noqa: BLE001 - feedparser raises errors of many kinds on malformed bytes
        return Found()


def _read_tolerantly(entry: Any, version: str) -> Raw:
    is_atom = version.startswith("atom")
    raw = Raw()
    raw.id, raw.link, raw.title, raw.author = (_said(entry, key) for key in ("id", "link", "title", "author"))
    raw.title_is_html = not is_atom or _is_html(entry.get("title_detail"), raw.title)
    content = next((part for part in entry.get("content", ()) if _said(part, "value").strip()), None)
    part = content or entry.get("summary_detail")
    raw.words = _said(part, "value")
    raw.html = not is_atom or _is_html(part, raw.words)
    raw.date = _said(entry, "published") or _said(entry, "updated")
    raw.parent = _said(entry.get("thr_in-reply-to"), "ref")
    return raw


def _said(part: Any, key: str) -> str:
    """Return a value if it is text; feedparser also gives None."""
    value = (part or {}).get(key)
    return value if isinstance(value, str) else ""


def _is_html(part: Any, words: str) -> bool:
    return _said(part, "type") in {"text/html", "application/xhtml+xml"} and ("<" in words or "&" in words)


def _life(text: Any) -> timedelta | None:
    """Return `<ttl>`, which counts minutes, at most a day."""
    text = str(text or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return min(timedelta(minutes=int(text)), LONGEST_LIFE)
