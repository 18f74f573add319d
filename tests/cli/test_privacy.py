"""Answers to people who ask: by command, with a report of what was done and what is left to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from brandmelder import wiring
from brandmelder.capture.normalise import fingerprint, pseudonym
from brandmelder.cli import main
from brandmelder.model import Mention, SourceId
from brandmelder.store import mentions
from brandmelder.store.database import Database
from cli.test_commands import CONFIG

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
TEXT = "Nordfunk ist das Letzte, drei Wochen ohne Anschluss, unfassbar \x1b]0;x\x07"


@pytest.fixture
def run(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    database.prepare()
    author = pseudonym("otto", wiring.author_key(database.path))
    found = [
        Mention(
            source=SourceId("press"), external_id=str(n), text=f"{TEXT} {n}", author=author, published_at=AT,
            captured_at=AT, url=f"https://press.example/{n}",
        )
        for n in range(3)
    ]  # fmt: skip
    database.run_now(mentions.insert_mentions, found, [fingerprint(one.text, author, "") for one in found])
    database.close()
    return lambda *words, **more: CliRunner().invoke(main, [*words, "--config", str(config)], **more)


def test_erasing_asks_first_and_reports(run):
    refused = run("privacy", "erase", "--author", "otto", input="n\n")
    assert (refused.exit_code, "3 mentions are erased for good. Go on?" in refused.stderr) == (1, True)
    done = run("privacy", "erase", "--author", "@Otto", "--yes", "--by", "Dana")
    assert done.exit_code == 0
    assert "3 mentions are erased; their counts stay" in done.stdout
    assert "the database's files hold no trace of it" in done.stdout
    assert "0 mentions are erased" in run("privacy", "erase", "--author", "otto", "--yes").stdout
    assert "privacy.erase" in run("audit", "list", "--by", "Dana").stdout


def test_without_the_key_nobody_is_looked_for_under_a_new_one(run, tmp_path):
    key = tmp_path / "brandmelder.db.key"
    for missing in (False, True):
        key.rename(tmp_path / "kept")
        if not missing:
            key.touch()
        for words in (("privacy", "erase", "--author", "otto", "--yes"), ("preview", "nordfunk")):
            refused = run(*words)
            assert refused.exit_code == 1
            assert f"{key} is missing or empty" in refused.stderr
            assert "bring it back from its backup, or set BRANDMELDER_AUTHOR_KEY" in refused.stderr
        assert key.exists() is not missing
        (tmp_path / "kept").rename(key)
    assert "3 mentions are erased" in run("privacy", "erase", "--author", "otto", "--yes").stdout


def test_an_export_is_json_that_moves_no_cursor(run, tmp_path):
    said = run("privacy", "export", "--author", "otto")
    assert "\x1b" not in said.stdout
    assert [one["url"] for one in json.loads(said.stdout)["mentions"]] == [
        f"https://press.example/{n}" for n in range(3)
    ]
    out = tmp_path / "answer.json"
    assert run("privacy", "export", "--url", "https://press.example/1", "--output", str(out)).exit_code == 0
    assert len(json.loads(out.read_text("utf-8"))["mentions"]) == 1
    assert out.stat().st_mode & 0o077 == 0
    assert "does not exist yet" in run("privacy", "export", "--author", "otto", "--output", str(out)).stderr


def test_nobody_in_particular_cannot_be_forgotten(run):
    assert run("privacy", "erase", "--yes").exit_code == 2
    assert "--author NAME, or --url ADDRESS" in run("privacy", "export").stderr


def test_a_service_that_runs_on_the_same_file_does_not_keep_the_traces(run, tmp_path):
    service = Database(f"sqlite:///{tmp_path}/brandmelder.db", exclusive=True)
    service.prepare()
    assert service.run_now(mentions.count) == 3
    done = run("privacy", "erase", "--author", "otto", "--yes")
    assert done.exit_code == 0, done.stdout
    assert "hold no trace" in done.stdout
    assert service.run_now(lambda connection: mentions.texts_of(connection, [1, 2, 3])) == {}
    service.close()
