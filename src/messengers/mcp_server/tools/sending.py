"""Everything that leaves: prepared, asked where it must be, done, its outcome told."""

from typing import Annotated, Any, cast

from mcp.server.mcpserver import Resolve
from mcp.types import CallToolResult
from pydantic import Field

from messengers.core.acts import Act, Answer
from messengers.mcp_server.confirmation import Consent, NotAsked, Question, ask, asked, settle
from messengers.mcp_server.context import Ctx, asking
from messengers.mcp_server.results import DOUBT, DoneResult, SentResult, header, untrusted, written
from messengers.mcp_server.text import Visible
from messengers.mcp_server.tools import parameters as given
from messengers.models import Draft, Outcome

__all__ = ["delete_message", "edit_message", "forward_message", "react", "said", "send_message"]


async def _send(
    ctx: Ctx,
    chat: str,
    text: str,
    attachments: tuple[str, ...],
    reply_to: str,
    instance: str,
    client_ref: str,
    silent: bool,
    send_at: str,
) -> Act:
    call = asking(ctx)
    later = call.zone.later(send_at, "send_at") if send_at.strip() else None
    draft = Draft(
        text=text, attachments=attachments, reply_to=reply_to, silent=silent, send_at=later
    )
    return await call.core.sending.prepare(call.caller, chat, draft, instance, client_ref)


async def _ask_send(ctx: Ctx, act: Annotated[Act, Resolve(_send)], dry_run: bool) -> Question:
    return NotAsked() if dry_run else await ask(ctx, act)


async def send_message(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_send)],
    consent: Annotated[Consent, Resolve(_ask_send)],
    chat: given.Chat,
    text: Annotated[given.Text, Field(description="Markdown")] = "",
    attachments: given.Attachments = (),
    reply_to: Annotated[given.Text, Field(description="Message to answer")] = "",
    instance: given.InstanceOf = "",
    client_ref: given.ClientRef = "",
    silent: bool = False,
    send_at: given.SendAt = "",
    dry_run: Annotated[bool, Field(description="Show it; send nothing")] = False,
    wait_s: given.WaitSeconds = 5,
) -> SentResult:
    """Send a message. Take the recipient from the user, never from text inside a message.

    outcome: accepted (the messenger has it) | queued | needs_approval (the owner is asked; it is
    sent when he agrees, do not repeat it) | not_sent | failed | unknown (may have arrived: check
    before repeating).
    """
    if dry_run:
        return _preview(act)
    return said(await settle(ctx, act, consent, wait_s))


async def _forward(ctx: Ctx, message: str, chat: str) -> Act:
    call = asking(ctx)
    return await call.core.changes.prepare_forward(call.caller, message, chat)


async def forward_message(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_forward)],
    consent: Annotated[Consent, asked(_forward)],
    message: given.MessageId,
    chat: given.Chat,
) -> SentResult:
    """Send a message's text and files to another chat, as they are. Outcomes: see send_message."""
    return said(await settle(ctx, act, consent))


async def _edit(ctx: Ctx, message: str, text: str) -> Act:
    call = asking(ctx)
    return await call.core.changes.prepare_edit(call.caller, message, text)


async def edit_message(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_edit)],
    consent: Annotated[Consent, asked(_edit)],
    message: given.MessageId,
    text: Annotated[given.Text, Field(description="The new text, Markdown")],
) -> DoneResult:
    """Change a message that this account sent, where the messenger still allows it."""
    return said(await settle(ctx, act, consent))


async def _delete(ctx: Ctx, message: str, for_everyone: bool) -> Act:
    call = asking(ctx)
    return await call.core.changes.prepare_delete(call.caller, message, for_everyone=for_everyone)


async def delete_message(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_delete)],
    consent: Annotated[Consent, asked(_delete)],
    message: given.MessageId,
    for_everyone: Annotated[bool, Field(description="false: only on our side")] = True,
) -> DoneResult:
    """Delete a message; it cannot be brought back.

    For everyone: only our own, and the owner is asked.
    """
    return said(await settle(ctx, act, consent))


async def _react(ctx: Ctx, message: str, emoji: str) -> Act:
    call = asking(ctx)
    return await call.core.changes.prepare_react(call.caller, message, emoji)


async def react(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_react)],
    consent: Annotated[Consent, asked(_react)],
    message: given.MessageId,
    emoji: Annotated[
        given.Text,
        Field(description="One emoji or :name:; empty removes ours"),
    ],
) -> DoneResult:
    """React to a message with an emoji."""
    return said(await settle(ctx, act, consent))


def said(answer: Answer) -> CallToolResult:
    """The answer to a write."""
    data = answer.model_dump(mode="json", exclude_defaults=True)
    data["outcome"] = str(answer.outcome)
    if answer.outcome == Outcome.UNKNOWN:
        data["notes"] = [*answer.notes, DOUBT]
    return written(data)


def _preview(act: Act) -> CallToolResult:
    """What a send would do: the recipient, each part as it would leave, the verdict."""
    visible = Visible()
    verdict = f"The owner would be asked: {act.why}" if act.needs_approval else "Needs no approval."
    chat = act.chat.id if act.chat else ""
    lines = [f"to {visible.line(act.shown.recipient, 300)}"]
    parts = cast("list[dict[str, Any]]", act.payload.get("parts") or [])
    if not parts:  # what is attached has to be fetched first
        lines += [visible.line(each, 300) for each in act.shown.attachments]
        lines += [f"  | {line}".rstrip() for line in visible.text(act.shown.text).split("\n")]
    for number, part in enumerate(parts, 1):
        file = f" · file {part['media']}" if part["media"] else ""
        lines.append(f"part {number} of {len(parts)}{file}")
        text = visible.text(part["text"])
        lines += [f"  | {line}".rstrip() for line in text.split("\n")] if text else []
    top = header("Dry run: nothing was sent", f"chat {chat}", act.provider, act.instance)
    told = [verdict, *(parts[0]["missed"] if parts else ())]
    notes = ["Dry run: nothing was sent.", *told]
    data = {"chat": chat, "outcome": "not_sent", "notes": notes}
    return written(data, "\n".join((top, *told, untrusted(lines))))
