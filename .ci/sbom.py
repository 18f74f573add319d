"""Write a bill of materials of what is shipped: every distribution with version, hashes and licence, as CycloneDX 1.5.

What is in it comes from uv.lock (uv export), licences from the metadata of what is installed here.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("picture", "calendars")
"""Those that the container has, too."""
_CLASSIFIED = "License :: OSI Approved :: "
KNOWN = {"resvg-py": "MPL-2.0", "feedparser-sgmllib": "PSF-2.0"}
"""Licences that a distribution tells nowhere in its metadata; read in its repository."""


def bill() -> dict[str, object]:
    """Return the bill. Raises RuntimeError if uv is not there."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise RuntimeError("uv is not on the path; run make sbom")
    options = [f"--extra={one}" for one in EXTRAS]
    command = [uv, "export", "--quiet", "--frozen", "--no-dev", "--format", "cyclonedx1.5", *options]
    command += ["--preview-features", "sbom-export"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 -- our own words
    made: dict[str, object] = json.loads(done.stdout)
    for part in made["components"]:  # type: ignore[attr-defined] # CycloneDX
        licence = licence_of(part["name"])
        if licence:
            part["licenses"] = [{"license": {"name": licence}}]
    return made


def licence_of(name: str) -> str:
    """Return the licence that a distribution tells of itself, empty if it tells none or is not installed."""
    try:
        told = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return KNOWN.get(name, "")
    classified = [
        one.removeprefix(_CLASSIFIED) for one in told.get_all("Classifier", []) if one.startswith(_CLASSIFIED)
    ]
    written = (told["License"] or "").partition("\n")[0][:60] if "License" in told else ""
    return told["License-Expression"] or written or ", ".join(classified) or KNOWN.get(name, "")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill(), indent=2) + "\n", encoding="utf-8")
    print(f"written to {target}")  # noqa: T201 -- a script
