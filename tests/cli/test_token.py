"""Tokens from the command line: shown once, listed without their secret, ended at once."""

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
    return lambda *words: CliRunner().invoke(main, ["token", *words, "--config", str(config)])


def test_a_token_is_shown_once_listed_and_revoked(run):
    made = run("create", "--name", "Leitstelle", "--scope", "incidents:read", "--scope", "incidents:act")
    assert made.exit_code == 0
    secret = made.stdout.strip()
    assert secret.startswith("bm_")
    assert len(secret) > 40
    assert "shown this once" in made.stderr
    listed = run("list").stdout
    assert "holds  Leitstelle  incidents:act incidents:read  until " in listed
    assert "never used" in listed
    assert secret not in listed
    ident = listed.split()[0]
    assert run("revoke", ident).stdout == f"{ident} is revoked\n"
    assert "ended  Leitstelle" in run("list").stdout
    again = run("revoke", ident)
    assert (again.exit_code, "brandmelder token list" in again.stderr) == (1, True)


def test_a_token_can_hold_for_ever_and_needs_a_scope(run):
    assert "never expires" in run("create", "--name", "x", "--scope", "sources:read", "--expires", "never").stderr
    assert run("create", "--name", "x").exit_code == 2
    assert run("create", "--name", "x", "--scope", "everything").exit_code == 2
    assert run("create", "--name", " ", "--scope", "sources:read").exit_code == 2
    assert run("list").exit_code == 0


def test_without_tokens_it_is_said_how_to_make_one(run):
    assert run("list").stdout == "no tokens; make one: brandmelder token create --name NAME --scope SCOPE\n"
