"""`messengers webhooks`: endpoints of others that are told what happens."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import BaseModel, TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import (
    AsJson,
    Home,
    data,
    local_time,
    misused,
    require_person,
    rows,
    say,
    warn,
)
from messengers.core.event_types import Kinds
from messengers.core.webhook_views import DeliveryView, EndpointView, TestResult

__all__ = ["webhooks"]

webhooks = typer.Typer(
    name="webhooks",
    no_args_is_help=True,
    add_completion=False,
    help="Endpoints of others that are told what happens.",
)


class _Told(BaseModel):
    endpoint: EndpointView
    secret: str


class _Count(BaseModel):
    count: int


_TOLD, _ONE, _ALL = TypeAdapter(_Told), TypeAdapter(EndpointView), TypeAdapter(list[EndpointView])
_LOG, _TEST, _COUNT = TypeAdapter(list[DeliveryView]), TypeAdapter(TestResult), TypeAdapter(_Count)
_UNITS_M = {"m": 1, "h": 60, "d": 60 * 24}
Which = Annotated[str, typer.Argument(help="Its name or id.")]


@webhooks.command()
def add(
    name: Annotated[str, typer.Argument(help="Your name for it, e.g. `crm`.")],
    url: Annotated[str, typer.Argument(help="Where to deliver: https://…")],
    instance: Annotated[str, typer.Option(help="Only this instance.")] = "",
    types: Annotated[
        str, typer.Option(help="Only these types, with commas between: `message.*`.")
    ] = "",
    chats: Annotated[Kinds, typer.Option(help="Only what concerns such chats.")] = "all",
    numbers: Annotated[
        str, typer.Option(help="Only what concerns people with these numbers.")
    ] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Add an endpoint and print its secret, this once. On a pipe only that goes to stdout."""
    # Everything you read and write leaves by it, so an agent's own shell must not open it.
    require_person("Sending your messages to an address")
    body: dict[str, object] = {"name": name, "url": url, "instance": instance, "chats": chats}
    body |= {"types": _parts(types), "numbers": _parts(numbers)}
    made = ask("POST", "/webhooks", _TOLD, body, home=home)
    if as_json:
        data(made)
        return
    warn(f"Endpoint {made.endpoint.id} ({name}) is told what happens from now on. Its secret:")
    typer.echo(made.secret)


@webhooks.command("list")
def list_endpoints(home: Home = None, as_json: AsJson = False) -> None:
    """Show every endpoint."""
    found = ask("GET", "/webhooks", _ALL, home=home)
    if as_json:
        data(found)
        return
    if not found:
        say("No endpoints. `messengers webhooks add NAME URL` adds one.")
        return
    rows(
        ("id", "name", "to", "told", "state", "waiting", "failed", "delivered"),
        [
            (
                each.id,
                each.name,
                each.origin,
                _filters(each),
                each.state,
                str(each.waiting),
                str(each.failed),
                local_time(each.delivered_at) if each.delivered_at else "never",
            )
            for each in found
        ],
    )


@webhooks.command()
def show(name: Which, home: Home = None, as_json: AsJson = False) -> None:
    """Show one endpoint."""
    each = ask("GET", f"/webhooks/{segment(name)}", _ONE, home=home)
    if as_json:
        data(each)
        return
    say(f"{each.name} ({each.id}) → {each.origin}, {each.state}")
    if each.why:
        say(each.why)
    say(f"It is told {_filters(each)}.", f"{each.waiting} wait, {each.failed} failed.")


@webhooks.command("test")
def try_out(name: Which, home: Home = None, as_json: AsJson = False) -> None:
    """Deliver a test event now and say what came back."""
    result = ask("POST", f"/webhooks/{segment(name)}/test", _TEST, home=home)
    if as_json:
        data(result)
    elif result.taken:
        say(f"It was taken: status {result.status} after {result.ms} ms.")
    else:
        say(f"It was not taken. {result.error}")
    if not result.taken:
        raise typer.Exit(1)


