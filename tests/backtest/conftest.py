"""The command as people call it, and the demo's storm as a file of mentions."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.demo import scenario
from brandmelder.demo.events import Kind

STORY = scenario.build()

CONFIG = """\
brand: Nordfunk
short: NF
sources:
  blog: {type: wordpress, url: "https://blog.example", own_accounts: [nordfunk]}
  press: {type: feed, url: "https://press.example/feed", class: news}
monitors:
  nordfunk:
    query: '(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige'
    sources: [blog, press]
channels:
  crisis: {type: slack, token: "${TOKEN_NOBODY_SET}", channel: C0123456789}
alerts:
  - {monitors: all, to: [crisis]}
"""


def lines(until=STORY.end):
    """Return the story's comments and articles as JSON objects, as far as they were captured by `until`."""
    return [
        {
            "id": event.ref,
            "source": event.source,
            "url": f"https://{event.source}.example/{event.ref}",
            "author": event.author,
            "text": f"{event.title} {event.text}".strip(),
            "published_at": event.published_at.isoformat(),
            "captured_at": (event.t + timedelta(minutes=1)).isoformat(),
            "parent_id": event.parent,
            "own": event.own,
        }
        for event in STORY.events
        if event.kind in {Kind.COMMENT, Kind.ARTICLE} and event.t + timedelta(minutes=1) <= until
    ]


def write(path, found):
    """Write mentions as JSON lines, compressed if the name says so."""
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


class Backtest:
    """`brandmelder backtest`, and what it wrote."""

    def __init__(self, folder, config=CONFIG):
        self.folder = folder
        self.config = folder / "brandmelder.yaml"
        self.config.write_text(config, encoding="utf-8")
        self.runs = 0

    def __call__(self, mentions, *options):
        self.runs += 1
        self.output = self.folder / f"out{self.runs}"
        command = ["backtest", "--config", self.config, "--mentions", mentions, "--output", self.output, *options]
        return CliRunner().invoke(main, [str(part) for part in command])

    def told(self, mentions, *options):
        """Run it; return the lines of `incidents.jsonl` as bytes."""
        result = self(mentions, *options)
        assert result.exit_code == 0, result.output
        return (self.output / "incidents.jsonl").read_bytes().splitlines()


@pytest.fixture(scope="session")
def story_file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("story") / "story.jsonl.gz", lines())


@pytest.fixture
def backtest(tmp_path):
    return Backtest(tmp_path)
