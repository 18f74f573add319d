"""Real German tweets through the pipeline: PotTS and SB10k carry the times at which they were written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from backtest.conftest import Backtest, write

FOLDER = Path(__file__).parents[3] / "shared/data/sentiment"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data/sentiment is not here")

SINCE, HALFWAY, UNTIL = "2013-08-01", "2013-08-03", "2013-08-06"
CONFIG = """\
brand: Alltag
sources:
  tweets: {type: archive, path: tweets.jsonl}
monitors:
  alltag:
    query: und OR nicht OR ist OR die OR der OR das OR ich
    sources: [tweets]
    false_alarms: 1 per week
channels:
  console: {type: console}
alerts:
  - {monitors: all, to: [console]}
"""


def tweets():
    found = {}
    for file in sorted(FOLDER.glob("potts.*.jsonl.gz")) + sorted(FOLDER.glob("sb10k.*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as opened:
            for row in map(json.loads, opened):
                if row["time"] and "2013-03" <= row["time"] < "2013-08-07":
                    found[row["id"]] = row
    return [
        {"id": row["id"], "source": "tweets", "text": row["text"], "published_at": row["time"]}
        for row in sorted(found.values(), key=lambda row: (row["time"], row["id"]))
    ]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tweets")
    file = write(folder / "tweets.jsonl.gz", tweets())
    backtest = Backtest(folder, CONFIG)
    told = backtest.told(file, "--from", SINCE, "--to", UNTIL)
    return file, told, (backtest.output / "summary.md").read_text("utf-8")


def test_real_tweets_run_through_the_pipeline(replayed):
    _, told, summary = replayed
    row, *_ = [line for line in summary.splitlines() if line.startswith("| alltag |")]
    matched, incidents = (int(cell) for cell in row.split("|")[2:4])
    assert matched >= 1000
    assert incidents == len(told)
    assert len(told) <= 4
    for line in map(json.loads, told):
        assert line["opened"] >= SINCE


def test_real_tweets_tell_the_same_twice_and_a_prefix_of_it_before(replayed, tmp_path):
    file, told, _ = replayed
    backtest = Backtest(tmp_path, CONFIG)
    assert backtest.told(file, "--from", SINCE, "--to", UNTIL) == told
    early = [json.loads(line) for line in backtest.told(file, "--from", SINCE, "--to", HALFWAY)]
    late = [json.loads(line) for line in told]
    assert [one["id"] for one in early] == [one["id"] for one in late[: len(early)]]
    for one, whole in zip(early, late, strict=False):
        assert one["timeline"] == whole["timeline"][: len(one["timeline"])]
