"""Accounts: which there are and how they fare."""

from typing import Annotated

from pydantic import Field

from messengers.core.instances import InstanceView
from messengers.mcp_server.context import Asking, Ctx, asking
from messengers.mcp_server.results import header, untrusted
from messengers.mcp_server.text import Visible
from messengers.mcp_server.tools import parameters as given
from messengers.providers.capabilities import Capabilities, Level

__all__ = ["first_steps", "get_instance", "instance_state", "list_instances"]

NONE_YET = (
    "No messenger is connected yet. Ask the owner to run `messengers instances add` in a terminal, "
    "or call create_instance where you have it (webchat needs no account)."
)
_ABILITIES = (
    *("edit", "delete", "react", "mark_read", "fetch_history", "search_history"),
    *("groups", "arrange"),
)


async def list_instances(
    ctx: Ctx,
    provider: Annotated[given.Text, Field(description="Only this messenger, e.g. telegram")] = "",
) -> str:
    """Connected accounts: messenger, state, what the owner must do, history since, abilities.

    Look here when a messenger is named or a call is refused.
    """
    call = asking(ctx)
    views = await call.core.instances.list(call.caller, provider)
    if not views:
        return (
            "No account of that messenger. Without provider all are listed."
            if provider
            else NONE_YET
        )
    return "\n".join(_line(call, view) for view in views)


async def get_instance(ctx: Ctx, instance: given.InstanceRef) -> str:
    """Health of one account: state, last received and sent, last errors, what to do."""
    call = asking(ctx)
    view = await call.core.instances.get(call.caller, instance)
    health, zone = view.health, call.zone
    times = {
        "last sign of life": health.last_transport_at,
        "last received": health.last_inbound_at,
        "last sent": health.last_outbound_at,
        "last probe": health.last_probe_ok_at,
    }
    lines = [_line(call, view), f"id {view.instance.id} · asks: {view.instance.confirm}"]
    lines += [f"{name}: {zone.minute(at) or 'never'}" for name, at in times.items()]
    lines += [f"next attempt: {zone.minute(health.retry_at)}"] if health.retry_at else []
    lines.append(f"times in {zone.name}")
    visible = Visible()
    problems = call.core.instances.problems(view.instance.id)
    if problems:
        told = [f"  | {visible.line(line, 300)}" for line in problems]
        lines += ["Last problems, in the messenger's words:", untrusted(told)]
    return "\n".join(lines)


async def instance_state(ctx: Ctx, name: str) -> str:
    """One account's line of `list_instances`."""
    call = asking(ctx)
    return _line(call, await call.core.instances.get(call.caller, name))


async def first_steps(call: Asking, instance: str = "") -> str:
    """What to do when no one has written yet."""
    views = await call.core.instances.list(call.caller)
    chosen = [view for view in views if instance in ("", view.instance.name, view.instance.id)]
    if not chosen:
        return NONE_YET
    return "\n".join(("No one has written yet.", *(_line(call, view) for view in chosen)))


def _line(call: Asking, view: InstanceView) -> str:
    instance, health = view.instance, view.health
    action = "" if health.user_action == "none" else f"owner must {health.user_action}"
    since = call.zone.day(instance.history_since)
    top = header(
        f"{instance.name} · {instance.provider} ({instance.kind}) · {health.lifecycle}",
        action,
        "read-only" if instance.read_only else "",
        f"history since {since}" if since else "no history yet",
        f"can {abilities}" if (abilities := _abilities(view.capabilities)) else "",
        "" if view.page in view.next_step else view.page,
    )
    return "\n".join(
        f"  {line}" if at else line
        for at, line in enumerate(part for part in (top, health.reason, view.next_step) if part)
    )


def _abilities(capabilities: Capabilities) -> str:
    """Beyond reading and sending text."""
    able = [name for name in _ABILITIES if getattr(capabilities, name) is not Level.REJECT]
    able += ["send location", "send contact"] if capabilities.rich is not Level.REJECT else []
    able += ["send poll"] if capabilities.max_poll_options else []
    return ", ".join([*able, *(f"send {kind}" for kind in capabilities.media)])
