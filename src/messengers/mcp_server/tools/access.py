"""Who is heard and who may be written to: shown, explained, and changed with the owner's word."""

from typing import Annotated, Literal

from mcp.server.mcpserver import Resolve
from pydantic import Field

from messengers.core.access_views import AccessRule, Direction, Effect
from messengers.core.acts import Act
from messengers.core.rulebook import NewRule
from messengers.core.words import counted
from messengers.mcp_server.confirmation import Consent, asked, settle
from messengers.mcp_server.context import Ctx, asking
from messengers.mcp_server.results import AccessResult, header, untrusted
from messengers.mcp_server.text import Visible
from messengers.mcp_server.tools import parameters as given
from messengers.mcp_server.tools.sending import said

__all__ = ["check_access", "list_access_rules", "remove_access_rule", "set_access_rule"]

Who = Annotated[
    given.Text,
    Field(description="+4917…, +4917*, @name, a chat id, a messenger's id, a name with *, or any"),
]
Country = Annotated[given.Text, Field(description="Of a number without one, e.g. DE")]


async def list_access_rules(ctx: Ctx) -> str:
    """Rules on who is heard and written to, in the order they are asked.

    And the chats for which the owner said always or never.
    """
    call = asking(ctx)
    rules = call.core.rulebook.list(call.caller)
    decided = await call.core.chats.decided(call.caller)
    visible = Visible()
    lines = [_line(rule, visible) for rule in rules]
    lines += [
        f"[{chat.id} {chat.decision}] {visible.line(chat.name)} · {chat.instance}"
        for chat in decided
    ]
    answers = counted(len(decided), "standing answer")
    top = header(counted(len(rules), "access rule"), answers, visible.report())
    return "\n".join((top, untrusted(lines))) if lines else "There are no access rules."


async def check_access(
    ctx: Ctx,
    who: Who,
    instance: given.InstanceFilter = "",
    country: Country = "",
) -> str:
    """What rules and policies make of somebody, each way, by which rule, and which else fit."""
    call = asking(ctx)
    lines: list[str] = []
    for each in await call.core.rulebook.explain(call.caller, who, instance, country):
        also = ", ".join(f"{rule.id} {rule.effect}" for rule in each.others)
        by = f" by {each.rule}" if each.rule else ""
        also = f"; also {also}" if also else ""
        lines.append(f"{each.direction}: {each.verdict}{by}, so {each.result}{also}")
    return "\n".join(lines)


async def _set(
    ctx: Ctx,
    effect: Effect,
    who: str,
    direction: Literal["", "in", "out", "both"],
    instance: str,
    country: str,
    priority: int,
    note: str,
    days: float,
) -> Act:
    call = asking(ctx)
    way: Direction | None = direction or None
    new = NewRule(effect, who, way, instance, country, priority, note)
    return await call.core.access_acts.prepare_set(call.caller, new, days)


async def set_access_rule(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_set)],
    consent: Annotated[Consent, asked(_set)],
    effect: Annotated[Effect, Field(description="See above")],
    who: Who,
    direction: Annotated[
        Literal["", "in", "out", "both"], Field(description="Else what is usual for the effect")
    ] = "",
    instance: given.InstanceFilter = "",
    country: Country = "",
    priority: Annotated[int, Field(description="Highest first", ge=-1_000, le=1_000)] = 0,
    note: Annotated[given.Text, Field(description="Why, for the owner")] = "",
    days: Annotated[float, Field(description="0: for good", ge=0, le=3_650)] = 0,
) -> AccessResult:
    """Make a rule on somebody. All but deny ask the owner.

    deny: what he writes is hidden, nothing is sent to him. silent: hidden only. read_only: shown,
    nothing is sent to him. allow: shown, and sent to without asking.
    """
    return said(await settle(ctx, act, consent))


async def _remove(ctx: Ctx, rule: str) -> Act:
    call = asking(ctx)
    return await call.core.access_acts.prepare_remove(call.caller, rule)


async def remove_access_rule(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_remove)],
    consent: Annotated[Consent, asked(_remove)],
    rule: Annotated[given.Text, Field(description="r3, or c1f to revoke its standing answer")],
) -> AccessResult:
    """Take a rule away, or the owner's always or never for a chat. Asks the owner."""
    return said(await settle(ctx, act, consent))


def _line(rule: AccessRule, visible: Visible) -> str:
    """As in `[r3 deny both] +4917… · shop`."""
    ends = f"until {rule.expires_at.isoformat(' ', 'minutes')}" if rule.expires_at else ""
    known = (
        visible.line(rule.who, 200),
        rule.instance,
        f"priority {rule.priority}" if rule.priority else "",
        ends,
        visible.line(rule.note, 200),
    )
    told = " · ".join(part for part in known if part)
    return f"[{rule.id} {rule.effect} {rule.direction}] {told}"
