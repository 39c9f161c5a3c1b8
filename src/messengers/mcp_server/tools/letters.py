"""What arrived and was not understood, for whoever looks after the program."""

from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from messengers.core.letters import DeadLetter
from messengers.core.pages import Page
from messengers.core.words import counted
from messengers.mcp_server.context import Ctx, asking
from messengers.mcp_server.results import (
    CAP,
    LettersResult,
    Paged,
    header,
    untrusted,
    written,
)
from messengers.mcp_server.text import Visible
from messengers.mcp_server.times import Zone
from messengers.mcp_server.tools import parameters as given

__all__ = ["list_dead_letters", "replay_dead_letter"]


async def list_dead_letters(
    ctx: Ctx,
    letter: Annotated[given.Text, Field(description="Only this one, with what it holds")] = "",
    instance: given.InstanceFilter = "",
    limit: given.Limit100 = 20,
    cursor: given.Cursor = "",
) -> str:
    """Events that arrived and could not be understood, newest first. None is lost.

    replay_dead_letter tries one again.
    """
    call = asking(ctx)
    letters = call.core.dead_letters
    if letter:
        return _whole(await letters.get(call.caller, letter), call.zone)

    async def fetch(size: int) -> Page[DeadLetter]:
        return await letters.list(call.caller, instance, size, cursor)

    def render(page: Page[DeadLetter], note: str) -> str:
        visible = Visible()
        lines = [
            f"{_line(each, call.zone, visible)}: {visible.line(each.error, 200)}"
            for each in page.items
        ]
        top = header(counted(len(page.items), "dead letter"), call.zone.name)
        return "\n".join(part for part in (top, untrusted(lines), note) if part)

    async def empty() -> str:
        return "Everything that arrived was understood."

    return await Paged(fetch, render, empty).answer(limit)


async def replay_dead_letter(
    ctx: Ctx, letter: Annotated[given.Text, Field(description="Its id, or all")]
) -> LettersResult:
    """Try a dead letter again, after an update for example; a second success changes nothing."""
    call = asking(ctx)
    done = await call.core.dead_letters.replay(call.caller, letter)
    return _told(done.model_dump(exclude={"error"}, exclude_defaults=True), done.error)


def _told(data: dict[str, object], error: str) -> CallToolResult:
    data = {"understood": 0, **data}
    if not error:
        return written(data)
    said = "\n".join(f"{name}: {value}" for name, value in data.items())
    return written(data, f"{said}\n{untrusted([Visible().line(error, 300)])}")


def _whole(letter: DeadLetter, zone: Zone) -> str:
    visible = Visible()
    text = visible.text(letter.payload)
    lines = [_line(letter, zone, visible), f"error: {visible.line(letter.error, 500)}"]
    lines += [f"  | {line}" for line in text[: CAP - 5_000].split("\n")]
    cut = letter.size_bytes > CAP - 5_000
    shown = f"cut; {letter.size_bytes} bytes" if cut else f"{letter.size_bytes} bytes"
    top = header(f"dead letter {letter.id}", shown, zone.name, visible.report())
    return "\n".join((top, untrusted(lines)))


def _line(letter: DeadLetter, zone: Zone, visible: Visible) -> str:
    ours = f"{letter.id} {letter.instance} {zone.minute(letter.received_at)}"
    kind, chat = visible.line(letter.kind, 60), visible.line(letter.chat, 60)
    return f"[{ours}] {kind} of {chat}, {counted(letter.attempts, 'attempt')}"
