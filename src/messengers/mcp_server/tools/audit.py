"""What was done, for whoever looks after the program."""

from typing import Annotated

from pydantic import Field

from messengers.core.audit_views import AuditFilter, AuditLine
from messengers.core.pages import Page
from messengers.core.words import counted
from messengers.mcp_server.context import Ctx, asking
from messengers.mcp_server.results import Paged, header, untrusted
from messengers.mcp_server.text import Visible
from messengers.mcp_server.times import Zone
from messengers.mcp_server.tools import parameters as given

__all__ = ["list_audit"]


async def list_audit(
    ctx: Ctx,
    since: given.Since = "",
    who: Annotated[given.Text, Field(description="owner, stdio, local, a key's id or name")] = "",
    instance: given.InstanceFilter = "",
    chat: Annotated[given.Text, Field(description="Chat id")] = "",
    action: Annotated[given.Text, Field(description="How it begins: send, instance.")] = "",
    limit: given.Limit100 = 50,
    cursor: given.Cursor = "",
) -> str:
    """Who did what, where, with which outcome, newest first. It holds no texts."""
    call = asking(ctx)
    span = call.zone.span(since, "")
    wanted = AuditFilter(span.since, who, instance, chat, action)

    async def fetch(size: int) -> Page[AuditLine]:
        return await call.core.audit_log.list(call.caller, wanted, size, cursor)

    def render(page: Page[AuditLine], note: str) -> str:
        visible = Visible()
        lines = [_line(each, call.zone, visible) for each in page.items]
        top = header(counted(len(page.items), "line"), call.zone.name)
        return "\n".join(part for part in (top, untrusted(lines), note) if part)

    async def empty() -> str:
        return "Nothing was done that fits."

    return await Paged(fetch, render, empty).answer(limit)


def _line(line: AuditLine, zone: Zone, visible: Visible) -> str:
    """Names that keys and clients have are somebody's words."""
    names = [f"“{visible.line(name, 40)}”" for name in (line.key_name, line.client) if name]
    where = (line.instance, line.chat, line.message, visible.line(line.detail))
    parts = (line.actor, *names, line.action, *where, f"→ {line.outcome}")
    return f"[{zone.minute(line.at)}] {' '.join(part for part in parts if part)}"
