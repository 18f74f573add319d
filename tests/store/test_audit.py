"""Acts are sealed in a chain, the database refuses to change them, and what is altered all the same is found."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.errors import StoreError
from brandmelder.store import audit
from brandmelder.store.database import Database

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "b.db"


@pytest.fixture
def database(path):
    database = Database(f"sqlite:///{path}")
    database.prepare()
    yield database
    database.close()


def fill(database, count=5):
    for number in range(count):
        database.run_now(
            audit.record, "incident.acknowledge", by=f"Anna {number}", subject="NF-2026-001", now=NOW, reason="on it"
        )


def without_guards(path, *statements):
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TRIGGER audit_never_changes")
        raw.execute("DROP TRIGGER audit_is_kept")
        for statement in statements:
            raw.execute(statement)
    raw.close()


def test_a_chain_that_nobody_touched_is_whole(database):
    assert database.run_now(audit.verify).rows == 0
    fill(database)
    found = database.run_now(audit.verify)
    assert (found.rows, found.broken, found.head) == (5, None, database.run_now(audit.head))
    first = next(iter(database.run_now(lambda connection: list(audit.entries(connection)))))
    assert (first.previous, first.detail) == (audit.FIRST, '{"reason":"on it"}')


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit WHERE number = 3"])
def test_the_database_itself_refuses_to_change_it(database, statement):
    fill(database)
    with pytest.raises(StoreError, match="append-only"):
        database.run_now(lambda connection: connection.exec_driver_sql(statement))
    assert database.run_now(audit.verify).broken is None


@pytest.mark.parametrize("column", ["at", "actor", "act", "subject", "detail", "previous", "digest"])
def test_one_altered_value_is_found_whichever_it_is(database, path, column):
    fill(database)
    value = "7" if column == "at" else "'x'"
    without_guards(path, f"UPDATE audit SET {column} = {value} WHERE number = 3")
    assert database.run_now(audit.verify).broken in {3, 4}


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_row_that_is_missing_is_found_wherever_it_stood(database, path, number):
    fill(database)
    without_guards(path, f"DELETE FROM audit WHERE number = {number}")
    assert database.run_now(audit.verify).broken is not None


def test_a_chain_written_anew_is_found_by_a_seal_noted_elsewhere(database, path):
    fill(database)
    noted = database.run_now(audit.head)
    assert database.run_now(audit.verify, noted).has_wanted
    without_guards(path, "DELETE FROM audit", "DELETE FROM sqlite_sequence WHERE name = 'audit'")
    fill(database, 6)
    found = database.run_now(audit.verify, noted)
    assert found.broken is None or not found.has_wanted
    without_guards_again = database.run_now(audit.verify, "f" * 64)
    assert not without_guards_again.has_wanted


def test_what_is_older_than_a_year_may_go_and_the_rest_stays_whole(database):
    long_ago = NOW - timedelta(days=3000)
    database.run_now(audit.record, "silence.add", by="Ben", now=long_ago)
    database.run_now(audit.record, "silence.end", by="Ben", now=long_ago)
    fill(database, 3)
    assert database.run_now(audit.forget, NOW) == 2
    found = database.run_now(audit.verify)
    assert (found.rows, found.broken) == (4, None)
    assert database.run_now(audit.forget, NOW) == 0


def test_an_act_that_did_not_happen_leaves_no_row(database):
    def fails(connection):
        audit.record(connection, "silence.add", by="Ben", now=NOW)
        raise StoreError("something else went wrong")

    with pytest.raises(StoreError):
        database.run_now(fails)
    assert database.run_now(audit.count) == 0


@settings(max_examples=25)
@given(words=st.lists(st.tuples(*[st.text(max_size=20)] * 4), min_size=1, max_size=5))
def test_whatever_is_said_is_sealed_and_no_two_rows_are_written_alike(words):
    database = Database("sqlite://")
    database.prepare()
    for actor, act, subject, reason in words:
        safe = [one.encode("utf-8", "replace").decode() for one in (actor, act[:64], subject, reason)]
        database.run_now(audit.record, safe[1], by=safe[0], subject=safe[2], now=NOW, reason=safe[3])
    found = database.run_now(lambda connection: list(audit.entries(connection)))
    assert all(one.is_sealed() for one in found)
    assert len({one.digest for one in found}) == len(words)
    assert database.run_now(audit.verify).broken is None
    database.close()
