"""`messengers status`: whether the daemon runs, and how everything fares."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import typer
from pydantic import BaseModel, TypeAdapter

from messengers.cli.control import ask, place_of
from messengers.cli.remedies import at_terminal
from messengers.cli.terminal import AsJson, Home, data, local_time, rows, say
from messengers.core.views import InstanceView
from messengers.core.words import counted
from messengers.lock import is_held

__all__ = ["STATUS", "Status", "show_instances", "status"]


class Status(BaseModel):
    """What the daemon says of itself."""

    version: str
    pid: int
    since: datetime
    url: str
    well: bool
    database_bytes: int
    approvals_waiting: int
    dead_letters: int = 0
    instances: list[InstanceView]
    settings: Mapping[str, Any]


STATUS = TypeAdapter(Status)


def status(home: Home = None, as_json: AsJson = False) -> None:
    """Show whether the daemon runs, its address and every instance. Exit code 1: none runs."""
    place = place_of(home)
    if not is_held(place):
        if as_json:
            data({"running": False, "home": place})
        else:
            say(f"No daemon runs for {place}.", "An MCP client or `messengers serve` starts it.")
        raise typer.Exit(1)
    found = ask("GET", "/status", STATUS, home=home, start=False)
    if as_json:
        data({"running": True, "home": place, **found.model_dump()})
        return
    say(
        f"Messengers {found.version} runs as process {found.pid} since {local_time(found.since)}.",
        f"  address   {found.url}",
        f"  data      {place} ({found.database_bytes / 1e6:.1f} MB)",
    )
    if not found.well:
        say("  It is not well: `messengers logs` tells why.")
    if found.approvals_waiting:
        waiting = counted(found.approvals_waiting, "approval")
        say(f"  {waiting} waiting for you: `messengers approve`")
    if found.dead_letters:
        kept = counted(found.dead_letters, "event")
        say(f"  {kept} that could not be understood: `messengers dead-letters list`")
    if not found.instances:
        say("  No instances yet: `messengers instances add webchat NAME` makes the first.")
        return
    say("")
    show_instances(found.instances)


def show_instances(views: list[InstanceView]) -> None:
    """One line an instance."""
    rows(
        ("instance", "provider", "state", "page or next step"),
        [
            (
                view.instance.name,
                view.instance.provider,
                view.health.lifecycle.value,
                at_terminal(view.next_step) or view.page,
            )
            for view in views
        ],
    )
