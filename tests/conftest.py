"""Continuous integration draws the same examples each time; elsewhere hypothesis searches anew at every run."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(autouse=True)
def _logs_as_a_new_process_has_them() -> Iterator[None]:
    """Commands set up the logs of their whole process; the next test must not inherit that."""
    yield
    structlog.reset_defaults()
