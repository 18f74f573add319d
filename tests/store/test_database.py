from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import create_engine, inspect

from brandmelder.errors import StoreBusy, StoreError, StoreFull, StoreTooNew
from brandmelder.store import mentions, schema
from brandmelder.store.database import Database, revision


def _shape(url):
    seen = inspect(create_engine(url))
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(table)],
            seen.get_pk_constraint(table)["constrained_columns"],
            sorted((index["name"], index["unique"]) for index in seen.get_indexes(table)),
            sorted(unique["name"] or "" for unique in seen.get_unique_constraints(table)),
        )
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def test_the_migrations_lead_to_the_tables_the_code_speaks_of(tmp_path):
    migrated = Database(f"sqlite:///{tmp_path}/a.db")
    migrated.prepare()
    migrated.close()
    made = create_engine(f"sqlite:///{tmp_path}/b.db")
    schema.metadata.create_all(made)
    assert _shape(f"sqlite:///{tmp_path}/a.db") == _shape(f"sqlite:///{tmp_path}/b.db")


def test_a_new_database_is_made_and_an_existing_one_is_left_alone(tmp_path):
    for _ in range(2):
        database = Database(f"sqlite:///{tmp_path}/a.db", exclusive=True)
        database.prepare()
        assert database.run_now(mentions.count) == 0
        database.close()


def test_every_commit_is_synced_to_the_disk(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db")
    database.prepare()
    pragmas = {
        name: database.run_now(lambda connection, name=name: connection.exec_driver_sql(f"PRAGMA {name}").scalar())
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_second_service_on_one_file_is_refused_in_words(tmp_path):
    first = Database(f"sqlite:///{tmp_path}/a.db", exclusive=True)
    with pytest.raises(StoreBusy, match=r"another brandmelder runs on it; stop that one first"):
        Database(f"sqlite:///{tmp_path}/a.db", exclusive=True)
    first.close()
    Database(f"sqlite:///{tmp_path}/a.db", exclusive=True).close()


def test_a_command_may_read_beside_the_service(tmp_path):
    service = Database(f"sqlite:///{tmp_path}/a.db", exclusive=True)
    service.prepare()
    command = Database(f"sqlite:///{tmp_path}/a.db")
    command.prepare()
    assert command.run_now(mentions.count) == 0
    command.close()
    service.close()


def test_a_database_from_a_newer_version_is_refused_and_untouched(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db")
    database.prepare()
    database.run_now(lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9001'"))
    with pytest.raises(
        StoreTooNew, match=r"newer version \(revision 9001, this one knows \d{4}\); upgrade brandmelder"
    ):
        database.prepare()
    with pytest.raises(StoreTooNew, match=r"newer version \(revision 9001"):
        database.migrate()
    assert database.run_now(revision) == "9001"
    database.close()


def test_a_database_of_an_older_version_is_refused_until_it_is_migrated(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db")
    database.prepare()
    database.run_now(lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(StoreError, match=r"older than this version; run: brandmelder backup, then brandmelder migrate"):
        database.prepare()
    database.close()


def test_a_directory_that_is_gone_is_said_with_what_to_look_at(tmp_path):
    with pytest.raises(StoreError, match=r"unable to open database file; is it there, may this user write"):
        Database(f"sqlite:///{tmp_path}/gone/a.db").run_now(revision)


def test_an_unknown_file_is_refused_in_words(tmp_path):
    (tmp_path / "a.db").write_bytes(b"this is no database, it is a letter to the editor " * 40)
    with pytest.raises(StoreError, match="not a database; see that the configuration names the right file"):
        Database(f"sqlite:///{tmp_path}/a.db").prepare()


def test_a_place_nobody_may_write_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose a place this user may write to"):
        Database(f"sqlite:///{tmp_path}/file/a.db", exclusive=True)


def test_a_full_disk_is_said_rolled_back_and_got_over(database, mention):
    many = [mention(str(n), "x" * 5000) for n in range(200)]
    pages = database.run_now(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar())
    database.run_now(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}"))
    with pytest.raises(StoreFull, match="the disk is full; free space; nothing was lost"):
        database.run_now(mentions.insert_mentions, many, [one.external_id for one in many])
    assert database.run_now(mentions.count) == 0
    database.run_now(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 100000"))
    database.run_now(mentions.insert_mentions, many, [one.external_id for one in many])
    assert database.run_now(mentions.count) == 200


async def test_a_transaction_that_fails_leaves_nothing(database, mention):
    def half(connection):
        mentions.insert_mentions(connection, [mention()], ["a"])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run(half)
    assert await database.run(mentions.count) == 0


async def test_what_another_process_wrote_is_noticed_once(tmp_path):
    service = Database(f"sqlite:///{tmp_path}/a.db", exclusive=True)
    service.prepare()
    assert not await service.was_changed_by_others()
    other = sqlite3.connect(tmp_path / "a.db")
    other.execute("INSERT INTO meta VALUES ('a', 'b')")
    other.commit()
    other.close()
    assert await service.was_changed_by_others()
    assert not await service.was_changed_by_others()
    service.close()


def test_all_files_of_a_database_are_for_their_owner_only(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db", exclusive=True)
    database.prepare()
    assert {file.name for file in tmp_path.iterdir() if file.stat().st_mode & 0o077} == set()
    assert (tmp_path / "a.db-wal").exists()
    database.close()
