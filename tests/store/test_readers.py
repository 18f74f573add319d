"""Reading beside the writer: who reads waits for nobody, sees what was committed, and changes nothing."""

from __future__ import annotations

import asyncio
import threading

import pytest

from brandmelder.errors import StoreError
from brandmelder.store import mentions, meta
from brandmelder.store.database import Database


@pytest.fixture
def file(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db", exclusive=True)
    database.prepare()
    yield database
    database.close()


async def test_a_look_does_not_wait_for_a_transaction_and_sees_it_only_once_it_is_committed(file, mention):
    is_writing, may_commit = threading.Event(), threading.Event()

    def write(connection):
        mentions.insert_mentions(connection, [mention()], ["a"])
        is_writing.set()
        assert may_commit.wait(30)

    writing = asyncio.create_task(file.run(write))
    await asyncio.to_thread(is_writing.wait, 30)
    assert await file.look(mentions.count) == 0
    may_commit.set()
    await writing
    assert await file.look(mentions.count) == 1


async def test_a_look_sees_one_state_from_its_beginning_to_its_end(file, mention):
    has_looked, may_look = threading.Event(), threading.Event()

    def twice(connection):
        first = mentions.count(connection)
        has_looked.set()
        assert may_look.wait(30)
        return first, mentions.count(connection)

    looking = asyncio.create_task(file.look(twice))
    await asyncio.to_thread(has_looked.wait, 30)
    await file.run(mentions.insert_mentions, [mention()], ["a"])
    may_look.set()
    assert await looking == (0, 0)


async def test_many_looks_run_beside_one_another(file):
    together = threading.Barrier(3)

    def meet(_connection):
        return together.wait(30) >= 0

    assert await asyncio.gather(*(file.look(meet) for _ in range(3))) == [True] * 3


async def test_who_looks_cannot_write(file, mention):
    with pytest.raises(StoreError, match="readonly"):
        await file.look(mentions.insert_mentions, [mention()], ["a"])
    assert await file.run(mentions.count) == 0


async def test_looks_leave_no_mark_of_a_change_by_others(file):
    assert not await file.was_changed_by_others()
    await file.look(mentions.count)
    await file.run(lambda connection: connection.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')"))
    await file.look(meta.last_progress)
    assert not await file.was_changed_by_others()


async def test_a_database_in_memory_is_looked_at_on_the_spot(database, mention):
    await database.run(mentions.insert_mentions, [mention()], ["a"])
    assert await database.look(mentions.count) == 1
