"""The plug-in of the how-to page: installed as a package of its own, it passes the suite and is known by its type."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/plug-in.md").read_text("utf-8")
CONFIG = """\
brand: Nordfunk
sources:
  place: {type: shouts, url: "https://shouts.example"}
monitors:
  nordfunk: {query: nordfunk}
channels:
  console: {type: console}
alerts:
  - {monitors: all, to: [console]}
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A folder that holds the package as pip would install it, and its tests."""
    folder = tmp_path_factory.mktemp("plug-in")
    source, suite = blocks("python")
    (folder / "brandmelder_shouts.py").write_text(source, "utf-8")
    info = folder / "brandmelder_shouts-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brandmelder-shouts\nVersion: 1.0\n")
    (entry,) = re.findall(r'\[project.entry-points."brandmelder.sources"\]\n(.*?)\n', blocks("toml")[0])
    name, target = entry.replace('"', "").split(" = ")
    (info / "entry_points.txt").write_text(f"[brandmelder.sources]\n{name} = {target}\n")
    (folder / "test_shouts.py").write_text(f"from brandmelder_shouts import *\n{suite}", "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    (folder / "brandmelder.yaml").write_text(CONFIG)
    return folder


def run(house, *words):
    path = os.pathsep.join([str(house), str(ROOT / "service")])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *words], cwd=house, env=environment, capture_output=True, text=True, timeout=180, check=False
    )


def test_it_passes_the_suite(house):
    result = run(house, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shouts.py")
    assert result.returncode == 0, result.stdout[-3000:]
    assert re.search(r"\d\d passed", result.stdout)


def test_its_type_is_known(house):
    assert run(house, "-m", "brandmelder", "check", "--config", "brandmelder.yaml").returncode == 0
    assert '"shouts"' in run(house, "-m", "brandmelder", "schema").stdout
