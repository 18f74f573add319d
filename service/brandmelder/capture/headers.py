"""What a server's headers say of time: how fresh its answer is, and when it wants to be asked again.

Semantics of RFC 9110 (Date, Retry-After) and RFC 9111 (Age, Cache-Control).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT: Final = timedelta(days=2)
"""Nobody makes us wait longer: a Retry-After of 10⁹ seconds is a mistake."""
SHORTEST_WAIT: Final = timedelta(seconds=60)
UNSAID_WAIT: Final = timedelta(minutes=5)
LONGEST_LIFE: Final = timedelta(hours=24)
"""How long an answer may ask not to be renewed."""
HONEST_SKEW: Final = timedelta(minutes=5)
"""How far a server's clock may lag behind ours and be believed."""
LONGEST_AGE: Final = timedelta(hours=1)

_SECONDS = re.compile(r"\s*(\d{1,18})(?:\.\d*)?\s*")
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)


def parse_date(text: str) -> datetime | None:
    """Return the moment of an HTTP date, aware, in UTC; None if it is none."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return when Retry-After lets us come back, between one minute and two days from `now`; None if it is absent.

    Seconds and dates are understood; a date is read against the server's own clock. What cannot be read waits five
    minutes.
    """
    text = headers.get("retry-after")
    if text is None:
        return None
    wait = UNSAID_WAIT
    if match := _SECONDS.fullmatch(text):
        wait = min(timedelta(seconds=min(int(match[1]), 10**9)), LONGEST_WAIT)
    elif moment := parse_date(text):
        wait = moment - (parse_date(headers.get("date", "")) or now)
    return now + min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def seen_until(headers: Mapping[str, str], now: datetime) -> datetime:
    """Return up to which moment the answer can know what happened: `now`, less its age in caches and a late clock."""
    age = _SECONDS.fullmatch(headers.get("age", ""))
    old = min(timedelta(seconds=min(int(age[1]), 10**9)), LONGEST_AGE) if age else timedelta(0)
    made = parse_date(headers.get("date", ""))
    if made is None or not now - HONEST_SKEW <= made <= now:
        made = now
    return made - old


def clock_offset(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return by how much the server's clock is ahead of `now`; None where it does not say. A cache's age is added.

    An answer from a cache that does not tell its age looks like a clock that is behind: it is old all the same.
    """
    made = parse_date(headers.get("date", ""))
    if made is None:
        return None
    age = _SECONDS.fullmatch(headers.get("age", ""))
    old = timedelta(seconds=min(int(age[1]), 10**9)) if age else timedelta(0)
    return made + old - now


def stays_fresh(headers: Mapping[str, str]) -> timedelta:
    """Return how long the answer says it holds (`max-age`), at most a day; zero if it does not say."""
    match = _MAX_AGE.search(headers.get("cache-control", ""))
    return min(timedelta(seconds=int(match[1])), LONGEST_LIFE) if match else timedelta(0)
