"""Why there was no answer, for a person: the name of the error, and what to look at."""

from __future__ import annotations

from typing import Final

_WHAT: Final = (
    ("Cert", "its certificate does not fit its name, or nobody we know has signed it"),
    ("gaierror", "its name has no address here: look at the DNS"),
    ("DNS", "its name has no address here: look at the DNS, and at this machine's way out"),
    ("Refused", "nothing listens there: is it up, are address and port right?"),
    ("SSL", "no TLS is spoken there: is the port right?"),
    ("Timeout", "no answer in time: is there a firewall between?"),
    ("ConnectorError", "no way there: is it up, may this machine reach it?"),
)
"""By what the name of an error's class holds; the first that matches."""


def named(error: Exception) -> str:
    """Return the name of an error with what to look at; never its own words, which may be foreign."""
    name = type(error).__name__
    what = next((what for part, what in _WHAT if part in name), "")
    return f"{name} ({what})" if what else name
