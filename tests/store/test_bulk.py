"""Many rows at once: what SQLAlchemy says of a statement, and the driver writes."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.errors import StoreError
from brandmelder.store.bulk import Bulk
from brandmelder.store.database import Database
from brandmelder.store.schema import author_hour

ENTER = Bulk(insert(author_hour).on_conflict_do_nothing(index_elements=["key"]), ["key", "weight", "number"])
ROWS = [{"number": one, "key": -one, "weight": one / 3} for one in range(5)]


@pytest.fixture
def database():
    database = Database("sqlite://")
    database.prepare()
    yield database
    database.close()


def stored(connection):
    return [tuple(row) for row in connection.execute(select(author_hour).order_by(author_hour.c.number))]


def test_rows_are_written_by_the_names_of_their_parameters(database):
    assert database.run_now(ENTER.run, ROWS) == 5
    assert database.run_now(stored) == [(-one, one / 3, one) for one in range(5)]


def test_only_rows_that_were_written_are_counted(database):
    database.run_now(ENTER.run, ROWS[:2])
    assert database.run_now(ENTER.run, ROWS) == 3
    assert database.run_now(ENTER.run, []) == 0


def test_updates_and_deletions_find_their_rows(database):
    database.run_now(ENTER.run, ROWS)
    change = Bulk(update(author_hour).where(author_hour.c.key == bindparam("ident")).values(weight=bindparam("new")))
    forget = Bulk(delete(author_hour).where(author_hour.c.key == bindparam("ident")))
    assert database.run_now(change.run, [{"ident": -1, "new": 9.0}, {"ident": -77, "new": 9.0}]) == 1
    assert database.run_now(forget.run, [{"ident": -2}, {"ident": -3}]) == 2
    assert database.run_now(stored) == [(0, 0.0, 0), (-1, 9.0, 1), (-4, 4 / 3, 4)]


def test_one_row_that_cannot_be_written_leaves_none_of_them(database):
    enter = Bulk(insert(author_hour))
    with pytest.raises(StoreError):
        database.run_now(enter.run, [*ROWS, ROWS[0]])
    assert database.run_now(stored) == []
