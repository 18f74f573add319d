"""The doctor says in plain words, in both languages, what is wrong and what to do; its exit code says how bad."""

from __future__ import annotations

import fcntl
import json
import os
import re
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from brandmelder import wiring
from brandmelder.capture.normalise import pseudonym
from brandmelder.cli import main
from brandmelder.clock import SystemClock
from brandmelder.doctor import checks
from brandmelder.doctor.finding import Finding, Level, worst
from brandmelder.doctor.words import HEADS, VERDICTS, WORDS, said
from brandmelder.model import Delivery, DeliveryKind, DeliveryState, Doubt, DoubtKind, Mention, SourceId, SourceState
from brandmelder.settings import parse_settings
from brandmelder.store import audit, deliveries, doubts, mentions, meta, sources
from brandmelder.store.database import Database
from cli.test_commands import CONFIG


@pytest.fixture
def now():
    return SystemClock().now().replace(microsecond=0)


@pytest.fixture
def database(tmp_path, now):
    """A well installation: a service holds its lock, everything was read and told just now."""
    made = Database(f"sqlite:///{tmp_path}/brandmelder.db", exclusive=True)
    made.prepare()
    wiring.author_key(made.path)
    made.path.parent.joinpath("brandmelder.db.key").chmod(0o600)
    made.run_now(meta.progressed, now)
    made.run_now(sources.register, {SourceId("press"): now})
    row = made.run_now(sources.read_source, SourceId("press"))
    made.run_now(sources.save_source, replace(row, last_success_at=now, first_contact=now, history_done=True))
    promise(made, now, DeliveryState.SENT, confirmed_at=now)
    yield made
    made.close()


def promise(database, now, state, **more):
    one = Delivery(
        key=f"NF-1:open:{state.value}:console",
        incident="NF-1",
        channel="console",
        kind=DeliveryKind.OPEN,
        revision=1,
        state=state,
        due_at=now,
        created_at=now,
        **more,
    )
    database.run_now(deliveries.promise, [(one, None)])


@pytest.fixture
def run(tmp_path, database):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    return lambda *words: CliRunner().invoke(main, ["doctor", *words, "--config", str(config)])


def found(result):
    return {one["finding"]: one for one in map(json.loads, result.stdout.splitlines())}


def test_a_well_installation_is_told_so_with_what_could_be_better(run):
    result = run("--language", "en")
    assert result.exit_code == 0, result.stdout
    assert "the service runs, last progress" in result.stdout
    assert "all sources are read (1)" in result.stdout
    assert "channel console: last confirmed" in result.stdout
    assert "set up heartbeat: docs/how-to/heartbeat.md" in result.stdout
    assert result.stdout.rstrip().endswith("Well; some things could be better.")


def test_it_speaks_german_where_the_configuration_does(run):
    assert "der Dienst läuft, letzter Fortschritt vor" in run().stdout
    assert run().stdout.rstrip().endswith("In Ordnung; einiges ginge besser.")


