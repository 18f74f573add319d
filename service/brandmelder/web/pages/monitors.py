"""The monitors: what each watches for, its history in bars, its incidents, and what a changed query would bring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from brandmelder.model import MonitorId, State
from brandmelder.notify.compose import rule_words
from brandmelder.notify.inert import inert
from brandmelder.store import incidents
from brandmelder.web import sayings
from brandmelder.web.bars import RANGES, Bars, frame_at, read_bars, read_behind
from brandmelder.web.charts import DESKTOP, PHONE, chart_of, drawn, rows
from brandmelder.web.names import RANGE_NAMES
from brandmelder.web.render import page
from brandmelder.web.trial import MOST, SPANS, tried
from brandmelder.web.would import PRESENT, TIMES

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.model import Incident
    from brandmelder.pipeline.openings import Openings
    from brandmelder.pipeline.parts import Watch
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

BACK: Final = timedelta(days=56)
DAY: Final = timedelta(days=1)
USUALLY: Final = "7d"
MOST_DATES: Final = 8


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
    params = request.query_params
    name = params["range"] if params.get("range") in RANGES else USUALLY
    asked, span = params.get("q", "")[:MOST], params["span"] if params.get("span") in SPANS else "day"
    at = _moment(params.get("at", ""), reader)
    bars, told = await site.parts.database.look(_read, site, watch, (name, at), reader)
    names = {ident: inert(place.title, 40) for ident, place in site.parts.places.items()}
    alert = at or (told[0].opened_at if told else None)
    title = inert(watch.title, 60)
    alt = reader.say("{title}: negative mentions", title=title)
    chart = chart_of(bars, reader, alert=alert, name=lambda ident: names.get(ident, inert(ident, 40)), alt=alt)
    trial = await tried(site, watch, asked, span, reader) if asked.strip() else None
    would = site.would.ask(site.parts, watch, reader.now, told=lambda ident: site.pulse.tell(f"monitor:{ident}"))
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
        trial=trial,
        span=span,
        spans=[(one, reader.say(words)) for one, (_, words) in SPANS.items()],
        at=reader.voice.moment(at) if at is not None else "",
        pending=would.is_pending,
        would=_would(would.found, watch, reader) if would.found is not None else None,
    )


def _moment(asked: str, reader: Reader) -> datetime | None:
    """Return the moment an address asks for, of the eight weeks that there are pictures of."""
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 12):
        return None
    found = datetime.fromtimestamp(int(asked), UTC)
    return found if reader.now - BACK - DAY <= found <= reader.now else None


def _read(
    connection: Connection, site: Site, watch: Watch, wish: tuple[str, datetime | None], reader: Reader
) -> tuple[Bars, list[Incident]]:
    name, at = wish
    width, count = RANGES[name]
    moment = reader.now if at is None else min(reader.now, at + width * count / 4)
    frame = frame_at(name, moment, reader.zone)
    behind = read_behind(connection, frame.since)
    bars = read_bars(connection, watch, frame, bands=site.bands, behind=behind, now=reader.now)
    found = [one for one, _ in incidents.all_incidents(connection, since=reader.now - BACK) if one.monitor == watch.id]
    return bars, [one for one in found if one.state not in {State.PENDING, State.DISCARDED}]


def _would(found: Openings, watch: Watch, reader: Reader) -> dict[str, Any]:
    """Return how often the monitor would have paged: at half, at the present and at twice the budget."""
    rows = []
    for name, times in TIMES.items():
        at = found.at[name]
        dates = [(reader.voice.moment(one), f"?range=24h&at={int(one.timestamp())}") for one in reversed(at)]
        rows.append(
            {
                "rule": rule_words(times * watch.rules.budget, reader.language),
                "is_present": name == PRESENT,
                "count": reader.voice.number(len(at)),
                "dates": dates[:MOST_DATES],
                "more": reader.voice.number(len(dates) - MOST_DATES) if len(dates) > MOST_DATES else "",
            }
        )
    lasted = reader.voice.span(found.until - found.since, alone=True)
    said = reader.say(
        "{time} until {moment}, by the stored counts", time=lasted, moment=reader.voice.moment(found.until)
    )
    return {"said": said, "rows": rows}


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
