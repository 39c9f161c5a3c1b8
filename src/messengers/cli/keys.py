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
    name="keys",
    no_args_is_help=True,
    add_completion=False,
    help="Keys for programs that reach Messengers over HTTP.",
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
    scopes: Annotated[
        str,
        typer.Option(help="What it may, in place of its preset's: `events:read,messages:*`."),
    ] = "",
    instance: Annotated[
        list[str] | None, typer.Option(help="Only this instance; may be repeated.")
    ] = None,
    expires: Annotated[str, typer.Option(help="`12h`, `30d`, `8w` or an ISO time.")] = "",
    rate: Annotated[int | None, typer.Option(help="Calls within a minute at most.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once. On a pipe only the key goes to stdout."""
    body = {
        "name": name,
        "preset": preset,
        "instances": instance or [],
        "toolsets": _words(toolsets),
        "scopes": _words(scopes),
        "rate_per_min": rate,
        "expires_at": _moment(expires).isoformat() if expires else None,
    }
    _told(ask("POST", "/keys", _MADE, body, home=home), as_json)


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
        ("id", "name", "begins", "may", "state", "used", "last used"),
        [
            (
                key.id,
                key.name,
                f"{key.prefix}…",
                _bounds(key),
                _state(key),
                str(key.use_count),
                _day(key.last_used_at),
            )
            for key in found
        ],
    )


@keys.command()
def regenerate(
    key: Annotated[str, typer.Argument(help="Its id or name.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Give a key another secret and print it, this once. The one of before ends at once."""
    _told(ask("POST", f"/keys/{segment(key)}/regenerate", _MADE, home=home), as_json)


@keys.command()
def revoke(key: Annotated[str, typer.Argument(help="Its id or name.")], home: Home = None) -> None:
    """End a key at once and for good."""
    ended = ask("DELETE", f"/keys/{segment(key)}", _KEY, home=home)
    say(f"Key {ended.id} ({ended.name}) opens nothing any more.")


def _told(made: _Made, as_json: bool) -> None:
    if as_json:
        data(made)
        return
    warn(f"Key {made.key.id} ({made.key.name}, {_bounds(made.key)}). It is shown this once:")
    typer.echo(made.secret)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


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


def _bounds(key: ApiKey) -> str:
    """What it opens, and how often."""
    tools = " + ".join((key.preset, *key.toolsets))
    scopes = ("only " + " ".join(key.scopes),) if key.scopes else ()
    count = len(key.instances)
    bound = (f"{count} instance{'s' if count > 1 else ''}",) if count else ()
    rate = (f"{key.rate_per_min} a minute",) if key.rate_per_min else ()
    return ", ".join((tools, *scopes, *bound, *rate))


def _day(moment: datetime | None) -> str:
    return local_time(moment) if moment else "never"
