"""Commands about the channels: does each take what we send?"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import click

from brandmelder.cli import config_option
from brandmelder.cli.terminal import say

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from brandmelder.notify.compose import Context
    from brandmelder.notify.notifier import Notifier
    from brandmelder.settings import Settings


@click.command("send-test")
@config_option
@click.option("--channel", "only", metavar="NAME", help="Only this channel.")
@click.option("--live", is_flag=True, help="Also find, edit, answer and take away, and say what the place allows.")
def send_test(path: Path, only: str | None, *, live: bool) -> None:
    """Send a test message to every channel and say what became of it.

    With --live everything a delivery needs is tried and timed; do that in a channel for tests. Exit code 1 if one of
    them did not take it.
    """
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    if only is not None and only not in settings.channels:
        raise click.BadParameter(f"there is no channel {only!r}; there are {', '.join(settings.channels)}")
    failed = asyncio.run(_send_test(settings, only, live=live))
    raise SystemExit(1 if failed else 0)


async def _send_test(settings: Settings, only: str | None, *, live: bool) -> int:
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
                trouble = await (_try(notifier, context) if live else rehearse(notifier, context))
            finally:
                await notifier.close()
            for line in trouble:
                say(f"{settings.where('channels', ident)}: channel {ident!r}: {line}", to_stderr=True)
            if not trouble:
                click.echo(f"channel {ident!r}: delivered")
            failed += bool(trouble)
    finally:
        await reach.close()
    return failed


async def _try(notifier: Notifier, context: Context) -> list[str]:
    """Run the trial of one channel and print each step; returns what did not work."""
    from brandmelder.clock import SystemClock
    from brandmelder.pipeline.rehearse_live import Trial

    async def pause(span: timedelta) -> None:
        await asyncio.sleep(span.total_seconds())  # noqa: TID251 - a person watches; nothing here is due

    findings = await Trial(notifier, context, SystemClock(), pause=pause).run()
    for one in findings:
        took = "" if one.took is None else f"  {one.took.total_seconds():.2f} s"
        mark = "good" if one.is_good else "no  "
        say(f"{mark}  {notifier.id}: {one.step}{took}{f'  ({one.text})' if one.text else ''}")
    return [f"{one.step}: {one.text}" for one in findings if not one.is_good and not one.step.startswith("may ")]
