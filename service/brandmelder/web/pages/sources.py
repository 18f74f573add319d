"""The sources: how each is, how far it was read, what it missed in a day, and what it answered last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.model import Doubt, DoubtKind, Gap, Incident, SourceState
from brandmelder.notify.doubt import said
from brandmelder.notify.inert import inert
from brandmelder.notify.sight import sight_words
from brandmelder.notify.story import LATE
from brandmelder.pipeline.blindness import plain
from brandmelder.pipeline.spend import first_day, used_by_day
from brandmelder.pipeline.states import FAR_APART
from brandmelder.store import doubts, incidents, sources, usage
from brandmelder.store.sources import SourceRow
from brandmelder.web.catalogue import sentence
from brandmelder.web.quota import Quota, quota
from brandmelder.web.render import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.pipeline.parts import Place
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

DAY: Final = timedelta(hours=24)
WIDTH, HEIGHT = 288.0, 22.0
_STATES: Final = {
    "nodata": sentence("No data"),
    "late": sentence("Late"),
    "partly": sentence("Partly read"),
    "paused": sentence("Paused"),
    "read": sentence("Read"),
}
_DOUBTFUL: Final = sentence("Doubtful")
_ORDER: Final = tuple(_STATES)


class Line(Struct, frozen=True, kw_only=True):
    """One source as it is shown."""

    icon: str
    state: str
    is_bold: bool
    title: str
    under: str
    read_until: str
    coverage: str
    strip: Markup
    quota: Quota
    answered: str
    """When it answered last, and whether with news."""
    reason: str
    """Why it is not wholly well."""
    detail: str
    """The same for whoever mends it, in English."""
    again: str
    """When it is asked again, if it does not answer."""
    since: str
    missed: tuple[str, ...]
    follows: tuple[str, ...]
    is_doubted: bool = False
    """Whether it answers and may be blind all the same."""


async def all_of_them(site: Site, _request: Request, reader: Reader) -> Response:
    """Show every source, those that cannot be seen first."""
    read = await site.parts.database.look(_read, reader.now)
    lines = [
        _doubted(_line(site, reader, read.rows[ident], read), read.held.get(ident, []), site, reader)
        for ident in site.parts.places
        if ident in read.rows
    ]
    lines.sort(key=lambda line: (_ORDER.index(line.icon), line.title.casefold()))
    return page(
        site,
        reader,
        "sources.html",
        lines=lines,
        summed=_summed(lines, reader),
        day=reader.voice.day(reader.now),
        as_of=reader.clock,
        middle=reader.voice.clock(reader.now - DAY / 2),
    )


def _doubted(line: Line, held: Sequence[Doubt], site: Site, reader: Reader) -> Line:
    """Say why a source that answers is doubted; an access that ends soon is said and makes nothing doubtful."""
    if not held:
        return line
    nouns = {one.source: site.parts.places[one.source].source_class for one in held}
    told = [said(one, nouns, reader.language, reader.voice) for one in held]
    line = replace(line, reason="; ".join([*told, line.reason] if line.reason else told))
    if line.icon != "read" or all(one.kind is DoubtKind.EXPIRING for one in held):
        return line
    return replace(line, icon="partly", state=reader.say(_DOUBTFUL), is_bold=True, is_doubted=True)


class Read(Struct, frozen=True, kw_only=True):
    """What is read of all sources at once."""

    rows: dict[str, SourceRow]
    gaps: list[Gap]
    running: list[Incident]
    usage: list[usage.Day]
    held: dict[str, list[Doubt]]
    """The doubts about each source."""


def _read(connection: Connection, now: datetime) -> Read:
    held: dict[str, list[Doubt]] = {}
    for one in doubts.running(connection).values():
        held.setdefault(one.source, []).append(one)
    return Read(
        rows={str(key): row for key, row in sources.read_sources(connection).items()},
        gaps=sources.open_gaps(connection, now - DAY),
        running=[one for one, _ in incidents.all_incidents(connection, running_only=True)],
        usage=usage.days(connection, first_day(now)),
        held=held,
    )


def state_of(row: SourceRow, now: datetime) -> str:
    """Return the icon for how a source is."""
    if row.state is SourceState.PAUSED:
        return "paused"
    if row.blind_since is not None or row.state is SourceState.FAILING or row.read_until is None:
        return "nodata"
    if row.state is SourceState.DEGRADED:
        return "partly"
    return "late" if now - row.read_until >= LATE else "read"


def _line(site: Site, reader: Reader, row: SourceRow, read: Read) -> Line:
    voice, now, icon = reader.voice, reader.now, state_of(row, reader.now)
    options, place = site.settings.sources.get(row.id), site.parts.places[row.id]
    gaps = [gap for gap in read.gaps if gap.source == row.id]
    missed = _missed(row, gaps, now)
    lost = sum(((until - since) for since, until in missed), timedelta(0))
    share = 1 - lost / DAY
    reason, detail = _why(row, place, reader)
    used = used_by_day(one for one in read.usage if one.source == row.id)
    return Line(
        icon=icon,
        state=reader.say(_STATES[icon]),
        is_bold=icon != "read",
        title=inert(place.title, 60),
        under=_rhythm(options.type if options else "", row, place, reader),
        read_until=voice.moment(min(row.read_until, now)) if row.read_until else "–",
        # 100 % is said only of what is complete.
        coverage=voice.words.percent.format(number=100 if not lost else max(0, min(99, int(100 * share)))),
        strip=strip(row, missed, now),
        quota=quota(place.pace.budget, used, reader),
        answered=_answered(row, reader),
        reason=reason,
        detail=detail,
        again=voice.moment(row.next_poll_at) if row.failures and row.next_poll_at > now else "",
        since=voice.moment(row.blind_since) if row.blind_since else "",
        missed=tuple(
            reader.say(
                "{since} to {until}: {reason}",
                since=voice.moment(gap.since),
                until=voice.moment(gap.until),
                reason=inert(gap.reason, 120),
            )
            for gap in gaps
        ),
        follows=_follows(site, reader, row, read.running) if icon in {"nodata", "paused"} else (),
    )


def _rhythm(kind: str, row: SourceRow, place: Place, reader: Reader) -> str:
    """Say what kind of source it is and how often it is asked, and how often it should be if that differs."""
    every, asked = reader.voice.duration(place.every), reader.voice.duration(row.every or place.every)
    if asked != every:
        return reader.say("{type}, every {asked} instead of {every}", type=kind, asked=asked, every=every)
    return reader.say("{type}, every {every}", type=kind, every=every)


def _answered(row: SourceRow, reader: Reader) -> str:
    if row.last_success_at is None:
        return reader.say("none yet")
    moment = reader.voice.moment(row.last_success_at)
    return reader.say("{moment}, nothing new", moment=moment) if row.empty_polls else moment


def _why(row: SourceRow, place: Place, reader: Reader) -> tuple[str, str]:
    """Say why a source is not wholly well, and what whoever mends it needs beside that."""
    if not row.note:
        return "", ""
    faults = sight_words(reader.language).faults
    if row.fault == "spent":
        return reader.say("has spent its quota"), ""
    if row.fault:
        return faults.get(row.fault, faults[""]), inert(plain(row), 200)
    if row.every is not None and row.every > FAR_APART * place.every:
        return reader.say("saves its quota"), ""
    return "", inert(plain(row), 200)


def _follows(site: Site, reader: Reader, row: SourceRow, running: Sequence[Incident]) -> tuple[str, ...]:
    """Say which running incidents count without a source that cannot be seen."""
    return tuple(
        reader.say("{incident} counts without it; {number} is the least it can be", incident=one.id,
                   number=reader.voice.number(one.spike.observed))
        for one in running
        if one.monitor in site.parts.watches and row.id in site.parts.watches[one.monitor].sources
    )  # fmt: skip


def _missed(row: SourceRow, gaps: Sequence[Gap], now: datetime) -> list[tuple[datetime, datetime]]:
    """Return what was not read of the last day, apart from one another, oldest first."""
    begin = now - DAY
    found = [(max(begin, gap.since), min(now, gap.until)) for gap in gaps]
    if row.blind_since is not None:
        found.append((max(begin, row.blind_since), now))
    if row.first_contact is None:
        found.append((begin, now))
    merged: list[tuple[datetime, datetime]] = []
    for since, until in sorted(one for one in found if one[0] < one[1]):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged


def strip(row: SourceRow, missed: Sequence[tuple[datetime, datetime]], now: datetime) -> Markup:
    """Draw a day: what was read filled, what was not hatched and framed, what is late in a dashed frame."""
    parts = [
        Markup(
            '<svg class="strip" viewBox="0 0 {} {}" aria-hidden="true"><path class="whole" d="M0 0H{}V{}H0Z"/>'
        ).format(WIDTH, HEIGHT, WIDTH, HEIGHT),
        Markup('<path class="edge" d="M0 .75H{}"/>').format(WIDTH),
    ]
    for since, until in missed:
        parts.append(_box("unread", since, until, now))
    late_from = row.read_until
    if late_from is not None and row.blind_since is None and now - late_from >= LATE:
        parts.append(_box("late", max(late_from, now - DAY), now, now))
    return Markup("").join([*parts, Markup("</svg>")])


def _box(name: str, since: datetime, until: datetime, now: datetime) -> Markup:
    left = WIDTH * (1 - (now - since) / DAY)
    right = max(left + 4.0, WIDTH * (1 - (now - until) / DAY))
    left = min(left, WIDTH - 4.0)
    lines = ""
    if name == "unread":
        lines = " ".join(
            f"M{max(left, x - HEIGHT):.1f} {min(HEIGHT, x - left):.1f}L{min(x, right):.1f} {max(0.0, x - right):.1f}"
            for x in range(int(left) + 5, int(right + HEIGHT), 6)
        )
    return Markup('<path class="{}" d="M{} .75H{}V{}H{}Z"/><path class="hatch" d="{}"/>').format(
        name, f"{left:.1f}", f"{min(right, WIDTH):.1f}", HEIGHT - 0.75, f"{left:.1f}", lines
    )


def _summed(lines: Sequence[Line], reader: Reader) -> tuple[str, str]:
    count = {icon: sum(line.icon == icon and not line.is_doubted for line in lines) for icon in _ORDER}
    doubted = sum(line.is_doubted for line in lines)
    parts = [
        (count["nodata"], reader.say_many("{number} without data", "{number} without data", count["nodata"])),
        (count["late"], reader.say_many("{number} late", "{number} late", count["late"])),
        (doubted, reader.say_many("{number} doubtful", "{number} doubtful", doubted)),
        (count["partly"], reader.say_many("{number} partly read", "{number} partly read", count["partly"])),
        (count["paused"], reader.say_many("{number} paused", "{number} paused", count["paused"])),
    ]
    bold = ", ".join(text for number, text in parts if number)
    rest = reader.say_many("{number} fully read.", "{number} fully read.", count["read"]) if count["read"] else ""
    return (f"{bold}." if bold else ""), rest
