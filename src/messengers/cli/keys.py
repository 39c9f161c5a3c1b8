"""`messengers keys`: keys for programs that reach Messengers over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import BaseModel, TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import AsJson, Home, data, local_time, misused, rows, say, warn
from messengers.core.callers import ApiKey
from messengers.models import Preset

__all__ = ["keys"]

keys = typer.Typer(
    name="keys", no_args_is_help=True, help="Keys for programs that reach Messengers over HTTP."
)


class _Made(BaseModel):
    key: ApiKey
    secret: str


_MADE, _KEY, _KEYS = TypeAdapter(_Made), TypeAdapter(ApiKey), TypeAdapter(list[ApiKey])
_UNITS_H = {"h": 1, "d": 24, "w": 24 * 7}


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What will use it, e.g. `laptop`.")],
    preset: Annotated[Preset, typer.Option(help="Which tools it opens.")] = "messenger",
    toolsets: Annotated[
        str, typer.Option(help="More tools, with commas between: `rich`, `groups`, `access`.")
    ] = "",
    instance: Annotated[
        list[str] | None, typer.Option(help="Only this instance; may be repeated.")
    ] = None,
    expires: Annotated[str, typer.Option(help="`12h`, `30d`, `8w` or an ISO time.")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once. On a pipe only the key goes to stdout."""
    ends = _moment(expires) if expires else None
    body: dict[str, object] = {"name": name, "preset": preset, "instances": instance or []}
    body["toolsets"] = toolsets.replace(",", " ").split()
    if ends:
        body["expires_at"] = ends.isoformat()
    made = ask("POST", "/keys", _MADE, body, home=home)
    if as_json:
        data(made)
        return
    warn(f"Key {made.key.id} ({made.key.name}, {_tools(made.key)}). It is shown this once:")
    typer.echo(made.secret)


@keys.command("list")
def list_keys(home: Home = None, as_json: AsJson = False) -> None:
    """Show every key ever made, without the keys themselves."""
    found = ask("GET", "/keys", _KEYS, home=home)
    if as_json:
        data(found)
        return
    if not found:
        say("No keys. `messengers keys create NAME` makes one.")
        return
    rows(
        ("id", "name", "begins", "tools", "state", "last used"),
        [
            (key.id, key.name, f"{key.prefix}…", _tools(key), _state(key), _day(key.last_used_at))
            for key in found
        ],
    )


@keys.command()
def revoke(key: Annotated[str, typer.Argument(help="Its id or name.")], home: Home = None) -> None:
    """End a key at once and for good."""
    ended = ask("DELETE", f"/keys/{segment(key)}", _KEY, home=home)
    say(f"Key {ended.id} ({ended.name}) opens nothing any more.")


def _moment(text: str) -> datetime:
    if text[-1:] in _UNITS_H and text[:-1].isdecimal():
        return datetime.now(UTC) + timedelta(hours=int(text[:-1]) * _UNITS_H[text[-1]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        misused("--expires does not fit.", "Write 12h, 30d, 8w or 2027-01-31T12:00.")
    return moment.astimezone(UTC)


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    if key.expires_at is None:
        return "holds"
    return "expired" if key.expires_at <= datetime.now(UTC) else f"until {_day(key.expires_at)}"


def _tools(key: ApiKey) -> str:
    return " + ".join((key.preset, *key.toolsets))


def _day(moment: datetime | None) -> str:
    return local_time(moment) if moment else "never"
