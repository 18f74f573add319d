"""Continuous integration draws the same examples each time; elsewhere hypothesis searches anew at every run."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
