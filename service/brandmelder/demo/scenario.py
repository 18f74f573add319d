"""The story of the demo: eight quiet weeks at Nordfunk, an invented provider, and the evening its TV spot runs."""

from __future__ import annotations

import bisect
from datetime import UTC, datetime, time, timedelta
from random import Random

from msgspec import Struct

from brandmelder.demo.events import Event, Kind
from brandmelder.demo.rhythm import ZONE
from brandmelder.demo.teller import OWN_ACCOUNT, Teller
from brandmelder.model import Label

__all__ = ["OWN_ACCOUNT", "START", "ZONE", "Event", "Kind", "Scenario", "build", "config"]

START = datetime(2026, 10, 20, tzinfo=ZONE)
QUIET = timedelta(weeks=8)
SPOT = time(19, 58)
"""When the spot runs, local time: two minutes before the evening news."""
BEFORE = timedelta(minutes=90)
LENGTH = timedelta(hours=7, minutes=30)
"""From the spot to the end of the story: the storm and the calm after it."""


class Scenario(Struct, frozen=True, kw_only=True):
    """A story: its events in order of `t`, and its landmarks, all in UTC."""

    seed: int
    start: datetime
    """First moment of the quiet weeks."""
    evening: datetime
    """Where to join the story: the last quiet hour and a half."""
    onset: datetime
    """The spot runs and the storm begins."""
    end: datetime
    events: tuple[Event, ...]

    def until(self, moment: datetime) -> tuple[Event, ...]:
        """Return what has happened up to and including `moment`."""
        return self.events[: bisect.bisect_right(self.events, moment, key=lambda event: event.t)]

    def comments(self, since: datetime, until: datetime) -> tuple[Event, ...]:
        """Return the comments written from `since` to before `until`, the company's own included."""
        return tuple(
            event for event in self.events if event.kind is Kind.COMMENT and since <= event.published_at < until
        )

    def negatives(self, since: datetime, until: datetime) -> int:
        """Count the customers' comments about the brand, written in that span, that are negative in truth."""
        return sum(
            event.truth is Label.NEGATIVE and event.is_about_brand and not event.own
            for event in self.comments(since, until)
        )


def build(seed: int = 1, start: datetime = START) -> Scenario:
    """Tell the story that begins at `start`, an aware time; the same seed and start always give the same story.

    The spot runs at 19:58 in Berlin, eight weeks after the day of `start`.
    """
    first = start.astimezone(ZONE)
    onset = datetime.combine(first.date() + QUIET, SPOT, ZONE).astimezone(UTC)
    begin, end = first.astimezone(UTC).replace(microsecond=0), onset + LENGTH
    chance = Random(seed)  # noqa: S311 - chance tells a story here, it keeps no secret
    events = Teller(chance, start=begin, onset=onset, end=end).tell()
    return Scenario(seed=seed, start=begin, evening=onset - BEFORE, onset=onset, end=end, events=events)


def config(url: str) -> str:
    """Return the configuration that watches the demo's sites at `url`; config/demo.yaml is its readable copy."""
    return _CONFIG.replace("{url}", url)


_CONFIG = """\
# What `brandmelder demo` runs with: a corporate blog and a newspaper, both played by a server on this machine.

brand: Nordfunk
short: NF
language: de
timezone: Europe/Berlin
database: "sqlite:///:memory:"

sources:
  blog:
    type: wordpress
    url: "{url}"
    every: 1m
    own_accounts: [nordfunk]
    allow_private: true # the server stands on this machine
  press:
    type: feed
    url: "{url}/presse/feed/"
    every: 5m
    class: news
    allow_private: true

monitors:
  nordfunk:
    query: '(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige'
    sources: [blog, press]
    false_alarms: 1 per 30 days

channels:
  console: {type: console}

alerts:
  - {monitors: all, to: [console]}
"""
