"""The command line around the commands: what it says to a slip of the finger and in a wrong directory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.store.database import Database, known_revisions, revision
from e2e.service import COMMAND
from health.test_server import listening

CONFIG = """\
brand: Nordfunk
database: "sqlite:///{folder}/brandmelder.db"
sources:
  press: {{type: feed, url: "https://press.example/feed"}}
monitors:
  nordfunk: {{query: nordfunk, sources: [press]}}
channels:
  console: {{type: console}}
alerts:
  - {{monitors: all, to: [console]}}
"""


@pytest.fixture
def run(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    return lambda *words: CliRunner().invoke(main, [*words, "--config", str(config)])


@pytest.mark.parametrize(
    "words",
    [("incidents", "list"), ("incidents", "show", "NF-1"), ("incidents", "ack", "NF-1"), ("health",), ("migrate",)],
    ids=" ".join,
)
def test_without_a_database_nothing_is_said_to_be_calm_and_none_is_made(run, tmp_path, words):
    result = run(*words)
    assert result.exit_code == 1
    assert f"there is no database {tmp_path}/brandmelder.db; run the service first" in result.stderr
    assert result.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["brandmelder.yaml"]


def test_an_empty_database_is_calm(run, tmp_path):
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    database.prepare()
    database.close()
    assert run("incidents", "list").stdout == "nothing is burning (ended ones: --all)\n"
    assert run("incidents", "list", "--all").stdout == "no incidents\n"
    refused = run("incidents", "dismiss", "nf-1", "--note", "bots")
    assert (refused.exit_code, "there is no incident NF-1" in refused.stderr) == (1, True)
    assert (run("health").exit_code, run("health").stderr) == (1, "no progress yet\n")


def test_a_newer_version_changes_nothing_beside_a_service_of_the_old_one(run, tmp_path):
    old = min(known_revisions())
    running = Database(f"sqlite:///{tmp_path}/brandmelder.db", exclusive=True)
    running.prepare()
    running.run_now(lambda connection: connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{old}'"))
    migrated, acted = run("migrate"), run("incidents", "ack", "nf-1")
    assert (migrated.exit_code, "another brandmelder runs on it; stop that one first" in migrated.stderr) == (1, True)
    assert (acted.exit_code, "older than this version" in acted.stderr) == (1, True)
    assert running.run_now(revision) == old
    running.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["chekc"], "did you mean 'check'?"), (["xyzzy"], "see: brandmelder --help"), (["xyzzy", "--json"], "'xyzzy'")],
)
def test_a_misspelt_command_names_the_nearest(words, said):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert said in result.stderr


GROUPS = ["account", "audit", "deliveries", "export", "incidents", "marked", "oncall", "privacy", "report", "silence"]


@pytest.mark.parametrize("group", [*GROUPS, "token"])
def test_in_a_list_of_commands_each_sentence_has_its_end(group):
    listed = CliRunner().invoke(main, [group, "--help"]).stdout.partition("Commands:\n")[2]
    command = main.get_command(click.Context(main), group)
    assert isinstance(command, click.Group)
    assert len(listed.splitlines()) >= len(command.commands)
    assert "..." not in listed


def test_a_full_disk_behind_a_command_is_told_in_a_sentence():
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([COMMAND, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "cannot write: No space left on device; make room there, then repeat the command\n"


def test_help_stands_without_a_command():
    assert "Commands:" in CliRunner().invoke(main, ["--help"]).stdout


def test_where_a_socket_is_configured_health_asks_there_too(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    with listening() as server:
        text = CONFIG.format(folder=tmp_path) + f"health: {{listen: '127.0.0.1:{server.port}'}}\n"
        config.write_text(text, encoding="utf-8")
        there = CliRunner().invoke(main, ["health", "--config", str(config)])
    gone = CliRunner().invoke(main, ["health", "--config", str(config)])
    assert "there is no database" in there.stderr
    assert (gone.exit_code, "does not answer at 127.0.0.1:" in gone.stderr) == (1, True)
