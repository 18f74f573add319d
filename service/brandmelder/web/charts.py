"""Pictures for the page: the chart of a monitor on phone and desktop, and the small one in a row."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from brandmelder.incident.picture import UNSEEN, YOUNG
from brandmelder.notify.chart import Blind, Chart, Look, Mark, svg
from brandmelder.notify.chart_ink import Palette
from brandmelder.notify.inert import inert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from brandmelder.model import SourceId
    from brandmelder.web.bars import Bars
    from brandmelder.web.reader import Reader

TOKENS: Final = Palette(
    bg="var(--bg)",
    ink="var(--ink)",
    ink2="var(--ink2)",
    ink3="var(--ink3)",
    neg="var(--neg)",
    bar="var(--bar)",
    band="var(--band)",
    band_edge="var(--band-edge)",
    line="var(--line)",
)
PHONE: Final = Look(width=350, height=190, size=12, palette=TOKENS, most_hours=8, prefix="p-", is_inline=True)
DESKTOP: Final = Look(width=784, height=236, size=13, palette=TOKENS, most_hours=8, prefix="d-", is_inline=True)
WALL: Final = Look(width=1040, height=410, size=25, palette=TOKENS, most_hours=8, prefix="w-", is_inline=True)
_DAY: Final = timedelta(days=1)


def chart_of(bars: Bars, reader: Reader, *, alert: datetime | None, name: Callable[[SourceId], str], alt: str) -> Chart:
    """Return what is drawn of a monitor; `alert` is when people were told, `alt` the same in one sentence."""
    words, frame = reader.voice.words, bars.frame
    marks = [
        Mark(at=event.at, label=f"{reader.voice.clock(event.at)} {inert(event.name, 40)}".rstrip())
        for event in bars.events
    ]
    if alert is not None and frame.since <= alert <= frame.until:
        when = reader.voice.clock(alert) if frame.width < _DAY / 4 else reader.voice.moment(alert)
        marks.append(Mark(at=alert, label=words.alarm.format(clock=when), is_alert=True))
    names = list(dict.fromkeys(name(hole.source) for hole in bars.holes))
    many = words.without_many.format(number=reader.voice.number(len(names)))
    label = words.without.format(source=names[0]) if len(names) == 1 else many
    learns = words.learns.format(time=reader.voice.span(bars.age, alone=True))
    learning = learns if not bars.usual and bars.age < YOUNG else ""
    if bars.is_relearnt:
        learning = reader.say("what is usual is being learnt anew")
    return Chart(
        voice=reader.voice,
        until=frame.until,
        width=frame.width,
        counts=bars.counts,
        usual=bars.usual,
        learning=learning,
        marks=tuple(marks),
        blind=tuple(Blind(label=label, since=hole.since, until=hole.until) for hole in bars.holes),
        is_running=bars.is_running,
        alt=alt,
    )


def drawn(chart: Chart, look: Look) -> Markup:
    """Draw a chart for the page: our own words, escaped as XML, in a frame of ours."""
    return Markup(svg(chart, look))  # noqa: S704 -- chart_ink escapes every text


class Row:
    """One line of the table beside a chart."""

    def __init__(self, when: str, count: str, usual: str, *, is_beyond: bool) -> None:
        self.when, self.count, self.usual, self.is_beyond = when, count, usual, is_beyond


def rows(bars: Bars, reader: Reader) -> Sequence[Row]:
    """Return the same values as a table, oldest first."""
    voice, found = reader.voice, []
    for place, count in enumerate(bars.counts):
        end = bars.frame.ends[place]
        since = end - bars.frame.width
        low_high = bars.usual[place] if bars.usual else None
        found.append(
            Row(
                _span(since, end, bars.frame.width, reader),
                reader.say("not seen") if count == UNSEEN else voice.number(count),
                voice.usual_range(*low_high) if low_high else "",
                is_beyond=bars.is_beyond(place),
            )
        )
    return found


def _span(since: datetime, end: datetime, width: timedelta, reader: Reader) -> str:
    voice = reader.voice
    if width >= _DAY:
        return voice.day(since)
    is_today = since.astimezone(voice.zone).date() == voice.now.astimezone(voice.zone).date()
    day = "" if is_today else f"{voice.day(since)}, "
    return f"{day}{voice.clock(since)}–{voice.clock(end)}"


# ------------------------------------------------------------------ in a row

SPARK_WIDTH, SPARK_HEIGHT = 240.0, 40.0
_BAR: Final = 0.72
_LEAST: Final = 5.0


def spark(
    bars: Bars, *, alert: datetime | None, alt: str, width: float = SPARK_WIDTH, height: float = SPARK_HEIGHT
) -> Markup:
    """Draw the bars of a row, its own height; what was not seen is hatched in a box and never empty."""
    edge = max((high for _, high in bars.usual), default=0)
    top = max(_LEAST, 1.05 * max([*bars.counts, edge]), 1.5 * edge)
    slot, base = width / len(bars.counts), height - 1
    rise = (height - 4) / top
    parts: list[str] = [
        Markup('<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(width, height, alt)
    ]
    parts += [_band(bars, slot, base, rise=rise)] if bars.usual else []
    parts += [_hatched(place * slot, slot, base) for place, count in enumerate(bars.counts) if count == UNSEEN]
    parts += [_columns(bars, slot, base, rise=rise, is_beyond=is_beyond) for is_beyond in (False, True)]
    parts.append(f'<path class="base" d="M0 {base + 0.5}H{width}"/>')
    if alert is not None and bars.frame.since <= alert <= bars.frame.until:
        x = width * ((alert - bars.frame.since) / (bars.frame.until - bars.frame.since))
        parts.append(f'<path class="alert" d="M{x:.1f} 0V{base}"/>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 -- numbers of ours; the one text is escaped above


def _band(bars: Bars, slot: float, base: float, *, rise: float) -> str:
    steps = [(place * slot, (place + 1) * slot, low, high) for place, (low, high) in enumerate(bars.usual)]
    upper = "".join(f"L{left:g} {base - high * rise:.1f}H{right:g}" for left, right, _, high in steps)
    lower = "".join(f"L{right:g} {base - low * rise:.1f}H{left:g}" for left, right, low, _ in reversed(steps))
    return f'<path class="band" d="M{upper[1:]}{lower}Z"/><path class="edge" d="M{upper[1:]}"/>'


def _columns(bars: Bars, slot: float, base: float, *, rise: float, is_beyond: bool) -> str:
    """Draw all bars of one colour as one path: a page of fifty rows holds a thousand of them."""
    wide = slot * _BAR
    drawn = "".join(
        f"M{place * slot + (slot - wide) / 2:.1f} {base}v-{count * rise:.1f}h{wide:.1f}v{count * rise:.1f}z"
        for place, count in enumerate(bars.counts)
        if count > 0 and bars.is_beyond(place) is is_beyond
    )
    return f'<path class="bar{" beyond" if is_beyond else ""}" d="{drawn}"/>' if drawn else ""


def _hatched(left: float, slot: float, base: float) -> str:
    lines = " ".join(
        f"M{left + 0.5:.1f} {y:.1f}L{left + slot - 0.5:.1f} {max(2.0, y - slot):.1f}" for y in range(int(base), 6, -5)
    )
    right = left + slot - 0.5
    return f'<path class="unseen" d="M{left + 0.5:.1f} 2H{right:.1f}V{base}H{left + 0.5:.1f}Z {lines}"/>'
