"""How numbers, times and lists are said in a reader's language and zone."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.notify.english import ENGLISH
from brandmelder.notify.german import GERMAN
from brandmelder.notify.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.model import Spike

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
FEWEST_FOR_PERCENT = 20


def words_of(language: str) -> Words:
    """Return the catalogue of a language (`de`, `de-CH`); English for one we do not speak."""
    return GERMAN if language.partition("-")[0].lower() == "de" else ENGLISH


def rule_words(budget: float, language: str) -> str:
    """Say a false-alarm budget (alarms per day): `höchstens 1 Fehlalarm in 30 Tagen`."""
    words = words_of(language)
    days = round(1 / budget)
    if days > 1:
        return words.budget_days.format(days=days)
    return words.budget_day.of(round(budget)).format(number=round(budget))


class Voice(Struct, frozen=True):
    """Somebody who speaks to a reader: in which language, in which zone, when."""

    words: Words
    zone: tzinfo
    now: datetime

    # ---------------------------------------------------------------- numbers

    def number(self, count: float) -> str:
        """Say a count: 10.000 or 10,000."""
        return f"{round(count):,}".replace(",", self.words.thousands)

    def share(self, share: float, whole: int) -> str:
        """Say a share: `9 %`, of fewer than twenty `6 von 15`. 100 % is said only when it is all."""
        if whole < FEWEST_FOR_PERCENT:
            return self.words.part_of.format(part=self.number(share * whole), whole=self.number(whole))
        percent = min(99, round(100 * share)) if share < 1 else 100
        return self.words.percent.format(number=max(1, percent) if share > 0 else 0)

    def range(self, low: int, high: int) -> str:
        """Say a range with an en dash: `2–6`; one number if it is no range."""
        return self.number(high) if low >= high else f"{self.number(low)}–{self.number(high)}"

    def usual(self, spike: Spike) -> str:
        """Say what is usual: `üblich 2–6` or `sonst keine`."""
        if spike.usual_high <= 0:
            return self.words.usual_none
        return self.words.usual.format(range=self.range(spike.usual_low, spike.usual_high))

    def usual_range(self, low: int, high: int) -> str:
        """Say what is usual in one bar: `üblich 1–4` or `sonst keine`."""
        return self.words.usual.format(range=self.range(low, high)) if high > 0 else self.words.usual_none

    def events(self, count: int) -> str:
        """Say how many known events there were: `4 Ereignisse`."""
        return self.words.events.of(count).format(number=self.number(count))

    def figures(self, spike: Spike) -> str:
        """Say `38 in 60 min, üblich 2–6`."""
        return f"{self.in_window(self.observed(spike), spike.window)}, {self.usual(spike)}"

    def observed(self, spike: Spike) -> str:
        """Say what was counted; `etwa 38` when it is an estimate."""
        number = self.number(spike.observed)
        return self.words.about.format(number=number) if spike.is_estimate else number

    def in_window(self, number: str, window: timedelta) -> str:
        """Say `38 in 60 min`."""
        return self.words.in_window.format(number=number, window=self.duration(window))

    # ------------------------------------------------------------------ times

    def duration(self, time: timedelta, *, alone: bool = False) -> str:
        """Say a duration: below 120 minutes in min, below two days in hours (from six on rounded), then in days.

        It goes behind a preposition (`seit`, `nach`, `in`: dative in German) unless it stands `alone`.
        """
        minutes = max(0, round(time / timedelta(minutes=1)))
        if minutes < 120:
            return f"{minutes} min"
        hours, rest = divmod(minutes, 60) if minutes < 6 * 60 else (round(minutes / 60), 0)
        if time >= 2 * _DAY:
            days = round(time / _DAY)
            return f"{days} {(self.words.days if alone else self.words.days_behind).of(days)}"
        return f"{hours} {self.words.hours_short}" + (f" {rest} min" if rest else "")

    def span(self, time: timedelta, *, alone: bool = False) -> str:
        """Say a long stretch roughly: `14 Std.`, `3 Tagen` (alone `3 Tage`), `8 Wochen`."""
        if time < _DAY:
            return f"{int(time / _HOUR)} {self.words.hours_short}"
        days = int(time / _DAY)
        if days < 14:
            return f"{days} {(self.words.days if alone else self.words.days_behind).of(days)}"
        weeks = days // 7
        return f"{weeks} {self.words.weeks.of(weeks)}"

    def clock(self, moment: datetime) -> str:
        """Say the time of day in the reader's zone: `20:41`."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def moment(self, moment: datetime) -> str:
        """Say a moment: the time of day alone today, with its date on any other day."""
        if moment.astimezone(self.zone).date() == self.now.astimezone(self.zone).date():
            return self.clock(moment)
        return self.words.moment.format(date=self.day(moment), clock=self.clock(moment))

    def day(self, moment: datetime) -> str:
        """Say the day in the reader's zone: `Di 15.12.`."""
        local = moment.astimezone(self.zone)
        return self.words.date.format(
            weekday=self.words.weekdays[local.weekday()],
            day=local.day,
            month=local.month,
            month_name=self.words.months[local.month - 1][:3],
        )

    def between(self, since: datetime, until: datetime) -> tuple[str, str]:
        """Say when something began and ended, the date only once."""
        begin, end = self.moment(since), self.moment(until)
        is_one_day = since.astimezone(self.zone).date() == until.astimezone(self.zone).date()
        return begin, self.clock(until) if is_one_day else end

    def month(self, moment: datetime) -> str:
        """Say the month, with its year if that is not the current one."""
        local, now = moment.astimezone(self.zone), self.now.astimezone(self.zone)
        name = self.words.months[local.month - 1]
        return name if local.year == now.year else f"{name} {local.year}"

    # ------------------------------------------------------------------ lists

    def listed(self, items: Sequence[str]) -> str:
        """Say a list: `a, b und c`."""
        comma, last = self.words.joined
        return last.join(part for part in (comma.join(items[:-1]), *items[-1:]) if part)
