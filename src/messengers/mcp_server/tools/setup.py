"""Setting accounts up. The owner is asked before anything changes, secrets are never asked for."""

from datetime import datetime
from typing import Annotated, assert_never

from mcp.server.mcpserver import Image, Resolve
from pydantic import Field

from messengers.core.acts import Act
from messengers.mcp_server.confirmation import Consent, asked, settle
from messengers.mcp_server.context import Ctx, asking
from messengers.mcp_server.progress import ticking
from messengers.mcp_server.results import InstanceResult
from messengers.mcp_server.tools import parameters as given
from messengers.mcp_server.tools.sending import said
from messengers.providers.login import (
    AskInput,
    Done,
    LoginFailed,
    LoginStep,
    ShowCode,
    ShowQr,
    Wait,
)
from messengers.qr import blocks, png

__all__ = [
    "connect_instance",
    "create_instance",
    "delete_instance",
    "disconnect_instance",
    "get_qr",
    "shown",
]


async def _create(ctx: Ctx, provider: str, name: str, credentials: dict[str, str]) -> Act:
    call = asking(ctx)
    return await call.core.instances.prepare_create(call.caller, provider, name, credentials)


async def create_instance(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_create)],
    consent: Annotated[Consent, asked(_create)],
    provider: Annotated[
        given.Text, Field(description="Built in: webchat, telegram, discord, slack, whatsapp_web")
    ],
    name: Annotated[given.Text, Field(description="Short unique name, a-z 0-9 _ -")],
    credentials: Annotated[
        dict[str, str], Field(description="For programs. Never ask a person for secrets in chat")
    ] = {},  # noqa: B006 - the SDK copies it into the schema and never changes it
) -> InstanceResult:
    """Add a messenger account; next_step says how to go on.

    Secrets the owner enters, by the link or command it names.
    """
    return said(await settle(ctx, act, consent))


async def connect_instance(ctx: Ctx, instance: given.InstanceRef) -> InstanceResult:
    """Connect an account again, after it was stopped or repaired."""
    call = asking(ctx)
    return said(await call.core.instances.connect(call.caller, instance))


async def _disconnect(ctx: Ctx, instance: str) -> Act:
    call = asking(ctx)
    return await call.core.instances.prepare_disconnect(call.caller, instance)


async def disconnect_instance(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_disconnect)],
    consent: Annotated[Consent, asked(_disconnect)],
    instance: given.InstanceRef,
) -> InstanceResult:
    """Stop an account's connection. What is stored stays."""
    return said(await settle(ctx, act, consent))


async def _delete(ctx: Ctx, instance: str, purge: bool) -> Act:
    call = asking(ctx)
    return await call.core.instances.prepare_delete(call.caller, instance, purge)


async def delete_instance(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_delete)],
    consent: Annotated[Consent, asked(_delete)],
    instance: given.InstanceRef,
    purge: Annotated[bool, Field(description="Its messages and files too, for good")] = False,
) -> InstanceResult:
    """Remove an account."""
    return said(await settle(ctx, act, consent))


async def get_qr(
    ctx: Ctx,
    instance: given.InstanceRef,
    phone: Annotated[given.Text, Field(description="Get a pairing code for this number")] = "",
    wait_s: given.WaitSeconds = 20,
) -> list[str | Image]:
    """The QR code to log an account in, or of a webchat's page: show the picture to the user.

    Says how many seconds it holds, or why there is none.
    """
    call = asking(ctx)
    async with ticking(ctx, wait_s, "waiting for the code"):
        step = await call.core.login.step(call.caller, instance, phone, wait_s)
    return shown(step, call.core.clock.now())


def shown(step: LoginStep, now: datetime) -> list[str | Image]:
    """What the owner sees of a login step."""
    match step:
        case ShowQr():
            told = f"{step.caption}{_seconds_left(step.expires_at, now)}"
            return [told, Image(data=png(step.text), format="png"), blocks(step.text)]
        case ShowCode():
            return [f"{step.caption}{_seconds_left(step.expires_at, now)}", step.spaced]
        case AskInput():
            fields = ", ".join(step.fields)
            return [f"It needs {fields}: connect_instance answers with the owner's form for that."]
        case Wait():
            return [
                " ".join(
                    part for part in ("No code yet.", step.reason, "Call get_qr again.") if part
                )
            ]
        case Done():
            return ["Already connected: nothing to scan."]
        case LoginFailed():
            return [f"There is no code: {step.reason}"]
    assert_never(step)


def _seconds_left(expires_at: datetime | None, now: datetime) -> str:
    if expires_at is None:
        return ""
    return f" Holds for {max(0, round((expires_at - now).total_seconds()))} s more."
