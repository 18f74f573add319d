"""A page with everything on it: sources in every state, budgets, accounts, dead letters, many incidents, an audit.

Nothing here is a picture of a page: it is what the store keeps when all of that has happened on one evening.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.model import (
    Act,
    ChannelId,
    Course,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Gap,
    IncidentId,
    Matcher,
    MonitorId,
    Reading,
    Silence,
    SourceId,
    SourceState,
    State,
    Transition,
)
from brandmelder.pipeline import staff
from brandmelder.store import audit, deliveries, incidents, notes, readings, sources, usage
from web.house import INCIDENT, YAML

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from web.house import House

MORE_SOURCES = """
  x: {type: x, token: "${X}", query: nordfunk, every: 5m, budget: 5, money_per_month: 60, accounts: [nordfunk]}
  youtube: {type: youtube, api_key: "${X}", channel: UCabcdefghijklmnopqrstuv, every: 15m,
    requests_per_day: 8000, requests_per_month: 200000}
  bewertungen: {type: appstore, app: "1234567890", countries: [de], every: 1h}
  verbraucherbeschwerdeportal-nord: {type: feed,
    url: "https://verbraucher.example/feed", every: 30m, requests_per_day: 50}
"""
MORE_MONITORS = """
  kundendienst:
    title: Kundendienst und Störungsannahmestelle
    query: 'nordfunk AND (hotline OR kundendienst OR störung)'
  tarife:
    title: Tarife
    query: 'nordfunk AND (tarif OR preis OR vertrag)'
"""
DUTY = """
people:
  anna: {name: Anna Petersen, channels: [handy]}
  jonas: {name: Jonas Brandt}
  mareike: {name: Mareike Hansen-Lüttringhausen}
rota:
  presse:
    turns: {handover: mon 09:00, begins: "2026-11-30", people: [anna, jonas, mareike]}
channels:
  crisis: {type: console}
  handy: {type: console}
alerts:
  - monitors: all
    to: [crisis]
    escalation:
      - {to: "rota:presse"}
      - {to: "person:jonas", after: 50m}
      - {to: ["person:mareike"], after: 80m}
"""
_HEAD, _, _REST = YAML.partition("people:")
FILLED = (
    _HEAD.replace("calendar:", f"{MORE_SOURCES.lstrip(chr(10))}calendar:").rstrip()
    + MORE_MONITORS
    + DUTY.lstrip()
    + "web: {}\n"
)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def fill(connection: Connection, house: House) -> None:
    """Write all of it into a house's database."""
    now = house.now
    _sources(connection, house, now)
    _accounts(connection, now)
    _incidents(connection, now)
    _deliveries(connection, now)
    _people(connection, house, now)


def _sources(connection: Connection, house: House, now: datetime) -> None:
    sources.register(connection, {SourceId(ident): now for ident in house.settings.sources})
    rows = sources.read_sources(connection)
    young = {"next_poll_at": now + MINUTE, "first_contact": now - 40 * DAY, "history_done": True}

    def stand(name: str, **fields: object) -> None:
        one = replace(rows[SourceId(name)], **(young | fields))
        sources.save_source(connection, one)

    stand("x", read_until=now - 2 * MINUTE, last_success_at=now - 2 * MINUTE, state=SourceState.DEGRADED,
          state_since=now - 3 * HOUR, every=34 * MINUTE, fault="",
          note="saves its budget (money_per_month): asked every 34m instead of 5m")  # fmt: skip
    stand("youtube", read_until=now - 5 * HOUR, last_success_at=now - 5 * HOUR, state=SourceState.PAUSED,
          state_since=now - 5 * HOUR, blind_since=now - 5 * HOUR, fault="spent",
          note="its budget is spent: 8000 requests a day; it is asked again at 01:00")  # fmt: skip
    stand("bewertungen", read_until=now - 50 * MINUTE, last_success_at=now - 50 * MINUTE)
    stand("verbraucherbeschwerdeportal-nord", read_until=None, first_contact=None, last_success_at=None, failures=9,
          state=SourceState.FAILING, state_since=now - 2 * DAY, blind_since=now - 2 * DAY, fault="Gone",
          note='answered 410 Gone; the address "https://verbraucher.example/feed" is to be looked up anew')  # fmt: skip
    for since, until, reason in (
        (timedelta(hours=19), timedelta(hours=17, minutes=20), "answered 503 Service Unavailable"),
        (timedelta(hours=9), timedelta(hours=8, minutes=51), "more posts than one answer holds"),
    ):
        sources.save_gap(
            connection, Gap(source=SourceId("mastodon"), since=now - since, until=now - until, reason=reason)
        )
    for back in range(15):
        day = (now - back * DAY).date()
        for name, requests, micros in (("x", 171 + 3 * back, 2_100_000), ("youtube", 8000 if back < 1 else 3900, 0),
                                       ("blog", 720, 0), ("verbraucherbeschwerdeportal-nord", 49, 0)):  # fmt: skip
            usage.add(connection, usage.Day(SourceId(name), day, requests, micros, requests))


