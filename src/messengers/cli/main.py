"""The command line as a whole: every command by its name, and how they fail."""

import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from messengers import __version__
from messengers.cli.approve import approve
from messengers.cli.backup import backup
from messengers.cli.chats import chats
from messengers.cli.demo import demo
from messengers.cli.doctor import doctor
from messengers.cli.install.command import install, uninstall
from messengers.cli.instances import instances
from messengers.cli.keys import keys
from messengers.cli.logs import logs
from messengers.cli.serve import serve
from messengers.cli.status import status
from messengers.cli.stdio import main as pump
from messengers.cli.stop import stop
from messengers.cli.terminal import tell
from messengers.errors import MessengersError

__all__ = ["app"]


class _Commands(TyperGroup):
    """Every error of ours ends as cause and remedy, exit code 1; misuse is 2, from the parser."""

    def invoke(self, ctx: typer.Context) -> object:
        try:
            return super().invoke(ctx)
        except MessengersError as exc:
            tell(exc)
            raise typer.Exit(1) from exc


app = typer.Typer(
    name="messengers",
    cls=_Commands,
    help="Every messenger for AI agents, through one small set of MCP tools.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with locals would show what redaction keeps out of the log.
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"messengers {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it and end.")
    ] = False,
) -> None:
    """Every messenger for AI agents, through one small set of MCP tools."""


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def stdio(arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
    """Serve MCP on stdin and stdout, for MCP clients. `messengers stdio --help` has more."""
    sys.exit(pump(arguments or []))


app.command()(demo)
app.command()(install)
app.command()(uninstall)
app.add_typer(instances)
app.command()(approve)
app.add_typer(chats)
app.add_typer(keys)
app.command()(status)
app.command()(logs)
app.command()(doctor)
app.command()(backup)
app.command()(serve)
app.command()(stop)
