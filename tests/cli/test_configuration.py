from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from brandmelder.cli import main

ROOT = Path(__file__).parents[2]
WITH_TOKEN = {"SLACK_BOT_TOKEN": "xoxb-0-abcdefghijkl"}


@pytest.fixture
def brandmelder(tmp_path, monkeypatch):
    """Run a command in an empty folder; returns its result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    monkeypatch.delenv("BRANDMELDER_CONFIG", raising=False)

    def _run(*arguments, environment=None):
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)

    return _run


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_init_writes_is_accepted_by_check(brandmelder, language):
    written = brandmelder("init", "--language", language)
    assert written.exit_code == 0, written.output
    assert "config/brandmelder.yaml is written" in written.output
    assert f"language: {language}" in Path("config/brandmelder.yaml").read_text("utf-8")
    checked = brandmelder("check", environment=WITH_TOKEN)
    assert checked.exit_code == 0, checked.output
    assert "can be used" in checked.stdout
    assert "warning" not in checked.stdout


def test_init_never_overwrites(brandmelder, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("brand: mine\n")
    result = brandmelder("init", "--config", path)
    assert result.exit_code == 2
    assert "it stays" in result.stderr
    assert path.read_text() == "brand: mine\n"


def test_init_says_why_it_cannot_write(brandmelder, tmp_path):
    (tmp_path / "file").write_text("")
    result = brandmelder("init", "--config", tmp_path / "file" / "b.yaml")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_check_names_every_problem_and_exits_with_2(brandmelder):
    brandmelder("init")
    path = Path("config/brandmelder.yaml")
    path.write_text(path.read_text("utf-8").replace("brand:", "brnad:").replace("every: 2m", "every: often"), "utf-8")
    result = brandmelder("check")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert 'unknown key "brnad" (did you mean "brand"?)' in result.stderr
    assert "'often' is no duration" in result.stderr
    assert "the environment variable SLACK_BOT_TOKEN is not set" in result.stderr
    assert result.stderr.rstrip().endswith("cannot be used: 4 problems.")


def test_check_tells_a_program_the_same(brandmelder):
    brandmelder("init")
    refused = brandmelder("check", "--json")
    assert refused.exit_code == 2
    found = json.loads(refused.stdout)
    assert found["ok"] is False
    (problem,) = found["problems"]
    assert problem["file"] == "config/brandmelder.yaml"
    assert problem["text"] == "the environment variable SLACK_BOT_TOKEN is not set"
    accepted = json.loads(brandmelder("check", "--json", environment=WITH_TOKEN).stdout)
    assert accepted["ok"] is True
    assert accepted["sources"]["blog"] == {
        "type": "wordpress",
        "every": 120.0,
        "class": accepted["sources"]["blog"]["class"],
    }
    assert accepted["monitors"]["nordfunk"]["channels"] == ["crisis", "console"]
    assert "xoxb" not in json.dumps(accepted)


def test_check_shows_who_reads_what_and_who_is_told(brandmelder):
    path = ROOT / "config/examples/blog-and-news.yaml"
    result = brandmelder("check", "--config", path, environment=WITH_TOKEN)
    assert result.exit_code == 0, result.output
    assert "Nordfunk (NF), German, times in Europe/Berlin" in result.stdout
    assert "reads regional, trade; tells team, console, head" in result.stdout


def test_a_missing_configuration_says_how_to_begin(brandmelder):
    result = brandmelder("check")
    assert result.exit_code == 2
    assert "say where it is by --config FILE or in BRANDMELDER_CONFIG; brandmelder init writes one" in result.stderr


def test_the_environment_may_name_the_configuration_and_the_option_wins(brandmelder, tmp_path):
    named = {"BRANDMELDER_CONFIG": str(tmp_path / "named.yaml")}
    assert brandmelder("init", environment=named).exit_code == 0
    assert f"{tmp_path}/named.yaml can be used" in brandmelder("check", environment={**named, **WITH_TOKEN}).stdout
    assert "other.yaml:1:1" in brandmelder("check", "--config", "other.yaml", environment=named).stderr


def test_the_schema_is_printed_or_written(brandmelder, tmp_path):
    printed = brandmelder("schema")
    assert json.loads(printed.stdout)["title"] == "Configuration of Brandmelder"
    assert brandmelder("schema", "--output", tmp_path / "s.json").exit_code == 0
    assert (tmp_path / "s.json").read_text("utf-8") == printed.stdout
    assert brandmelder("schema", "--output", tmp_path / "none" / "s.json").exit_code == 2


SEARCHING = """
brand: Nordfunk
short: NF
timezone: Europe/Berlin
sources:
  x: {type: x, token: "${X_TOKEN}", every: 5m}
monitors:
  nordfunk: {query: 'QUERY', sources: [x], false_alarms: 1 per 30 days}
channels:
  crisis: {type: console}
alerts:
  - {monitors: all, to: [crisis]}
"""


def test_check_says_what_is_asked_of_a_platform_and_what_is_matched_here(brandmelder):
    Path("a.yaml").write_text(SEARCHING.replace("QUERY", "nordfunk störung -werbung language:de"), "utf-8")
    result = brandmelder("check", "--config", "a.yaml", environment={"X_TOKEN": "secret-token"})
    assert result.exit_code == 0, result.output
    assert "asked of x: nordfunk (stoerung OR störung) -is:retweet" in result.stdout
    assert "matched here: -werbung, language:de" in result.stdout
    told = json.loads(
        brandmelder("check", "--config", "a.yaml", "--json", environment={"X_TOKEN": "secret-token"}).stdout
    )
    assert told["asked"]["x"]["asked"] == "nordfunk (stoerung OR störung) -is:retweet"


def test_check_names_the_source_that_cannot_be_asked_for_what_is_wanted(brandmelder):
    Path("a.yaml").write_text(SEARCHING.replace("QUERY", "nordfunk*"), "utf-8")
    result = brandmelder("check", "--config", "a.yaml", environment={"X_TOKEN": "secret-token"})
    assert result.exit_code == 2
    assert "a.yaml:6:1: sources: x: a query asks for no whole word" in result.stderr
    assert "write query, in X's own syntax" in result.stderr
