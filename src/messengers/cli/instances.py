"""`messengers instances`: the accounts that Messengers speaks for."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.credentials import given, pairs, prompted
from messengers.cli.login import follow, show_step
from messengers.cli.remedies import at_terminal
from messengers.cli.status import show_instances
from messengers.cli.terminal import (
    AsJson,
    Home,
    data,
    is_interactive,
    local_time,
    misused,
    require_person,
    rows,
    say,
)
from messengers.core.acts import InstanceAnswer
from messengers.core.credentials import ConfigField
from messengers.core.views import BlockedPerson, InstanceView
from messengers.core.words import counted
from messengers.errors import InvalidInput
from messengers.models import Confirm, Lifecycle, OnUnknown, Pacing
from messengers.providers.catalog import ALIASES
from messengers.providers.login import LoginStep, ShowQr

__all__ = ["instances"]

instances = typer.Typer(
    name="instances",
    no_args_is_help=True,
    add_completion=False,
    help="The accounts that Messengers speaks for.",
)

Name = Annotated[str, typer.Argument(help="The instance's name or id.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=@FILE", help="A credential: @FILE, or @- for stdin."),
]


class _Detail(InstanceView):
    problems: tuple[str, ...] = ()


class _Provider(BaseModel):
    name: str
    title: str
    setup: str = ""
    endpoints: tuple[str, ...] = ()
    fields: tuple[ConfigField, ...] = ()


_VIEW, _VIEWS = TypeAdapter(InstanceView), TypeAdapter(list[InstanceView])
_BLOCKED = TypeAdapter(list[BlockedPerson])
_DETAIL, _ANSWER = TypeAdapter(_Detail), TypeAdapter(InstanceAnswer)
_PROVIDERS = TypeAdapter(list[_Provider])
_STEP: TypeAdapter[LoginStep] = TypeAdapter(LoginStep)


@instances.command("list")
def list_instances(home: Home = None, as_json: AsJson = False) -> None:
    """Show every instance, how it fares and what to do next."""
    found = ask("GET", "/instances", _VIEWS, home=home)
    if as_json:
        data(found)
    elif found:
        show_instances(found)
    else:
        say("No instances yet. `messengers instances add webchat NAME` makes a chat page.")


@instances.command()
def add(
    provider: Annotated[str, typer.Argument(help="The kind of messenger, e.g. webchat.")],
    name: Annotated[str, typer.Argument(help="What you call it: a-z, 0-9, - and _.")],
    sets: Sets = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=URL", help="Another base URL, e.g. api=http://localhost:8081."),
    ] = None,
    confirm: Annotated[
        Confirm | None, typer.Option(help="Whom agents may write to without asking you.")
    ] = None,
    connect: Annotated[bool, typer.Option(help="Connect it at once.")] = True,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Set an instance up. What it needs and was not given is asked for; secrets are not echoed."""
    _require_person_to_loosen(confirm)
    endpoints = pairs(endpoint or [], "--endpoint")
    info = _provider(provider, home)
    values = given(info.fields, sets or [])
    if info.setup and is_interactive() and any(field.required for field in info.fields):
        say(info.setup)
    values |= prompted(info.fields, values)
    body: dict[str, object] = {
        "provider": info.name,
        "name": name,
        "credentials": values,
        "endpoints": endpoints,
        "connect": connect,
    }
    if confirm:
        body["confirm"] = confirm
    _tell(ask("POST", "/instances", _ANSWER, body, home=home), as_json=as_json)


@instances.command()
def show(name: Name, home: Home = None, as_json: AsJson = False) -> None:
    """Show everything about one instance: health, policy, last problems."""
    view = ask("GET", f"/instances/{segment(name)}", _DETAIL, home=home)
    if as_json:
        data(view)
        return
    instance, health = view.instance, view.health
    facts: dict[str, object] = {
        "provider": instance.provider,
        "id": instance.id,
        "state": health.lifecycle.value,
        "reason": at_terminal(health.reason),
        "next": at_terminal(view.next_step),
        "page": view.page,
        "confirm": instance.confirm,
        "read only": "yes" if instance.read_only else "",
        "pacing": instance.pacing,
        "quiet hours": instance.quiet_hours,
        "on unknown": instance.on_unknown,
        "keeps": _kept(instance.retention_days) if instance.retention_days else "",
        "history since": instance.history_since,
        "transport": health.last_transport_at,
        "received": health.last_inbound_at,
        "sent": health.last_outbound_at,
        "probe ok": health.last_probe_ok_at,
        "retry at": health.retry_at,
    }
    say(instance.name, *(f"  {key:<14}{_told(value)}" for key, value in facts.items() if value))
    if view.problems:
        say("  last problems", *(f"    {line}" for line in view.problems))


