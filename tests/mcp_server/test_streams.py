"""What HTTP clients hold on to: a stream that may be cut, a session that may end."""

from uuid import UUID

import anyio
import httpx2
import pytest

from messengers.core.callers import OWNER
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


@pytest.mark.case("S70")
async def test_who_ends_no_session_loses_those_that_rested_longest_and_takes_no_others_room(
    house: House,
) -> None:
    _, other = await house.core.keys.create(OWNER, "another", "reader")
    accepted = {"Accept": "application/json, text/event-stream"}
    async with (
        listening(house.core, "setup", most_sessions=3) as (url, headers),
        httpx2.AsyncClient(base_url=url, timeout=5) as client,
    ):

        async def begun(key: dict[str, str]) -> dict[str, str]:
            answer = await client.post("/mcp", json=INITIALIZE, headers=accepted | key)
            return accepted | key | {"Mcp-Session-Id": answer.headers["mcp-session-id"]}

        async def holds(session: dict[str, str]) -> bool:
            return (await client.post("/mcp", json=PING, headers=session)).status_code == 200

        theirs = await begun({"Authorization": f"Bearer {other}"})
        first, second, third = [await begun(headers) for _ in range(3)]
        assert await holds(first)
        async with client.stream("GET", "/mcp", headers=second) as stream:
            fourth = await begun(headers)
            assert stream.status_code == 200
            assert [await holds(each) for each in (second, third, first)] == [True, False, True]
        await client.delete("/mcp", headers=fourth)
        fifth = await begun(headers)

        assert [await holds(each) for each in (first, second, fifth, theirs)] == [True] * 4
