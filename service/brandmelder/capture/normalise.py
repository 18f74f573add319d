"""One shape for foreign text, addresses, times and authors: what a source sends leaves here harmless and comparable.

Nothing here raises on input from outside, and nothing takes more than linear time in it.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import nh3

TEXT_BYTES: Final = 65_536
"""A mention's text is at most this long, in UTF-8."""
HTML_CHARACTERS: Final = 131_072
"""How much of an HTML fragment is read."""
HTML_TAGS: Final = 4_000
"""How many tags of it are read: nesting costs the parser quadratic time (256 KB of `<div>`: 8 s)."""
URL_CHARACTERS: Final = 2_048
TOLERANCE: Final = timedelta(minutes=5)
"""How far an honest clock may run ahead of ours."""
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)

# ---------------------------------------------------------------------- text

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # C0 and C1, but not tab and line breaks
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]+"
)
_PICTURE = "\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_STYLED = _PICTURE + "\xa9\xae\u203c\u2049\u2122\u2139\u2300-\u2328\u232b-\u23ff\u24c2\u25a0-\u25ff\u3030\u303d0-9#*"
_LOOSE_JOINER = re.compile(f"(?<![{_PICTURE}])(?<![{_PICTURE}]\ufe0f)\u200d|\u200d(?![{_PICTURE}])")
_LOOSE_VARIANT = re.compile(f"(?<![{_STYLED}])[\ufe0e\ufe0f]")
_PERHAPS_MARKS = re.compile("[^\x00-\u02ff\u0370-\u0482\u048a-\u0590\u3100-\ua66e\uac00-\ud7ff]{9}")
_MARKS_IN_A_ROW = 8
_PLAIN = re.compile("[\t\n\x20-\x7e\xa0-\xac\xae-\u02ff]*")
"""What most people write in: every sign seen, none a mark, and NFC already."""


def clean_text(text: str) -> str:
    r"""Return `text` in NFC without anything a reader cannot see; line breaks are `\n`; at most 64 KB of UTF-8.

    Out go C0 and C1 controls (but newline and tab), bidirectional overrides and isolates, zero-width characters, tags
    and stray variation selectors; a joiner stays between two emoji. Lone surrogates become U+FFFD. More than eight
    combining marks in a row are cut: they hide text, and ordering them takes quadratic time. Cleaning twice changes
    nothing.
    """
    if text.isascii() and text.isprintable():
        return text.strip()[:TEXT_BYTES].rstrip()
    if len(text) * 4 <= TEXT_BYTES and _PLAIN.fullmatch(text):
        return text.strip()
    text = _tidy_emoji(_drop_unseen(text).strip()[:TEXT_BYTES])
    text = _cut_marks(unicodedata.normalize("NFC", _cut_marks(text)))
    if len(text) * 4 > TEXT_BYTES:
        text = _tidy_emoji(text.encode()[:TEXT_BYTES].decode("utf-8", "ignore"))
    return text.strip()


def seen(text: str) -> str:
    """Return `text` without what a reader cannot see, as `clean_text` does; blanks stay where they are."""
    return _tidy_emoji(_drop_unseen(text))


def _drop_unseen(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _UNSEEN.sub("", _BREAKS.sub("\n", text))


def _tidy_emoji(text: str) -> str:
    if "\u200d" in text:
        text = _LOOSE_JOINER.sub("", text)
    return _LOOSE_VARIANT.sub("", text) if "\ufe0f" in text or "\ufe0e" in text else text


def _cut_marks(text: str) -> str:
    if _PERHAPS_MARKS.search(text) is None:
        return text
    kept: list[str] = []
    row = 0
    for character in text:
        row = row + 1 if unicodedata.combining(character) else 0
        if row <= _MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)


# ---------------------------------------------------------------------- HTML

