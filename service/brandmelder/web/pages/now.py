"""What burns now: every monitor as a row, and the same for a screen on the wall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brandmelder.model import SourceState
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import figures
from brandmelder.store import sources
from brandmelder.web import sayings
from brandmelder.web.charts import WALL, chart_of, drawn
from brandmelder.web.render import page
from brandmelder.web.rows import CALM, Raw, Row, read_rows, row_of, summed
from brandmelder.web.sheet import Sheet, read_sheet

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

MOST_ON_WALL = 10
"""More monitors than this and the calm ones become one line."""


async def now(site: Site, _request: Request, reader: Reader) -> Response:
    """Show every monitor, what burns first."""
    raws = await site.parts.database.look(read_rows, site.parts, bands=site.bands, now=reader.now)
    rows = _ordered(raws, reader)
    return page(
        site, reader, "now.html", rows=rows, summed=summed(rows, reader), day=reader.voice.day(reader.now),
        as_of=reader.clock,
    )  # fmt: skip


def _ordered(raws: list[Raw], reader: Reader) -> list[Row]:
    return sorted((row_of(raw, reader) for raw in raws), key=lambda row: (*row.rank, row.title.casefold()))


def _read_wall(connection: Connection, site: Site, reader: Reader) -> tuple[list[Raw], Sheet | None, Any]:
    """Read all monitors, and the whole of the largest running incident."""
    raws = read_rows(connection, site.parts, bands=site.bands, now=reader.now)
    burning = sorted(
        (raw.incident for raw in raws if raw.incident is not None),
        key=lambda one: (-one.severity, one.spike.usual_high - one.spike.observed),
    )
    sheet = None
    if burning:
        sheet = read_sheet(
            connection,
            site.parts,
            burning[0].id,
            bands=site.bands,
            now=reader.now,
            language=reader.language,
            zone=reader.zone,
            wish="6h",
            is_brief=True,
        )
    return raws, sheet, sources.read_sources(connection)


async def wall(site: Site, _request: Request, reader: Reader) -> Response:
    """Show the largest incident and all other monitors, for reading from afar: no names, no posts of strangers."""
    raws, sheet, places = await site.parts.database.look(_read_wall, site, reader)
    largest = sheet.story.incident.id if sheet is not None else ""
    rows = [row for row in _ordered(raws, reader) if not largest or row.incident != largest]
    calm = [row for row in rows if row.icon == CALM] if len(rows) > MOST_ON_WALL else []
    shown = [row for row in rows if row not in calm][:MOST_ON_WALL]
    more: dict[str, Any] = {"incident": None}
    if sheet is not None:
        more = _largest(sheet, reader)
    troubles = [
        (inert(site.parts.places[ident].title, 40), row)
        for ident, row in places.items()
        if ident in site.parts.places and (row.blind_since is not None or row.state is not SourceState.OK)
    ]
    return page(
        site,
        reader,
        "wall.html",
        rows=shown,
        calm=reader.say_many("{number} calm", "{number} calm", len(calm)) if calm else "",
        clock=reader.voice.clock(reader.now),
        day=reader.voice.day(reader.now),
        read=reader.say_many("{number} source read", "{number} sources read", len(places) - len(troubles)),
        troubles=[
            reader.say("{source} missing since {moment}", source=name, moment=reader.voice.moment(row.blind_since))
            if row.blind_since is not None
            else reader.say("{source} in part", source=name)
            for name, row in troubles[:3]
        ],
        **more,
    )


def _largest(sheet: Sheet, reader: Reader) -> dict[str, Any]:
    story = sheet.story
    alt = figures(story)
    chart = None
    if sheet.bars is not None:
        chart = chart_of(sheet.bars, reader, alert=story.incident.opened_at, name=story.source, alt=alt)
    return {
        "incident": story.incident,
        "title": inert(story.context.title or story.context.brand, 60),
        "state": sayings.STATES[story.incident.state],
        "age": sayings.age(story, reader),
        "severity": sayings.severity(story, reader),
        "figure": sayings.figure(story, reader),
        "chart": drawn(chart, WALL) if chart is not None else "",
        "real": sayings.real(story, reader)[:1],
        "about": sayings.about(story)[:2],
        "replies": sayings.replies(story, reader),
    }
