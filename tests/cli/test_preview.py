"""What `preview` says a query would have brought."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from brandmelder import wiring
from brandmelder.capture.normalise import pseudonym
from brandmelder.cli import main
from brandmelder.clock import SystemClock
from brandmelder.model import Mention, SourceId
from brandmelder.store import mentions
from brandmelder.store.database import Database

CONFIG = """\
brand: Nordfunk
database: "sqlite:///{folder}/brandmelder.db"
sources:
  blog: {{type: feed, url: "https://blog.example/feed"}}
  press: {{type: feed, url: "https://press.example/feed"}}
monitors:
  nordfunk: {{query: nordfunk, sources: [blog], exclusions: others.txt}}
  both: {{query: nordfunk OR störung}}
channels:
  console: {{type: console}}
alerts:
  - {{monitors: all, to: [console]}}
"""


@pytest.fixture
def run(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    (tmp_path / "others.txt").write_text("Nordlicht\n", encoding="utf-8")
    now = SystemClock().now()
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    database.prepare()
    key = wiring.author_key(database.path)
    told = [
        ("blog", "Nordfunk ist weg", 1, "anna"),
        ("blog", "Nordfunk, nicht Nordlicht", 2, "ben"),
        ("blog", "Störung\x1b[31m seit heute", 3, "anna"),
        ("press", "Nordfunk eröffnet", 4, ""),
        ("press", "Nordfunk im letzten Jahr", 40, ""),
    ]
    found = [
        Mention(
            source=SourceId(source),
            external_id=str(number),
            text=text,
            author=pseudonym(author, key) if author else "",
            published_at=now - timedelta(hours=hours),
            captured_at=now - timedelta(hours=hours),
        )
        for number, (source, text, hours, author) in enumerate(told)
    ]
    late = replace(found[-1], external_id="late", captured_at=now)
    stored = [found[-1], *found[:-1], late]
    database.run_now(mentions.insert_mentions, stored, [one.external_id for one in stored])
    database.close()
    return lambda *words: CliRunner().invoke(main, ["preview", *words, "--config", str(config)])


def test_a_monitors_query_is_shown_by_source_with_the_newest(run):
    result = run("nordfunk")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[:3] == ["1 of 3 mentions of the last 24 h match", "  blog  1 of 3", "the newest:"]
    assert "Nordfunk ist weg" in result.stdout


@pytest.mark.parametrize(
    ("words", "matched"),
    [
        (("both",), {"blog": 3, "press": 1}),
        (("both", "--hours", "48"), {"blog": 3, "press": 3}),
        (("--query", "author:anna"), {"blog": 2, "press": 0}),
        (("nordfunk", "--query", "*"), {"blog": 2}),
        (("--query", "nordfunk NEAR/3 eröffnet"), {"blog": 0, "press": 1}),
    ],
)
def test_what_is_asked_is_counted(run, words, matched):
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["by_source"]
    assert {source: tally["matched"] for source, tally in told.items()} == matched


def test_examples_are_harmless_in_a_terminal(run):
    assert "\x1b" not in run("--query", "störung").stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 1, "which monitor; one of nordfunk, both"),
        (("x",), 1, "there is no monitor x"),
        (("--query", "a OR"), 2, "^"),
    ],
)
def test_what_cannot_be_previewed_says_why(run, words, code, said):
    result = run(*words)
    assert result.exit_code == code
    assert said in result.stderr
