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
    return Chart(
        voice=reader.voice,
        until=frame.until,
        width=frame.width,
        counts=bars.counts,
        usual=bars.usual,
        learning=learns if not bars.usual and bars.age < YOUNG else "",
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
    parts = [Markup('<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(width, height, alt)]
    if bars.usual:
        upper = " L".join(
            f"{(place + side) * slot:.1f} {base - high * rise:.1f}"
            for place, (_, high) in enumerate(bars.usual)
            for side in (0, 1)
        )
        lower = " L".join(
            f"{(place + side) * slot:.1f} {base - low * rise:.1f}"
            for place, (low, _) in reversed(list(enumerate(bars.usual)))
            for side in (1, 0)
        )
        parts.append(
            Markup('<path class="band" d="M{} L{}Z"/><path class="edge" d="M{}"/>').format(upper, lower, upper)
        )
    for place, count in enumerate(bars.counts):
        left = place * slot
        if count == UNSEEN:
            parts.append(_hatched(left, slot, base))
        elif count > 0:
            beyond = " beyond" if bars.is_beyond(place) else ""
            parts.append(
                Markup('<rect class="bar{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                    beyond,
                    f"{left + slot * (1 - _BAR) / 2:.1f}",
                    f"{base - count * rise:.1f}",
                    f"{slot * _BAR:.1f}",
                    f"{count * rise:.1f}",
                )
            )
    parts.append(Markup('<path class="base" d="M0 {}H{}"/>').format(base + 0.5, width))
    if alert is not None and bars.frame.since <= alert <= bars.frame.until:
        x = f"{width * ((alert - bars.frame.since) / (bars.frame.until - bars.frame.since)):.1f}"
        parts.append(Markup('<path class="alert" d="M{} 0V{}"/>').format(x, base))
    return Markup("").join([*parts, Markup("</svg>")])


def _hatched(left: float, slot: float, base: float) -> Markup:
    lines = " ".join(
        f"M{left + 0.5:.1f} {y:.1f}L{left + slot - 0.5:.1f} {max(2.0, y - slot):.1f}" for y in range(int(base), 6, -5)
    )
    return Markup('<path class="unseen" d="M{} 2H{}V{}H{}Z {}"/>').format(
        f"{left + 0.5:.1f}", f"{left + slot - 0.5:.1f}", base, f"{left + 0.5:.1f}", lines
    )
