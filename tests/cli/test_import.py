"""What people have in files becomes the history of a source."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from brandmelder.capture.sources import files
from brandmelder.cli import main
from brandmelder.clock import SystemClock
from brandmelder.store.database import Database
from brandmelder.store.schema import mention

CONFIG = """\
brand: Nordfunk
database: "sqlite:///{folder}/brandmelder.db"
sources:
  blog: {{type: feed, url: "https://blog.example/feed", own_accounts: [nordfunk]}}
  linkedin:
    type: files
    path: "{folder}/*.csv"
    fields: {{external_id: '"Comment ID"', text: Comment, author: Member}}
monitors:
  nordfunk: {{query: nordfunk}}
channels:
  console: {{type: console}}
alerts:
  - {{monitors: all, to: [console]}}
"""


@pytest.fixture
def run(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")

    def run(file, source):
        return CliRunner().invoke(main, ["import", str(file), "--source", source, "--config", str(config)])

    return run


def stored(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    columns = (mention.c.source, mention.c.external_id, mention.c.history, mention.c.own, mention.c.judged)
    found = database.run_now(lambda c: c.execute(select(*columns).order_by(mention.c.id)).all())
    database.close()
    return [tuple(row) for row in found]


def test_a_file_becomes_the_history_of_a_source_and_is_judged(run, tmp_path):
    yesterday = SystemClock().now() - timedelta(days=1)
    rows = [
        {"id": "1", "text": "Nordfunk antwortet nicht", "published_at": yesterday.isoformat(), "author": "mia"},
        {"id": "2", "text": "Nordfunk: wir kümmern uns", "published_at": yesterday.isoformat(), "author": "Nordfunk"},
    ]
    (tmp_path / "old.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    result = run(tmp_path / "old.jsonl", "blog")
    assert (result.exit_code, result.output) == (0, "2 mentions read, 2 of them new, as the history of blog\n")
    assert stored(tmp_path) == [("blog", "1", True, False, True), ("blog", "2", True, True, True)]
    again = run(tmp_path / "old.jsonl", "blog")
    assert again.output == "2 mentions read, 0 of them new, as the history of blog\n"


def test_an_export_is_mapped_as_its_source_says_and_bad_rows_are_named(run, tmp_path):
    lines = [
        '"Comment ID";Member;Comment',
        *(f'{n};mia;"Nordfunk ""{n}"",\nzweite Zeile"' for n in range(9)),
        ";mia;leer",
    ]
    (tmp_path / "export.csv").write_text("\ufeff" + "\r\n".join(lines) + "\r\n", "utf-8")
    result = run(tmp_path / "export.csv", "linkedin")
    assert result.exit_code == 2
    assert "9 mentions read, 9 of them new, as the history of linkedin" in result.output
    assert "1 of 10 rows cannot be read: export.csv:20: external_id finds nothing" in result.output


def test_what_cannot_be_imported_is_said(run, tmp_path):
    (tmp_path / "old.pdf").write_text("x")
    assert "must end in .jsonl, .csv or .mbox" in run(tmp_path / "old.pdf", "blog").output
    (tmp_path / "old.csv").write_text("a,b\n1,2\n3,4\n")
    assert (
        "2 of 2 rows cannot be read (old.csv:2: external_id finds nothing)" in run(tmp_path / "old.csv", "blog").output
    )
    assert "there is no source bog; one of blog, linkedin" in run(tmp_path / "old.csv", "bog").output


def test_every_stretch_of_a_file_names_the_line_of_its_first_bad_row(run, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BATCH", 10)
    good = '{{"id": "{n}", "text": "Nordfunk {n}", "published_at": "2026-11-01T00:00:00Z"}}'
    lines = [good.format(n=n) for n in range(30)]
    lines[4], lines[17] = '{"id": "4"}', "no JSON"
    lines.insert(2, "")
    (tmp_path / "old.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    result = run(tmp_path / "old.jsonl", "blog")
    assert "28 mentions read" in result.output
    assert "1 of 10 rows cannot be read: old.jsonl:6: text finds nothing" in result.output
    assert "1 of 10 rows cannot be read: old.jsonl:19: " in result.output
