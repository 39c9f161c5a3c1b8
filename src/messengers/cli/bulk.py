"""`messengers bulk`: what agents send to many at once, and what waits for its time."""

from typing import Annotated

import typer
from pydantic import TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import AsJson, Home, data, local_time, rows, say
from messengers.core.batch_views import Action, Batch

__all__ = ["bulk"]

bulk = typer.Typer(
    name="bulk",
    no_args_is_help=True,
    add_completion=False,
    help="What goes to many at once, and messages that wait for their time.",
)
_BATCH, _BATCHES = TypeAdapter(Batch), TypeAdapter(list[Batch])
Which = Annotated[str, typer.Argument(help="Its id, e.g. b3.")]


@bulk.command("list")
def list_batches(home: Home = None, as_json: AsJson = False) -> None:
    """Show what waits for its time, and the last bulk sends."""
    found = ask("GET", "/batches", _BATCHES, home=home)
    if as_json:
        data(found)
    elif found:
        rows(("id", "instance", "state", "time", "recipients"), [_line(each) for each in found])
    else:
        say("Nothing waits for its time, and nothing was sent in bulk.")


@bulk.command()
def show(batch: Which, home: Home = None, as_json: AsJson = False) -> None:
    """Show one, and what became of it for each recipient."""
    found = ask("GET", f"/batches/{segment(batch)}", _BATCH, home=home)
    if as_json:
        data(found)
        return
    _tell(found)
    lines = [
        (str(each.position), each.chat, each.message, each.outcome, each.delivery, each.why)
        for each in found.recipients
    ]
    rows(("", "chat", "message", "outcome", "delivery", "why"), lines)


@bulk.command()
def pause(batch: Which, home: Home = None) -> None:
    """Stop one for now; at most the message under way still leaves."""
    _move(batch, "pause", home)


@bulk.command()
def resume(batch: Which, home: Home = None) -> None:
    """Let a paused one go on."""
    _move(batch, "resume", home)


@bulk.command()
def cancel(batch: Which, home: Home = None) -> None:
    """End one for good: what has not left is not sent."""
    _move(batch, "cancel", home)


def _move(batch: str, action: Action, home: Home) -> None:
    _tell(ask("POST", f"/batches/{segment(batch)}", _BATCH, {"action": action}, home=home))


def _tell(batch: Batch) -> None:
    said = f"{batch.id} ({batch.instance}): {batch.state}, {_counts(batch)}."
    say(f"{said} {batch.reason}".rstrip())


def _line(batch: Batch) -> tuple[str, ...]:
    time = local_time(batch.send_at or batch.created_at)
    return batch.id, batch.instance, batch.state, time, _counts(batch)


def _counts(batch: Batch) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in sorted(batch.counts.items()))
