"""The table of faults names tests and programs that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = (ROOT / "docs" / "reference" / "faults.md").read_text("utf-8")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`((?:tests|service|bench)/[^`]+)`", TABLE))))
def test_what_is_said_to_try_a_fault_is_there(named):
    file, _, test = named.partition("::")
    assert (ROOT / file).is_file()
    if test:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        functions = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert test in functions


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)`", TABLE))))
def test_what_is_to_be_made_can_be_made(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
