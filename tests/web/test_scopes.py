"""Every scope against every tool, resource and route, and that each of them has one."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import httpx2
import pytest
from starlette.routing import BaseRoute, Route

from messengers.core.callers import OWNER
from messengers.core.scopes import PRESET_SCOPES, Scope, covers
from messengers.mcp_server.resources import GUIDE
from messengers.mcp_server.table import RESOURCES, TABLE
from messengers.mcp_server.updates import CHAT, INSTANCE
from messengers.models import Toolset
from messengers.web.doors import CONTROL_SCOPES, KEY_DOORS, OPEN_DOORS, door_of
from tests.core.conftest import House, house, open_house
from tests.mcp_server.ways import listening
from tests.web.conftest import Site

__all__ = ["house", "open_house"]

Kind = Literal["tools", "resources", "routes", "control"]
SPEC: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parents[1] / "spec" / "scopes.toml").read_text("utf-8")
)
SCOPES: tuple[Scope, ...] = get_args(Scope)
TOOLSETS: tuple[Toolset, ...] = get_args(Toolset)
BY_ITS_TOOLS = {"/mcp", "/sse", "/messages/"}
"""Routes that carry calls, each of which has a scope of its own."""
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
MODERN = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
}
ANY_KEY = {"/tickets"}
"""It judges by the path that the ticket is for."""


def under(scope: str, kind: Kind) -> set[str]:
    return set(SPEC[scope].get(kind, ()))


def everything(kind: Kind) -> list[str]:
    return sorted(name for scope in SPEC for name in SPEC[scope].get(kind, ()))


def own_routes(routes: Iterable[BaseRoute]) -> set[str]:
    """`METHOD /path` of each; what only tells about another method is left out."""
    return {
        f"{method} {route.path}"
        for route in routes
        if isinstance(route, Route)
        for method in (route.methods or set[str]()) - {"HEAD"}
    }


@pytest.mark.case("S61", "S04")
def test_every_tool_and_resource_has_its_scope() -> None:
    assert sorted(row.name for row in TABLE) == everything("tools")
    assert sorted(RESOURCES) == everything("resources")
    assert {str(GUIDE.uri).partition(":")[0], CHAT[:4], INSTANCE[:8]} == set(RESOURCES)
    for scope in SCOPES:
        assert {row.name for row in TABLE if row.scope == scope} == under(scope, "tools")
        assert {name for name, its in RESOURCES.items() if its == scope} == under(
            scope, "resources"
        )


@pytest.mark.case("S61", "S04")
async def test_every_route_has_its_scope(site: Site) -> None:
    named = {door.path for door in (*OPEN_DOORS, *KEY_DOORS)}
    for route in site.app.web.routes:
        path = getattr(route, "path", "")
        door = door_of(path.replace("{", "").replace("}", "") or "/")
        shown = path + "/" if path == "/messages" else path
        assert any(shown == each or shown.startswith(each) for each in named), path
        assert door.scope or door.opened_by != "key" or shown in BY_ITS_TOOLS | ANY_KEY, path

    assert own_routes(site.app.control.routes) == set(CONTROL_SCOPES)
    assert sorted(CONTROL_SCOPES) == everything("control")
    for scope in SCOPES:
        assert {name for name, its in CONTROL_SCOPES.items() if its == scope} == under(
            scope, "control"
        )


@pytest.mark.case("S61")
def test_every_scope_opens_something() -> None:
    assert set(SPEC) == set(SCOPES)


@dataclass(frozen=True)
class Caller:
    """Who asks over HTTP with one key. An SDK's client would ask for the list before each call."""

    http: httpx2.AsyncClient
    url: str
    secret: str

    async def ask(self, method: str, about: str = "", /, **params: object) -> str:
        """The answer as it came."""
        headers = {**MODERN, "Authorization": f"Bearer {self.secret}", "Mcp-Method": method}
        if about:
            headers["Mcp-Name"] = about
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
        return (await self.http.post(f"{self.url}/mcp", json=body, headers=headers)).text

    async def tools(self) -> set[str]:
        answer = json.loads(await self.ask("tools/list"))
        return {tool["name"] for tool in answer["result"]["tools"]}

    async def has(self, tool: str) -> bool:
        """Whether a tool judges its arguments, which are wrong, or is none at all."""
        wrong = {"no_such_parameter": ""}
        answer = await self.ask("tools/call", tool, name=tool, arguments=wrong)
        assert '"isError":true' in answer, answer
        return "No such tool." not in answer

    async def reads(self, uri: str) -> bool:
        return "lacks the scope" not in await self.ask("resources/read", uri, uri=uri)


