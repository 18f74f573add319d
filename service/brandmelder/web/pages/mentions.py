"""Searching the mentions: by words, source and what they say of the brand, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from brandmelder.capture import query as queries
from brandmelder.capture.match import Matcher
from brandmelder.errors import QueryError
from brandmelder.model import Label, MentionId, MonitorId
from brandmelder.notify.inert import inert
from brandmelder.pipeline.judge import read_by
from brandmelder.store import mentions
from brandmelder.store import search as store
from brandmelder.web.render import page

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.model import Mention, Verdict
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

PER_PAGE: Final = 40
MOST: Final = 200
"""So many on one page at most."""
PAGE, MOST_PAGES = 1000, 6
"""So many mentions are looked through at once, and so often, before the reader is asked whether to go on."""
_ASKED: Final = MonitorId("asked")


async def search(site: Site, request: Request, reader: Reader) -> Response:
    """Show what meets a query in the words of the configuration."""
    params = request.query_params
    text, source, label = params.get("q", "")[:500], params.get("source", "")[:128], params.get("label", "")[:16]
    before = params.get("before", "")
    start = MentionId(int(before)) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    asked = params.get("most", "")
    most = min(MOST, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 5 else PER_PAGE
    trouble, matcher = "", None
    if text.strip():
        try:
            matcher = Matcher({_ASKED: queries.parse(text)}, named=lambda name: name)
        except QueryError as error:
            trouble = error.text
    found: list[Any] = []
    following: MentionId | None = None
    if not trouble:
        wanted = (matcher, source, label if label in set(Label) else "")
        found, following = await site.parts.database.look(_find, start, wanted, most=most)
    kept = {name: value for name, value in (("q", text), ("source", source), ("label", label)) if value}
    if most != PER_PAGE:
        kept["most"] = str(most)
    return page(
        site,
        reader,
        "mentions.html",
        q=text,
        source=source,
        label=label,
        trouble=trouble,
        found=[_shown(site, reader, *one) for one in sorted(found, key=_when, reverse=True)],
        more=f"?{urlencode(kept | {'before': following})}" if following is not None else "",
        sources=[(str(ident), inert(place.title, 40)) for ident, place in site.parts.places.items()],
        labels=[
            ("negative", reader.say("negative")),
            ("neutral", reader.say("neutral")),
            ("positive", reader.say("positive")),
        ],
    )


Wanted = tuple[Matcher | None, str, str]
Found = tuple[MentionId, "Mention", "Verdict | None"]


def _when(found: Found) -> tuple[datetime, MentionId]:
    """Return what orders a page: when it was written, for sources are read one after another."""
    return found[1].published_at, found[0]


def _find(
    connection: Connection, before: MentionId | None, wanted: Wanted, *, most: int
) -> tuple[list[Found], MentionId | None]:
    """Return the newest mentions that suit, and from where to go on; None if that is all."""
    until = before or store.end(connection)
    suiting: list[MentionId] = []
    for _ in range(MOST_PAGES):
        since = MentionId(until - PAGE)
        suiting += _suiting(connection, since, until, wanted)
        if len(suiting) > most:
            return mentions.read(connection, suiting[:most]), suiting[most - 1]
        if since <= 1:
            return mentions.read(connection, suiting), None
        until = since
    return mentions.read(connection, suiting), until


def _suiting(connection: Connection, since: int, until: int, wanted: Wanted) -> list[MentionId]:
    matcher, source, label = wanted
    found = store.words(connection, since, until, source=source, label=label)
    if matcher is None:
        return [one.id for one in found]
    return [one.id for one, has in zip(found, read_by(matcher, found), strict=True) if has]


def _shown(site: Site, reader: Reader, ident: MentionId, mention: Mention, verdict: Verdict | None) -> dict[str, Any]:
    place = site.parts.places.get(mention.source)
    names = {Label.NEGATIVE: "negative", Label.NEUTRAL: "neutral", Label.POSITIVE: "positive"}
    topics = reader.voice.words.topics
    return {
        "id": ident,
        "source": inert(place.title if place else mention.source, 40),
        "when": reader.voice.moment(mention.published_at),
        "text": mention.text,
        "url": mention.url,
        "label": reader.say(names[verdict.label]) if verdict else reader.say("not judged yet"),
        "is_negative": verdict is not None and verdict.label is Label.NEGATIVE,
        "is_own": mention.own,
        "topics": ", ".join(topics.get(name, inert(name, 40)) for name in verdict.topics[:3]) if verdict else "",
        "language": verdict.language if verdict and verdict.language in {"de", "en"} else "",
    }
