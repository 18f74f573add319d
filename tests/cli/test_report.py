"""Reports from the command line: to the screen, to a file, for a language, and what is said when it cannot be."""

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from brandmelder.cli import main
from brandmelder.store import incidents
from brandmelder.store.database import Database
from cli.test_commands import CONFIG
from notify.stories import ENDED, ENDED_EVIDENCE
from report.accounts import TIMELINE


@pytest.fixture
def run(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG.format(folder=tmp_path) + "people_in_figures: true\n", encoding="utf-8")
    database = Database(f"sqlite:///{tmp_path}/brandmelder.db")
    database.prepare()
    database.run_now(
        incidents.save_incident, ENDED, replace(ENDED_EVIDENCE, similar=()), TIMELINE, expected_revision=None
    )
    database.close()
    return lambda *words: CliRunner().invoke(main, ["report", *words, "--config", str(config)])


def test_a_report_is_written_to_the_screen_as_markdown(run):
    result = run("incident", "NF-2026-042")
    assert result.exit_code == 0
    assert result.stdout.startswith("# Nordfunk\n\nVorfallbericht NF-2026-042")
    assert "Anna" in result.stdout


def test_the_name_of_a_file_says_its_form(run, tmp_path):
    for name, begins in (("a.html", "<!DOCTYPE html>"), ("a.md", "# Nordfunk")):
        result = run("incident", "NF-2026-042", "--output", str(tmp_path / name), "--language", "en")
        assert (result.exit_code, result.stdout) == (0, "")
        text = (tmp_path / name).read_text("utf-8")
        assert text.startswith(begins)
        assert "Incident report NF-2026-042" in text


def test_names_can_be_left_out(run):
    assert "Anna" not in run("incident", "NF-2026-042", "--without-names").stdout


def test_the_configuration_can_leave_names_out(run, tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(config.read_text("utf-8").replace("people_in_figures: true", "people_in_figures: false"))
    assert "Anna" not in run("incident", "NF-2026-042").stdout


def test_an_unknown_incident_and_a_place_that_cannot_be_written_are_errors(run, tmp_path):
    missing = run("incident", "NF-1")
    assert (missing.exit_code, "there is no incident NF-1" in missing.stderr) == (1, True)
    refused = run("incident", "NF-2026-042", "--output", str(tmp_path / "no" / "a.html"))
    assert refused.exit_code == 2
    assert "name a file that this user may write" in refused.stderr


def export(tmp_path, *words):
    return CliRunner().invoke(main, ["export", *words, "--config", str(tmp_path / "brandmelder.yaml")])


def test_incidents_are_exported_as_a_table(run, tmp_path):
    german = export(tmp_path, "incidents", "--since", "200w")
    assert german.exit_code == 0
    assert german.stdout_bytes.startswith(b'\xef\xbb\xbf"id";"monitor";')
    plain = export(tmp_path, "incidents", "--delimiter", ",", "--no-bom", "--output", str(tmp_path / "a.csv"))
    assert (plain.exit_code, plain.stdout) == (0, "")
    assert (tmp_path / "a.csv").read_bytes().startswith(b'"id","monitor",')
    asked = ["audit", "list", "--act", "export", "--config", str(tmp_path / "brandmelder.yaml")]
    assert CliRunner().invoke(main, asked).stdout.count("  export.table  ") == 2


def test_an_unknown_monitor_names_the_nearest(run, tmp_path):
    refused = export(tmp_path, "mentions", "--monitor", "nordfunkk")
    assert refused.exit_code == 2
    assert '"nordfunk"' in refused.stderr or "nordfunk" in refused.stderr
    assert export(tmp_path, "mentions", "--since", "7x").exit_code == 2


def test_a_noise_report_is_written(run):
    assert run("noise", "--language", "en").stdout.startswith("# Nordfunk\n\nNoise report")
