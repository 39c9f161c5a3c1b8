"""Signs of life while a call takes long, so that no client gives it up."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from messengers.errors import MessengersError
from messengers.mcp_server.context import Ctx

__all__ = ["ticking"]

_EVERY_S = 5.0


@asynccontextmanager
async def ticking(
    ctx: Ctx, total_s: float, doing: str, every_s: float = _EVERY_S
) -> AsyncGenerator[None, None]:
    """Reports progress every few seconds to a client that asked for it."""
    failure: MessengersError | None = None
    alive = anyio.CancelScope()

    async def tick() -> None:
        passed_s = 0.0
        with alive:
            while True:
                await anyio.sleep(every_s)
                passed_s += every_s
                await ctx.report_progress(passed_s, max(total_s, passed_s), doing)

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        try:
            yield
        except MessengersError as exc:
            failure = exc  # raised below: a task group would wrap it
        alive.cancel()
    if failure is not None:
        raise failure
