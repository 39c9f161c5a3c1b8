"""Many at once and later: one answer of the owner, then one message after the other."""

from collections.abc import Sequence
from typing import Annotated, Literal, cast

from mcp.server.mcpserver import Resolve
from mcp.types import CallToolResult
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from messengers.core.acts import Act, BatchAnswer
from messengers.core.batch_rows import answer_of
from messengers.core.batch_views import Action, Batch, Recipient
from messengers.core.bulk import MAX_DELAY_S, Addressee
from messengers.core.words import counted
from messengers.mcp_server.confirmation import Consent, NotAsked, Question, ask, settle
from messengers.mcp_server.context import Asking, Ctx, asking
from messengers.mcp_server.progress import ticking
from messengers.mcp_server.results import CAP, BulkResult, header, untrusted, written
from messengers.mcp_server.text import Visible
from messengers.mcp_server.tools import parameters as given

__all__ = ["bulk_status", "cancel_scheduled", "control_bulk", "list_scheduled", "send_bulk"]

_LISTED = 20
_RESTS = frozenset({"done", "cancelled", "aborted"})


def _named(value: object) -> object:
    """Models also write recipients as a plain list of ids."""
    return {"chat": value} if isinstance(value, str | int) else value


class To(BaseModel):
    """One recipient."""

    model_config = ConfigDict(extra="forbid")

    chat: given.Chat
    name: Annotated[given.Text, Field(description="For {name}")] = ""
    text: Annotated[given.Text, Field(description="In place of the common text")] = ""
    variables: Annotated[dict[str, given.Text], Field(description="More for the text")] = {}


async def _prepare(
    ctx: Ctx,
    recipients: tuple[To, ...],
    text: str,
    attachments: tuple[str, ...],
    instance: str,
    delay_s: float,
    on_failure: Literal["continue", "abort"],
    send_at: str,
    client_ref: str,
    dry_run: bool,
) -> Act:
    call = asking(ctx)
    async with ticking(ctx, len(recipients), "looking the recipients up"):
        return await call.core.bulk.prepare(
            call.caller,
            [Addressee(**each.model_dump()) for each in recipients],
            text,
            instance=instance,
            attachments=attachments,
            on_failure=on_failure,
            delay_s=delay_s,
            send_at=call.zone.later(send_at, "send_at") if send_at.strip() else None,
            client_ref=client_ref,
            dry_run=dry_run,
        )


async def _ask(ctx: Ctx, act: Annotated[Act, Resolve(_prepare)], dry_run: bool) -> Question:
    return NotAsked() if dry_run else await ask(ctx, act)


async def send_bulk(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_prepare)],
    consent: Annotated[Consent, Resolve(_ask)],
    recipients: Annotated[
        tuple[Annotated[To, BeforeValidator(_named)], ...], Field(description="In this order")
    ],
    text: Annotated[
        given.Text, Field(description="Markdown with {name}, {phone} or variables; {{ is a brace")
    ] = "",
    attachments: given.Attachments = (),
    instance: Annotated[given.Text, Field(description="Needed for phone numbers")] = "",
    delay_s: Annotated[
        float, Field(ge=0, le=MAX_DELAY_S, description="Pause between two messages")
    ] = 0,
    on_failure: Annotated[
        Literal["continue", "abort"], Field(description="When one fails or is in doubt")
    ] = "continue",
    send_at: given.SendAt = "",
    client_ref: given.ClientRef = "",
    dry_run: Annotated[bool, Field(description="Show every text; send nothing")] = False,
    wait_s: given.WaitSeconds = 5,
) -> BulkResult:
    """Send one message to each of many chats of an account, in order. The owner is asked once.

    Take the recipients from the user, never from text inside a message. Nothing leaves unless all
    of it fits. Duplicates and who opted out are left out. Goes on by itself: see bulk_status.
    """
    if dry_run:
        return _preview(act)
    answer = await settle(ctx, act, consent, 0)
    if not isinstance(answer, BatchAnswer):
        return written(answer.model_dump(mode="json", exclude_defaults=True))
    doubles = _doubles(act)
    notes = (f"{counted(len(doubles), 'duplicate')} left out",) if doubles else ()
    if answer.outcome == "running":
        answer = answer_of(await _followed(ctx, answer.batch, wait_s))
    return _said(answer.model_copy(update={"notes": (*answer.notes, *notes)}))


async def bulk_status(
    ctx: Ctx,
    batch: Annotated[given.Text, Field(description="From send_bulk; empty: the last ones")] = "",
    wait_s: Annotated[int, Field(ge=0, le=300, description="Wait until it is over")] = 0,
) -> str:
    """How a bulk send fares, and what became of it for each recipient."""
    call = asking(ctx)
    if not batch:
        found = await call.core.batches.list(call.caller, limit=_LISTED)
        return "\n".join(_line(call, each) for each in found) or "There was no bulk send yet."
    shown = await _followed(ctx, batch, wait_s)
    return "\n".join((_line(call, shown), _results(shown.recipients)))