def test_without_a_database_it_says_so_and_looks_at_the_rest(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    result = CliRunner().invoke(main, ["doctor", "--json", "--config", str(config)])
    assert result.exit_code == 1
    assert "there is no database" in found(result)["database.trouble"]["text"]
    assert "versions" in found(result)


def test_a_configuration_that_cannot_be_used_is_exit_code_2(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text("brand: [", encoding="utf-8")
    assert CliRunner().invoke(main, ["doctor", "--config", str(config)]).exit_code == 2


def test_a_service_that_stands_still_is_bad(run, database, now):
    database.run_now(meta.progressed, now - timedelta(hours=2))
    assert run().exit_code == 1
    assert found(run("--json"))["service.stuck"]["level"] == "bad"


def test_a_service_that_is_not_there_is_bad(run, database):
    database.close()
    assert "service.away" in found(run("--json"))


def test_a_clock_that_went_back_is_bad(run, database, now):
    database.run_now(meta.progressed, now + timedelta(hours=2))
    assert "set up NTP" in found(run("--json", "--language", "en"))["clock.back"]["todo"]


def test_a_blind_source_is_named_with_its_line_and_without_its_escapes(run, database, now):
    row = database.run_now(sources.read_source, SourceId("press"))
    blind = replace(row, blind_since=now, state=SourceState.FAILING, note="answers \x1b[31m503\u202e")
    database.run_now(sources.save_source, blind)
    result = run()
    assert result.exit_code == 1
    assert "Quelle press ist blind seit" in result.stdout
    assert "brandmelder.yaml:4" in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_a_source_that_is_read_in_part_is_a_warning(run, database):
    row = database.run_now(sources.read_source, SourceId("press"))
    database.run_now(sources.save_source, replace(row, state=SourceState.DEGRADED, note="the newest 20 only"))
    assert run().exit_code == 0
    assert found(run("--json"))["source.degraded"]["level"] == "warning"


def test_a_source_that_was_never_read_is_a_warning(run, database):
    database.run_now(lambda connection: connection.exec_driver_sql("DELETE FROM source"))
    assert found(run("--json"))["source.unread"]["level"] == "warning"


def test_a_source_that_could_never_be_read_says_why_and_is_bad_once_it_is_blind(run, database, now):
    row = database.run_now(sources.read_source, SourceId("press"))
    refused = replace(row, last_success_at=None, failures=1, note="answered 401 Unauthorized; mend its token")
    database.run_now(sources.save_source, refused)
    told = found(run("--json", "--language", "en"))["source.never"]
    assert (told["level"], told["text"]) == (
        "warning",
        "source press could never be read: answered 401 Unauthorized; mend its token",
    )
    database.run_now(sources.save_source, replace(refused, blind_since=now))
    assert found(run("--json"))["source.never"]["level"] == "bad"


def test_what_a_channel_did_not_take_is_bad(run, database, now):
    promise(database, now, DeliveryState.DEAD, last_error="token_revoked")
    told = found(run("--json", "--language", "en"))["channel.dead"]
    assert told["text"] == "channel console did not take what was told (1×): token_revoked"
    assert "deliveries retry --all-dead" in told["todo"]


def test_what_was_put_away_by_hand_is_not(run, database, now):
    promise(database, now, DeliveryState.DEAD, last_error="discarded by Anna")
    assert "channel.dead" not in found(run("--json"))


def test_a_missing_key_and_open_files_are_told(run, tmp_path, database, now):
    one = Mention(source=SourceId("press"), external_id="1", text="x", published_at=now, captured_at=now)
    database.run_now(mentions.insert_mentions, [one], ["x"])
    (tmp_path / "brandmelder.db").chmod(0o644)
    (tmp_path / "brandmelder.db.key").unlink()
    told = found(run("--json"))
    assert told["key.missing"]["level"] == "bad"
    assert told["database.open"]["level"] == "warning"


def test_backups_beside_the_database_are_looked_at(run, tmp_path, now):
    assert found(run("--json"))["backup.none"]["level"] == "note"
    copy = tmp_path / "brandmelder.db.backup"
    copy.touch()
    assert found(run("--json"))["backup"]["about"]["days"] == 0
    past = now.timestamp() - 20 * 86_400
    os.utime(copy, (past, past))
    assert found(run("--json"))["backup.old"]["level"] == "warning"


def test_rows_that_nobody_can_read_are_named_and_hide_nothing(run, database):
    database.run_now(lambda connection: connection.exec_driver_sql("UPDATE delivery SET body = x'c1'"))
    result = run("--json", "--language", "en")
    told = found(result)["database.unreadable"]
    assert told["level"] == "bad"
    assert "delivery NF-1:open:sent:console (" in told["text"]
    assert "channel.untried" in found(result)


def test_a_full_disk_is_bad(run, monkeypatch):
    monkeypatch.setattr(checks, "LOW_ON_DISK", 1 << 60)
    assert found(run("--json"))["disk.low"]["level"] == "bad"


def test_an_altered_audit_is_bad(run, database, now):
    database.run_now(audit.record, "silence.add", by="Anna", now=now)
    for statement in ("DROP TRIGGER audit_never_changes", "UPDATE audit SET actor = 'Ben'"):
        database.run_now(lambda connection, statement=statement: connection.exec_driver_sql(statement))
    assert found(run("--json"))["audit.broken"]["about"] == {"row": 1}


def test_a_row_that_tells_what_was_forgotten_and_was_altered_is_a_finding_and_no_crash(run, database, now):
    database.run_now(audit.record, audit.FORGOTTEN, by="retention", now=now, through=0, rows=0)
    for statement in ("DROP TRIGGER audit_never_changes", "UPDATE audit SET detail = 'gone'"):
        database.run_now(lambda connection, statement=statement: connection.exec_driver_sql(statement))
    assert found(run("--json"))["audit.broken"]["about"] == {"row": 1}


def test_a_check_that_stumbles_keeps_no_other_from_being_made(run, database):
    database.run_now(lambda connection: connection.exec_driver_sql("UPDATE meta SET value = 'x'"))
    told = found(run("--json", "--language", "en"))
    assert told["doctor.stumbled"]["text"].startswith("one check did not come to its end: ValueError")
    assert {"audit", "sources", "channel"} <= told.keys()


def test_a_damaged_database_is_told_with_what_to_do(run, database, tmp_path):
    for number in range(300):
        database.run_now(audit.record, "silence.add", by=f"{number} " * 50, now=datetime(2026, 1, 1, tzinfo=UTC))
    database.scrub()
    database.close()
    size = (tmp_path / "brandmelder.db").stat().st_size
    with (tmp_path / "brandmelder.db").open("r+b") as raw:
        raw.seek(size // 4096 // 2 * 4096)
        raw.write(os.urandom(size // 4))
    told = found(run("--json"))
    assert {"database.corrupt", "database.trouble"} & told.keys()


def test_texts_that_outlive_their_time_are_a_warning(run, database, now):
    old = Mention(
        source=SourceId("press"),
        external_id="1",
        text="Nordfunk",
        author=pseudonym("otto", b"key"),
        published_at=now - timedelta(days=50),
        captured_at=now - timedelta(days=50),
    )
    database.run_now(mentions.insert_mentions, [old], ["x"])
    assert found(run("--json"))["retention.late"]["about"] == {"days": 50, "wanted": 30}


def test_a_socket_that_does_not_answer_is_bad(tmp_path, database, unused_tcp_port):
    config = tmp_path / "brandmelder.yaml"
    text = CONFIG.format(folder=tmp_path) + f"health: {{listen: '127.0.0.1:{unused_tcp_port}'}}\n"
    config.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["doctor", "--json", "--config", str(config)])
    assert found(result)["service.dumb"]["level"] == "bad"


def test_with_live_every_channel_is_asked(run):
    assert "channel.trouble" not in found(run("--json", "--live"))


def test_the_lock_is_looked_at_and_left_alone(tmp_path):
    path = tmp_path / "x.db"
    assert not checks.is_running(path)
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT)
    assert not checks.is_running(path)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert checks.is_running(path)
    os.close(handle)
    assert not checks.is_running(path)


def test_every_finding_has_words_in_both_languages_which_speak_of_the_same():
    for name, tongues in WORDS.items():
        assert set(tongues) == {"de", "en"}, name
        fields = [{field for text in pair for _, field, _, _ in string.Formatter().parse(text) if field}
                  for pair in tongues.values()]  # fmt: skip
        assert fields[0] == fields[1], name
        assert bool(tongues["de"][1]) == bool(tongues["en"][1]), name
    assert all(set(table[tongue]) == set(Level) for table in (HEADS, VERDICTS) for tongue in ("de", "en"))


def test_every_finding_that_is_made_has_words():
    source = Path(checks.__file__).read_text("utf-8")
    named = set(re.findall(r'name="([a-z.]+)"', source)) | set(re.findall(r'"([a-z]+\.[a-z]+)" if', source))
    assert named <= WORDS.keys()


def test_the_worst_finding_decides():
    assert worst([]) is Level.WELL
    assert worst([Finding(name="disk", level=one) for one in (Level.NOTE, Level.BAD, Level.WELL)]) is Level.BAD
    assert said(Finding(name="disk", about={"free": 7}), "de") == ("7 MB frei bei der Datenbank", "")


def test_a_doubted_source_and_an_access_that_ends_are_warnings_with_what_to_do(database, now):
    press = SourceId("press")
    silent = Doubt(source=press, kind=DoubtKind.SILENT, since=now - timedelta(hours=3), told_at=now, usual=12.4)
    ends = now + timedelta(days=13, hours=23)
    ending = Doubt(source=press, kind=DoubtKind.EXPIRING, since=now, told_at=now, expires_at=ends, days=14)
    database.run_now(doubts.begin, silent)
    database.run_now(doubts.begin, ending)
    settings = parse_settings(CONFIG.format(folder="."), Path("a.yaml"), {})
    found = database.run_now(lambda connection: list(checks.doubted(connection, settings, now, "de")))
    texts = ["; ".join(said(one, "de")) for one in found]
    assert [one.level for one in found] == [Level.WARNING, Level.WARNING]
    assert any("schweigt seit 3 Std.; üblich sind 12" in text for text in texts)
    assert any("Der Zugang endet in 14 Tagen" in text and "den Zugang erneuern" in text for text in texts)