_BLOCKS = ("p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr", "dt", "dd")
_KEPT = {*_BLOCKS, "img"}
_CUT_WITH_CONTENT = {"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "title", "select"}
_TAG = re.compile('<(?:img(?: alt="(?P<alt>[^"]*)")?|/?(?:' + "|".join(_BLOCKS) + "))>")
_ENTITY = re.compile(r"&(?:[a-z][a-z0-9]{1,30}|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)


def strip_html(source: str) -> str:
    """Return the text of an HTML fragment, cleaned by `clean_text`; blocks and `<br>` become line breaks.

    Scripts and styles are gone with their content. Entities are decoded once, and once more where entities remain
    (feeds escape twice). An emoji drawn as an image, as WordPress does in feeds, comes back as its character. The
    result is *text*: `&lt;b&gt;` becomes `<b>`, so whoever shows it must escape it. At most 128 K characters and 4,000
    tags are read.
    """
    kept = _drop_unseen(source[:HTML_CHARACTERS])
    if "<" in kept or "&" in kept:  # what has neither holds no markup, and parsing it is half of the work
        kept = nh3.clean(
            _cut_tags(kept),
            tags=_KEPT,
            clean_content_tags=_CUT_WITH_CONTENT,
            attributes={"img": {"alt"}},
            link_rel=None,
        )
    text = html.unescape(_TAG.sub(_break_or_picture, re.sub(r"[ \t\n]+", " ", kept)))
    if _ENTITY.search(text):
        text = html.unescape(text)
    lines = "\n".join(re.sub(r"[ \t]+", " ", line).strip(" ") for line in clean_text(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _cut_tags(source: str) -> str:
    if source.count("<") <= HTML_TAGS:
        return source
    return "<".join(source.split("<", HTML_TAGS + 1)[:-1])


def _break_or_picture(tag: re.Match[str]) -> str:
    if not tag[0].startswith("<img"):
        return "\n"
    picture = html.unescape(tag["alt"] or "")
    is_emoji = 0 < len(picture) <= 16 and not any(character.isalnum() or character.isspace() for character in picture)
    return html.escape(picture) if is_emoji else " "


# ----------------------------------------------------------------- addresses

_TRACKING = re.compile(
    "utm_.*|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|gad_source|gad_campaignid|msclkid|yclid|twclid|ttclid|li_fat_id"
    "|igsh|igshid|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|vero_id|oly_(?:anon|enc)_id|srsltid|ref_(?:src|url)|wt_z?mc|xtor"
    "|__(?:twitter_impression|cft__|tn__)|fb_action_(?:ids|types)|at_(?:medium|campaign|custom1)",
    re.IGNORECASE,
)
_COMMENT_ANCHOR = re.compile(
    r"(?:comment|kommentar|issuecomment|respond|reply|post|beitrag|msg|message|note|entry|c|p)[-_]?[0-9]{1,20}",
    re.IGNORECASE,
)
_HOST = re.compile(r"[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_PORTS = {"http": 80, "https": 443}


def canonical_url(url: str) -> str:
    """Return one spelling of an http(s) address, or an empty string for anything else.

    Credentials, the default port and tracking parameters go; so does the fragment, unless it names a single comment
    (`#comment-3`), since the comments of a page have nothing else to tell them apart. Path and query come back in
    ASCII.
    """
    url = url.strip()
    if not 0 < len(url) <= URL_CHARACTERS or any(character < " " or character == "\x7f" for character in url):
        return ""
    try:
        parts = urlsplit(url)
        place = _place(parts)
    except ValueError:
        return ""
    if not place:
        return ""
    kept = [pair for pair in parts.query.split("&") if pair and not _is_tracking(pair)]
    fragment = parts.fragment if _COMMENT_ANCHOR.fullmatch(parts.fragment) else ""
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~", errors="replace")
    query = quote("&".join(kept), safe="/%:@!$&'()*+,;=~?", errors="replace")
    return urlunsplit((parts.scheme.lower(), place, path, query, fragment))


def _place(parts: SplitResult) -> str:
    scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    if scheme not in _PORTS or "\\" in parts.netloc or not _HOST.fullmatch(host):
        return ""
    port = parts.port
    return host if port in {None, _PORTS[scheme]} else f"{host}:{port}"


def _is_tracking(pair: str) -> bool:
    return _TRACKING.fullmatch(pair.partition("=")[0]) is not None


# --------------------------------------------------------------------- times


def to_utc_seconds(moment: datetime) -> datetime:
    """Return `moment` in UTC, cut to whole seconds, clamped to 1990-2200; a time without a zone is read as UTC."""
    if moment.year <= EARLIEST.year - 1:
        return EARLIEST
    if moment.year >= LATEST.year:
        return LATEST
    utc = moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    return min(max(utc.replace(microsecond=0), EARLIEST), LATEST)


def settle_time(published: datetime | None, captured: datetime) -> tuple[datetime, tuple[str, ...]]:
    """Return the event time to count by, and what is odd about it (`Mention.flags`).

    A mention from the future (by more than five minutes) happened when we captured it: `future_dated`; so did one
    without a time: `no_date`. One from before 1990 is put at 1990: `past_dated`.
    """
    captured = to_utc_seconds(captured)
    if published is None:
        return captured, ("no_date",)
    moment = to_utc_seconds(published)
    if moment > captured + TOLERANCE:
        return captured, ("future_dated",)
    return moment, ("past_dated",) if moment == EARLIEST else ()


# ------------------------------------------------------------------ identity


def pseudonym(author: str, key: bytes) -> str:
    """Return `a` and 16 hex digits that stand for an author: HMAC-SHA256 with the installation's key.

    The same handle in other case, or with an `@` before it, is the same author; an empty author stays empty. Raises
    ValueError without a key.
    """
    if not key:
        raise ValueError("the key for pseudonyms is empty")
    handle = clean_text(author).lstrip("@").casefold()
    return "a" + hmac.digest(key, handle.encode(), "sha256").hex()[:16] if handle else ""


def fingerprint(text: str, author: str, parent: str | None) -> str:
    """Return 32 hex digits that change when a mention is edited and stay when it is merely read again.

    Differences in white space are none. Fields are written with their lengths, so no two triples look alike.
    """
    fields = (" ".join(clean_text(text).split()), clean_text(author), clean_text(parent or ""))
    packed = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (field.encode() for field in fields))
    return hashlib.blake2b(packed, digest_size=16).hexdigest()
