"""The command line. One file per group of commands; heavy imports live in the function that needs them."""

from __future__ import annotations

import difflib
import errno
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from brandmelder.pipeline.staff import Actor
    from brandmelder.settings import Settings
    from brandmelder.store.database import Database

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_WHOLE = 400
DEFAULT_CONFIG = Path("config/brandmelder.yaml")
CONFIG_VARIABLE = "BRANDMELDER_CONFIG"

_COMMANDS = {
    "demo": ("demo:demo", "Show a storm and its alert, without any account."),
    "init": ("configuration:init", "Write a commented configuration to start from."),
    "check": ("configuration:check", "Check the configuration; --live also polls every source once."),
    "doctor": ("doctor:doctor", "Say what is wrong with this installation, and what to do."),
    "run": ("service:run", "Run the service."),
    "sources": ("sources:sources", "Show how each source is, and what its budget has left."),
    "preview": ("preview:preview", "Show what a query would have matched in the last day."),
    "import": ("imports:import_", "Read a file as the history of a source."),
    "backtest": ("backtest:backtest", "Replay mentions from a file; nothing is sent."),
    "detect": ("detect:detect", "Run the detector over counts in CSV files."),
    "oncall": ("oncall:oncall", "Show who is on call; stand in for somebody; show how long people rested."),
    "silence": ("silence:silence", "Keep people from being told for a while: add, list, expire."),
    "incidents": ("incidents:incidents", "List, show, acknowledge and end incidents."),
    "audit": ("audit:audit", "Show who did what; check that nothing was altered; export it."),
    "privacy": ("privacy:privacy", "Say what is stored of a person; have it forgotten."),
    "report": ("report:report", "Write reports: of an incident, of what makes too much noise."),
    "export": ("export:export", "Write mentions or incidents as CSV that is safe to open in a spreadsheet."),
    "marked": ("marked:marked", "Mark periods as not normal: nothing is learnt from them."),
    "token": ("token:token", "Let programs use the API: create, list and revoke tokens."),
    "deliveries": ("deliveries:deliveries", "Show what waits to be told and what no channel took."),
    "account": ("account:account", "Say who may sign in on the page: add, role, password, remove, list."),
    "judge": ("judge:judge", "Judge JSON lines: what they say of the brand, how surely, and why."),
    "label": ("label:label", "Teach the judge with labels of the brand."),
    "send-test": ("channels:send_test", "Send a test message to every channel."),
    "recount": ("service:recount", "Rebuild all counts from mentions and verdicts."),
    "backup": ("backup:backup", "Write a checked copy of the database while the service runs."),
    "restore": ("backup:restore", "Put such a copy in the place of the database."),
    "migrate": ("service:migrate", "Bring an older database to this version."),
    "health": ("service:health", "Say whether the service makes progress (exit code 0 or 1)."),
    "schema": ("configuration:schema", "Print the JSON schema of the configuration."),
}


class Commands(click.Group):
    """Loads a command when it is asked for, and prints our errors as one clear line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which one needs them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"brandmelder.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for; of a misspelt one name the nearest."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "see: brandmelder --help"
            ctx.fail(f"there is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours becomes its sentence and its exit code."""
        try:
            return super().invoke(ctx)
        except BrandmelderError as error:
            from brandmelder.cli.terminal import say

            say(str(error), to_stderr=True)  # servers have a say in some of them
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            click.echo(f"cannot write: {error.strerror}; make room there, then repeat the command", err=True)
            ctx.exit(1)


class Group(click.Group):
    """Lists its commands with their whole first sentence, however many lines that takes."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        found = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(_WHOLE)) for name, command in found])


def config_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option `--config FILE`, else what BRANDMELDER_CONFIG names; the function receives `path`."""
    return click.option(
        "--config",
        "path",
        type=click.Path(path_type=Path, readable=False),  # what is wrong with the file is told with its remedy
        envvar=CONFIG_VARIABLE,
        show_envvar=True,
        default=DEFAULT_CONFIG,
        show_default=True,
        metavar="FILE",
        help="The configuration.",
    )(function)


def incident_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument ID, the number of an incident; typed on a phone it may be small letters."""
    return click.argument("ident", metavar="ID", callback=lambda _context, _parameter, value: value.upper())(function)


def existing_database(settings: Settings) -> Database:
    """Open the database that the service wrote. Raises StoreError if there is none: an empty new one would lie."""
    import structlog

    from brandmelder.errors import StoreError
    from brandmelder.store.database import Database

    require_file(settings)
    # What a reader says of a row must not stand among the lines that another program reads.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    database = Database(settings.database)
    try:
        database.prepare()
    except StoreError:
        database.close()
        raise
    return database


def require_file(settings: Settings) -> None:
    """Refuse to go on with a new, empty database where an old one is meant. Raises StoreError."""
    from brandmelder.errors import StoreError
    from brandmelder.store.database import path_of

    path = path_of(settings.database)
    if path is None or not path.exists():
        where = "in memory" if path is None else path.absolute()
        raise StoreError(f"there is no database {where}; run the service first, or go to the directory it runs in")


def acting(name: str | None = None) -> Actor:
    """Return who acts by command: the name they give, else that of their login, and the login itself."""
    import getpass

    from brandmelder.pipeline.staff import Actor

    login = getpass.getuser()
    return Actor(name=name or login, login=login)


def quiet_logs() -> None:
    """Let only errors through: for commands that speak to a person themselves."""
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all is well, 1 it did not work, 2 the input or the configuration is wrong. "
    "Begin with: brandmelder demo",
)
@click.version_option(package_name="brandmelder")
def main() -> None:
    """A fire alarm for brands.

    Tells the people on call, in chat and within minutes, that negative mentions are spiking: how many, against what
    is usual, where, what about, and who is on it.
    """
