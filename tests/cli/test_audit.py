"""What staff do by command stands in the audit, with who they are; a copy of it can be checked by anybody."""

from __future__ import annotations

import hashlib
import json
import sqlite3

import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.store.database import Database
from cli.test_commands import CONFIG


@pytest.fixture
def run(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    database.prepare()
    database.close()
    return lambda *words: CliRunner().invoke(main, [*words, "--config", str(config)])


def acts(run):
    return [line.split("  ")[2] for line in run("audit", "list").stdout.splitlines()]


def test_silences_and_marks_are_told_with_who_made_them(run):
    assert "nobody did anything" in run("audit", "list").stdout
    assert run("silence", "add", "--reason", "maintenance", "--for", "2h", "--by", "Anna").exit_code == 0
    assert run("silence", "expire", "1", "--by", "Ben").exit_code == 0
    span = ("--from", "2026-11-01 10:00", "--to", "2026-11-01 12:00")
    assert run("marked", "add", "nordfunk", *span, "--by", "Cleo").exit_code == 0
    assert run("marked", "remove", "nordfunk", *span).exit_code == 0
    assert acts(run) == ["marked.remove", "marked.add", "silence.end", "silence.add"]
    first = run("audit", "list", "--by", "anna").stdout
    assert "by Anna" in first
    assert '"reason":"maintenance"' in first
    assert '"login":' in first


def test_a_name_cannot_move_the_cursor(run):
    run("silence", "add", "--reason", "\x1b]0;owned\x07\u202e", "--for", "2h", "--by", "\x1b[2JAnna")
    assert "\x1b" not in run("audit", "list").stdout
    assert "\u202e" not in run("audit", "list").stdout


def test_the_chain_is_verified_and_an_alteration_is_an_exit_code(run, tmp_path):
    run("silence", "add", "--reason", "maintenance", "--for", "2h")
    said = run("audit", "verify")
    assert said.stdout.startswith("1 rows, unaltered; head ")
    head = said.stdout.split()[-1]
    assert run("audit", "verify", "--head", head).exit_code == 0
    assert run("audit", "verify", "--head", "0f" * 32).exit_code == 1
    with sqlite3.connect(tmp_path / "brandmelder.db") as raw:
        raw.execute("DROP TRIGGER audit_never_changes")
        raw.execute("UPDATE audit SET actor = 'Ben'")
    raw.close()
    broken = run("audit", "verify")
    assert (broken.exit_code, "row 1 of the audit was altered" in broken.stderr) == (1, True)


def test_an_export_can_be_checked_without_us(run, tmp_path):
    run("silence", "add", "--reason", "maintenance", "--for", "2h")
    out = tmp_path / "audit.jsonl"
    assert run("audit", "export", str(out)).exit_code == 0
    assert "does not exist yet" in run("audit", "export", str(out)).stderr
    assert out.stat().st_mode & 0o077 == 0
    previous = "0" * 64
    for line in out.read_text("utf-8").splitlines():
        row = json.loads(line)
        said = [row["previous"], _seconds(row["at"]), *(row[name] for name in ("actor", "act", "subject", "detail"))]
        sealed = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
        assert (row["previous"], row["digest"]) == (previous, hashlib.sha256(sealed).hexdigest())
        previous = row["digest"]


def _seconds(text):
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp())
