"""`messengers install` and `uninstall`: our entry in the configs of MCP clients."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from messengers.cli.control import place_of
from messengers.cli.install import changes, places
from messengers.cli.install.changes import Change
from messengers.cli.install.clients import CLIENTS, client_of
from messengers.cli.install.entries import KEY_VARIABLE, Launch, Transport
from messengers.cli.terminal import Home, misused, say, tell
from messengers.core.words import counted
from messengers.errors import MessengersError, NotReady
from messengers.home import VARIABLE, default_home
from messengers.lock import recorded
from messengers.settings import Settings

__all__ = ["install", "own_launch", "uninstall"]

_ALL = "all"
_PATHS: dict[Transport, str] = {"stdio": "", "http": "/mcp", "sse": "/sse"}
Clients = Annotated[
    list[str] | None, typer.Argument(help="Clients by name; `all` means those found here.")
]
ClientOption = Annotated[
    list[str] | None, typer.Option("--client", help="The same as an option; may be repeated.")
]
Name = Annotated[str, typer.Option(help="What the server is called in the client.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, change nothing.")]
EditFile = Annotated[
    bool, typer.Option("--edit-file", help="Edit the file even where the client has a command.")
]


def install(
    clients: Clients = None,
    client: ClientOption = None,
    transport: Annotated[Transport, typer.Option(help="How the client reaches us.")] = "stdio",
    name: Name = "messengers",
    print_for: Annotated[
        str, typer.Option("--print", metavar="CLIENT", help="Show this client's config, no more.")
    ] = "",
    command: Annotated[
        str, typer.Option(help="With --print: the command to show, e.g. `messengers`.")
    ] = "",
    dry_run: DryRun = False,
    edit_file: EditFile = False,
    verify: Annotated[bool, typer.Option(help="Start the entry and list its tools.")] = True,
    home: Home = None,
) -> None:
    """Set MCP clients up to use Messengers. Shows the change, backs the config up, then checks.

    No secret is written: over HTTP the config names MESSENGERS_API_KEY, an environment variable.
    """
    launch = own_launch(home)
    url = "" if transport == "stdio" else _base_url(home) + _PATHS[transport]
    if print_for:
        shown = Launch(command) if command else launch
        entry = changes.entry_for(print_for, transport, shown, url)
        typer.echo(changes.document(print_for, transport, name, entry), nl=False)
        return
    keys = _chosen([*(clients or []), *(client or [])])
    failed = False
    for key in keys:
        try:
            entry = changes.entry_for(key, transport, launch, url)
            change = changes.plan_install(key, transport, name, entry, edit_file=edit_file)
            _make(change, dry_run=dry_run)
            if change.client.note:
                say(f"  {change.client.note}")
        except MessengersError as exc:
            tell(exc)
            failed = True
    if failed:
        raise typer.Exit(1)
    if verify and not dry_run:
        _verify(launch, transport, url)


def uninstall(
    clients: Clients = None,
    client: ClientOption = None,
    name: Name = "messengers",
    dry_run: DryRun = False,
    edit_file: EditFile = False,
) -> None:
    """Take Messengers out of MCP clients: our own entry and nothing else."""
    failed = False
    for key in _chosen([*(clients or []), *(client or [])]):
        try:
            _make(changes.plan_uninstall(key, name, edit_file=edit_file), dry_run=dry_run)
        except MessengersError as exc:
            tell(exc)
            failed = True
    if failed:
        raise typer.Exit(1)


def own_launch(home: Path | None) -> Launch:
    """How a client starts this very installation, from any directory and environment."""
    place = place_of(home)
    env = {} if str(place) == default_home() else {VARIABLE: str(place)}
    script = Path(sys.executable).with_name("messengers")
    if script.is_file() and os.access(script, os.X_OK):
        return Launch(str(script), env=env)
    return Launch(sys.executable, ("-m", "messengers", "stdio"), env)


def _chosen(names: Sequence[str]) -> list[str]:
    if not names:
        found = ", ".join(places.installed()) or "none"
        misused("Name a client, or `all`.", f"Found here: {found}. Known: {', '.join(CLIENTS)}.")
    if _ALL not in names:
        for key in names:
            client_of(key)
        return list(dict.fromkeys(names))
    editable = [key for key in places.installed() if CLIENTS[key].family != "yaml"]
    if not editable:
        raise NotReady(
            "No MCP client was found here.", "`messengers install --print CLIENT` shows its config."
        )
    return editable


def _make(change: Change, *, dry_run: bool) -> None:
    title = change.client.title
    if not change.is_needed:
        state = "is set up already" if change.new is not None else "has nothing of ours"
        say(f"{title} {state} ({change.file}).")
        return
    say(f"{title}:")
    for line in change.commands:
        say(f"  $ {shlex.join(line)}")
    say(*changes.diff(change).splitlines())
    if dry_run:
        say("  Nothing was changed: this was a dry run.")
        return
    copy = changes.apply(change)
    say(f"  Written to {change.file}." + (f" Before: {copy}" if copy else ""))


def _verify(launch: Launch, transport: Transport, url: str) -> None:
    # Here, because it loads the SDK.
    from messengers.cli.install import verification

    if transport == "stdio":
        tools = verification.tools_of(launch)
        say(f"Checked: it starts and offers {counted(len(tools), 'tool')}.")
        return
    say(
        f"The config names the variable {KEY_VARIABLE}; the client needs it in its environment:",
        f'  export {KEY_VARIABLE}="$(messengers keys create NAME)"',
    )
    if verification.reachable(url):
        say(f"Checked: a daemon answers at {url}.")
    else:
        raise NotReady(f"No daemon answers at {url}.", "Over HTTP it must run: `messengers serve`.")


def _base_url(home: Path | None) -> str:
    """Where the running daemon is reached, else where one would be."""
    running = recorded(place_of(home)).get("url")
    if isinstance(running, str) and running:
        return running
    return f"http://127.0.0.1:{Settings.load(home=home).port}"
