"""Real servers for whole runs: absent packages are a visible skip on a desk and a failure in CI."""

from __future__ import annotations

import os

import pytest

from peers.wordpress import WordPress, missing_packages


@pytest.fixture(scope="module")
def wordpress():
    missing = missing_packages()
    if missing:
        text = f"not installed: {', '.join(missing)}; apt-get install --no-install-recommends {' '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    with WordPress() as site:
        yield site