@webhooks.command()
def log(
    name: Which,
    failed: Annotated[bool, typer.Option("--failed", help="Only what was given up.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show what was delivered, newest first."""
    path, only = f"/webhooks/{segment(name)}/log", "1" if failed else "0"
    found = ask("GET", path, _LOG, home=home, failed=only, limit=str(limit))
    if as_json:
        data(found)
        return
    if not found:
        say("Nothing yet.")
        return
    rows(
        ("id", "event", "type", "chat", "state", "tries", "status", "why", "when"),
        [
            (
                each.id,
                each.event,
                each.type,
                each.chat,
                each.state,
                str(each.attempts),
                str(each.status or ""),
                each.error,
                _when(each),
            )
            for each in found
        ],
    )


@webhooks.command()
def replay(
    name: Which,
    delivery: Annotated[str, typer.Argument(help="Only this one, e.g. `d3k`.")] = "",
    since: Annotated[
        str, typer.Option(help="Everything since: `90m`, `2h`, `3d` or an ISO time.")
    ] = "",
    home: Home = None,
) -> None:
    """Deliver again: one delivery, everything since a time, or else what failed."""
    body: dict[str, object] = {"delivery": delivery}
    if since:
        body["since"] = _moment(since).isoformat()
    count = ask("POST", f"/webhooks/{segment(name)}/replay", _COUNT, body, home=home).count
    what = "events of the log are looked at again" if since else "deliveries are made again"
    say(f"{count} {what}.")


@webhooks.command()
def rotate(name: Which, home: Home = None, as_json: AsJson = False) -> None:
    """Print a new secret, this once. For a day deliveries are signed with both."""
    told = ask("POST", f"/webhooks/{segment(name)}/rotate", _TOLD, home=home)
    if as_json:
        data(told)
        return
    warn(f"The new secret of {told.endpoint.name}; the old one holds for 24 hours more:")
    typer.echo(told.secret)


@webhooks.command()
def enable(
    name: Which,
    skip: Annotated[bool, typer.Option("--skip", help="Leave out what waits.")] = False,
    home: Home = None,
) -> None:
    """Go on where it stopped."""
    require_person("Sending your messages to an address")
    each = ask("POST", f"/webhooks/{segment(name)}/enable", _ONE, {"skip": skip}, home=home)
    say(f"{each.name} is told what happens again, {'from now' if skip else 'where it stopped'}.")


@webhooks.command()
def disable(name: Which, home: Home = None) -> None:
    """Tell an endpoint nothing until it is enabled again."""
    each = ask("POST", f"/webhooks/{segment(name)}/disable", _ONE, home=home)
    say(f"{each.name} is told nothing. `messengers webhooks enable {each.name}` goes on.")


@webhooks.command()
def remove(name: Which, home: Home = None) -> None:
    """Forget an endpoint, its secret and its log."""
    each = ask("DELETE", f"/webhooks/{segment(name)}", _ONE, home=home)
    say(f"{each.name} is gone.")


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _moment(text: str) -> datetime:
    if text[-1:] in _UNITS_M and text[:-1].isdecimal():
        return datetime.now(UTC) - timedelta(minutes=int(text[:-1]) * _UNITS_M[text[-1]])
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        misused("--since does not fit.", "Write 90m, 2h, 3d or 2027-01-31T12:00.")


def _filters(each: EndpointView) -> str:
    parts = [
        f"of {each.instance}" if each.instance else "",
        each.chats if each.chats != "all" else "",
        f"{len(each.types)} types" if each.types else "",
        f"{len(each.numbers)} numbers" if each.numbers else "",
    ]
    return ", ".join(part for part in parts if part) or "everything"


def _when(each: DeliveryView) -> str:
    if each.settled_at:
        return local_time(each.settled_at)
    return f"again {local_time(each.next_at)}" if each.next_at else "now"
