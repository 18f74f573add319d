"""A replay: the same every time, the same as far as it goes, and honest about what it was given."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta

import pytest

from backtest.conftest import STORY, Backtest, lines, write

FROM = ("--from", STORY.evening.isoformat())
MOMENT = STORY.onset + timedelta(minutes=40)
FIELDS = {
    "id", "monitor", "kind", "state", "onset", "opened", "closed", "severity", "first_severity", "observed", "usual",
    "window", "learning", "peak", "total", "sources", "phrases", "timeline", "message",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(story_file, tmp_path_factory):
    """Return what a backtest of the whole evening wrote, and what it said."""
    backtest = Backtest(tmp_path_factory.mktemp("whole"))
    result = backtest(story_file, *FROM)
    assert result.exit_code == 0, result.output
    return (backtest.output / "incidents.jsonl").read_bytes().splitlines(), result.stdout, backtest.output


def steps(record, until):
    return [step for step in record["timeline"] if datetime.fromisoformat(step["at"]) <= until]


def test_a_storm_is_one_incident_with_its_whole_story(whole):
    (line,), _, _ = whole
    record = json.loads(line)
    assert set(record) == FIELDS
    assert (record["id"], record["monitor"], record["state"]) == ("NF-2026-001", "nordfunk", "resolved")
    assert timedelta(0) <= datetime.fromisoformat(record["opened"]) - STORY.onset <= timedelta(minutes=10)
    acts = [step["act"] for step in record["timeline"]]
    assert acts.count("open") == 1
    assert acts[-1] == "resolve"
    assert 120 <= record["total"] <= 260
    assert record["peak"] <= record["total"]
    assert "TV-Spot" in record["phrases"]
    assert record["message"].startswith("🔴 Nordfunk – Negative Erwähnungen: ")
    assert "9999" not in record["message"]


def test_a_summary_is_said_and_written(whole):
    _, said, folder = whole
    written = (folder / "summary.md").read_text("utf-8")
    assert written.strip() in said
    assert "Nothing was sent." in written
    assert "| nordfunk |" in written


def test_replaying_twice_is_identical(whole, backtest, story_file):
    assert backtest.told(story_file, *FROM) == whole[0]
    assert (backtest.output / "summary.md").read_bytes() == (whole[2] / "summary.md").read_bytes()


def test_a_prefix_gives_a_prefix(whole, backtest, story_file):
    (early,) = map(json.loads, backtest.told(story_file, *FROM, "--to", MOMENT.isoformat()))
    late = json.loads(whole[0][0])
    assert steps(early, MOMENT) == early["timeline"] == steps(late, MOMENT)
    assert len(early["timeline"]) >= 3
    assert [early[name] for name in ("id", "opened", "message")] == [late[name] for name in ("id", "opened", "message")]
    assert early["closed"] is None


def test_a_file_that_ends_early_tells_what_the_whole_one_tells_until_then(backtest, story_file, tmp_path):
    to = ("--to", MOMENT.isoformat())
    short = write(tmp_path / "short.jsonl", lines(until=MOMENT))
    assert backtest.told(short, *FROM, *to) == backtest.told(story_file, *FROM, *to)


def test_csv_tells_the_same_as_json_lines(backtest, tmp_path):
    found = [{**one, "parent_id": one["parent_id"] or "", "own": str(one["own"]).lower()} for one in lines(MOMENT)]
    text = io.StringIO()
    table = csv.DictWriter(text, found[0])
    table.writeheader()
    table.writerows(found)
    file = tmp_path / "story.csv"
    file.write_text(text.getvalue(), encoding="utf-8")
    to = ("--to", MOMENT.isoformat())
    assert backtest.told(file, *FROM, *to) == backtest.told(write(tmp_path / "story.jsonl", lines(MOMENT)), *FROM, *to)


def few(count=3, source="blog"):
    return [{**one, "source": source} for one in lines()[:count]]


def test_a_file_without_a_storm_tells_of_none(backtest, tmp_path):
    result = backtest(write(tmp_path / "few.jsonl", few()))
    assert result.exit_code == 0, result.output
    assert "No incident." in result.stdout
    assert (backtest.output / "incidents.jsonl").read_bytes() == b""


def test_mentions_of_unknown_sources_are_left_out_and_counted(backtest, tmp_path):
    result = backtest(write(tmp_path / "mixed.jsonl", [*few(), *few(2, "myspace")]))
    assert result.exit_code == 0, result.output
    assert "Left out: 2 mentions of the source 'myspace'" in result.stdout


def test_an_empty_file_is_refused(backtest, tmp_path):
    result = backtest(write(tmp_path / "empty.jsonl", []))
    assert result.exit_code == 2
    assert "empty.jsonl: holds no mentions" in result.stderr
    assert not backtest.output.exists()


def test_bad_lines_are_named_with_their_numbers(backtest, tmp_path):
    file = write(tmp_path / "bad.jsonl", few())
    with file.open("a", encoding="utf-8") as end:
        end.write('{"id": "x", "source": "blog", "text": "t"}\n{"id":\n')
    result = backtest(file)
    assert result.exit_code == 2
    assert f"{file}:4: " in result.stderr
    assert f"{file}:5: " in result.stderr
    assert not backtest.output.exists()


def test_a_missing_file_and_a_half_written_one_are_refused(backtest, tmp_path, story_file):
    assert "nowhere.jsonl: cannot be read (No such file" in backtest(tmp_path / "nowhere.jsonl").stderr
    half = tmp_path / "half.jsonl.gz"
    half.write_bytes(story_file.read_bytes()[:5000])
    result = backtest(half)
    assert result.exit_code == 2
    assert "half.jsonl.gz: cannot be read" in result.stderr


def test_an_end_before_the_beginning_is_refused(backtest, tmp_path):
    result = backtest(write(tmp_path / "few.jsonl", few()), "--from", "2026-12-02", "--to", "2026-12-01")
    assert result.exit_code == 2
    assert "--to" in result.stderr
    later = backtest(write(tmp_path / "few.jsonl", few()), "--from", "2030-12-02")
    assert later.exit_code == 2
    assert "--from" in later.stderr


@pytest.mark.parametrize("moment", ["2026-12-15", "2026-12-15T18:00", "2026-12-15 18:00", "2026-12-15T17:00:00Z"])
def test_moments_are_written_as_people_write_them(backtest, tmp_path, moment):
    result = backtest(write(tmp_path / "few.jsonl", few()), "--from", moment, "--to", "2026-12-15T20:00")
    assert result.exit_code == 0, result.output