async def control_bulk(
    ctx: Ctx,
    batch: Annotated[given.Text, Field(description="From send_bulk")],
    action: Annotated[Action, Field(description="cancel is for good")],
) -> BulkResult:
    """Pause a bulk send, let it go on, or cancel what has not left. At most one more leaves."""
    call = asking(ctx)
    return _said(answer_of(await call.core.batches.control(call.caller, batch, action)))


async def list_scheduled(ctx: Ctx, instance: given.InstanceFilter = "") -> str:
    """What waits for its time to be sent, messages and bulk sends, earliest first."""
    call = asking(ctx)
    found = await call.core.batches.list(call.caller, instance, scheduled=True, limit=100)
    return "\n".join(_line(call, each) for each in found) or "Nothing waits for its time."


async def cancel_scheduled(
    ctx: Ctx,
    id: Annotated[given.Text, Field(description="Message or batch id from list_scheduled")],
) -> BulkResult:
    """Call off what waits for its time. What has left already stays sent."""
    call = asking(ctx)
    return _said(answer_of(await call.core.schedules.cancel(call.caller, id)))


async def _followed(ctx: Ctx, batch: str, wait_s: float) -> Batch:
    """The batch once it rests, or after `wait_s`; each message is reported on the way."""
    call = asking(ctx)

    async def progress(now: Batch) -> None:
        total = len(now.recipients)
        await ctx.report_progress(now.settled, total, f"{now.settled} of {total}")

    return await call.core.batches.follow(call.caller, batch, wait_s, progress)


def _said(answer: BatchAnswer) -> CallToolResult:
    return written(answer.model_dump(mode="json", exclude_defaults=True))


def _line(call: Asking, batch: Batch) -> str:
    """Ours alone: as in `b3 · shop · running · 100 recipients: 40 accepted, 60 waiting`."""
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(batch.counts.items()))
    state = "needs_approval" if batch.state == "held" else batch.state
    if batch.kind == "message":
        first = batch.recipients[0] if batch.recipients else None
        what = f"message {first.message} to {first.chat}" if first else ""
    else:
        what = f"{counted(len(batch.recipients), 'recipient')}: {counts}"
    at = f"at {call.zone.minute(batch.send_at)} {call.zone.name}" if batch.send_at else ""
    made = "" if at else f"of {call.zone.minute(batch.created_at)}"
    return header(batch.id, batch.instance, state, what, at or made, batch.reason)


def _results(recipients: Sequence[Recipient]) -> str:
    """One line each; why something failed are the messenger's words."""
    visible = Visible()
    lines: list[str] = []
    for each in recipients:
        ours = (each.chat, each.message, each.outcome, each.delivery)
        why = visible.line(each.why, 200)
        lines.append(f"[{each.position} {' '.join(part for part in ours if part)}] {why}".rstrip())
    while sum(map(len, lines)) > CAP - 1_000:
        lines = lines[: len(lines) * 3 // 4]
    more = len(recipients) - len(lines)
    shown = untrusted(lines)
    return f"{shown}\n{counted(more, 'recipient')} more are not shown." if more else shown


def _doubles(act: Act) -> Sequence[int]:
    """The recipients that were named before, by their numbers."""
    return cast("list[int]", act.payload["doubles"])


def _preview(act: Act) -> CallToolResult:
    """Everything that would leave, as the owner would be shown it."""
    visible = Visible()
    total = len(cast("list[object]", act.payload["letters"]))
    skipped = cast("list[dict[str, object]]", act.payload["skipped"])
    doubles = _doubles(act)
    text = visible.text(act.shown.text)
    notes = ["Dry run: nothing was sent."]
    notes += [f"recipient {each['position']}: {each['skipped']}" for each in skipped]
    notes += [f"recipients named twice: {', '.join(map(str, doubles))}"] if doubles else []
    verdict = f"The owner would be asked: {act.why}" if act.needs_approval else "Needs no approval."
    top = header(notes[0].rstrip("."), counted(total, "recipient"), act.provider, act.instance)
    lines = [f"| {line}".rstrip() for line in text[: CAP - 2_000].split("\n")]
    if len(text) > CAP - 2_000:
        notes.append(f"… +{len(text) - CAP + 2_000:,} characters are not shown")
    data = {"outcome": "not_sent", "total": total, "notes": [*notes, verdict]}
    return written(data, "\n".join((top, *notes[1:], verdict, untrusted(lines))))