ACCOUNTS = (
    ("x", "nordfunk", "@nordfunk", True, {"followers": (48_210, 9), "posts": (8_120, 3), "days_silent": (0, 0)}),
    ("x", "nordfunk_hilft", "@nordfunk_hilft", True,
     {"followers": (1_204, -1), "posts": (311, 0), "days_silent": (34, 1)}),
    ("facebook", "nordfunk", "Nordfunk auf Facebook", True, {"fans": (12_480, -4), "followers": (13_020, -3)}),
    ("bewertungen", "1234567890", "Mein Nordfunk (App Store, Deutschland)", True,
     {"rating": (3.84, -0.011), "reviews": (2_310, 6)}),
    ("x", "kueste_tel", "Küstentelekommunikationsgesellschaft mbH & Co. KG", False,
     {"followers": (1_052_340, 210), "posts": (41_002, 12)}),
    ("facebook", "dort", "dort.net", False, {"fans": (1_825, 0)}),
)  # fmt: skip


def _accounts(connection: Connection, now: datetime) -> None:
    """Weeks of readings, six hours apart; in the storm our followers turn away."""
    rng = random.Random(5)
    found = []
    for source, name, title, own, numbers in ACCOUNTS:
        for metric, (last, step) in numbers.items():
            for back in range(56 * 4):
                noise = rng.gauss(0, abs(step) * 0.8) if step else 0.0
                fall = 180 if (name, metric) == ("nordfunk", "followers") and source == "x" and back < 1 else 0
                value = last - step * back / 4 * (4 if abs(step) >= 1 else 1) + noise - fall
                value = round(value, 2) if metric == "rating" else float(round(value))
                found.append(
                    Reading(source=SourceId(source), account=name, name=metric, value=max(0.0, value),
                            at=now - back * 6 * HOUR, own=own, title=title)
                )  # fmt: skip
    readings.save_readings(connection, found)


ENDED = (
    # monitor, days ago, lasted, peak, total, first and last severity, by whom, why not a crisis
    ("nordfunk", 11, 190 * MINUTE, 62, 214, 3, 4, "Anna Petersen", ""),
    ("glasfaser", 16, 95 * MINUTE, 14, 31, 2, 2, "brandmelder", ""),
    ("nordfunk", 23, 8 * MINUTE, 19, 22, 2, 2, "Mareike Hansen-Lüttringhausen", "sarcasm"),
    ("vorstand", 31, 26 * HOUR, 1204, 9_318, 5, 5, "Jonas Brandt", ""),
    ("nordfunk", 40, 4 * HOUR, 27, 60, 1, 3, "brandmelder", "own_campaign"),
)


def _incidents(connection: Connection, now: datetime) -> None:
    """Five that ended beside the one that burns, and one on another monitor that somebody muted."""
    model, evidence = incidents.find(connection, INCIDENT)
    for number, (monitor, back, lasted, peak, total, first, last, by, why) in enumerate(ENDED, start=101):
        opened = now - back * DAY - 3 * HOUR
        ident = IncidentId(f"NF-2026-{number}")
        state = State.DISMISSED if why else State.RESOLVED
        moved = {"since": opened - HOUR, "until": opened, "observed": peak}
        one = replace(
            model, id=ident, monitor=MonitorId(monitor), state=state, revision=3, onset=opened - 40 * MINUTE,
            opened_at=opened, changed_at=opened + lasted, spike=replace(model.spike, **moved), peak=peak, total=total,
            severity=last, first_severity=first, course=Course.CALM, closed_at=opened + lasted, closed_by=by,
            label=why or None, acknowledged_by=None if by == "brandmelder" else by,
            acknowledged_at=None if by == "brandmelder" else opened + 7 * MINUTE, trail=(), snooze=None,
        )  # fmt: skip
        steps = [_step(one, 1, Act.OPEN, opened, after=State.OPEN)]
        if one.acknowledged_at is not None:
            steps.append(_step(one, 2, Act.ACKNOWLEDGE, one.acknowledged_at, by=by, after=State.ACKNOWLEDGED))
        act, note = (Act.DISMISS, f"{why}: Satire der Wochenschau") if why else (Act.RESOLVE, "")
        steps.append(_step(one, 3, act, one.closed_at, by=by, note=note, after=state))
        known = replace(evidence, negatives=total, mentions=2 * total, picture=None, quotes=(), sight=())
        incidents.save_incident(connection, one, known, steps, expected_revision=None)
    muted = replace(
        model, id=IncidentId("NF-2026-110"), monitor=MonitorId("glasfaser"), revision=1, peak=9, total=11,
        severity=2, first_severity=2, spike=replace(model.spike, observed=9, usual_low=0, usual_high=2),
        acknowledged_by="Jonas Brandt", acknowledged_at=now - 15 * MINUTE, state=State.ACKNOWLEDGED,
        course=Course.SUBSIDING,
    )  # fmt: skip
    incidents.save_incident(connection, muted, evidence, [_step(muted, 1, Act.OPEN, muted.opened_at)],
                            expected_revision=None)  # fmt: skip
    notes.add(connection, notes.Note(incident=INCIDENT, at=now - 12 * MINUTE, by="Anna Petersen",
        text="Agentur angerufen: Spot läuft um 20:58 noch einmal, Abbruch ist bestellt."))  # fmt: skip
    notes.add(connection, notes.Note(incident=INCIDENT, at=now - 3 * MINUTE, by="Jonas Brandt",
        text="Vorstand weiß Bescheid, will vor 21:30 einen Satz für die Presse."))  # fmt: skip


