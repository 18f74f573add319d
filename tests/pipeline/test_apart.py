"""What one incident, one rota, one look back stumbles over undoes that part, is said once, and stops no other."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import OperationalError

from brandmelder.capture.source import Poll
from brandmelder.errors import StoreFull
from brandmelder.model import (
    Act,
    Cursor,
    DeliveryKind,
    Evidence,
    IncidentId,
    MentionId,
    MonitorId,
    Quote,
    Removal,
    Snooze,
    SourceId,
    State,
    Transition,
)
from brandmelder.pipeline.apart import Apart
from brandmelder.pipeline.promise import promise_change
from brandmelder.pipeline.retain import Retainer, Retention
from brandmelder.store import calls, incidents, mentions, meta, schema
from brandmelder.store.schema import transition
from pipeline.duty import burning
from pipeline.test_duty import CALLING
from pipeline.world import STORM, World, mention

MINUTE = timedelta(minutes=1)
FIRST, SECOND = IncidentId("NF-2026-001"), IncidentId("NF-2026-002")
TWO = CALLING.replace(
    "channels:\n", "  papers: {query: nordfunk, sources: [press], false_alarms: 1 per 30 days}\nchannels:\n", 1
)


def open_(connection, parts, incident):
    step = Transition(
        incident=incident.id, revision=1, act=Act.OPEN, before=None, after=State.OPEN, at=incident.opened_at
    )
    incidents.save_incident(connection, incident, None, [step], expected_revision=None)
    promise_change(connection, parts, incident, [step], incident.opened_at)


async def two_burn(yaml=TWO, **fields):
    """Two incidents of two monitors, told and confirmed; ten minutes after, the second step of each is due."""
    world = World([], yaml=yaml)
    await world.begin(STORM)
    for ident, monitor in ((FIRST, "nordfunk"), (SECOND, "papers")):
        incident = burning(STORM, ident, monitor=MonitorId(monitor), **fields)
        world.database.run_now(open_, world.pipeline.parts, incident)
    await world.pipeline.deliver(STORM)
    return world


def spoil(connection, ident):
    """Let the next step of an incident's timeline stand there already: it cannot be written."""
    step = Transition(incident=ident, revision=2, at=STORM, act=Act.TURN, before=State.OPEN, after=State.OPEN)
    connection.execute(
        insert(transition).values(incident=ident, revision=2, at=0, act=step.act, body=msgspec.msgpack.encode(step))
    )


def mend(connection, ident):
    connection.execute(delete(transition).where(transition.c.incident == ident, transition.c.revision == 2))


def called_of(world, ident):
    return [one for one in world.deliveries() if one.incident == ident and one.kind is DeliveryKind.ESCALATE]


async def test_an_incident_that_cannot_be_written_keeps_nobody_from_being_called_to_another():
    world = await two_burn()
    world.database.run_now(spoil, FIRST)
    now = STORM + 11 * MINUTE
    kept = await world.pipeline.keep(now)
    assert called_of(world, SECOND)
    assert not called_of(world, FIRST)
    assert kept.has_promised
    assert kept.next_at <= now + MINUTE, "it is tried again soon"
    await world.pipeline.keep(now + MINUTE)
    (said,) = (line for line in world.said if FIRST in line)
    assert "cannot be seen to" in said
    world.database.run_now(mend, FIRST)
    await world.pipeline.keep(now + 2 * MINUTE)
    assert called_of(world, FIRST)


async def test_a_look_back_that_fails_is_said_and_given_when_it_can_be():
    world = await two_burn(TWO + '\ndigests:\n  - {cron: "5 20 * * *", covers: day, to: [crisis]}\n')
    await world.pipeline.keep(STORM + MINUTE)
    (noted,) = world.database.run_now(
        lambda found: [row for row in found.execute(select(schema.meta)) if "digest" in row.name]
    )
    world.database.run_now(meta.write, noted.name, "no number")
    now = STORM + 11 * MINUTE
    await world.pipeline.keep(now)
    await world.pipeline.keep(now + MINUTE)
    assert called_of(world, FIRST)
    assert called_of(world, SECOND)
    (said,) = world.said
    assert said.startswith('the look back by "5 20 * * *" cannot be seen to: ValueError')
    world.database.run_now(meta.write, noted.name, noted.value)
    await world.pipeline.keep(now + 2 * MINUTE)
    assert any(one.incident.startswith("digest:") for one in world.deliveries())


async def test_a_snooze_that_cannot_be_ended_keeps_no_other_from_ending():
    snooze = Snooze(until=STORM + MINUTE, by="Anna", observed=38, window=timedelta(hours=1))
    world = await two_burn(snooze=snooze)
    world.database.run_now(spoil, FIRST)
    await world.pipeline.work(STORM + 2 * MINUTE)
    first, second = world.incidents()
    assert first.snooze is not None
    assert second.snooze is None


async def test_an_incident_that_cannot_be_ended_at_the_start_keeps_no_service_from_starting():
    world = await two_burn()
    world.database.run_now(spoil, FIRST)
    for ident in (MonitorId("nordfunk"), MonitorId("papers")):
        world.pipeline.parts.watches.pop(ident)
    await world.pipeline.start(STORM + MINUTE)
    assert [one.state for one in world.incidents()] == [State.OPEN, State.RESOLVED]


async def test_what_concerns_the_whole_database_undoes_all_and_is_told_as_that():
    world = await two_burn()

    def look(connection):
        apart = Apart(connection, world.pipeline.parts)
        apart.do("one", meta.write, connection, "one", "stands")
        apart.do("two", _fill, connection)

    with pytest.raises(StoreFull):
        world.database.run_now(look)
    assert world.database.run_now(meta.read, "one") is None
    assert world.said == []


def _fill(_connection):
    raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))


async def test_a_deletion_is_followed_though_the_alert_that_quotes_it_cannot_be_written():
    world = World([mention(1, STORM, angry=True)])
    await world.begin(STORM)
    await world.pipeline.poll(SourceId("blog"), STORM)
    quote = Quote(mention=MentionId(1), source=SourceId("blog"), url="", published_at=STORM)
    told = burning(STORM, FIRST)
    world.database.run_now(incidents.save_incident, told, Evidence(quotes=(quote,)), (), expected_revision=None)
    world.database.run_now(lambda connection: connection.execute(update(schema.incident).values(revision=99)))

    class Gone:
        async def poll(self, cursor, now):
            removal = Removal(source=SourceId("blog"), external_id="1", reason="deleted")
            return Poll(removals=(removal,), cursor=Cursor("2"), read_until=now)

    world.pipeline.parts.sources[SourceId("blog")] = Gone()
    await world.pipeline.poll(SourceId("blog"), STORM + MINUTE)
    assert world.database.run_now(mentions.texts_of, [1]) == {}
    (said,) = world.said
    assert said.startswith(f"a deleted quote in the alert of incident {FIRST} cannot be seen to: ")


async def test_what_cannot_be_forgotten_keeps_nothing_else_from_being_forgotten():
    world = await two_burn()
    world.database.run_now(meta.write, "forgotten_through", "no number")
    old = STORM + timedelta(days=400)
    world.database.run_now(calls.give_notice, "digest:day:1:de", b"", STORM)
    await Retainer(world.pipeline.parts, Retention()).tidy(old)
    assert not world.database.run_now(calls.is_given, "digest:day:1:de")
    assert any(line.startswith("forgetting of texts cannot be seen to: ValueError") for line in world.said)
