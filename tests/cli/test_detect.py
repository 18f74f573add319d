"""`brandmelder detect`: files in, incidents out, and clear words about bad files."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner

from brandmelder.cli.detect import detect, incidents_of, picture_names
from brandmelder.cli.detect_csv import bins_of, duration
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
    bins, shift, _ = bins_of(write(tmp_path / "a.csv", [1] * 40, width=width, start=start, skip={7, 8}), ZONE)
    assert {bin_.width for bin_ in bins} == {width}
    assert bins[0].start + shift == start
    assert len(bins) == 38
    assert bins[7].start - bins[6].start == 3 * width


def test_local_days_of_23_and_25_hours_are_one_day_each(tmp_path):
    days = [f"2026-03-{day:02d}T00:00:00,1" for day in range(20, 32)]
    path = tmp_path / "days.csv"
    path.write_text("time,negative\n" + "\n".join(days), encoding="utf-8")
    bins, _, _ = bins_of(path, ZONE)
    assert {after.start - before.start for before, after in itertools.pairwise(bins)} == {timedelta(days=1)}


@pytest.mark.parametrize("hours", [6, 8, 12, 24])
@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", "UTC"]
)
def test_a_bin_of_the_local_clock_keeps_its_weekday_and_its_part_of_the_day(tmp_path, name, hours):
    zone, first = ZoneInfo(name), datetime(2026, 3, 1)  # noqa: DTZ001 - local times, as people write them
    local = [first + timedelta(hours=hours * place) for place in range(60 * 24 // hours)]
    path = tmp_path / "local.csv"
    path.write_text("time,negative\n" + "\n".join(f"{one.isoformat()},1" for one in local), encoding="utf-8")
    counts = bins_of(path, zone)
    assert len(counts.bins) == len(local)
    for one, bin_ in zip(local, counts.bins, strict=True):
        middle = (bin_.start + bin_.width / 2).astimezone(zone).replace(tzinfo=None)
        assert one <= middle < one + timedelta(hours=hours)
        assert abs((bin_.start + counts.shift).astimezone(zone).replace(tzinfo=None) - one) <= HOUR


def test_a_file_that_cannot_be_read_does_not_read_as_calm(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("time;negative\n2026-01-01T00:00Z;1,5\n", encoding="utf-8")
    result = CliRunner().invoke(detect, [str(bad)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "commas" in result.stderr


def test_an_hour_that_the_clock_leaves_out_is_called_so(tmp_path):
    first = datetime(2026, 3, 28)  # noqa: DTZ001 - local times, as people write them
    rows = [f"{(first + place * HOUR).isoformat()},1" for place in range(60)]
    path = tmp_path / "utc.csv"
    path.write_text("time,negative\n" + "\n".join(rows), encoding="utf-8")
    with pytest.raises(InputError, match=r"29: the clocks of Europe/Berlin leave out 2026-03-29T02:00:00; .*--tz UTC"):
        bins_of(path, ZONE)
    assert len(bins_of(path, ZoneInfo("UTC")).bins) == 60


def test_a_thousand_million_mentions_an_hour_are_judged_like_a_hundred(tmp_path):
    seasons = np.random.default_rng(3).uniform(0.9, 1.1, 21 * 24)
    counts = [round(rate * 4e8) for rate in seasons]
    counts[20 * 24] *= 2
    found = incidents_of(write(tmp_path / "many.csv", counts), DetectorRules(zone="UTC"))
    assert [one.opened for one in found] == [START + (20 * 24 + 1) * HOUR]


def test_the_hour_an_autumn_night_has_twice_is_read_twice(tmp_path):
    hours = ["00", "01", "02", "02", "03", "04"]
    path = tmp_path / "autumn.csv"
    path.write_text("time,negative\n" + "\n".join(f"2026-10-25T{hour}:00:00,1" for hour in hours), encoding="utf-8")
    bins, _, _ = bins_of(path, ZONE)
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
        ("time,negative\n0001-01-01T00:00,1\n", 2, "cannot be meant"),
        ("time,negative\n9999-12-31T23:00-05:00,1\n", 2, "cannot be meant"),
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


def columns(path, rows, names="time,negative,total,reach"):
    lines = [f"{(START + place * HOUR).isoformat()},{','.join(map(str, row))}" for place, row in enumerate(rows)]
    path.write_text(names + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def ordinary(days=42):
    rng = np.random.default_rng(3)
    rows = []
    for hour in range(days * 24):
        total = int(rng.poisson(4 if 7 <= hour % 24 < 23 else 1))
        negative = int(rng.binomial(total, 0.2))
        rows.append((negative, total, 300 * negative))
    return rows


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ([(2, 2, 600)] * 6, "share"),
        ([(2, 60, 600)], "total"),
        ([(3, 5, 2_000_000)], "reach"),
        ([(0, 0, 0)] * 30, "silence"),
    ],
)
def test_the_columns_of_a_file_decide_which_kinds_are_watched(tmp_path, change, kind):
    rows = ordinary()
    at = 38 * 24 + 9
    rows[at : at + len(change)] = change
    found = incidents_of(columns(tmp_path / "a.csv", rows), DetectorRules(), every=True)
    assert kind in {one.kind for one in found if one.opened > START + at * HOUR}
    only = [(row[0],) for row in rows]
    found = incidents_of(columns(tmp_path / "b.csv", only, "time,negative"), DetectorRules(), every=True)
    assert {one.kind for one in found} <= {"negative"}


def test_a_bad_file_harms_no_other_and_is_told_with_its_line(tmp_path):
    good = write(tmp_path / "good.csv", weeks())
    bad = tmp_path / "bad.csv"
    bad.write_text("time,negative\n2026-01-01T00:00Z,1\n2026-01-01T01:00Z,nan\n", encoding="utf-8")
    result = CliRunner().invoke(detect, [str(bad), str(good), "--json"])
    assert result.exit_code == 2
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == [str(good)]
    assert "bad.csv:3" in result.stderr


def test_a_count_beyond_reason_is_a_mistake(tmp_path):
    path = tmp_path / "huge.csv"
    path.write_text("time,negative\n2026-01-01T00:00Z,1e300\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"huge\.csv:2"):
        bins_of(path, ZONE)


def test_a_file_is_drawn_with_its_band_and_its_incidents(tmp_path):
    file = write(tmp_path / "acme & sons.csv", weeks(), skip=range(300, 330))
    result = CliRunner().invoke(detect, [str(file), "--plot", str(tmp_path / "drawn")])
    assert result.exit_code == 0, result.output
    drawn = (tmp_path / "drawn" / "acme & sons.svg").read_text(encoding="utf-8")
    assert "acme &amp; sons.csv" in drawn
    assert drawn.count("<polygon") == 1
    assert 'fill="#e5e7eb"' in drawn
    assert "negative 4" in drawn or "negative 5" in drawn or "negative 3" in drawn


def test_pictures_of_one_name_do_not_hide_one_another(tmp_path):
    assert picture_names([tmp_path / "a" / "x.csv", tmp_path / "b" / "x.csv", tmp_path / "y.csv"]) == ["x", "x-2", "y"]