def _step(one, revision, act, at, *, by="brandmelder", note="", after=State.OPEN):  # type: ignore[no-untyped-def]
    return Transition(
        incident=one.id, revision=revision, at=at, act=act, before=State.OPEN, after=after, by=by, note=note
    )


def _deliveries(connection: Connection, now: datetime) -> None:
    """Two that no channel took, one that is tried again, one of which nobody knows, one on its way."""
    of_storm = {"incident": IncidentId(INCIDENT), "revision": 4, "due_at": now - 20 * MINUTE}
    promised = [
        ("handy", DeliveryKind.OPEN, DeliveryState.DEAD, 9, now - 20 * MINUTE, INCIDENT),
        ("crisis", DeliveryKind.UPDATE, DeliveryState.DUE, 3, now - 4 * MINUTE, INCIDENT),
        ("crisis", DeliveryKind.THREAD, DeliveryState.UNCLEAR, 1, now - 2 * MINUTE, INCIDENT),
        ("altes-postfach-der-pressestelle", DeliveryKind.NOTICE, DeliveryState.DEAD, 14, now - 2 * DAY, "digest:1"),
    ]
    errors = {
        9: "answered 401 Unauthorized; the token in brandmelder.yaml:52 is not valid any more",
        3: "answered 429 Too Many Requests; asked again in 30 s",
        1: "no answer within 10 s",
        14: "550 5.1.1 <presse@alt.example>: Recipient address rejected: User unknown in virtual mailbox table",
    }
    for channel, kind, state, attempts, at, incident in promised:
        one = Delivery(
            key=f"{incident}:{kind}:{channel}:filled", channel=ChannelId(channel), kind=kind, state=state,
            created_at=at, attempts=attempts, attempt_at=at + MINUTE, first_attempt_at=at, last_error=errors[attempts],
            **(of_storm | {"incident": IncidentId(incident)}),
        )  # fmt: skip
        deliveries.promise(connection, [(one, None if state is DeliveryState.DEAD else now + MINUTE)])


def _people(connection: Connection, house: House, now: datetime) -> None:
    """What staff did, as the audit has it: a silence over one monitor, an act on an incident, an erasure."""
    anna = staff.Actor(name="Anna Petersen", login="anna", via="page")
    one = Silence(
        id=0, matcher=Matcher(monitors=frozenset({MonitorId("vorstand")})), since=now - HOUR, until=now + 3 * HOUR,
        by="Anna Petersen", reason="Pressekonferenz zum Ausbau, Nachfragen erwartet", broken_at=5,
    )  # fmt: skip
    staff.silence(connection, one, anna, now - HOUR)
    audit.record(connection, "privacy.export", by="Paula Schutz", subject="4f1c9a0d", now=now - 40 * MINUTE,
                 mentions=3, via="command", login="paula")  # fmt: skip
    audit.record(connection, "incident.acknowledge", by="Jonas Brandt", subject="NF-2026-110", now=now - 15 * MINUTE,
                 before="open", after="acknowledged")  # fmt: skip
    audit.record(connection, "configuration.load", by="brandmelder", subject="brandmelder.yaml", now=now - 10 * MINUTE)
