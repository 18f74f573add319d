"""What the service is made of: pinned by hashes, under licences we may ship, on a bill, in a bare container."""

from __future__ import annotations

import configparser
import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FREE = re.compile(
    r"\b(MIT|BSD|Apache|PSF|PSFL|ISC|0BSD|Zlib|CC0|MPL|Python Software Foundation|HPND|Dual License)\b", re.IGNORECASE
)
WEAK = {"recurring-ical-events": "LGPL-3.0-or-later", "x-wr-timezone": "LGPL-3.0-or-later"}
"""Weak copyleft, imported unchanged and only with the extra `calendars` (docs/decisions/0002-dependencies.md)."""
FORBIDDEN = re.compile(r"\bA?GPL|SSPL|BUSL|Commons Clause|Proprietary|Commercial", re.IGNORECASE)


@pytest.fixture(scope="module")
def sbom():
    spec = importlib.util.spec_from_file_location("sbom", ROOT / ".ci/sbom.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped():
    """Return the names of everything that an installation with every extra brings, as far as it is installed here."""
    wanted = [*PROJECT["dependencies"], *(one for extra in ("picture", "calendars", "transformer", "apprise")
              for one in PROJECT["optional-dependencies"][extra])]  # fmt: skip
    found, queue = {}, [Requirement(one) for one in wanted]
    while queue:
        asked = queue.pop()
        name = re.sub(r"[-_.]+", "-", asked.name).lower()
        if name in found or (asked.marker and not asked.marker.evaluate({"extra": ""})):
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        queue += [Requirement(one) for one in found[name].requires or ()]
    return found


def test_everything_that_is_shipped_has_a_licence_we_may_ship(sbom):
    assert len(shipped()) > 40
    wrong = {}
    for name in shipped():
        told = sbom.licence_of(name)
        is_free = FREE.search(told) and not FORBIDDEN.search(told)
        if not is_free and WEAK.get(name) != told:
            wrong[name] = told or "tells none"
    assert wrong == {}


def test_weak_copyleft_stays_in_its_extra():
    direct = {re.match(r"[a-z0-9-]+", line)[0] for line in PROJECT["dependencies"]}
    assert direct & WEAK.keys() == set()


def test_every_distribution_is_pinned_by_its_hashes_and_comes_from_the_index():
    for package in LOCK["package"]:
        if package["name"] == "brandmelder":
            continue
        assert package["source"].get("registry") == "https://pypi.org/simple", package["name"]
        files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert all(one["hash"].startswith("sha256:") for one in files)


def test_the_bill_of_materials_holds_everything_with_hashes_and_licences(sbom):
    if shutil.which("uv") is None and not (Path(sys.executable).parent / "uv").exists():
        if os.environ.get("CI"):
            pytest.fail("uv is missing")
        pytest.skip("uv is not installed")
    bill = sbom.bill()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    names = {one["name"] for one in bill["components"]}
    direct = {re.match(r"[A-Za-z0-9-]+", line)[0].lower() for line in PROJECT["dependencies"]}
    assert direct <= names
    locked = {(one["name"], one["version"]) for one in LOCK["package"] if "version" in one}
    for one in bill["components"]:
        assert (one["name"], one["version"]) in locked
        assert one["purl"].startswith("pkg:pypi/")
        assert one["externalReferences"][0]["hashes"][0]["alg"] == "SHA-256"
    unlicensed = [one["name"] for one in bill["components"] if "licenses" not in one and one["name"] in shipped()]
    assert unlicensed == []


def test_the_compose_file_gives_no_root_no_capability_and_no_writable_root():
    service = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))["services"]["brandmelder"]
    assert service["user"] == "65532:65532"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "ports" not in service
    writable = [one["target"] for one in service["volumes"] if not one.get("read_only")]
    assert writable == ["/var/lib/brandmelder"]
    assert "TOKEN" not in str(service.get("environment", ""))


def test_the_quadlet_does_the_same():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    text = (ROOT / "deploy/brandmelder.container").read_text("utf-8")
    unit.read_string(re.sub(r"^Volume=", "Volume_=", text, count=1, flags=re.MULTILINE))
    container = unit["Container"]
    assert (container["User"], container["ReadOnly"], container["DropCapability"]) == ("65532", "true", "ALL")
    assert container["NoNewPrivileges"] == "true"
    assert container["Volume_"].endswith(":ro,Z")


def test_every_test_that_the_table_of_requirements_names_is_there():
    table = (ROOT / "docs/reference/asvs.md").read_text("utf-8")
    named = set(re.findall(r"`((?:tests|bench|deploy)/[\w/.]+)`", table))
    assert len(named) > 40
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_no_requirement_is_claimed_twice():
    table = (ROOT / "docs/reference/asvs.md").read_text("utf-8")
    claimed = [number for row in re.findall(r"^\| ([\d., ³-]+) \|", table, flags=re.MULTILINE)
               for number in re.findall(r"\d+\.\d+\.\d+", row)]  # fmt: skip
    assert len(claimed) > 100
    assert sorted({one for one in claimed if claimed.count(one) > 1}) == []
