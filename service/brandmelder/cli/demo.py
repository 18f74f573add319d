"""The command that shows a storm and its alert, without any account."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from brandmelder.cli import quiet_logs

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.option("--language", type=click.Choice(["de", "en"]), default="de", show_default=True, help="Of the alert.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Another seed tells another storm.")
@click.option("--fast", is_flag=True, help="Do not wait between the hours.")
@click.option("--keep", is_flag=True, help="Leave the blog and the newspaper running afterwards, until Ctrl-C.")
def demo(language: str, seed: int, *, fast: bool, keep: bool) -> None:
    """Show a storm and its alert, without any account.

    A server on 127.0.0.1 plays the blog of Nordfunk, an invented provider, and a newspaper, as WordPress and RSS speak.
    The real sources poll it, the real pipeline judges, counts and detects; eight quiet weeks are read first, then the
    evening on which a TV spot asks for mail. The hours run fast.
    """
    from rich.console import Console

    quiet_logs()
    console = Console(highlight=False)
    try:
        asyncio.run(_demo(console, language=language, seed=seed, fast=fast or not console.is_terminal, keep=keep))
    except KeyboardInterrupt:
        console.print("stopped")


async def _demo(console: Console, *, language: str, seed: int, fast: bool, keep: bool) -> None:
    from brandmelder.demo.play import Play

    play = Play(console, language=language, seed=seed)
    await play.run(is_paced=not fast, keep=keep)
