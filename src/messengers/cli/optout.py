"""`messengers optout`: people whom no bulk send reaches."""

from typing import Annotated

import typer
from pydantic import TypeAdapter

from messengers.cli.control import ask
from messengers.cli.terminal import AsJson, Home, data, local_time, require_person, rows, say
from messengers.core.batch_views import OptOut

__all__ = ["optout"]

optout = typer.Typer(
    name="optout",
    no_args_is_help=True,
    add_completion=False,
    help="People whom no bulk send reaches.",
)
_LIST, _SUBJECTS = TypeAdapter(list[OptOut]), TypeAdapter(list[str])
Who = Annotated[str, typer.Argument(help="A number with + and country code, @handle or chat id.")]
Of = Annotated[str, typer.Option("--instance", help="Only for this instance.")]


@optout.command("list")
def list_opt_outs(home: Home = None, as_json: AsJson = False) -> None:
    """Show who is on the list."""
    found = ask("GET", "/opt-outs", _LIST, home=home)
    if as_json:
        data(found)
    elif found:
        lines = [(each.subject, each.instance or "all", local_time(each.since)) for each in found]
        rows(("who", "instance", "since"), lines)
    else:
        say("Nobody opted out.")


@optout.command()
def add(who: Who, instance: Of = "", home: Home = None) -> None:
    """Keep bulk sends from somebody."""
    body = {"who": who, "instance": instance}
    said = ask("POST", "/opt-outs", _SUBJECTS, body, home=home)
    say(f"No bulk send reaches {', '.join(said)} any more.")


@optout.command()
def remove(who: Who, instance: Of = "", home: Home = None) -> None:
    """Let bulk sends reach somebody again."""
    # Somebody asked not to be written to: no agent's shell takes that back.
    require_person("Taking somebody off the list")
    body = {"who": who, "instance": instance}
    said = ask("DELETE", "/opt-outs", _SUBJECTS, body, home=home)
    say(f"Bulk sends may reach {', '.join(said)} again.")
