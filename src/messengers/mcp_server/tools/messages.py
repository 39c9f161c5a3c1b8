"""Reading messages."""

from typing import Annotated, Literal

from pydantic import Field

from messengers.core.chats import ChatFilter
from messengers.core.history import MessageDetail, Waited
from messengers.core.pages import ChatMessages, Hit, Page
from messengers.core.words import counted
from messengers.mcp_server.context import Asking, Ctx, asking
from messengers.mcp_server.lines import hits, with_messages
from messengers.mcp_server.plain import as_data, json_answer, messages_as_data
from messengers.mcp_server.progress import ticking
from messengers.mcp_server.results import CAP, Paged, header, untrusted
from messengers.mcp_server.times import Asked
from messengers.mcp_server.tools import parameters as given
from messengers.mcp_server.tools.instances import first_steps
from messengers.mcp_server.transcript import SHORT, Transcript, first_and_last
from messengers.models import Chat, Message

__all__ = [
    "get_message",
    "list_recent_messages",
    "read_messages",
    "search_messages",
    "wait_for_messages",
]


async def list_recent_messages(
    ctx: Ctx,
    since: given.Since = "24h",
    instance: given.InstanceFilter = "",
    unread_only: bool = False,
    mentions_me: bool = False,
    per_chat: given.Limit20 = 5,
    limit: given.Limit200 = 60,
    cursor: given.Cursor = "",
    format: given.Format = "text",
) -> str:
    """The inbox: the newest messages of all chats, by chat. Best first call for "what's new?"."""
    call = asking(ctx)
    asked = Asked.read(call.zone, since, "", cursor)
    start = asked.span.since or call.zone.moment("24h", "since")

    async def fetch(size: int) -> Page[ChatMessages]:
        page = await call.core.history.recent(
            call.caller,
            start,
            instance,
            unread_only=unread_only,
            mentions_me=mentions_me,
            per_chat=per_chat,
            limit=size,
            cursor=asked.cursor,
        )
        return Page(page.items, asked.carry(page.cursor))

    span = call.zone.range(start, None)

    def render(page: Page[ChatMessages], note: str) -> str:
        if format == "json":
            return json_answer({"range": span}, {"chats": _groups_as_data(page.items)}, note)
        return _groups(call, page.items, span, note)

    async def empty() -> str:
        if await _has_chats(call, instance):
            told = f"Nothing new since {call.zone.minute(start)} ({call.zone.name})."
            return f"{told} Set since further back, or use list_chats."
        return await first_steps(call, instance)

    shown = Paged(fetch, render, empty if format == "text" else None, _messages_in)
    return await shown.answer(limit)


async def read_messages(
    ctx: Ctx,
    chat: given.Chat,
    limit: given.Limit200 = 30,
    since: given.Since = "",
    until: given.Until = "",
    around: Annotated[given.Text, Field(description="Message to centre on")] = "",
    cursor: given.Cursor = "",
    format: given.Format = "text",
) -> str:
    """Transcript of one chat, oldest to newest, with ids, replies, edits, reactions.

    Without since it is the newest page; cursor goes back in time. Sends no read receipt.
    """
    call = asking(ctx)
    asked = Asked.read(call.zone, since, until, cursor)
    span = asked.span
    place = await call.core.chats.find(call.caller, chat)
    oldest = ""

    async def fetch(size: int) -> Page[Message]:
        nonlocal oldest
        page = await call.core.history.read(
            call.caller, place, size, span.since, span.until, around, asked.cursor
        )
        oldest = await _history_since(call, place)
        return Page(page.items, asked.carry(page.cursor))

    def render(page: Page[Message], note: str) -> str:
        first, last = first_and_last(page.items)
        ends = call.zone.range(span.since or first, span.until or last)
        if format == "json":
            ours = {"chat": place.id, "instance": place.instance, "range": ends}
            ours |= {"left_out": str(page.left_out)} if page.left_out else {}
            theirs = {"name": place.name, "messages": messages_as_data(page.items)}
            return json_answer(ours, theirs, note)
        return _transcript(call, place, page, f"{ends}{oldest}", note)

    return await Paged(fetch, render).answer(limit)