@pytest.mark.case("S61")
async def test_a_scope_opens_its_own_tools_and_resources_and_no_other(house: House) -> None:
    chat = (await house.personal.say("hello")) and (await house.told("hello")).chat
    uris = {
        "guide": "guide://messengers",
        "chat": f"chat://{chat}/messages",
        "instance": "instance://me",
    }
    async with (
        listening(house.core, "reader") as (url, _),
        httpx2.AsyncClient(timeout=20) as http,
    ):
        for scope in SCOPES:
            _, secret = await house.core.keys.create(
                OWNER, scope, "admin", scopes=[scope], toolsets=TOOLSETS
            )
            caller = Caller(http, url, secret)
            listed = await caller.tools()
            called = {name for name in everything("tools") if await caller.has(name)}
            read = {name for name, uri in uris.items() if await caller.reads(uri)}

            assert listed == called == under(scope, "tools"), scope
            assert read == under(scope, "resources"), scope


@pytest.mark.case("S61")
async def test_a_scope_opens_its_own_routes_and_no_other(site: Site) -> None:
    await site.app.core.instances.create(OWNER, "webchat", "page")
    for scope in SCOPES:
        _, secret = await site.app.core.keys.create(OWNER, scope, "reader", scopes=[scope])
        headers = {"Authorization": f"Bearer {secret}"}
        opened: set[str] = set()
        for name in everything("routes"):
            method, path = name.replace("{ref}", "page").split(" ")
            # A wrong parameter keeps a stream from opening, once the key was let through.
            answer = await site.client.request(method, f"{path}?wrong=1", headers=headers)
            assert answer.status_code != 401
            if answer.status_code != 403:
                opened.add(name)
        ticket = await site.client.post("/tickets", json={"path": "/events"}, headers=headers)

        assert opened == under(scope, "routes"), scope
        assert (ticket.status_code == 201) is ("GET /events" in opened), scope


@pytest.mark.case("S61")
async def test_a_route_without_a_door_is_closed_to_every_key(site: Site) -> None:
    async def open_to_all(scope: object, receive: object, send: object) -> None:
        raise AssertionError("it was reached")

    site.app.web.router.routes.append(Route("/forgotten", open_to_all))
    answer = await site.client.get("/forgotten", headers=await site.authorized())

    assert answer.status_code == 404


@pytest.mark.case("S74")
def test_administration_is_no_tool_of_any_preset_that_agents_get() -> None:
    nouns = ("admin", "settings", "access", "webhooks")
    acts = [row for row in TABLE if row.scope.partition(":")[0] in nouns]

    assert {row.preset for row in acts} == {"admin"}
    assert acts[0].name == "list_audit"
    for preset in ("reader", "messenger", "setup"):
        scopes = PRESET_SCOPES[preset]
        assert not [scope for scope in SCOPES if scope.startswith(nouns) and covers(scopes, scope)]


@pytest.mark.case("S74")
def test_stop_backup_log_and_keys_are_administration() -> None:
    acts = {"POST /stop", "POST /backup", "GET /log", "GET /status", "GET /keys", "POST /keys"}

    assert acts <= under("admin:read", "control") | under("admin:write", "control")
