"""A changed query, tried on what was read lately: what it would bring by source, where it cannot be read, its YAML."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.capture import query as queries
from brandmelder.capture.normalise import pseudonym
from brandmelder.errors import QueryError
from brandmelder.notify.inert import inert, visible
from brandmelder.pipeline.preview import preview
from brandmelder.web.catalogue import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brandmelder.model import SourceId
    from brandmelder.pipeline.parts import Watch
    from brandmelder.pipeline.preview import Preview
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

SPANS: Final = {
    "day": (timedelta(days=1), sentence("the last day")),
    "week": (timedelta(days=7), sentence("the last week")),
}
MOST: Final = 1000
_AROUND: Final = 36


class Trial(Struct, frozen=True, kw_only=True):
    """What came of trying a query, in the reader's words."""

    trouble: str = ""
    excerpt: str = ""
    """Where the query cannot be read…"""
    caret: str = ""
    """…and what stands below that."""
    said: str = ""
    by_source: tuple[tuple[str, str], ...] = ()
    examples: tuple[str, ...] = ()
    yaml: str = ""


async def tried(site: Site, watch: Watch, asked: str, span: str, reader: Reader) -> Trial:
    """Hold a query against the mentions of a span."""
    try:
        query = queries.parse(asked)
    except QueryError as error:
        excerpt, caret = _pointed(error)
        return Trial(trouble=error.text, excerpt=excerpt, caret=caret)
    named = partial(pseudonym, key=site.parts.author_key)
    since = reader.now - SPANS[span][0]
    found = await site.parts.database.look(preview, query, watch.sources, since=since, named=named)
    names = {ident: inert(place.title, 40) for ident, place in site.parts.places.items()}
    return _brought(found, names, reader, span=span, yaml=yaml_of(watch.id, asked))


def _pointed(error: QueryError) -> tuple[str, str]:
    """Return the place of an error and a caret that stands below it; of a long query no more than fits on a phone."""
    place = min(error.column - 1, len(error.query))
    before = visible(error.query[max(0, place - _AROUND) : place])
    return before + visible(error.query[place : place + _AROUND]), " " * len(before) + "^"


def _brought(found: Preview, names: Mapping[SourceId, str], reader: Reader, *, span: str, yaml: str) -> Trial:
    voice, tallies = reader.voice, found.by_source
    matched, read, negative = (
        voice.number(sum(getattr(one, name) for one in tallies.values())) for name in ("matched", "read", "negative")
    )
    return Trial(
        said=reader.say(
            "{matched} of {read} mentions of {span} would match, {negative} of them negative.",
            matched=matched, read=read, negative=negative, span=reader.say(SPANS[span][1]),
        ),
        by_source=tuple(
            (names.get(ident, inert(ident, 40)), voice.number(tally.matched)) for ident, tally in tallies.items()
        ),
        examples=tuple(one.text for one in found.examples),
        yaml=yaml,
    )  # fmt: skip


def yaml_of(monitor: str, query: str) -> str:
    """Return a monitor's query as the configuration holds it, quoted so that YAML takes no sign of it for its own."""
    quoted = " ".join(visible(query).split()).replace("'", "''")
    return f"monitors:\n  {monitor}:\n    query: '{quoted}'\n"
