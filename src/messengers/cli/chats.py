"""`messengers chats`: standing answers, and the owner's own names for chats."""

from typing import Annotated

import typer
from pydantic import TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import AsJson, Home, data, require_person, rows, say
from messengers.models import Chat, Decision

__all__ = ["chats"]

chats = typer.Typer(
    name="chats",
    no_args_is_help=True,
    help="Chats with a standing answer, and your names for chats.",
)

_CHAT, _CHATS = TypeAdapter(Chat), TypeAdapter(list[Chat])
Which = Annotated[str, typer.Argument(metavar="CHAT", help="Its id, number, handle or name.")]


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
