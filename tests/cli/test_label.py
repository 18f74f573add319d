"""`brandmelder label` on a database: single labels, bulk, what was learnt, undo and export."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from click.testing import CliRunner

from brandmelder.capture.normalise import fingerprint
from brandmelder.cli import main
from brandmelder.store import labels, mentions
from brandmelder.store.database import Database
from pipeline.test_teach import kringel
from pipeline.world import STORM, YAML, mention


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brandmelder.yaml").write_text(YAML + "database: sqlite:///a.db\n", "utf-8")
    database = Database("sqlite:///a.db")
    database.prepare()
    texts = ["=cmd|' /C calc'!A0", "Nordfunk nervt", "Nordfunk ist da"]
    found = [mention(n, STORM + timedelta(minutes=n), angry=False, text=text) for n, text in enumerate(texts, 1)]
    database.run_now(mentions.insert_mentions, found, [fingerprint(one.text, "", "") for one in found])
    yield database
    database.close()


def run(*arguments):
    return CliRunner().invoke(main, ["label", *arguments, "--config", "brandmelder.yaml"])


def test_one_label_is_kept_replaced_and_taken_back(there):
    assert run("2", "negative").exit_code == 0
    assert run("blog/2", "neutral").exit_code == 0
    (kept,) = there.run_now(labels.read)
    assert (kept.mention, kept.label, kept.origin) == (2, "neutral", "alert")
    assert run("2", "none").exit_code == 0
    assert there.run_now(labels.read) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("99", "negative"), "there is no mention 99"),
        (("2", "bad"), "write negative, neutral, positive, or none"),
        (("2", "none"), "has no label"),
        (("labels.csv",), "labels.csv: cannot be read"),
        (("--undo",), "nothing that was learnt is in use"),
        ((), "say which mention and which label"),
    ],
)
def test_what_cannot_be_done_is_said(there, arguments, told):
    result = run(*arguments)
    assert result.exit_code
    assert told in result.output


def test_labels_in_bulk_teach_and_can_be_undone(there, tmp_path):
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "text", "label", "origin"))
        rows.writerow(("blog/3", "", "positive", "unsure"))
        for number in range(60):
            bad, calm = kringel(number)
            rows.writerow(("", bad, "negative", "random"))
            rows.writerow(("", calm, "neutral", ""))
    told = run("labels.csv").output
    assert "121 labels are kept" in told
    assert "version 1 judges what comes from now on" in told
    assert "version 1, " in run("--report").output
    assert "in use" in run("--report").output
    assert run("--undo").exit_code == 0
    assert "undone" in run("--report").output
    assert len(there.run_now(labels.read)) == 121


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"label": "negative"}', "2: no `id` and no `text`"),
        ('{"id": 77, "label": "negative"}', "2: there is no mention 77"),
        ('{"id": 2, "label": "schlecht"}', "2: label 'schlecht'"),
        ('{"id": 2, "label": "negative", "origin": "boss"}', "2: origin 'boss'"),
        ('{"id": 2', "2: "),
    ],
)
def test_a_bad_line_in_bulk_is_named_and_nothing_is_kept(there, tmp_path, row, told):
    (tmp_path / "labels.jsonl").write_text('{"id": 1, "label": "neutral"}\n' + row + "\n", "utf-8")
    result = run("labels.jsonl")
    assert result.exit_code == 2
    assert f"labels.jsonl:{told}" in result.output
    assert there.run_now(labels.read) == []


def test_an_export_opens_in_a_spreadsheet_without_running_anything(there, tmp_path):
    run("1", "neutral")
    assert run("--export", "out.csv").exit_code == 0
    (row,) = csv.DictReader((tmp_path / "out.csv").read_text("utf-8").splitlines())
    assert row["text"].startswith("'=")
    assert (row["id"], row["label"], row["origin"]) == ("1", "neutral", "alert")


def test_without_counted_mentions_there_is_nothing_to_ask(there):
    assert "there is nothing left to label" in run("--ask").output
