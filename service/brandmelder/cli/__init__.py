"""The command line. One file per group of commands; heavy imports live in the function that needs them."""

from __future__ import annotations

import click


@click.group()
@click.version_option(package_name="brandmelder")
def main() -> None:
    """Tell on-call communications staff, within minutes, that negative mentions are spiking."""