async def search_messages(
    ctx: Ctx,
    query: Annotated[given.Text, Field(description="Words; all must occur, literally")],
    chat: given.ChatFilter = "",
    instance: given.InstanceFilter = "",
    sender: Annotated[given.Text, Field(description="Name, number or me")] = "",
    media: Literal["", "any", "image", "video", "audio", "voice", "document"] = "",
    since: given.Since = "",
    until: given.Until = "",
    limit: given.Limit100 = 20,
    cursor: given.Cursor = "",
    format: given.Format = "text",
) -> str:
    """Find messages by their words, newest first, with chat and id.

    Not by meaning: try likely words. Context of a hit: read_messages with around.
    """
    call = asking(ctx)
    asked = Asked.read(call.zone, since, until, cursor)
    span = asked.span

    async def fetch(size: int) -> Page[Hit]:
        page = await call.core.search.messages(
            call.caller,
            query,
            chat,
            instance,
            sender,
            media,
            span.since,
            span.until,
            size,
            asked.cursor,
        )
        return Page(page.items, asked.carry(page.cursor))

    def render(page: Page[Hit], note: str) -> str:
        ends = call.zone.range(span.since, span.until)
        if format == "json":
            found = messages_as_data(hit.message for hit in page.items)
            chats = {hit.chat.id: hit.chat.name for hit in page.items}
            new = [hit.message.id for hit in page.items if hit.by_messenger]
            ours: dict[str, object] = {"range": ends, **({"by_messenger": new} if new else {})}
            return json_answer(ours, {"messages": found, "chats": chats}, note)
        transcript = Transcript(call.zone, longest=SHORT // 3)
        lines = hits(page.items, transcript)
        found = f"{len(page.items)} found"
        new = [hit.message.id for hit in page.items if hit.by_messenger]
        fetched = f"by the messenger's own search: {', '.join(new)}" if new else ""
        top = header(found, fetched, ends, transcript.visible.report())
        return _joined(top, untrusted(lines), note)

    async def empty() -> str:
        if not query.strip():
            return "query has no words to look for. list_recent_messages shows what is new."
        return "Nothing found. Words are matched literally and all must occur: try fewer or others."

    return await Paged(fetch, render, empty if format == "text" else None).answer(limit)


async def get_message(ctx: Ctx, message: given.MessageId) -> str:
    """Everything about one message: full text, attachments, reactions, edits, delivery with times.

    Also what became of a message that was queued, unknown or waiting for approval.
    """
    call = asking(ctx)
    detail = await call.core.history.get(call.caller, message)
    return _detail(call, detail)


async def wait_for_messages(
    ctx: Ctx,
    chat: given.ChatFilter = "",
    instance: given.InstanceFilter = "",
    timeout_s: Annotated[int, Field(ge=0, le=300)] = 30,
    cursor: given.Cursor = "",
) -> str:
    """Wait until a message arrives or the time is up.

    Pass the cursor of each answer to the next call and nothing between the two is missed.
    """
    call = asking(ctx)
    async with ticking(ctx, timeout_s, "waiting for messages"):
        waited = await call.core.history.wait(call.caller, chat, instance, timeout_s, cursor)
    note = f"cursor={waited.cursor}"
    if waited.gap:
        note += "\nMessages between the last cursor and now are not listed: list_recent_messages."
    if not waited.items:
        return f"Nothing arrived in {timeout_s} s.\n{note}"
    return _arrived(call, waited, note)


def _transcript(call: Asking, place: Chat, page: Page[Message], ends: str, note: str) -> str:
    transcript = Transcript(call.zone)
    lines = transcript.lines(page.items) or ["(no messages here)"]
    title = transcript.visible.line(place.name)
    top = header(
        f"chat {place.id}",
        f'{place.provider} "{place.instance}"',
        "" if place.kind == "dm" else place.kind,
        ends,
        f"{counted(page.left_out, 'message')} left out by access rules" if page.left_out else "",
        transcript.visible.report(),
    )
    return _joined(top, untrusted(lines, title), note)


async def _history_since(call: Asking, place: Chat) -> str:
    """How far back the chat's stored messages reach."""
    since = call.zone.day(await call.core.history.since(place))
    return f" · history since {since}" if since else ""


def _groups(call: Asking, items: tuple[ChatMessages, ...], span: str, note: str) -> str:
    transcript = Transcript(call.zone, longest=SHORT // 3)
    lines = with_messages(items, transcript)
    top = header(counted(len(items), "chat"), span, transcript.visible.report())
    return _joined(top, untrusted(lines), note)


def _arrived(call: Asking, waited: Waited, note: str) -> str:
    """All that came, each text as short as it takes: waiting again would not show it again."""
    for longest in (SHORT, SHORT // 5, SHORT // 25):
        transcript = Transcript(call.zone, longest=longest)
        lines = with_messages(waited.items, transcript)
        if sum(map(len, lines)) < CAP:
            break
    count = sum(len(each.messages) for each in waited.items)
    top = header(f"{count} new", call.zone.name, transcript.visible.report())
    return _joined(top, untrusted(lines), note)


def _detail(call: Asking, detail: MessageDetail) -> str:
    message, zone = detail.message, call.zone
    transcript = Transcript(zone, longest=CAP - 5_000)
    visible = transcript.visible
    lines = transcript.message(message, message.chat)
    lines += transcript.attachments(message)
    if message.native_id:
        lines.append(f"  ↳ native id {visible.line(message.native_id)}")
    events = [f"{zone.second(event.at)} {event.kind}" for event in detail.history]
    lines += [
        f"  ↳ {event.kind}: {visible.line(why, 300)}"
        for event in detail.history
        if isinstance(why := event.data.get("why"), str)
    ]
    top = header(
        f"message {message.id}",
        f"chat {message.chat}",
        f'{detail.chat.provider} "{message.instance}"',
        f"sent {zone.minute(message.sent_at)}" if message.sent_at else "not sent",
        zone.name,
        f"delivery {message.delivery}" if message.delivery else "",
        visible.report(),
    )
    return _joined(top, *events, untrusted(lines, visible.line(detail.chat.name)))


def _groups_as_data(items: tuple[ChatMessages, ...]) -> list[dict[str, object]]:
    return [{**as_data(each.chat), "messages": messages_as_data(each.messages)} for each in items]


def _messages_in(page: Page[ChatMessages]) -> int:
    return sum(len(each.messages) for each in page.items)


async def _has_chats(call: Asking, instance: str) -> bool:
    return bool((await call.core.chats.list(call.caller, ChatFilter(instance=instance), 1)).items)


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
