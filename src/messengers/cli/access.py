"""`messengers access`: who is heard, who may be written to, and what is kept back."""

from typing import Annotated

import typer
from pydantic import TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import (
    AsJson,
    Home,
    data,
    local_time,
    one_line,
    require_person,
    rows,
    say,
)
from messengers.core.access_views import (
    AccessRule,
    Direction,
    Effect,
    Explanation,
    Pairing,
    WithheldMessage,
)
from messengers.core.views import InstanceView
from messengers.models import DmPolicy, GroupPolicy

__all__ = ["access"]

access = typer.Typer(
    name="access",
    no_args_is_help=True,
    add_completion=False,
    help="Who is heard, and who may be written to.",
)

_RULE, _RULES = TypeAdapter(AccessRule), TypeAdapter(list[AccessRule])
_PAIRINGS = TypeAdapter(list[Pairing])
_VIEW = TypeAdapter(InstanceView)
_EXPLAINED, _WITHHELD = TypeAdapter(list[Explanation]), TypeAdapter(list[WithheldMessage])
Who = Annotated[
    str,
    typer.Argument(
        help="+4917…, +4917*, @name, a chat id, a messenger's id, a name with *, or any."
    ),
]
Of = Annotated[str, typer.Option("--instance", help="Only of this instance.")]
Country = Annotated[
    str, typer.Option("--country", help="Of a number without one: two letters, as DE.")
]


@access.command("list")
def list_rules(home: Home = None, as_json: AsJson = False) -> None:
    """Show the rules, in the order in which they are asked."""
    found = ask("GET", "/access/rules", _RULES, home=home)
    if as_json:
        data(found)
    elif found:
        _show(found)
    else:
        say("There are no rules: everybody is heard, and sending asks as the policy says.")


@access.command()
def add(
    effect: Annotated[Effect, typer.Argument(help="allow, deny, silent or read_only.")],
    who: Who,
    direction: Annotated[
        Direction | None, typer.Option(help="in, out or both; else what the effect is for.")
    ] = None,
    instance: Of = "",
    country: Country = "",
    priority: Annotated[int, typer.Option(help="The highest is asked first.")] = 0,
    note: Annotated[str, typer.Option(help="For yourself.")] = "",
    days: Annotated[float, typer.Option(help="For so long; 0: for good.", min=0)] = 0,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Keep somebody out or quiet, let him in, or only read him.

    deny: agents do not see what he writes, and nothing is sent to him. silent: what he writes is
    kept and wakes nobody. read_only: he is shown, and nothing is sent to him. allow: he is heard,
    and written to without asking.
    """
    if effect != "deny":
        # It lets somebody in whom another rule keeps out: no agent's shell may.
        require_person("A rule that lets somebody in")
    body: dict[str, object] = {
        "effect": effect,
        "who": who,
        "direction": direction,
        "instance": instance,
        "country": country,
        "priority": priority,
        "note": note,
        "days": days,
    }
    made = ask("POST", "/access/rules", _RULE, body, home=home)
    if as_json:
        data(made)
    else:
        say(f"{made.id}: {_said(made)}.")


@access.command()
def remove(
    rule: Annotated[str, typer.Argument(help="Its id, e.g. r3.")], home: Home = None
) -> None:
    """Take a rule away."""
    # What it kept out comes in again: no agent's shell opens that door.
    require_person("Taking a rule away")
    gone = ask("DELETE", f"/access/rules/{segment(rule)}", _RULE, home=home)
    say(f"{gone.id} is gone: {_said(gone)}.")


@access.command()
def check(
    who: Who,
    instance: Of = "",
    country: Country = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say what rules and policies make of somebody, which rule holds, and which else fit."""
    body = {"who": who, "instance": instance, "country": country}
    told = ask("POST", "/access/check", _EXPLAINED, body, home=home)
    if as_json:
        data(told)
        return
    for each in told:
        others = ", ".join(f"{rule.id} {rule.effect}" for rule in each.others)
        by = f" by {each.rule}" if each.rule else ""
        also = f"; also fitting: {others}" if others else ""
        say(f"{each.direction:<4}{each.verdict}{by}, so {each.result}{also}")


@access.command()
def policy(
    instance: Annotated[str, typer.Argument(help="The instance's name or id.")],
    dm: Annotated[
        DmPolicy | None, typer.Option(help="Who is heard when he writes to the account itself.")
    ] = None,
    group: Annotated[
        GroupPolicy | None, typer.Option(help="Who is heard in groups and channels.")
    ] = None,
    home: Home = None,
) -> None:
    """Show or change who is heard at an instance where no rule says it.

    open: everybody. allowlist: whom a rule allows, chats you said always for, and people whom you
    wrote to yourself. pairing: they too; each stranger gets a code for you to approve. mention: of
    groups only what mentions the account. off: nobody.
    """
    change = {"dm": dm, "group": group}
    if (dm or "off", group or "off") != ("off", "off"):
        # It may let somebody in whom the policy kept out: no agent's shell may.
        require_person("Choosing who is heard")
    view = ask("PUT", f"/access/policy/{segment(instance)}", _VIEW, change, home=home)
    chosen = view.instance
    say(f"{chosen.name}: people {chosen.dm_policy}, groups {chosen.group_policy}")


@access.command()
def pairing(home: Home = None, as_json: AsJson = False) -> None:
    """Show the strangers who ask to be let in, each with the code that he was told."""
    found = ask("GET", "/access/pairings", _PAIRINGS, home=home)
    if as_json:
        data(found)
    elif found:
        lines = [
            (each.code, each.instance, each.chat, one_line(each.name), each.native_id)
            for each in found
        ]
        rows(("code", "instance", "chat", "calls himself", "id"), lines)
    else:
        say("Nobody waits to be let in.")


@access.command()
def approve(
    code: Annotated[str, typer.Argument(help="As he told it to you, e.g. 4K7P-XM2D.")],
    home: Home = None,
) -> None:
    """Let in the stranger who was told a code."""
    # What a stranger writes must not get an agent's shell to open the door for him.
    require_person("Letting somebody in")
    made = ask("POST", f"/access/pairings/{segment(code)}", _RULE, home=home)
    say(f"{made.id}: {_said(made)}.")


@access.command()
def withheld(
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=500)] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest messages that agents are not shown, and why."""
    found = ask("GET", f"/access/withheld?limit={limit}", _WITHHELD, home=home)
    if as_json:
        data(found)
    elif found:
        lines = [
            (
                local_time(each.received_at),
                each.why,
                each.instance,
                each.chat,
                one_line(each.sender),
                one_line(each.text),
            )
            for each in found
        ]
        rows(("when", "why", "instance", "chat", "from", "text"), lines)
    else:
        say("Nothing is kept back.")


def _show(found: list[AccessRule]) -> None:
    heads = ("rule", "effect", "way", "who", "instance", "priority", "ends", "note")
    lines = [
        (
            each.id,
            each.effect,
            each.direction,
            each.who,
            each.instance or "all",
            str(each.priority),
            local_time(each.expires_at) if each.expires_at else "",
            each.note,
        )
        for each in found
    ]
    rows(heads, lines)


def _said(rule: AccessRule) -> str:
    place = f" of {rule.instance}" if rule.instance else ""
    return f"{rule.effect} {rule.who} ({rule.direction}){place}"