@instances.command()
def connect(name: Name, sets: Sets = None, home: Home = None, as_json: AsJson = False) -> None:
    """Connect an instance; with --set it gets new credentials first."""
    path = f"/instances/{segment(name)}"
    if sets:
        view = ask("GET", path, _DETAIL, home=home)
        values = given(_provider(view.instance.provider, home).fields, sets)
        answer = ask("PUT", f"{path}/credentials", _ANSWER, {"credentials": values}, home=home)
    else:
        answer = ask("POST", f"{path}/connect", _ANSWER, {}, home=home)
    _tell(answer, as_json=as_json)


@instances.command()
def disconnect(name: Name, home: Home = None, as_json: AsJson = False) -> None:
    """Stop an instance until it is connected again."""
    answer = ask("POST", f"/instances/{segment(name)}/disconnect", _ANSWER, {}, home=home)
    _tell(answer, as_json=as_json)


@instances.command()
def rename(
    name: Name,
    new: Annotated[str, typer.Argument(help="Its new name: a-z, 0-9, - and _.")],
    home: Home = None,
) -> None:
    """Give an instance another name; its id, chats and messages stay."""
    view = ask("PATCH", f"/instances/{segment(name)}", _VIEW, {"name": new}, home=home)
    say(f"It is called {view.instance.name} now.")


