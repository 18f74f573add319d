"""A row that nobody can read is passed over, said once, set aside where it would block, and never overwritten."""

from __future__ import annotations

from datetime import timedelta

import pytest
import structlog
from msgspec.structs import replace
from sqlalchemy import select, update

from brandmelder.errors import RowUnreadable
from brandmelder.model import Click, Evidence, Label, Matcher, MentionId, MonitorId, Override, Silence, State, Verdict
from brandmelder.pipeline.aside import put_back
from brandmelder.pipeline.promise import scheduled
from brandmelder.store import (
    clicks,
    deliveries,
    forgetting,
    incidents,
    listing,
    mentions,
    newest,
    rotas,
    series,
    silences,
)
from brandmelder.store.damage import damaged
from brandmelder.store.incident_pages import Sought, page_of
from brandmelder.store.schema import click, delivery, duty_override, incident, silence, transition, verdict
from brandmelder.store.unreadable import ASIDE
from notify.deliveries import a_delivery
from store.conftest import NOON
from store.test_incidents import _incident, _save, _step

HURT = b"\xc1 no msgpack"


def hurt(database, table, key, value, column="body"):
    """Write into a row what no version ever wrote; returns what stood there."""

    def write(connection):
        before = connection.scalar(select(table.c[column]).where(table.c[key] == value))
        assert connection.execute(update(table).where(table.c[key] == value).values({column: HURT})).rowcount
        return before

    return database.run_now(write)


def mend(database, table, key, value, body):
    database.run_now(
        lambda connection: connection.execute(update(table).where(table.c[key] == value).values(body=body))
    )


def stored(database, table, key, value):
    return database.run_now(lambda connection: connection.execute(select(table).where(table.c[key] == value)).one())


@pytest.fixture
def three(database):
    for number in (1, 2, 3):
        one = _incident(f"NF-2026-00{number}", f"monitor-{number}", minutes=number)
        _save(database, one, _step(one))
    return database


@pytest.mark.parametrize("column", ["body", "evidence"])
def test_an_incident_nobody_can_read_hides_no_other_and_is_said_once(three, column):
    hurt(three, incident, "id", "NF-2026-002", column)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            found = three.run_now(incidents.all_incidents, running_only=True)
            assert [one.id for one, _ in found] == ["NF-2026-003", "NF-2026-001"]
    (said,) = logs
    assert (said["event"], said["row"]) == ("row.unreadable", "NF-2026-002")
    assert "docs/how-to/backup.md" in said["todo"]
    with pytest.raises(RowUnreadable, match="incident NF-2026-002 in the database cannot be read"):
        three.run_now(incidents.find, "NF-2026-002")
    assert three.run_now(incidents.find_readable, "NF-2026-002") is None
    assert stored(three, incident, "id", "NF-2026-002")._mapping[column] == HURT


def test_a_page_of_incidents_is_as_long_as_there_are_incidents_that_can_be_read(three):
    hurt(three, incident, "id", "NF-2026-002")
    found = three.run_now(page_of, Sought(), limit=2)
    assert [one.id for one, _ in found] == ["NF-2026-003", "NF-2026-001"]


def test_a_running_incident_nobody_can_read_is_set_aside_so_that_its_monitor_can_open_another(three):
    hurt(three, incident, "id", "NF-2026-002")
    assert three.run_now(incidents.latest, MonitorId("monitor-2")) is None
    row = stored(three, incident, "id", "NF-2026-002")
    assert (row.state, row.body) == (ASIDE, HURT)
    _save(three, _incident("NF-2026-004", "monitor-2"))
    assert three.run_now(incidents.latest, MonitorId("monitor-2")).id == "NF-2026-004"


def test_what_was_set_aside_and_can_be_read_again_takes_its_place_unless_another_runs_there(three):
    body = hurt(three, incident, "id", "NF-2026-002")
    three.run_now(incidents.latest, MonitorId("monitor-2"))
    three.run_now(put_back)
    assert stored(three, incident, "id", "NF-2026-002").state == ASIDE
    mend(three, incident, "id", "NF-2026-002", body)
    other = _incident("NF-2026-004", "monitor-2")
    _save(three, other)
    three.run_now(put_back)
    assert stored(three, incident, "id", "NF-2026-002").state == ASIDE
    ended = replace(other, state=State.RESOLVED, revision=2)
    _save(three, ended, expected=1)
    three.run_now(put_back)
    assert stored(three, incident, "id", "NF-2026-002").state == "open"


def test_a_step_nobody_can_read_leaves_the_rest_of_its_timeline(three):
    hurt(three, transition, "incident", "NF-2026-002")
    assert three.run_now(incidents.timeline, "NF-2026-002") == []
    assert len(three.run_now(incidents.transitions_since, NOON)) == 2


