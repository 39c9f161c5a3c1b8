"""`messengers audit`: who did what, where, with which outcome."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer
from pydantic import BaseModel, TypeAdapter

from messengers.cli.control import ask
from messengers.cli.terminal import AsJson, Home, data, local_time, misused, rows, say
from messengers.core.audit_views import AuditLine

__all__ = ["audit", "safe_cell"]


class _Page(BaseModel):
    items: list[AuditLine]
    cursor: str = ""


_PAGE = TypeAdapter(_Page)
_AT_ONCE = 500
_SHOWN = 50
_UNITS_M = {"m": 1, "h": 60, "d": 60 * 24, "w": 60 * 24 * 7}
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def audit(
    since: Annotated[str, typer.Option(help="`90m`, `2h`, `7d`, `4w` or an ISO time.")] = "",
    who: Annotated[
        str, typer.Option(help="`owner`, `stdio`, `local`, or a key by its id or name.")
    ] = "",
    instance: Annotated[str, typer.Option(help="Only this instance.")] = "",
    chat: Annotated[str, typer.Option(help="Only this chat, by its id.")] = "",
    action: Annotated[str, typer.Option(help="How it begins: `send`, `instance.`.")] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many; 50 in a table, else all.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what, newest first. It holds no texts, only keyed hashes of them."""
    query = {"who": who, "instance": instance, "chat": chat, "action": action}
    query["since"] = _moment(since).isoformat() if since else ""
    most = limit or (None if as_csv or as_json else _SHOWN)
    lines = list(_lines(query, most, home))
    if as_json:
        data(lines)
    elif as_csv:
        typer.echo(_csv(lines), nl=False)
    elif not lines:
        say("Nothing was done that fits.")
    else:
        _table(lines)


def safe_cell(text: str) -> str:
    """A cell that a spreadsheet shows and never computes: names are other people's words."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _lines(query: dict[str, str], most: int | None, home: Path | None) -> Iterator[AuditLine]:
    left, cursor = most, ""
    while left is None or left > 0:
        size = _AT_ONCE if left is None else min(left, _AT_ONCE)
        place = f"/audit?{urlencode({**query, 'limit': size, 'cursor': cursor})}"
        page = ask("GET", place, _PAGE, home=home)
        yield from page.items
        left = None if left is None else left - len(page.items)
        cursor = page.cursor
        if not cursor:
            return


def _csv(lines: list[AuditLine]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(AuditLine.model_fields)
    for line in lines:
        writer.writerow(safe_cell(str(value)) for value in line.model_dump(mode="json").values())
    return out.getvalue()


def _table(lines: list[AuditLine]) -> None:
    rows(
        ("when", "who", "client", "did", "where", "outcome"),
        [
            (
                local_time(line.at),
                " ".join(part for part in (line.actor, line.key_name) if part),
                line.client,
                line.action,
                " ".join(
                    part for part in (line.instance, line.chat, line.message, line.detail) if part
                ),
                line.outcome,
            )
            for line in lines
        ],
    )


def _moment(text: str) -> datetime:
    if text[-1:] in _UNITS_M and text[:-1].isdecimal():
        return datetime.now(UTC) - timedelta(minutes=int(text[:-1]) * _UNITS_M[text[-1]])
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        misused("--since does not fit.", "Write 90m, 2h, 7d, 4w or 2027-01-31T12:00.")
