"""Accounts from the command line: who may sign in, by what, and how they are let out again."""

import re
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.store import audit, members
from brandmelder.store.database import Database
from cli.test_commands import CONFIG

PASSWORD = "drei Enten im Regen"
NOBODY = "no accounts; add one: brandmelder account add NAME --role admin\n"


@pytest.fixture
def place(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    database.prepare()
    database.close()
    return tmp_path


@pytest.fixture
def run(place):
    def ran(*words, typed=""):
        return CliRunner().invoke(main, ["account", *words, "--config", str(place / "brandmelder.yaml")], input=typed)

    return ran


@pytest.fixture
def stored(place):
    def asked(function, *args, **kwargs):
        database = Database(f"sqlite:///{place}/brandmelder.db")
        try:
            return database.run_now(function, *args, **kwargs)
        finally:
            database.close()

    return asked


def test_somebody_is_added_changed_listed_and_removed(run):
    assert run("list").stdout == NOBODY
    added = run("add", "anna", "--shown", "Anna Petersen", "--role", "admin", typed=PASSWORD + "\n")
    assert added.stdout == "anna may sign in as admin\n"
    assert "anna is viewer" in run("role", "anna", "viewer").stdout
    assert re.fullmatch(r"anna  viewer  Anna Petersen  password  since \d{4}-\d\d-\d\d\n", run("list").stdout)
    again = run("add", "anna", typed=PASSWORD + "\n")
    assert (again.exit_code, "brandmelder account password anna" in again.stderr) == (1, True)
    assert run("remove", "anna").exit_code == 0
    assert run("list").stdout == NOBODY
    assert "brandmelder account list" in run("remove", "anna").stderr


def test_somebody_reads_the_page_by_the_clock_of_their_own_zone(run, stored):
    run("add", "anna", typed=PASSWORD + "\n")
    assert run("zone", "anna", "America/New_York").stdout == "anna reads the time of America/New_York\n"
    assert stored(members.find, "anna").zone == "America/New_York"
    assert run("zone", "anna").stdout == "anna reads the time of the configuration\n"
    assert stored(members.find, "anna").zone == ""
    refused = run("zone", "anna", "Berlin")
    assert (refused.exit_code, "IANA" in refused.stderr) == (2, True)
    assert "brandmelder account list" in run("zone", "ben", "Europe/Berlin").stderr


@pytest.mark.parametrize("typed", ["kurz", "passwort1234", "Annapetersen12", "Nordfunk2026!"])
def test_a_password_that_is_short_or_easy_to_guess_is_refused(run, typed):
    answer = run("add", "annapetersen", typed=typed + "\n")
    assert answer.exit_code == 1
    assert "a few words are good ones" in answer.stderr
    assert run("list").stdout == NOBODY


def test_a_lost_phone_is_forgotten_and_everything_ended(run, stored):
    run("add", "anna", typed=PASSWORD + "\n")
    stored(members.set_factor, "anna", "JBSWY3DPEHPK3PXP", step=1)
    stored(members.begin, "a-token-of-a-browser", "anna", csrf="x", now=datetime(2026, 11, 29, tzinfo=UTC))
    assert "password and second factor" in run("list").stdout
    assert run("factor", "anna").exit_code == 2
    assert run("factor", "anna", "--remove").stdout == "anna has no second factor\n"
    assert stored(members.end_all, "anna") == 0
    assert "member.no_factor" in [entry.act for entry in stored(audit.newest, 9)]


def test_one_or_everybody_is_signed_out(run, stored):
    for name in ("anna", "jonas"):
        run("add", name, typed=PASSWORD + "\n")
        for browser in "12":
            stored(members.begin, f"{name}-browser-{browser}", name, csrf="x", now=datetime(2026, 11, 29, tzinfo=UTC))
    assert run("sign-out", "anna").stdout == "2 sessions ended\n"
    assert run("sign-out", "--all").stdout == "2 sessions ended\n"
    assert run("sign-out").exit_code == 2
    assert run("sign-out", "anna", "--all").exit_code == 2
    assert run("sign-out", "niemand").exit_code == 1
