"""The monitors: what each watches for, its history in bars, its incidents, and what a changed query would bring."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from brandmelder.capture import query as queries
from brandmelder.capture.normalise import pseudonym
from brandmelder.errors import QueryError
from brandmelder.model import MonitorId, State
from brandmelder.notify.compose import rule_words
from brandmelder.notify.inert import inert
from brandmelder.pipeline.preview import preview
from brandmelder.store import incidents
from brandmelder.web import sayings
from brandmelder.web.bars import RANGES, Bars, frame_at, read_bars, read_behind
from brandmelder.web.charts import DESKTOP, PHONE, chart_of, drawn, rows
from brandmelder.web.names import RANGE_NAMES
from brandmelder.web.render import page

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.model import Incident, SourceId
    from brandmelder.pipeline.parts import Watch
    from brandmelder.pipeline.preview import Preview
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

BACK: Final = timedelta(days=56)
DAY: Final = timedelta(days=1)
USUALLY: Final = "7d"


class Line(Struct, frozen=True, kw_only=True):
    """One monitor in the list."""

    id: str
    title: str
    query: str
    rule: str
    sources: str
    alerts: str


async def all_of_them(site: Site, _request: Request, reader: Reader) -> Response:
    """List what is watched for, how sensitively, and how often it alerted in eight weeks."""
    found = await site.parts.database.look(incidents.all_incidents, since=reader.now - BACK)
    told = [one for one, _ in found if one.state not in {State.PENDING, State.DISCARDED}]
    lines = [_line(site, reader, watch, told) for watch in site.parts.watches.values()]
    return page(site, reader, "monitors.html", lines=lines)


def _line(site: Site, reader: Reader, watch: Watch, told: list[Incident]) -> Line:
    names = [inert(site.parts.places[ident].title, 40) for ident in watch.sources if ident in site.parts.places]
    return Line(
        id=watch.id,
        title=inert(watch.title, 60),
        query=watch.query,
        rule=rule_words(watch.rules.budget, reader.language),
        sources=reader.voice.listed(names[:4])
        if len(names) < 5
        else reader.say_many("{number} source", "{number} sources", len(names)),
        alerts=reader.voice.number(sum(one.monitor == watch.id for one in told)),
    )


async def show(site: Site, request: Request, reader: Reader) -> Response:
    """Show one monitor."""
    watch = site.parts.watches.get(MonitorId(request.path_params["ident"]))
    if watch is None:
        return page(site, reader, "error.html", status=404, code=404, path=request.url.path)
    wish, asked = request.query_params.get("range", ""), request.query_params.get("q", "")[:1000]
    name = wish if wish in RANGES else USUALLY
    bars, told = await site.parts.database.look(_read, site, watch, name, reader)
    names = {ident: inert(place.title, 40) for ident, place in site.parts.places.items()}
    alert = told[0].opened_at if told else None
    title = inert(watch.title, 60)
    alt = reader.say("{title}: negative mentions", title=title)
    chart = chart_of(bars, reader, alert=alert, name=lambda ident: names.get(ident, inert(ident, 40)), alt=alt)
    trouble, found = "", None
    if asked.strip():
        try:
            found = await _previewed(site, watch, asked, reader)
        except QueryError as error:
            trouble = error.text
    return page(
        site,
        reader,
        "monitor.html",
        watch=watch,
        title=title,
        line=_line(site, reader, watch, told),
        phone=drawn(chart, PHONE),
        desktop=drawn(chart, DESKTOP),
        rows=rows(bars, reader),
        width=reader.voice.duration(bars.frame.width),
        as_of=reader.clock,
        range=name,
        ranges=[(one, reader.say(shown), f"?range={one}") for one, shown in RANGE_NAMES.items()],
        told=[_told(one, reader) for one in told[:20]],
        asked=asked or watch.query,
        trouble=trouble,
        preview=_brought(found, names, reader) if found is not None else None,
    )


def _read(connection: Connection, site: Site, watch: Watch, name: str, reader: Reader) -> tuple[Bars, list[Incident]]:
    frame = frame_at(name, reader.now, reader.zone)
    behind = read_behind(connection, frame.since)
    bars = read_bars(connection, watch, frame, bands=site.bands, behind=behind, now=reader.now)
    found = [one for one, _ in incidents.all_incidents(connection, since=reader.now - BACK) if one.monitor == watch.id]
    return bars, [one for one in found if one.state not in {State.PENDING, State.DISCARDED}]


def _told(one: Incident, reader: Reader) -> dict[str, Any]:
    icon, state = sayings.STATES[one.state]
    peak = reader.voice.in_window(reader.voice.number(one.peak), one.peak_window)
    return {
        "id": one.id,
        "icon": icon,
        "state": reader.say(state),
        "since": reader.voice.moment(one.opened_at),
        "peak": reader.say("peak {number}", number=peak),
    }


async def _previewed(site: Site, watch: Watch, asked: str, reader: Reader) -> Preview:
    """Hold a query against the mentions of the last day. Raises QueryError."""
    query = queries.parse(asked)
    named = partial(pseudonym, key=site.parts.author_key)
    return await site.parts.database.look(preview, query, watch.sources, since=reader.now - DAY, named=named)


def _brought(found: Preview, names: dict[SourceId, str], reader: Reader) -> dict[str, Any]:
    voice = reader.voice
    matched = sum(tally.matched for tally in found.by_source.values())
    read = sum(tally.read for tally in found.by_source.values())
    negative = sum(tally.negative for tally in found.by_source.values())
    return {
        "said": reader.say(
            "{matched} of {read} mentions of the last day would match, {negative} of them negative.",
            matched=voice.number(matched),
            read=voice.number(read),
            negative=voice.number(negative),
        ),
        "by_source": [
            (names.get(ident, inert(ident, 40)), voice.number(tally.matched))
            for ident, tally in found.by_source.items()
        ],
        "examples": [one.text for one in found.examples],
    }
