"""A probe that others wrote, against a daemon that runs: Host, Origin and sessions."""

import os
import sys
from pathlib import Path

import anyio
import pytest

from tests.process.conftest import StartDaemon

PROBE = Path(sys.executable).with_name("mcp-ssrf-check")


@pytest.mark.case("S01", "S02", "S07")
@pytest.mark.parametrize("lifecycle", ["stateless", "stateful"])
async def test_the_probe_of_others_finds_nothing(start_daemon: StartDaemon, lifecycle: str) -> None:
    async with start_daemon() as daemon:
        command = [str(PROBE), "--url", f"{daemon.url}/mcp", "--lifecycle", lifecycle]
        found = {"PATH": os.defpath, "MCP_SSRF_CHECK_BEARER": await daemon.key()}
        with anyio.fail_after(50):
            done = await anyio.run_process(command, env=found, check=False)

    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    assert "host" in said
