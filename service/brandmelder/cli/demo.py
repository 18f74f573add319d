"""The command that shows a storm and its alert, without any account."""

from __future__ import annotations

import asyncio
import os
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
@click.option("--slack", is_flag=True, help="Tell a real workspace as well: SLACK_BOT_TOKEN, _APP_TOKEN, _CHANNEL.")
def demo(language: str, seed: int, *, fast: bool, keep: bool, slack: bool) -> None:
    """Show a storm and its alert, without any account.

    A server on 127.0.0.1 plays the blog of Nordfunk, an invented provider, and a newspaper, as WordPress and RSS speak.
    The real sources poll it, the real pipeline judges, counts and detects; eight quiet weeks are read first, then the
    evening on which a TV spot asks for mail. The hours run fast; meanwhile the page in the browser shows the same.

    With --slack the alert also goes to a channel of yours, with buttons that work: set SLACK_BOT_TOKEN, SLACK_APP_TOKEN
    and SLACK_CHANNEL. The storm then takes some minutes, so that there is time to press them.
    """
    from rich.console import Console

    quiet_logs()
    console = Console(highlight=False)
    try:
        is_fast = fast or not (console.is_terminal or slack)
        asyncio.run(_demo(console, language=language, seed=seed, slack=slack, is_paced=not is_fast, keep=keep))
    except KeyboardInterrupt:
        console.print("stopped")


async def _demo(console: Console, *, language: str, seed: int, slack: bool, **how: bool) -> None:
    from brandmelder.demo.play import Play

    play = Play(console, language=language, seed=seed, slack=os.environ if slack else None)
    if how["is_paced"] or how["keep"]:  # else it is over before a browser has opened
        from brandmelder.web.opening import open_to_all

        play.page = open_to_all
    await play.run(**how)
