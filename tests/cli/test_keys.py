import json

import httpx2
import pytest
from anyio.to_thread import run_sync
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.cli.agents import agent
from tests.cli.conftest import Run
from tests.living import House

pytestmark = pytest.mark.timeout(90)


def test_a_key_is_shown_once_opens_the_door_and_ends(at: Run, office: House) -> None:
    made = at("keys", "create", "laptop", "--preset", "reader", "--instance", "shop")
    secret = made.stdout.strip()
    opened = {"Authorization": f"Bearer {secret}"}

    assert secret.startswith("msk_")
    assert secret not in made.stderr
    assert httpx2.get(f"{office.url}/mcp", headers=opened).status_code != 401
    listed = at("keys", "list").stdout
    assert "laptop" in listed
    assert secret not in listed
    assert "opens nothing" in at("keys", "revoke", "laptop").stdout
    assert httpx2.get(f"{office.url}/mcp", headers=opened).status_code == 401
    assert "revoked" in at("keys", "list").stdout


@pytest.mark.parametrize("expires", ["12h", "30d", "2w", "2099-01-31T12:00"])
def test_a_key_may_end_by_itself(at: Run, expires: str) -> None:
    made = at("keys", "create", f"until-{expires}", "--expires", expires, "--json").stdout

    key = json.loads(made)["key"]
    assert key["expires_at"]
    assert "until 20" in at("keys", "list").stdout
    assert any(each["id"] == key["id"] for each in json.loads(at("keys", "list", "--json").stdout))
    at("keys", "revoke", key["id"])


def test_a_key_opens_the_tool_sets_it_was_made_with(at: Run) -> None:
    made = json.loads(at("keys", "create", "rich", "--toolsets", "groups, rich", "--json").stdout)

    assert made["key"]["toolsets"] == ["rich", "groups"]
    assert "messenger + rich + groups" in at("keys", "list").stdout
    unknown = at("keys", "create", "x", "--toolsets", "gruops", code=1).stderr
    assert "There are rich, groups and access." in unknown
    assert "gruops" not in unknown
    at("keys", "revoke", "rich")


def test_a_key_is_bound_and_made_anew(at: Run, office: House) -> None:
    bounds = ("--scopes", "events:read, messages:*", "--rate", "30", "--instance", "shop")
    made = at("keys", "create", "narrow", *bounds).stdout.strip()
    renewed = at("keys", "regenerate", "narrow")
    after = renewed.stdout.strip()
    opened, closed = [
        httpx2.get(f"{office.url}/mcp", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (after, made)
    ]

    assert "only events:read messages:*, 1 instance, 30 a minute" in at("keys", "list").stdout
    assert after.startswith("msk_")
    assert after not in renewed.stderr
    assert (opened == 401, closed) == (False, 401)
    unknown = at("keys", "create", "x", "--scopes", "message:read", code=1).stderr
    assert "There is no scope of that name." in unknown
    at("keys", "revoke", "narrow")
    assert "has ended" in at("keys", "regenerate", "narrow", code=1).stderr


async def test_a_tool_set_reaches_the_stdio_client_and_the_key_it_was_given_to(
    at: Run, office: House
) -> None:
    made = await run_sync(at, "keys", "create", "grouper", "--toolsets", "groups")
    opened = {"Authorization": f"Bearer {made.stdout.strip()}"}

    async with agent(office) as client:
        plain = await tools(client)
    async with agent(office, "--toolsets", "groups") as client:
        by_stdio = await tools(client)
    async with (
        httpx2.AsyncClient(headers=opened, timeout=20) as http,
        Client(streamable_http_client(f"{office.url}/mcp", http_client=http)) as client,
    ):
        by_key = await tools(client)

    assert "leave_group" not in plain
    assert {"list_groups", "leave_group"} <= by_stdio & by_key
    assert "get_instance" in by_stdio - by_key
    at("keys", "revoke", "grouper")


async def tools(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}


def test_an_end_that_is_none_is_misuse(at: Run) -> None:
    assert "12h" in at("keys", "create", "x", "--expires", "soon", code=2).stderr


def test_an_unknown_key_cannot_be_revoked(at: Run) -> None:
    assert "keys list" in at("keys", "revoke", "nobody", code=1).stderr


def test_a_fresh_house_has_no_keys(empty_house: House) -> None:
    assert "messengers keys create NAME" in empty_house.run("messengers keys list")
