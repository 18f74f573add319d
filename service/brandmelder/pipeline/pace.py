"""How often a source is asked: its interval, faster in a storm, slower when idle, and never beyond its budget. Pure.

In quiet times half of each budget is kept for a storm; what is left is spread over the rest of its day or month, so a
budget is stretched and never burst (decision 0065).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.options import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

QUIET_SHARE = 0.5
"""The part of a budget that quiet times may spend."""
IDLE_AFTER = 3
"""So many polls in a row that brought nothing make a source idle."""
SLOWER = 1.5
FASTEST = timedelta(seconds=60)
"""The interval in a storm, unless the configuration names one."""
RECENT = timedelta(days=7)
"""The days whose average is the pace of a forecast."""


class Used(Struct, frozen=True, kw_only=True):
    """What polls took: of one day, or of many."""

    requests: int = 0
    micros: int = 0
    """Millionths of a US dollar."""
    polls: int = 0

    def plus(self, other: Used) -> Used:
        """Return both together."""
        return Used(
            requests=self.requests + other.requests,
            micros=self.micros + other.micros,
            polls=self.polls + other.polls,
        )


class Budget(Struct, frozen=True, kw_only=True):
    """What a source may take; None is no limit. Days and months are those of UTC."""

    requests_per_day: int | None = None
    requests_per_month: int | None = None
    money_per_day: float | None = None
    money_per_month: float | None = None

    def limits(self, now: datetime) -> list[Limit]:
        """Return the limits that are set, each with its running period."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        month = day.replace(day=1)
        periods = (day, day + timedelta(days=1)), (month, (month + timedelta(days=31)).replace(day=1))
        named = (
            ("requests_per_day", self.requests_per_day, 0),
            ("requests_per_month", self.requests_per_month, 1),
            ("money_per_day", self.money_per_day, 0),
            ("money_per_month", self.money_per_month, 1),
        )
        return [
            Limit(key=key, amount=float(amount), since=periods[which][0], until=periods[which][1])
            for key, amount, which in named
            if amount is not None
        ]


class Limit(Struct, frozen=True, kw_only=True):
    """One limit and the period it runs in."""

    key: str
    amount: float
    """Requests, or US dollars."""
    since: datetime
    until: datetime

    def of(self, used: Used) -> float:
        """Return the part of a usage that counts against it."""
        return used.micros / 1e6 if self.is_money else float(used.requests)

    @property
    def is_money(self) -> bool:
        """Whether it is one of dollars."""
        return self.key.startswith("money")


class Rhythm(Struct, frozen=True, kw_only=True):
    """How often a source wants to be asked."""

    every: timedelta
    storm_every: timedelta | None = None
    idle_every: timedelta | None = None
    """How slow an idle source may become; None keeps it at its interval."""
    budget: Budget = Budget()

    def wanted(self, *, is_storm: bool, empty_polls: int) -> timedelta:
        """Return the interval before any budget."""
        if is_storm:
            return min(self.every, self.storm_every or max(self.every / 2, FASTEST))
        if self.idle_every is None or empty_polls < IDLE_AFTER:
            return self.every
        slowed = self.every * SLOWER ** min(empty_polls - IDLE_AFTER + 1, 30)
        return max(self.every, min(slowed, self.idle_every))


class Pace(Struct, frozen=True, kw_only=True):
    """How often a source is asked now, and why so."""

    every: timedelta
    saves: str = ""
    """The limit that stretches the interval."""
    spent: Limit | None = None
    """The limit that is spent: it is not asked before the period's end."""
    dollars_left: float | None = None


def pace(
    rhythm: Rhythm, used: Mapping[date, Used], now: datetime, *, is_storm: bool = False, empty_polls: int = 0
) -> Pace:
    """Return the interval after this poll; `used` is by day and reaches back to the month's first and a week."""
    every, saves = rhythm.wanted(is_storm=is_storm, empty_polls=empty_polls), ""
    price = _price(used, now)
    dollars: list[float] = []
    for limit in rhythm.budget.limits(now):
        taken = limit.of(_between(used, limit.since, limit.until))
        left = limit.amount - taken
        each = max(limit.of(price) / price.polls, 0.0 if limit.is_money else 1.0)
        if limit.is_money:
            dollars.append(max(left, 0.0))
        if left <= 0 or left < each:
            return Pace(every=every, spent=limit, dollars_left=0.0 if limit.is_money else None)
        free = left if is_storm else min(left, max(limit.amount * QUIET_SHARE - taken, 0.0))
        polls = free / each if each else float("inf")
        needed = (limit.until - now) / max(polls, 1.0)
        if needed > every:
            every, saves = timedelta(seconds=ceil(needed.total_seconds())), limit.key
    return Pace(every=every, saves=saves, dollars_left=min(dollars, default=None))


def _price(used: Mapping[date, Used], now: datetime) -> Used:
    """Return what polls took of late: of yesterday and today; one request a poll before the first."""
    late = _between(used, now - timedelta(days=1), now + timedelta(days=1))
    return late if late.polls else Used(requests=1, polls=1)


def _between(used: Mapping[date, Used], since: datetime, until: datetime) -> Used:
    whole = Used()
    for day, one in used.items():
        if since.date() <= day < until.date() or day == since.date():
            whole = whole.plus(one)
    return whole


class Forecast(Struct, frozen=True, kw_only=True):
    """Where a limit stands, and where it leads at the pace of the last days."""

    limit: Limit
    used: float
    at_end: float
    """What its period will have taken."""
    ends_on: datetime | None = None
    """When it is spent; None if it lasts."""


def forecasts(budget: Budget, used: Mapping[date, Used], now: datetime) -> list[Forecast]:
    """Return the forecast of each limit that is set."""
    told: list[Forecast] = []
    for limit in budget.limits(now):
        taken = limit.of(_between(used, limit.since, limit.until))
        speed = _speed(limit, used, now)
        at_end = taken + speed * (limit.until - now).total_seconds()
        ends_on = now + timedelta(seconds=(limit.amount - taken) / speed) if at_end > limit.amount and speed else None
        if taken >= limit.amount:
            ends_on = now
        told.append(Forecast(limit=limit, used=taken, at_end=at_end, ends_on=ends_on))
    return told


def _speed(limit: Limit, used: Mapping[date, Used], now: datetime) -> float:
    """Return the pace of the last days, in a limit's unit per second."""
    days = [day for day in used if now.date() - RECENT < day <= now.date()]
    if not days:
        return 0.0
    first = datetime.combine(min(days), datetime.min.time(), now.tzinfo)
    taken = sum(limit.of(used[day]) for day in days)
    return taken / max((now - first).total_seconds(), 3600.0)


def says(limit: Limit) -> str:
    """Say what a limit is: `5 dollars a day`."""
    unit = "dollars" if limit.is_money else "requests"
    return f"{limit.amount:g} {unit} a {limit.key.rpartition('_')[2]}"


def saving(now: Pace, every: timedelta) -> str:
    """Say that an interval is stretched, in a sentence for the operator."""
    whole = timedelta(seconds=int(now.every.total_seconds()))
    minutes = timedelta(minutes=max(1, round(whole.total_seconds() / 60)))
    return f"saves its budget ({now.saves}): asked every {format_duration(minutes)} instead of {format_duration(every)}"
