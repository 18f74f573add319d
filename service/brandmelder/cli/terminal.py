"""The one way out to a terminal for words that may be foreign: no escapes, no reordering, nothing unseen."""

from __future__ import annotations

import click

from brandmelder.notify.inert import visible


def plain(text: str) -> str:
    """Return text as a terminal may show it, its lines kept."""
    return "\n".join(visible(line) for line in text.split("\n"))


def say(text: str, *, to_stderr: bool = False) -> None:
    """Write a line that may hold foreign words."""
    click.echo(plain(text), err=to_stderr)