def test_a_delivery_nobody_can_read_is_set_aside_and_comes_back_when_it_is_mended(database):
    one, two = a_delivery(key="NK-1:open:1:crisis"), a_delivery(key="NK-1:open:1:phone")
    database.run_now(deliveries.promise, scheduled([one, two]))
    body = hurt(database, delivery, "key", one.key)
    now = one.due_at
    assert database.run_now(deliveries.wanting, now) == [two]
    assert database.run_now(deliveries.all_deliveries) == [two]
    assert database.run_now(deliveries.of_incident, "NK-1") == [two]
    with pytest.raises(RowUnreadable, match="delivery NK-1:open:1:crisis"):
        database.run_now(deliveries.find, one.key)
    row = stored(database, delivery, "key", one.key)
    assert (row.state, row.next_at, row.body) == (ASIDE, None, HURT), "it wants no attention any more"
    database.run_now(deliveries.promise, scheduled([one]))
    assert stored(database, delivery, "key", one.key).body == HURT
    assert set(database.run_now(deliveries.states_of, "crisis").values()) == {1}
    mend(database, delivery, "key", one.key, body)
    database.run_now(put_back)
    assert {each.key for each in database.run_now(deliveries.wanting, now)} == {one.key, two.key}


def test_a_click_a_silence_and_a_stand_in_nobody_can_read_hide_no_other(database):
    for number in ("1", "2"):
        asked = Click(envelope=number, person="U1", at=number, act="acknowledge", place="C1")
        database.run_now(clicks.take, asked, NOON)
        quiet = Silence(id=0, matcher=Matcher(), since=NOON, until=NOON, by="A", reason="r", broken_at=None)
        database.run_now(silences.add, quiet)
        database.run_now(
            rotas.add_override,
            Override(id=0, rota="crisis", person="anna", since=NOON, until=NOON, by="A", reason="r", made_at=NOON),
        )
    for table in (click, silence, duty_override):
        hurt(database, table, "id", 1)
    before = NOON - timedelta(hours=1)
    assert [one.id for one in database.run_now(clicks.waiting)] == [2]
    assert [one.id for one in database.run_now(silences.ending_after, before)] == [2]
    assert [one.id for one in database.run_now(rotas.overrides_after, before)] == [2]
    found = database.run_now(damaged)
    assert [one.partition(" (")[0] for one in found] == ["click 1", "silence 1", "duty_override 1"]


def test_a_verdict_nobody_can_read_hides_no_other_mention_and_is_judged_anew(database, mention):
    found = [mention(str(number), minutes=number) for number in (1, 2, 3)]
    database.run_now(mentions.insert_mentions, found, ["a", "b", "c"])
    said = Verdict(
        p_negative=0.9, p_neutral=0.1, p_positive=0.0, label=Label.NEGATIVE, unsure=False, language="de",
        classifier="linear", model_version="1", topics=("network",),
    )  # fmt: skip
    database.run_now(mentions.save_verdicts, {MentionId(number): said for number in (1, 2, 3)})
    entries = [
        series.Entry(
            monitor=MonitorId("m"), mention=MentionId(number), source=one.source, published_at=one.published_at,
            total=1.0, negative=1.0, labelled=1.0, reach=0.0, history=False,
        )
        for number, one in enumerate(found, 1)
    ]  # fmt: skip
    database.run_now(series.enter, entries)
    hurt(database, verdict, "mention", 2)
    until = NOON + timedelta(hours=1)
    assert [one[0] for one in database.run_now(mentions.judged_between, "m", NOON, until)] == [3, 1]
    assert [one[0] for one in database.run_now(newest.judged_since, MonitorId("m"), 0, NOON)] == [1, 3]
    assert len(database.run_now(newest.topics_between, MonitorId("m"), NOON, until)) == 2
    assert [one.id for one in database.run_now(listing.page_of, listing.Wanted(monitor=MonitorId("m")), limit=2)] == [
        3,
        1,
    ]
    assert database.run_now(mentions.weights_of, [1, 2, 3]).keys() == {1, 3}
    assert [(ident, found is None) for ident, _, found in database.run_now(mentions.page, MentionId(0), 9)] == [
        (1, False), (2, True), (3, False),
    ]  # fmt: skip


def test_what_is_forgotten_is_forgotten_around_an_incident_nobody_can_read(three):
    hurt(three, incident, "id", "NF-2026-002", "evidence")
    quotes, old = three.run_now(forgetting.quoted, NOON)
    assert (quotes, old) == (frozenset(), [])
    three.run_now(forgetting.erase, [], b"key", NOON)
    assert three.run_now(incidents.find, "NF-2026-001")[1] == Evidence()
