"""What a source has asked and paid, against its quota, and how long that lasts: in the reader's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.pipeline.pace import Used, forecasts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from brandmelder.pipeline.pace import Budget, Forecast
    from brandmelder.web.reader import Reader


class Quota(Struct, frozen=True, kw_only=True):
    """What a row says of a quota."""

    share: str = ""
    """The part of the tightest limit that is used, as `71 %`; empty where nothing is limited."""
    is_spent: bool = False
    lines: tuple[str, ...] = ()
    """Each limit with what is used of it and how long it lasts; without limits what was asked today."""


def quota(budget: Budget, used: Mapping[date, Used], reader: Reader) -> Quota:
    """Return how a source stands against its limits, the tightest first."""
    found = sorted(forecasts(budget, used, reader.now), key=lambda one: -one.used / one.limit.amount)
    if not found:
        return Quota(lines=_asked(used, reader))
    tightest = found[0]
    is_spent = tightest.used >= tightest.limit.amount
    # 100 % is said only of what is spent.
    share = 100 if is_spent else min(99, int(100 * tightest.used / tightest.limit.amount))
    return Quota(
        share=reader.voice.words.percent.format(number=share),
        is_spent=is_spent,
        lines=tuple(line for one in found for line in (_used(one, reader), _lasts(one, reader)) if line),
    )


def _asked(used: Mapping[date, Used], reader: Reader) -> tuple[str, ...]:
    today = used.get(reader.now.date(), Used())
    if not today.requests:
        return ()
    return (reader.say_many("{number} request today", "{number} requests today", today.requests),)


def _used(one: Forecast, reader: Reader) -> str:
    is_day = one.limit.key.endswith("day")
    if one.limit.is_money:
        known = {"used": money(one.used, reader), "amount": money(one.limit.amount, reader)}
        if is_day:
            return reader.say("{used} of ${amount} today", **known)
        return reader.say("{used} of ${amount} this month", **known)
    known = {"used": reader.voice.number(one.used), "amount": reader.voice.number(one.limit.amount)}
    if is_day:
        return reader.say("{used} of {amount} requests today", **known)
    return reader.say("{used} of {amount} requests this month", **known)


def _lasts(one: Forecast, reader: Reader) -> str:
    """Say how long a limit lasts at the pace of the last seven days."""
    moment = reader.voice.moment if one.limit.key.endswith("day") else reader.voice.day
    if one.used >= one.limit.amount:
        return reader.say("anew from {moment}", moment=moment(one.limit.until))
    if one.ends_on is not None:
        return reader.say("lasts until {moment}", moment=moment(one.ends_on))
    share = reader.voice.words.percent.format(number=round(100 * one.at_end / one.limit.amount))
    return reader.say("lasts, {share} at its end", share=share)


def money(dollars: float, reader: Reader) -> str:
    """Say an amount of US dollars without its sign, cents only where there are any."""
    text = reader.voice.number(dollars) if dollars == int(dollars) else f"{dollars:.2f}"
    return text.replace(".", ",") if reader.language == "de" and dollars != int(dollars) else text
