"""`messengers dead-letters`: what arrived and could not be understood."""

from typing import Annotated

import typer
from pydantic import BaseModel, TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import AsJson, Home, data, local_time, rows, say
from messengers.core.letters import DeadLetter, Replayed
from messengers.core.words import counted

__all__ = ["dead_letters"]

dead_letters = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    add_completion=False,
    help="What arrived and could not be understood: kept, shown, tried again.",
)


class _Page(BaseModel):
    items: list[DeadLetter]
    cursor: str = ""


_PAGE, _LETTER = TypeAdapter(_Page), TypeAdapter(DeadLetter)
_REPLAYED = TypeAdapter(Replayed)


@dead_letters.command("list")
def list_letters(
    instance: Annotated[str, typer.Option(help="Only this instance.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    cursor: Annotated[str, typer.Option(help="From the last answer.")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest of them."""
    page = ask(
        "GET",
        "/dead-letters",
        _PAGE,
        home=home,
        instance=instance,
        limit=str(limit),
        cursor=cursor,
    )
    if as_json:
        data(page)
    elif page.items:
        rows(
            ("id", "instance", "kind", "received", "error"),
            [
                (each.id, each.instance, each.kind, local_time(each.received_at), each.error)
                for each in page.items
            ],
        )
        say(*([f"more: --cursor {page.cursor}"] if page.cursor else []))
    else:
        say("Everything that arrived was understood.")


@dead_letters.command()
def show(
    letter: Annotated[str, typer.Argument(help="Its id.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show one with what it holds, as the messenger sent it."""
    found = ask("GET", f"/dead-letters/{segment(letter)}", _LETTER, home=home)
    if as_json:
        data(found)
        return
    say(
        f"{found.id} · {found.instance} · {found.kind} · {local_time(found.received_at)}",
        f"  {counted(found.attempts, 'attempt')}: {found.error}",
        found.payload,
    )


@dead_letters.command()
def replay(
    letter: Annotated[str, typer.Argument(help="Its id, or `all`.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Try one again, or all: after an update, say. Exit code 1: it is still not understood."""
    done = ask("POST", f"/dead-letters/{segment(letter)}/replay", _REPLAYED, {}, home=home)
    if as_json:
        data(done)
    else:
        say(f"{counted(done.understood, 'event')} understood.")
        if done.waiting:
            say(f"{counted(done.waiting, 'event')} still to be tried.")
        if done.dead:
            say(f"Still not understood: {', '.join(done.dead)}. {done.error}")
    if done.dead:
        raise typer.Exit(1)
