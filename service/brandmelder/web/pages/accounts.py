"""The accounts: the numbers of ours beside those of others, by platform, and what a day and eight weeks changed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from msgspec import Struct

from brandmelder.notify.inert import inert
from brandmelder.store import readings
from brandmelder.web.catalogue import sentence
from brandmelder.web.lines import BACK
from brandmelder.web.render import page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.store.readings import Account, Point
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

DAY: Final = timedelta(days=1)
STALE: Final = timedelta(hours=3)
"""A number older than this says of when it is: they are read every hour."""
_SILENT: Final = "days_silent"
METRICS: Final = {
    "followers": sentence("Followers"),
    "fans": sentence("Fans"),
    "rating": sentence("Rating, of 5"),
    "ratings": sentence("Ratings"),
    "reviews": sentence("Reviews"),
    "posts": sentence("Posts"),
    "media": sentence("Posts"),
    _SILENT: sentence("Last post"),
}
"""What a number is called; they are shown in this order."""
WIDTH, HEIGHT = 240.0, 32.0
_DAYS: Final = BACK // DAY


class Number(Struct, frozen=True, kw_only=True):
    """One number of an account."""

    name: str
    value: str
    is_word: bool
    """Said in words rather than counted: how long ago the last post was."""
    of: str
    """When it was read, if that is long ago."""
    day: str
    weeks: str
    since: str
    """From when on the weeks' change counts, if it is known for less than eight."""
    line: Markup


class Shown(Struct, frozen=True, kw_only=True):
    """One account."""

    title: str
    is_own: bool
    numbers: tuple[Number, ...]


class Platform(Struct, frozen=True, kw_only=True):
    """The accounts that one source reads: ours first, then those to compare with."""

    title: str
    accounts: tuple[Shown, ...]


async def all_of_them(site: Site, _request: Request, reader: Reader) -> Response:
    """Show the numbers of our accounts beside those of others."""
    found = await site.parts.database.look(_read, site, reader)
    return page(site, reader, "accounts.html", platforms=found, as_of=reader.clock,
                day=reader.voice.day(reader.now))  # fmt: skip


def _read(connection: Connection, site: Site, reader: Reader) -> list[Platform]:
    places = list(site.parts.places)
    by_source: dict[str, list[Shown]] = {}
    for account in readings.accounts(connection):
        numbers = tuple(
            _number(connection, site, account, metric, reader)
            for metric, _ in sorted(account.latest.items(), key=_order)
        )
        by_source.setdefault(account.source, []).append(
            Shown(title=inert(account.title, 60), is_own=account.own, numbers=numbers)
        )
    known = [one for one in places if one in by_source]
    order = [*known, *sorted(by_source.keys() - set(known))]
    return [Platform(title=_title(site, one), accounts=tuple(by_source[one])) for one in order]


def _title(site: Site, source: str) -> str:
    place = {str(ident): place for ident, place in site.parts.places.items()}.get(source)
    return inert(place.title if place is not None else source, 40)


def _order(item: tuple[str, Point]) -> tuple[int, str]:
    names = list(METRICS)
    return (names.index(item[0]) if item[0] in names else len(names), item[0])


def _number(connection: Connection, site: Site, account: Account, metric: str, reader: Reader) -> Number:
    last = account.latest[metric]
    name = reader.say(METRICS[metric]) if metric in METRICS else inert(metric, 40)
    of = reader.say("of {moment}", moment=reader.voice.moment(last.at)) if reader.now - last.at >= STALE else ""
    if metric == _SILENT:
        return Number(name=name, value=_ago(last.value, reader), is_word=True, of=of, day="", weeks="", since="",
                      line=Markup(""))  # fmt: skip
    points = site.lines.points(connection, account, metric, now=reader.now)
    key = account.source, account.name, metric, reader.zone.key, reader.now.astimezone(reader.zone).date()
    places = 2 if metric == "rating" else 0
    first = points[0] if points else None
    is_young = first is not None and first.at > reader.now - BACK + 2 * DAY
    return Number(
        name=name,
        value=_value(last.value, reader, places),
        is_word=False,
        of=of,
        day=_change(_before(points, reader.now - DAY), last, reader, places),
        weeks=_change(first, last, reader, places),
        since=reader.say("since {moment}", moment=reader.voice.day(first.at)) if first and is_young else "",
        line=site.lines.drawn(key, points, lambda: _line(points, reader)),
    )


def _line(points: Sequence[Point], reader: Reader) -> Markup:
    days = _daily(points, reader)
    if len(days) <= 1:
        return Markup("")
    return line([one.value for one in days], places=[_place(one.at, reader) for one in days])


def _ago(days: float, reader: Reader) -> str:
    if days < 1:
        return reader.say("today")
    return reader.say_many("{number} day ago", "{number} days ago", int(days))


def _before(points: Sequence[Point], moment: datetime) -> Point | None:
    """Return the newest reading of before a moment, if one is near enough to stand for it."""
    found = next((one for one in reversed(points) if one.at <= moment), None)
    return found if found is not None and found.at >= moment - DAY / 2 else None


def _change(first: Point | None, last: Point, reader: Reader, places: int) -> str:
    if first is None or first.at >= last.at:
        return ""
    change = round(last.value - first.value, places)
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return sign + _value(abs(change), reader, places)


def _value(value: float, reader: Reader, places: int) -> str:
    if not places:
        return reader.voice.number(round(value))
    text = f"{value:.{places}f}"
    return text.replace(".", ",") if reader.language == "de" else text


def _daily(points: Sequence[Point], reader: Reader) -> list[Point]:
    """Return the last reading of each day: eight weeks of hours would be a heavy page, and no finer picture."""
    found = {one.at.astimezone(reader.voice.zone).date(): one for one in points}
    return list(found.values())


def _place(moment: datetime, reader: Reader) -> int:
    """Return the day of a reading, counted from eight weeks ago."""
    today = reader.now.astimezone(reader.voice.zone).date()
    return _DAYS - (today - moment.astimezone(reader.voice.zone).date()).days


def line(values: Sequence[float], *, places: Sequence[int]) -> Markup:
    """Draw days of a number as a line; of such numbers the change matters, so it is no bar. A gap stays a gap."""
    low, high = min(values), max(values)
    rise, step = (HEIGHT - 6) / ((high - low) or 1.0), WIDTH / _DAYS
    drawn, before = [], None
    for value, place in zip(values, places, strict=True):
        x, y = place * step, HEIGHT - 3 - (value - low) * rise
        drawn.append(f"{'L' if before == place - 1 else 'M'}{x:.1f} {y:.1f}")
        before = place
    return Markup('<svg class="line" viewBox="0 0 {} {}" aria-hidden="true"><path d="{}"/></svg>').format(
        f"{WIDTH:g}", f"{HEIGHT:g}", " ".join(drawn)
    )
