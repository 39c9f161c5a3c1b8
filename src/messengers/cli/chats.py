"""`messengers chats`: which there are, standing answers, and the owner's own names for them."""

from typing import Annotated

import typer
from pydantic import TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import AsJson, Home, data, local_time, require_person, rows, say
from messengers.models import Chat, Decision

__all__ = ["chats"]

chats = typer.Typer(
    name="chats",
    no_args_is_help=True,
    add_completion=False,
    help="Your chats, your standing answers for them, and your names for them.",
)

_CHAT, _CHATS = TypeAdapter(Chat), TypeAdapter(list[Chat])
Which = Annotated[str, typer.Argument(help="Its id, number, handle or name.")]


@chats.command("list")
def list_chats(home: Home = None, as_json: AsJson = False) -> None:
    """Show the chats that agents may always or never write to."""
    found = ask("GET", "/chats/decided", _CHATS, home=home)
    if as_json:
        data(found)
        return
    if not found:
        say("No chat has a standing answer: each one is asked about where the policy says so.")
        return
    rows(
        ("answer", "chat", "name", "instance"),
        [(chat.decision or "", chat.id, chat.name, chat.instance) for chat in found],
    )


@chats.command()
def find(
    name: Annotated[str, typer.Argument(help="A part of its name; none: the newest.")] = "",
    instance: Annotated[str, typer.Option(help="Only of this instance.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show chats with their ids, newest first."""
    found = ask("GET", "/chats", _CHATS, home=home, query=name, instance=instance, limit=str(limit))
    if as_json:
        data(found)
        return
    if not found:
        say("No chat fits that." if name or instance else "No one has written yet.")
        return
    rows(
        ("chat", "name", "instance", "kind", "last message", "answer"),
        [
            (
                chat.id,
                chat.name,
                chat.instance,
                chat.kind,
                local_time(chat.last_message_at) if chat.last_message_at else "",
                chat.decision or "",
            )
            for chat in found
        ],
    )


@chats.command()
def always(chat: Which, home: Home = None) -> None:
    """Let agents write to a chat without asking."""
    # An agent's own shell must not open the door that the agent stands before.
    require_person("Letting agents write without asking")
    _stand(chat, "always", home)


@chats.command()
def never(chat: Which, home: Home = None) -> None:
    """Keep agents from writing to a chat."""
    _stand(chat, "never", home)


@chats.command()
def revoke(chat: Which, home: Home = None) -> None:
    """Take a standing answer back: the next message is asked about again."""
    require_person("Taking a standing answer back")
    _stand(chat, None, home)


@chats.command()
def alias(
    chat: Which,
    name: Annotated[str, typer.Argument(help="Your name for it; empty takes it away.")],
    home: Home = None,
) -> None:
    """Give a chat your own name, by which agents may then find it to write to."""
    # A stranger's chat under the name of somebody known would get what is meant for the other.
    require_person("Naming a chat for agents to write to")
    found = ask("PUT", f"/chats/{segment(chat)}/alias", _CHAT, {"alias": name}, home=home)
    say(f"{found.id} is called {found.name}.")


def _stand(chat: str, decision: Decision | None, home: Home) -> None:
    path = f"/chats/{segment(chat)}/decision"
    found = ask("PUT", path, _CHAT, {"decision": decision}, home=home)
    answer = found.decision or "ask by policy"
    say(f"{found.id} {found.name} ({found.instance}): {answer}.")
