"""What HTTP clients hold on to: a stream that may be cut, a session that may end."""

from uuid import UUID

import anyio
import httpx2
import pytest

from tests.core.conftest import House
from tests.mcp_server.ways import listening
from tests.process.conftest import INITIALIZE

PING = {"jsonrpc": "2.0", "id": 9, "method": "ping"}


async def test_a_stream_says_when_to_come_back_within_its_first_event(house: House) -> None:
    async with listening(house.core, "setup") as (url, headers), httpx2.AsyncClient() as client:
        request = client.build_request("GET", f"{url}/sse", headers=headers, timeout=5)
        answer = await client.send(request, stream=True)
        lines = answer.aiter_lines()
        first = [await anext(lines) for _ in range(4)]
        await answer.aclose()

    assert first[:2] == ["retry: 3000", "event: endpoint"]
    assert first[2].startswith("data: /messages/?session_id=")
    assert first[3] == ""


@pytest.mark.case("S07")
async def test_a_session_that_says_nothing_ends(house: House) -> None:
    async with (
        listening(house.core, "setup", idle_s=0.3) as (url, headers),
        httpx2.AsyncClient(headers=headers, timeout=5) as client,
    ):
        accepted = {"Accept": "application/json, text/event-stream"}
        first = await client.post(f"{url}/mcp", json=INITIALIZE, headers=accepted)
        session = {**accepted, "Mcp-Session-Id": first.headers["mcp-session-id"]}
        own = await client.post(f"{url}/mcp", json=PING, headers=session)
        await anyio.sleep(1)  # being idle is time that passes, and any request would end it
        after = await client.post(f"{url}/mcp", json=PING, headers=session)

    assert UUID(session["Mcp-Session-Id"]).version == 4
    assert (own.status_code, after.status_code) == (200, 404)
