"""What an event stream tells its client beside the messages."""

import httpx2

from tests.core.conftest import House
from tests.mcp_server.ways import listening


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
