"""Whether what was written works: the entry is started, or the daemon asked, as the client will."""

import anyio
import httpx2
from mcp import Client, MCPError, StdioServerParameters

from messengers.cli.install.entries import Launch
from messengers.errors import NotReady

__all__ = ["reachable", "tools_of"]

_START_TIMEOUT_S = 60
_HEALTH_TIMEOUT_S = 5


def tools_of(launch: Launch) -> list[str]:
    """The tools that the entry offers once started: initialize and tools/list over real stdio.

    Raises NotReady when it does not come that far.
    """
    try:
        return anyio.run(_tools_of, launch)
    except (OSError, MCPError, BaseExceptionGroup) as exc:
        raise NotReady(
            "The written entry was started and did not answer as an MCP server.",
            "`messengers doctor` shows what is wrong.",
        ) from exc


async def _tools_of(launch: Launch) -> list[str]:
    server = StdioServerParameters(
        command=launch.command, args=list(launch.args), env=dict(launch.env)
    )
    with anyio.fail_after(_START_TIMEOUT_S):
        async with Client(server) as client:
            return [tool.name for tool in (await client.list_tools()).tools]


def reachable(url: str) -> bool:
    """Whether a Messengers daemon answers where a remote entry points."""
    health = httpx2.URL(url).copy_with(path="/health")
    try:
        return httpx2.get(health, timeout=_HEALTH_TIMEOUT_S, trust_env=False).is_success
    except httpx2.HTTPError:
        return False
