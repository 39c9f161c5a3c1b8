"""Asking the owner where the client can: one form for every act that needs it.

The act is prepared before anyone is asked, held, and released by exactly the answer to the question
that showed it. A client without forms gets `needs_approval` and the owner answers in a terminal.
A form holds for ten minutes: since 2026-07-28 its answer comes with a later call, whose state ends
then; before, the call waits for it, and what nobody answered ends as not sent.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import anyio
from mcp.server.mcpserver import (
    AcceptedElicitation,
    CancelledElicitation,
    DeclinedElicitation,
    Elicit,
    ElicitationResult,
    Resolve,
)
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from messengers.core.acts import Act, Answer, Approval
from messengers.core.words import counted
from messengers.errors import Conflict
from messengers.mcp_server.context import Ctx, asking
from messengers.mcp_server.progress import ticking
from messengers.mcp_server.text import Visible
from messengers.redaction import redact_answer

__all__ = ["Consent", "NotAsked", "Question", "ask", "asked", "settle"]


class Choice(BaseModel, frozen=True):
    """What the owner chose in a form."""

    decision: str


class ChatChoice(Choice, frozen=True):
    """The form for what leaves for a chat."""

    decision: Literal["once", "always_this_chat", "never_this_chat"] = Field(
        "once", description="Do it once, or decide for this chat for good"
    )


class ActChoice(Choice, frozen=True):
    """The form for what concerns no chat, or cannot be undone."""

    decision: Literal["once", "no"] = Field("once", description="Do it, or not")


class NotAsked(BaseModel):
    """Nothing to ask, or nobody who could be asked here."""


Question = Elicit[Choice] | Choice | NotAsked
"""A form for the SDK to ask, the answer to one that was asked here, or nothing to ask."""
Consent = ElicitationResult[Choice | NotAsked]
_LATER_CALLS = "2026-07-28"
"""The first protocol version in which a form's answer comes with a call of its own."""
_ADDRESS = 9_000
"""Characters of a web address, which tells its host all that stands in it."""
_UNANSWERED = Choice(decision="unanswered")
_REFUSED = Choice(decision="no")


async def ask(ctx: Ctx, act: Act) -> Question:
    """The form for an act that needs the owner, if this client shows forms."""
    if not act.needs_approval or not _shows_forms(ctx) or await _decided(ctx, act):
        return NotAsked()
    approval = await asking(ctx).core.approvals.hold(act)
    question = redact_answer(_question(act, approval))
    form = ChatChoice if "always" in approval.choices else ActChoice
    if (ctx.protocol_version or "") >= _LATER_CALLS:
        return Elicit(question, form)
    return await _answer(ctx, question, form)


def asked(prepare: Callable[..., Awaitable[Act]]) -> Resolve:
    """The question before a tool's act, where `prepare` made the act of the same call."""

    async def question(ctx: Ctx, act: Annotated[Act, Resolve(prepare)]) -> Question:
        return await ask(ctx, act)

    return Resolve(question)


async def _answer(ctx: Ctx, question: str, form: type[Choice]) -> Choice:
    """What the owner chose in a form of an older protocol version, which waits for him here."""
    with anyio.move_on_after(asking(ctx).form_s):
        try:
            answer = await ctx.elicit(question, form)
        except ValueError:
            # It may name what the client sent: the gate has words of its own.
            raise ToolError("The form's answer does not fit.") from None
        return answer.data if isinstance(answer, AcceptedElicitation) else _REFUSED
    return _UNANSWERED


async def settle(ctx: Ctx, act: Act, consent: Consent, wait_s: int = 5) -> Answer:
    """Do the act, hold it, or end it, as the owner chose."""
    call = asking(ctx)
    approvals = call.core.approvals
    decision = _decision(consent)
    async with ticking(ctx, wait_s, "waiting for the messenger"):
        asked = await approvals.latest(act) if decision or _is_answer(ctx) else None
        if asked is None:
            return await approvals.perform(act, wait_s)
        if decision and asked.state == "waiting":
            try:
                if decision == "lapse":
                    await approvals.lapse(asked.id)
                else:
                    by = f"form of {call.caller.actor}"
                    return await approvals.decide(asked.id, decision, by, wait_s)
            except Conflict:
                pass  # decided in a terminal at this very moment: that holds
        return await approvals.outcome(asked.id, wait_s)


def _is_answer(ctx: Ctx) -> bool:
    """Whether this call brings the answers to questions that an earlier round of it asked."""
    return ctx.input_responses is not None


async def _decided(ctx: Ctx, act: Act) -> bool:
    """Whether the owner, while this call showed its form, decided the act in a terminal."""
    if not _is_answer(ctx):
        return False
    asked = await asking(ctx).core.approvals.latest(act)
    return asked is not None and asked.state != "waiting"


def _decision(consent: Consent) -> Literal["once", "always", "never", "reject", "lapse"] | None:
    match consent:
        case AcceptedElicitation(data=NotAsked()):
            return None
        case AcceptedElicitation(data=Choice(decision="always_this_chat")):
            return "always"
        case AcceptedElicitation(data=Choice(decision="never_this_chat")):
            return "never"
        case AcceptedElicitation(data=Choice(decision="once")):
            return "once"
        case AcceptedElicitation(data=Choice(decision="unanswered")):
            return "lapse"
        case AcceptedElicitation() | DeclinedElicitation() | CancelledElicitation():
            return "reject"


def _shows_forms(ctx: Ctx) -> bool:
    """A bare `elicitation: {}`, the only shape before modes existed, means forms."""
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return declared is not None and (declared.form is not None or declared.url is None)


def _question(act: Act, approval: Approval) -> str:
    """Everything the owner needs to decide, nothing shortened; a text cannot pose as our words."""
    shown, visible = act.shown, Visible()
    lines = [f"{shown.title}? ({approval.id}, asked by {act.caller.actor})"]
    if shown.recipient:
        lines.append(f"To: {visible.line(shown.recipient, 300)}")
    if shown.why:
        lines.append(f"Why you are asked: {shown.why}")
    if shown.found:
        lines.append(f"Found: {visible.line(shown.found, 600)}")
    lines += [f"Attachment: {visible.line(each, _ADDRESS)}" for each in shown.attachments]
    if shown.text:
        lines += ["Text:", *(f"  | {line}" for line in visible.text(shown.text).split("\n"))]
    if visible.hidden:
        lines.append(f"It also holds {counted(visible.hidden, 'character')} that nobody can see.")
    return "\n".join(lines)
