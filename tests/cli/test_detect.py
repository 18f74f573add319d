"""`brandmelder detect`: files in, incidents out, and clear words about bad files."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner

from brandmelder.cli.detect import bins_of, detect, duration, incidents_of
from brandmelder.detect.scan import DetectorRules
from brandmelder.errors import InputError

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONE = ZoneInfo("Europe/Berlin")


def write(path, counts, *, width=HOUR, start=START, skip=()):
    rows = [f"{(start + place * width).isoformat()},{count}" for place, count in enumerate(counts) if place not in skip]
    path.write_text("time,negative\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def weeks(burst=60, *, at=28 * 24 + 10, days=35):
    counts = np.random.default_rng(7).poisson(4, days * 24)
    counts[at : at + 2] += burst
    return counts.tolist()


def test_a_burst_is_found_and_dated_by_the_end_of_its_bin(tmp_path):
    (found,) = [one for one in incidents_of(write(tmp_path / "acme.csv", weeks()), DetectorRules()) if not one.learning]
    assert found.opened == START + 28 * 24 * HOUR + 11 * HOUR
    assert found.closed is not None
    assert found.closed > found.opened
    assert found.observed >= 60 > found.usual[1]
    assert found.window == "PT1H"
    assert found.severity >= 3


def test_json_has_a_line_for_each_incident_of_many_files(tmp_path):
    files = [str(write(tmp_path / name, weeks())) for name in ("one.csv", "two.csv")]
    result = CliRunner().invoke(detect, [*files, "--json", "--false-alarms", "1 per 30 days", "--tz", "UTC"])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["file"] for line in lines] == files
    assert set(lines[0]) == {
        "file", "kind", "opened", "closed", "severity", "observed", "usual", "window", "learning"
    }  # fmt: skip


def test_people_are_shown_a_table_in_local_time(tmp_path):
    result = CliRunner().invoke(detect, [str(write(tmp_path / "acme.csv", weeks()))])
    assert "2026-02-02 12:00" in result.output
    assert CliRunner().invoke(detect, [str(write(tmp_path / "calm.csv", [4] * 400))]).output == "No incident.\n"


@pytest.mark.parametrize("width", [timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=6), timedelta(days=1)])
def test_the_width_is_inferred_and_odd_starts_are_put_on_the_grid(tmp_path, width):
    start = START + timedelta(minutes=2, seconds=53)
    bins, shift = bins_of(write(tmp_path / "a.csv", [1] * 40, width=width, start=start, skip={7, 8}), ZONE)
    assert {bin_.width for bin_ in bins} == {width}
    assert bins[0].start + shift == start
    assert len(bins) == 38
    assert bins[7].start - bins[6].start == 3 * width


def test_local_days_of_23_and_25_hours_are_one_day_each(tmp_path):
    days = [f"2026-03-{day:02d}T00:00:00,1" for day in range(20, 32)]
    path = tmp_path / "days.csv"
    path.write_text("time,negative\n" + "\n".join(days), encoding="utf-8")
    bins, _ = bins_of(path, ZONE)
    assert {after.start - before.start for before, after in itertools.pairwise(bins)} == {timedelta(days=1)}


def test_the_hour_an_autumn_night_has_twice_is_read_twice(tmp_path):
    hours = ["00", "01", "02", "02", "03", "04"]
    path = tmp_path / "autumn.csv"
    path.write_text("time,negative\n" + "\n".join(f"2026-10-25T{hour}:00:00,1" for hour in hours), encoding="utf-8")
    bins, _ = bins_of(path, ZONE)
    assert {after.start - before.start for before, after in itertools.pairwise(bins)} == {HOUR}


ROWS = ["2026-01-05T00:00:00Z,1", "2026-01-05T01:00:00Z,2", "2026-01-05T02:00:00Z,3", "2026-01-05T03:00:00Z,4"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "needs the columns"),
        ("time,count\n", 1, "needs the columns"),
        ("time,negative,mood\n", 1, "mood"),
        ("time,negative\n", None, "at least 3"),
        ("time,negative\n" + "\n".join([ROWS[1], ROWS[0], *ROWS[2:]]), 3, "sort"),
        ("time,negative\n" + "\n".join([ROWS[0], *ROWS]), 3, "twice"),
        ("time,negative\n" + "\n".join([*ROWS, "2026-01-05T04:00:00Z,-1"]), 6, "0 or more"),
        ("time,negative\n" + "\n".join([*ROWS, "2026-01-05T04:00:00Z,NaN"]), 6, "0 or more"),
        ("time,negative\n" + "\n".join([*ROWS, "2026-01-05T04:00:00Z,many"]), 6, "number"),
        ("time,negative\n" + "\n".join([*ROWS, "2026-01-05T04:00:00,1"]), 6, "offset"),
        ("time,negative\n" + "\n".join([*ROWS, "2026-01-05T04:20:00Z,1"]), 6, "off the grid"),
        ("time,negative\n" + "\n".join([*ROWS, "yesterday,1"]), 6, "no time"),
        ("time,negative\n" + "\n".join([*ROWS, "2026-01-05T04:00:00Z"]), 6, "number of fields"),
        ("time,negative,exposure\n2026-01-05T00:00:00Z,1,1.5\n", 2, "0 to 1"),
        ("time,negative\n2026-01-05T00:00:00Z,1\n2026-01-05T00:01:00Z,1\n2026-01-05T00:02:00Z,1\n", 3, "5 min"),
    ],
)
def test_a_bad_file_is_told_with_its_line(tmp_path, text, line, reason):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=reason) as told:
        bins_of(path, ZONE)
    assert str(told.value).startswith(f"{path}:{line}: " if line else f"{path}: ")


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(InputError, match="give the path"):
        bins_of(tmp_path / "none.csv", ZONE)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no CSV"):
        bins_of(tmp_path / "bytes.csv", ZONE)


@pytest.mark.parametrize(
    ("option", "value"), [("--false-alarms", "often"), ("--tz", "Mars/Base"), ("--region", "Bayern")]
)
def test_an_option_that_cannot_be_read_says_what_would_be_right(tmp_path, option, value):
    result = CliRunner().invoke(detect, [str(write(tmp_path / "a.csv", [1] * 9)), option, value])
    assert result.exit_code == 2
    assert "write" in result.output


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=35), "PT35M"),
        (timedelta(hours=6), "PT6H"),
        (timedelta(days=3), "P3D"),
        (timedelta(days=1, hours=2, minutes=5), "P1DT2H5M"),
    ],
)
def test_durations_are_iso_8601(length, text):
    assert duration(length) == text
