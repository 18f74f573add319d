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
from brandmelder.store import keys, mentions, meta
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
    again = run("privacy", "erase", "--author", "otto", "--yes").stdout
    assert "0 mentions are erased" in again
    assert "nothing of theirs was stored: is this the account as its platform writes it?" in again
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


@pytest.fixture
def under_another_key(run, tmp_path):
    """A database that knows its key, and a key beside it that is another."""
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    database.run_now(keys.adopt, wiring.author_key(database.path))
    database.close()
    key = tmp_path / "brandmelder.db.key"
    key.rename(tmp_path / "kept")
    key.write_text("another", encoding="utf-8")
    key.chmod(0o600)
    return key


def test_another_key_than_the_one_a_database_was_written_with_is_refused(run, tmp_path, under_another_key):
    for words in (("privacy", "erase", "--author", "otto", "--yes"), ("preview", "nordfunk"), ("run",)):
        refused = run(*words)
        assert refused.exit_code == 1
        assert f"{under_another_key} is not the key under which" in refused.stderr
        assert "bring that one back from its backup, or set BRANDMELDER_AUTHOR_KEY" in refused.stderr
        assert "brandmelder privacy new-key" in refused.stderr
    assert '"finding":"key.another"' in run("doctor", "--json").stdout.replace(": ", ":")
    (tmp_path / "kept").replace(under_another_key)
    assert "3 mentions are erased" in run("privacy", "erase", "--author", "otto", "--yes").stdout


def test_a_variable_that_is_not_the_key_is_refused_and_says_that_the_file_may_be(
    run, monkeypatch, under_another_key, tmp_path
):
    (tmp_path / "kept").replace(under_another_key)
    monkeypatch.setenv("BRANDMELDER_AUTHOR_KEY", "another")
    refused = run("preview", "nordfunk")
    assert "BRANDMELDER_AUTHOR_KEY is not the key under which" in refused.stderr
    assert f"or unset BRANDMELDER_AUTHOR_KEY if {under_another_key} is the right one" in refused.stderr


@pytest.mark.parametrize("left", ["another", "", None])
def test_who_lost_a_key_for_good_goes_on_under_another_and_it_is_written_down(run, under_another_key, left):
    if left is None:
        under_another_key.unlink()
    else:
        under_another_key.write_text(left, encoding="utf-8")
    assert run("privacy", "new-key", input="n\n").exit_code == 1
    done = run("privacy", "new-key", "--yes", "--by", "Dana")
    assert (done.exit_code, "erase again whom you erased" in done.stdout) == (0, True)
    assert under_another_key.stat().st_size
    assert run("preview", "nordfunk").exit_code == 0
    assert "privacy.key" in run("audit", "list", "--by", "Dana").stdout


def test_a_database_of_a_version_without_marks_takes_the_key_of_the_first_service_that_starts():
    database = Database("sqlite://")
    database.prepare()
    assert not database.run_now(keys.is_another, b"whichever")
    database.run_now(keys.adopt, b"first")
    database.run_now(keys.adopt, b"second")
    assert not database.run_now(keys.is_another, b"first")
    assert database.run_now(keys.is_another, b"second")
    database.close()


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


def written(database, ident, text, author, url):
    author = pseudonym(author, wiring.author_key(database.path))
    one = Mention(
        source=SourceId("press"), external_id=ident, text=text, author=author, published_at=AT, captured_at=AT, url=url
    )
    database.run_now(mentions.insert_mentions, [one], [fingerprint(text, author, "")])


def test_a_copy_by_somebody_else_and_an_address_that_begins_alike_are_no_traces(run, tmp_path):
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    written(database, "c1", "Bitte kopieren und weiterverbreiten!", "Ute K.", "https://blog.example/a#comment-1")
    written(database, "c12", "Bitte kopieren und weiterverbreiten!", "mia", "https://blog.example/a#comment-12")
    done = run("privacy", "erase", "--url", "https://blog.example/a#comment-1", "--yes")
    assert done.stdout.startswith("1 mention is erased; their counts stay\nthe database's files hold no trace of it\n")
    assert done.exit_code == 0
    database.close()


def test_what_stands_elsewhere_in_the_file_is_a_trace(run, tmp_path):
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    database.run_now(meta.write, "stray", TEXT)
    database.close()
    done = run("privacy", "erase", "--author", "otto", "--yes")
    assert "traces are left in the file" in done.stdout
    assert done.exit_code == 1


def test_who_has_blanks_in_their_name_is_named_by_others_with_the_address(run, tmp_path):
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    written(database, "k1", "Nordfunk antwortet nicht", "Ute K.", "https://blog.example/a#comment-1")
    written(database, "k2", "@Ute K. hat recht mit Nordfunk", "mia", "https://blog.example/a#comment-2")
    database.close()
    said = run("privacy", "erase", "--author", "ute k.", "--yes").stdout
    assert "erase it by --url:\n  https://blog.example/a#comment-2\n" in said
    assert "1 mention is erased" in run("privacy", "erase", "--url", "https://blog.example/a#comment-2", "--yes").stdout


def test_a_misspelt_source_erases_nobody_and_says_so(run):
    refused = run("privacy", "erase", "--author", "otto", "--source", "pres", "--yes")
    assert refused.exit_code == 1
    assert "there is no source pres; one of press" in refused.stderr
    assert "3 mentions are erased" in run("privacy", "erase", "--author", "otto", "--source", "press", "--yes").stdout


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
