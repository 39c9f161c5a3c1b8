"""The command line as a whole: every command by its name, loaded when it is asked for.

Most of a command's time is what it imports, and no command needs what all of them do.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated, cast

import typer
from typer.core import TyperGroup

from messengers import __version__
from messengers.cli.terminal import tell
from messengers.errors import MessengersError

__all__ = ["COMMANDS", "app", "stdio"]

COMMANDS: Mapping[str, str] = {
    "demo": "messengers.cli.demo:demo",
    "install": "messengers.cli.install.command:install",
    "uninstall": "messengers.cli.install.command:uninstall",
    "instances": "messengers.cli.instances:instances",
    "approve": "messengers.cli.approve:approve",
    "chats": "messengers.cli.chats:chats",
    "access": "messengers.cli.access:access",
    "bulk": "messengers.cli.bulk:bulk",
    "optout": "messengers.cli.optout:optout",
    "keys": "messengers.cli.keys:keys",
    "webhooks": "messengers.cli.webhooks:webhooks",
    "dead-letters": "messengers.cli.dead_letters:dead_letters",
    "audit": "messengers.cli.audit:audit",
    "status": "messengers.cli.status:status",
    "logs": "messengers.cli.logs:logs",
    "doctor": "messengers.cli.doctor:doctor",
    "backup": "messengers.cli.backup:backup",
    "restore": "messengers.cli.restore:restore",
    "rotate-key": "messengers.cli.rotate_key:rotate_key",
    "rebuild": "messengers.cli.rebuild:rebuild",
    "serve": "messengers.cli.serve:serve",
    "stdio": "messengers.cli.main:stdio",
    "stop": "messengers.cli.stop:stop",
}
"""In the order of `--help`."""
_RAW: dict[str, object] = {"ignore_unknown_options": True, "help_option_names": []}
"""stdio parses its own arguments, without any of these libraries."""


class _Commands(TyperGroup):
    """Loads a command by name.

    Every error of ours ends as cause and remedy, exit code 1. Misuse is 2: the parser says so.
    """

    def list_commands(self, ctx: object) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]  # typer keeps the type to itself
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        found: typer.Typer | Callable[..., None] = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        single = typer.Typer(add_completion=False)
        single.command(cmd_name, context_settings=_RAW if cmd_name == "stdio" else None)(found)
        return typer.main.get_command(single)

    def invoke(self, ctx: object) -> object:
        try:
            # Its parent's parameter has a type that typer keeps to itself.
            return super().invoke(cast("typer.Context", ctx))
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


def stdio(arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
    """Serve MCP on stdin and stdout, for MCP clients. `messengers stdio --help` has more."""
    from messengers.cli.stdio import main

    sys.exit(main(arguments or []))
