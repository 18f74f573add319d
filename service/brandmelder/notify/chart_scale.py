"""Where things stand in a chart: how high the axis is, which hours are named, how wide words are."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.voice import Voice

LEAST_HEIGHT = 5
"""The least height of the axis: two posts never look like a storm."""
_OVER_BARS, _OVER_BAND = 1.05, 1.5
_MOST_LINES = 2
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_STEPS = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080))
_APART = 1.5
"""Names of hours stand at least so many of their widths apart."""
_WIDTHS = {
    0.24: " !.:I[]ijl|',;",
    0.35: '()/frt{}"-„“”`\u00a0',
    0.45: "*?_y\\^",
    0.5: "<>cksvxz",
    0.62: "#&BRSTYZßACDKPUVX–…E",
    0.7: "GHNOQ~",
    0.76: "w%",
    0.9: "@WmM",
}
"""Widths of letters in ems, of Roboto and near enough of its neighbours; all others have a digit's."""
_WIDTH = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_DIGIT, _WIDE, _BOLD = 0.565, 1.0, 1.03
_FIRST_WIDE = "\u2e80"
"""From here on letters are as wide as they are high."""


class Box(Struct, frozen=True):
    """A rectangle on the picture; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Return whether the two share any point."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return about how wide a text is; a picture must do without asking a font."""
    ems = sum(_WIDTH.get(letter, _WIDE if letter >= _FIRST_WIDE else _DIGIT) for letter in text)
    return ems * size * (_BOLD if bold else 1.0)


def cut_to(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return the text, cut with an ellipsis if it is wider than `room`."""
    if width_of(text, size, bold=bold) <= room:
        return text
    while text and width_of(f"{text}…", size, bold=bold) > room:
        text = text[:-1].rstrip()
    return f"{text}…" if text else ""


def axis_height(counts: Sequence[int], usual: Sequence[tuple[int, int]]) -> float:
    """Return the count at the top of the axis, which begins at zero and is linear."""
    edge = max((high for _, high in usual), default=0)
    return max(LEAST_HEIGHT, _OVER_BARS * max([*counts, edge]), _OVER_BAND * edge)


def grid_lines(height: float) -> tuple[int, ...]:
    """Return one or two round values below the top of the axis."""
    steps = (lead * 10**power for power in range(12) for lead in (1, 2, 5))
    step = next(step for step in steps if height / step < _MOST_LINES + 1)
    return tuple(range(step, int(height) + 1, step))


def hours(  # noqa: PLR0913 -- a span, a place, a reader
    since: datetime, until: datetime, *, width: float, size: float, voice: Voice, most: int = 99
) -> list[tuple[datetime, str]]:
    """Return the moments that are named below the axis, on the reader's clock, as close as their names allow.

    At most `most` of them.
    """
    named: list[tuple[datetime, str]] = []
    for step in _STEPS:
        room = width * (step / (until - since))
        if room < size or (until - since) / step > most:
            continue
        moments = _every(step, since, until, voice)
        named = [(moment, _name(moment, step, voice, is_first=not place)) for place, moment in enumerate(moments)]
        first = width_of(named[0][1], size) + 0.6 * size if named else 0.0
        others = max((_APART * width_of(name, size) for _, name in named[1:]), default=0.0)
        if max(first, others) <= room or len(named) <= 1:
            break
    return named


def _every(step: timedelta, since: datetime, until: datetime, voice: Voice) -> list[datetime]:
    """Return every moment whose time of day on the reader's clock is a multiple of `step`."""
    if step >= _DAY:
        return _every_day(step // _DAY, since, until, voice)
    stride = min(step, _HOUR)
    at, moments = since, []
    while _of_day(at, voice) % (stride // _MINUTE) and at <= until:
        at += _MINUTE
    while at <= until:
        if not _of_day(at, voice) % (step // _MINUTE):
            moments.append(at)
        at += stride
    return moments


def _every_day(days: int, since: datetime, until: datetime, voice: Voice) -> list[datetime]:
    """Return every midnight on the reader's clock of a day whose number is a multiple of `days`."""
    first = since.astimezone(voice.zone).date().toordinal()
    last = until.astimezone(voice.zone).date().toordinal()
    middles = (
        datetime.combine(date.fromordinal(number), time(), voice.zone).astimezone(since.tzinfo)
        for number in range(-(-first // days) * days, last + 1, days)
    )
    return [one for one in middles if since <= one <= until]


def _of_day(moment: datetime, voice: Voice) -> int:
    local = moment.astimezone(voice.zone)
    return local.hour * 60 + local.minute


def _name(moment: datetime, step: timedelta, voice: Voice, *, is_first: bool) -> str:
    local = moment.astimezone(voice.zone)
    if step >= _DAY:
        return voice.words.weekdays[local.weekday()] if step < 2 * _DAY else voice.day(moment)
    if step < _HOUR:
        return voice.clock(moment)
    return voice.words.first_hour.format(hour=local.hour) if is_first else str(local.hour)
