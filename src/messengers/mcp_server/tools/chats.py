"""Chats and people."""

from typing import Annotated, Literal

from pydantic import Field

from messengers.core.chats import ChatFilter
from messengers.core.pages import Page
from messengers.core.words import counted
from messengers.mcp_server.context import Asking, Ctx, asking
from messengers.mcp_server.lines import chat_line, contact_line
from messengers.mcp_server.plain import as_data, json_answer
from messengers.mcp_server.results import DoneResult, Paged, header, untrusted, written
from messengers.mcp_server.text import Visible
from messengers.mcp_server.times import Asked
from messengers.mcp_server.tools import parameters as given
from messengers.mcp_server.tools.instances import first_steps
from messengers.models import Chat

__all__ = ["find_contacts", "list_chats", "mark_read"]


async def list_chats(
    ctx: Ctx,
    instance: given.InstanceFilter = "",
    query: Annotated[given.Text, Field(description="Part of a name")] = "",
    kind: Literal["", "dm", "group", "channel", "thread"] = "",
    unread_only: bool = False,
    waiting_for_reply: Annotated[bool, Field(description="The last word is theirs")] = False,
    active_since: given.Since = "",
    limit: given.Limit100 = 20,
    cursor: given.Cursor = "",
    format: given.Format = "text",
) -> str:
    """Chats, newest first: id, instance, kind, last activity, unread, name, last message.

    For the messages of many chats at once use list_recent_messages.
    """
    call = asking(ctx)
    asked = Asked.read(call.zone, active_since, "", cursor, name="active_since")
    chosen = ChatFilter(
        instance=instance,
        query=query,
        kind=kind or None,
        unread_only=unread_only,
        waiting_for_reply=waiting_for_reply,
        active_since=asked.span.since,
    )

    async def fetch(size: int) -> Page[Chat]:
        page = await call.core.chats.list(call.caller, chosen, size, asked.cursor)
        return Page(page.items, asked.carry(page.cursor))

    def render(page: Page[Chat], note: str) -> str:
        if format == "json":
            chats = [as_data(chat) for chat in page.items]
            return json_answer({"zone": call.zone.name}, {"chats": chats}, note)
        return _chats(call, page, note)

    async def empty() -> str:
        if chosen != ChatFilter(instance=instance) or cursor:
            return "No chats fit that."
        return await first_steps(call, instance)

    return await Paged(fetch, render, empty if format == "text" else None).answer(limit)


def _chats(call: Asking, page: Page[Chat], note: str) -> str:
    visible = Visible()
    lines = [chat_line(chat, call.zone, visible) for chat in page.items]
    top = header(counted(len(lines), "chat"), call.zone.name, visible.report())
    return "\n".join(part for part in (top, untrusted(lines), note) if part)


async def find_contacts(
    ctx: Ctx,
    query: Annotated[given.Text, Field(description="Part of a name, number or handle")],
    instance: given.InstanceFilter = "",
    limit: given.Limit50 = 10,
) -> str:
    """People by name, number or handle, with the id of their chat to write to.

    Use before send_message when a name may fit several.
    """
    call = asking(ctx)
    found = await call.core.contacts.find(call.caller, query, instance, limit)
    if not found:
        return "No contact fits that. Groups and channels are found by list_chats."
    visible = Visible()
    lines = [contact_line(contact, visible) for contact in found]
    return "\n".join((header(counted(len(lines), "contact"), visible.report()), untrusted(lines)))


async def mark_read(
    ctx: Ctx,
    chat: given.Chat,
    until: Annotated[given.Text, Field(description="Message id; empty = all")] = "",
) -> DoneResult:
    """Mark a chat as read; the other side may see it. Reading never does this by itself."""
    call = asking(ctx)
    place = await call.core.chats.find(call.caller, chat, write=True)
    after = await call.core.receipts.up_to(call.caller, place, until)
    notes = [f"{after.unread} unread left"] if after.unread else []
    return written({"chat": after.id, "outcome": "done", "notes": notes})