@instances.command()
def remove(
    name: Name,
    purge: Annotated[bool, typer.Option("--purge", help="Erase its messages too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Remove an instance and its credentials; its messages stay readable unless purged."""
    loss = "and all its messages, for good" if purge else "its messages stay readable"
    _require_word(f"Remove {name} ({loss})?", yes=yes)
    path = f"/instances/{segment(name)}"
    answer = ask("DELETE", path, _ANSWER, home=home, purge="1" if purge else "0")
    _tell(answer, as_json=False)


@instances.command()
def qr(
    name: Name,
    phone: Annotated[str, typer.Option(help="A phone number, for a code to type instead.")] = "",
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, max=60, help="Seconds until there is a code.")
    ] = 20.0,
    save: Annotated[Path | None, typer.Option(help="Write the code as a PNG or SVG file.")] = None,
    home: Home = None,
) -> None:
    """Show the code to log in with, each new one too, until it is through; or a page's address."""
    path = f"/instances/{segment(name)}"

    def step() -> LoginStep:
        return ask("POST", f"{path}/login", _STEP, {"phone": phone, "wait_s": wait_s}, home=home)

    first = step()
    is_page = isinstance(first, ShowQr) and first.text == ask("GET", path, _DETAIL, home=home).page
    if is_page or save is not None:
        show_step(first, save)
    else:
        follow(first, step)


@instances.command()
def logout(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Log an account out at the messenger and remove its session; its messages stay."""
    _require_word(f"Log {name} out (connecting it again needs a new login)?", yes=yes)
    _tell(ask("POST", f"/instances/{segment(name)}/logout", _ANSWER, {}, home=home), as_json=False)


@instances.command()
def adopt(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The other program's session file; it stays.")],
    replace: Annotated[bool, typer.Option("--replace", help="In the place of its own.")] = False,
    home: Home = None,
) -> None:
    """Take over a session that another program made; end that program first."""
    require_person("Adopting a session")
    body = {"path": str(file.absolute()), "replace": replace}
    ask("PUT", f"/instances/{segment(name)}/session", _ANSWER, body, home=home)
    say("Adopted.", f"  → `messengers instances connect {name}`")


@instances.command()
def policy(
    name: Name,
    confirm: Annotated[
        Confirm | None, typer.Option(help="Whom agents may write to without asking you.")
    ] = None,
    read_only: Annotated[
        bool | None, typer.Option("--read-only/--no-read-only", help="Whether anything may leave.")
    ] = None,
    on_unknown: Annotated[
        OnUnknown | None,
        typer.Option(help="What may or may not have been sent: told (hold), or sent again."),
    ] = None,
    home: Home = None,
) -> None:
    """Show or change whom agents may write to without asking, and what follows a doubt."""
    path = f"/instances/{segment(name)}"
    change = {"confirm": confirm, "read_only": read_only, "on_unknown": on_unknown}
    if not any(value is not None for value in change.values()):
        view: InstanceView = ask("GET", path, _DETAIL, home=home)
    else:
        _require_person_to_loosen(confirm, read_only)
        view = ask("PATCH", path, _VIEW, change, home=home)
    instance = view.instance
    leaves = "nothing may leave" if instance.read_only else f"confirm {instance.confirm}"
    say(f"{instance.name}: {leaves}, on unknown {instance.on_unknown}")


@instances.command()
def pace(
    name: Name,
    profile: Annotated[
        Pacing | None, typer.Argument(help="off, normal or careful; without it shown.")
    ] = None,
    quiet: Annotated[
        str | None,
        typer.Option(help="Hours in which only answers leave, e.g. 22:00-08:00; none ends them."),
    ] = None,
    home: Home = None,
) -> None:
    """Choose how fast an instance sends: careful for accounts of people, off for bots."""
    change = {"pacing": profile, "quiet_hours": quiet}
    view = ask("PATCH", f"/instances/{segment(name)}", _VIEW, change, home=home)
    hours = view.instance.quiet_hours
    rest = f", quiet hours {hours}" if hours else ""
    say(f"{view.instance.name}: pacing {view.instance.pacing}{rest}")


@instances.command()
def budget(
    name: Name,
    hour: Annotated[int | None, typer.Option(min=0, help="Messages within an hour.")] = None,
    day: Annotated[int | None, typer.Option(min=0, help="Messages within a day.")] = None,
    new: Annotated[
        int | None, typer.Option(min=0, help="People within a day who are written to first.")
    ] = None,
    home: Home = None,
) -> None:
    """Show or change how much agents may send through an instance; 0 sets no bound."""
    change = {"sends_per_hour": hour, "sends_per_day": day, "new_recipients_per_day": new}
    if any(value is not None for value in change.values()):
        require_person("Changing what agents may send")
    view = ask("PATCH", f"/instances/{segment(name)}", _VIEW, change, home=home)
    instance = view.instance
    bounds = {
        "messages an hour": instance.sends_per_hour,
        "messages a day": instance.sends_per_day,
        "new recipients a day": instance.new_recipients_per_day,
    }
    told = ", ".join(f"{most} {what}" for what, most in bounds.items() if most)
    say(f"{instance.name}: {told or 'no bound'}")


@instances.command()
def retention(
    name: Name,
    days: Annotated[int, typer.Argument(min=0, max=36_500, help="0 keeps them for good.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Choose how many days an instance keeps messages; older ones are removed, for good."""
    if days:
        _require_word(f"Messages older than {counted(days, 'day')} are removed. Go on?", yes=yes)
    body = {"retention_days": days}
    view = ask("PATCH", f"/instances/{segment(name)}", _VIEW, body, home=home)
    say(f"{view.instance.name}: keeps messages {_kept(view.instance.retention_days)}")


@instances.command()
def blocked(name: Name, as_json: AsJson = False, home: Home = None) -> None:
    """Show who is blocked and cannot write to an account."""
    found = ask("GET", f"/instances/{segment(name)}/blocked", _BLOCKED, home=home)
    if as_json:
        data(found)
    elif found:
        rows(("chat", "name", "id"), [(each.chat, each.name, each.native_id) for each in found])
    else:
        say("Nobody is blocked.")


def _require_person_to_loosen(confirm: Confirm | None, read_only: bool | None = None) -> None:
    """An agent's own shell must not open the door that the agent stands before."""
    if confirm in ("never", "unknown_chats") or read_only is False:
        require_person("Letting agents do more")


def _require_word(question: str, *, yes: bool) -> None:
    """What is lost by it wants a yes: the option's, or a person's."""
    if not yes:
        if not is_interactive():
            misused("This needs your word.", "Add --yes.")
        typer.confirm(question, abort=True)


def _provider(name: str, home: Home) -> _Provider:
    wanted = name.strip().lower().replace("-", "_")
    wanted = ALIASES.get(wanted, wanted)
    catalog = ask("GET", "/providers", _PROVIDERS, home=home)
    found = next((each for each in catalog if each.name == wanted), None)
    if found is None:
        known = ", ".join(each.name for each in catalog)
        raise InvalidInput("There is no such provider.", f"There are: {known}.")
    return found


def _kept(days: int) -> str:
    return f"for {counted(days, 'day')}" if days else "for good"


def _told(value: object) -> str:
    return local_time(value) if isinstance(value, datetime) else str(value)


def _tell(answer: InstanceAnswer, *, as_json: bool) -> None:
    if as_json:
        data(answer)
    else:
        state = answer.state.replace("_", " ") or answer.outcome
        say(f"{answer.instance} ({answer.provider}): {state}")
        more = (answer.reason, answer.next_step, *answer.notes)
        say(*(f"  {at_terminal(line)}" for line in more if line))
        if answer.link and answer.link not in answer.next_step:
            say(f"  {answer.link}")
    if answer.outcome == "not_done" or answer.state == Lifecycle.ERROR:
        raise typer.Exit(1)
