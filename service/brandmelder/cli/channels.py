"""Commands about the channels: does each take what we send?"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import click

from brandmelder.cli import config_option

if TYPE_CHECKING:
    from pathlib import Path

    from brandmelder.settings import Settings


@click.command("send-test")
@config_option
@click.option("--channel", "only", metavar="NAME", help="Only this channel.")
def send_test(path: Path, only: str | None) -> None:
    """Send a test message to every channel and say what became of it.

    Exit code 1 if one of them did not take it.
    """
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    if only is not None and only not in settings.channels:
        raise click.BadParameter(f"there is no channel {only!r}; there are {', '.join(settings.channels)}")
    failed = asyncio.run(_send_test(settings, only))
    raise SystemExit(1 if failed else 0)


async def _send_test(settings: Settings, only: str | None) -> int:
    from brandmelder import wiring
    from brandmelder.clock import SystemClock
    from brandmelder.notify.compose import Context
    from brandmelder.pipeline.rehearse import rehearse

    context = Context(brand=settings.brand, language=settings.language, zone=settings.zone, now=SystemClock().now())
    failed = 0
    reach = wiring.outside()
    try:
        for ident, notifier in wiring.build_notifiers(settings, reach).items():
            if only is not None and ident != only:
                continue
            try:
                trouble = await rehearse(notifier, context)
            finally:
                await notifier.close()
            for line in trouble:
                click.echo(f"{settings.where('channels', ident)}: channel {ident!r}: {line}", err=True)
            if not trouble:
                click.echo(f"channel {ident!r}: delivered")
            failed += bool(trouble)
    finally:
        await reach.close()
    return failed
