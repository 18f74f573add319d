"""How a page is written: templates that escape everything, and one filter for what strangers wrote."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from brandmelder.notify.excerpt import safe_url
from brandmelder.notify.inert import inert, visible
from brandmelder.web.cookies import VISITOR, keep
from brandmelder.web.files import stamp
from brandmelder.web.icons import icon

if TYPE_CHECKING:
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

MOST_TEXT: Final = 4_000
"""Characters of a mention that a page shows at most."""


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the templates, ready: everything that is put into one is escaped."""
    found = Environment(
        loader=PackageLoader("brandmelder.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters["post_text"] = post_text
    found.filters["inert"] = inert
    found.filters["safe_url"] = safe_url
    found.globals.update(icon=icon, stamp=stamp())
    return found


def post_text(text: str, limit: int = MOST_TEXT) -> Markup:
    """Return strangers' words as a page may hold them: the one way by which they get there.

    What is not seen but acts (controls, bidi, zero width) is gone, breaks within it are blanks, and markup is text.
    """
    shown = " ".join(visible(text[: 2 * limit]).split())
    return escape(shown if len(shown) <= limit else f"{shown[: limit - 1].rstrip()}…")


def page(site: Site, reader: Reader, template: str, *, status: int = 200, **more: Any) -> HTMLResponse:
    """Write a page for a reader."""
    text = (
        environment()
        .get_template(template)
        .render(
            reader=reader,
            _=reader.say,
            many=reader.say_many,
            voice=reader.voice,
            brand=site.parts.brand,
            sign_in=site.web.sign_in,
            **more,
        )
    )
    response = HTMLResponse(text, status)
    response.headers["content-language"] = reader.language
    if reader.is_new:
        keep(site, response, VISITOR, reader.visitor)
    return response
