"""A comment's text as WordPress shows it: entities, curly quotes, paragraphs, links. Held against a real WordPress."""

from __future__ import annotations

import html
import re
from functools import cache

_LINK = re.compile(r"(?P<url>https?://[^\s<]*[^\s<.,;:!?)])|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)")
_DASHES = (
    (re.compile(r"---?"), "&#8212;"),
    (re.compile(r"(?<= )-(?= )"), "&#8211;"),
    (re.compile(r"\.\.\."), "&#8230;"),
)
_OPENING = re.compile(r"(?:^|(?<=[\s(]))([\"'])")
_QUOTES = {'"': ("&#8220;", "&#8221;"), "'": ("&#8216;", "&#8217;")}


@cache
def rendered(text: str) -> str:
    """Return `text` as `content.rendered` of the REST API (filters wptexturize, make_clickable, wpautop).

    Covers what plain comments contain; markup in `text` is escaped, where WordPress would strip or keep it.
    """
    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip("\n"))
    return "".join(f"<p>{_inline(paragraph)}</p>\n" for paragraph in paragraphs)


def author(name: str) -> str:
    """Return an author's name as the API and the feeds give it: `Käthe & Uwe` becomes `Käthe &amp; Uwe`."""
    return html.escape(name, quote=False)


def _inline(paragraph: str) -> str:
    pieces, end = [], 0
    for link in _LINK.finditer(paragraph):
        pieces += [_texturized(paragraph[end : link.start()]), _anchor(link)]
        end = link.end()
    pieces.append(_texturized(paragraph[end:]))
    return "".join(pieces).replace("\n", "<br />\n")


def _anchor(link: re.Match[str]) -> str:
    if link["mail"]:
        return f'<a href="mailto:{link["mail"]}">{link["mail"]}</a>'
    url = link["url"].replace("&", "&#038;")
    return f'<a href="{url}" rel="nofollow ugc">{url}</a>'


def _texturized(text: str) -> str:
    text = html.escape(text, quote=False)
    for pattern, entity in _DASHES:
        text = pattern.sub(entity, text)
    text = _OPENING.sub(lambda quote: _QUOTES[quote[1]][0], text)
    for mark, (_, closing) in _QUOTES.items():
        text = text.replace(mark, closing)
    return text
