"""A page over the real pipeline: weeks of quiet, then a storm, as far as a test wants; and people who may open it."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from msgspec.structs import replace
from starlette.testclient import TestClient

from brandmelder import wiring
from brandmelder.model import SourceId
from brandmelder.options import Role
from brandmelder.settings import parse_settings
from brandmelder.store import incidents, members
from brandmelder.store.database import Database
from brandmelder.web.app import app
from brandmelder.web.passwords import hashed
from brandmelder.web.site import Site
from pipeline.world import STORM, World, mention, quiet_weeks

PASSWORD = "eine lange Leitung"
YAML = """
brand: Nordfunk
short: NF
language: de
timezone: Europe/Berlin
sources:
  blog: {type: feed, url: "https://blog.example/feed", every: 2m, own_accounts: [nordfunk], class: own}
  mastodon: {type: feed, url: "https://social.example/feed", every: 2m}
  facebook: {type: feed, url: "https://face.example/feed", every: 5m}
  kieler-blatt: {type: feed, url: "https://press.example/feed", every: 15m, class: news}
calendar:
  - {name: TV-Spot, start: "2026-12-15T19:58", end: "2026-12-15T22:00", lift: 2}
monitors:
  nordfunk:
    title: Nordfunk gesamt
    query: '(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige'
    false_alarms: 1 per 30 days
    runbook: "https://wiki.example/sturm"
    holding_statement: Wir haben die Kommentare gesehen und gehen ihnen nach.
  vorstand:
    title: Vorstand, namentlich
    query: 'nordfunk AND vorstand'
  glasfaser:
    title: Glasfaser-Ausbau
    query: 'nordfunk AND (glasfaser OR router)'
people:
  anna: {name: Anna Petersen}
  jonas: {name: Jonas Brandt}
channels:
  crisis: {type: console}
alerts:
  - {monitors: all, to: [crisis]}
web: {}
"""
BLIND = STORM + timedelta(minutes=12)


def storm_over_places(minutes: int) -> list:
    """A storm that grows over the blog, social media and at last a newspaper; some of it answered."""
    rng, found, number = random.Random(7), [], 100_000
    for minute in range(minutes):
        for _ in range(1 + minute // 14):
            at = STORM + timedelta(minutes=minute, seconds=rng.randrange(60))
            place = rng.choices(("blog", "mastodon", "facebook"), (5, 4, 1))[0]
            followers = rng.choice((None, None, None, 12_400, 830, 64)) if place == "mastodon" else None
            found.append(mention(number, at, angry=True, source=place, reach=followers))
            if place == "blog" and number % 9 == 0:
                found.append(
                    mention(
                        number + 500_000, at + timedelta(minutes=20), angry=False, author="nordfunk", own=True,
                        parent_id=str(number), text="Wir kümmern uns darum.",
                    )
                )  # fmt: skip
            number += 1
    if minutes > 70:
        text = "Spott statt Post: Der Spot mit Nordfunks „Leiter Zufriedenheit“ erntet binnen einer Stunde Beschwerden."
        found.append(mention(1, STORM + timedelta(minutes=68), angry=True, source="kieler-blatt", text=text))
    return found


def world(path=None, *, minutes: int = 47, extra=()) -> World:
    """A world of which the first contact is an hour and a half before the storm."""
    quiet = quiet_weeks(STORM, per_day=40.0)
    rng = random.Random(3)
    spread = [_moved(one, rng) for one in quiet]
    return World(
        [*spread, *storm_over_places(minutes + 40), *extra], path=path, yaml=YAML,
        outages={"facebook": ((BLIND, STORM + timedelta(days=1)),)},
    )  # fmt: skip


def _moved(one, rng):
    place = rng.choices(("blog", "mastodon", "facebook", "kieler-blatt"), (40, 30, 29, 1))[0]
    return replace(one, source=SourceId(place))


async def built(path, minutes: int) -> World:
    """Let the pipeline run until so many minutes after the storm began."""
    found = world(path, minutes=minutes)
    await found.begin(STORM - timedelta(minutes=90))
    await found.run_until(STORM + timedelta(minutes=minutes))
    return found


INCIDENT = "NF-2026-001"
PEOPLE = {
    "anna": ("Anna Petersen", Role.RESPONDER),
    "jonas": ("Jonas Brandt", Role.RESPONDER),
    "vera": ("Vera Blick", Role.VIEWER),
    "adam": ("Adam Werk", Role.ADMIN),
    "paula": ("Paula Schutz", Role.PRIVACY_OFFICER),
}


@lru_cache(maxsize=1)
def _password() -> str:
    return hashed(PASSWORD)


class House:
    """A page with its database, its clock and its people; nobody is signed in at first."""

    def __init__(self, path, *, web="web: {}", minutes=47, yaml=YAML) -> None:
        self.now = STORM + timedelta(minutes=minutes)
        secrets = {"OIDC": "geheim", "X": "geheim"}
        self.settings = parse_settings(yaml.replace("web: {}", web), Path("brandmelder.yaml"), secrets)
        self.database = Database(f"sqlite:///{path}")
        self.database.prepare()
        self.parts = wiring.build(self.settings, database=self.database, sources={}, notifiers={}).parts
        self.woken = 0
        self.site = Site(
            parts=self.parts, settings=self.settings, web=self.settings.web, now=lambda: self.now, wake=self._wake
        )
        for name, (shown, role) in PEOPLE.items():
            one = members.Member(name=name, shown=shown, role=role, password=_password(), created_at=self.now)
            self.database.run_now(members.save, one)

    def _wake(self):
        self.woken += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.close()

    def browser(self, name="", **headers):
        """Return a browser, in which somebody has signed in if one is named."""
        found = Browser(self, headers={"accept-language": "de"} | headers)
        if name:
            assert found.sign_in(name).status_code == 303
        return found

    def incident(self, ident=INCIDENT):
        return self.database.run_now(incidents.find, ident)[0]

    def timeline(self, ident=INCIDENT):
        return self.database.run_now(incidents.timeline, ident)


class Browser(TestClient):
    """Fetches pages and sends the forms that stand on them."""

    def __init__(self, house, headers) -> None:
        super().__init__(
            app(house.site), base_url=house.site.web.base_url, headers=headers, follow_redirects=False,
            raise_server_exceptions=False,
        )  # fmt: skip

    def token(self, path="/sign-in"):
        return re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)[1]

    def sign_in(self, name, password=PASSWORD, **fields):
        asked = {"csrf": self.token(), "name": name, "password": password} | fields
        return self.post("/sign-in", data=asked)

    def act(self, act, ident=INCIDENT, **fields):
        path = f"/incidents/{ident}"
        return self.post(path, data={"csrf": self.token(path), "act": act, "revision": ""} | fields)
