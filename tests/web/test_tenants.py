"""Two keys over the routes: what belongs to the one answers the other like what never was."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from uuid import uuid4

import anyio
import pytest
from starlette.routing import Route

from messengers.core.callers import OWNER
from messengers.core.chats import ChatFilter
from messengers.models import IdKind, encode_id
from messengers.web.doors import KEY_DOORS, door_of
from tests.web.streams import Office, served

NO_NAMES = {"/mcp", "/sse", "/messages", "/tickets"}
"""Routes for keys that name nothing of an account: tools are tried in tests/mcp_server."""
PROBES: Mapping[str, tuple[str, ...]] = {
    "/events": ("/events?instance={instance}", "/events?instance={id}", "/events?chat={chat}"),
    "/instances/{ref}/login": ("/instances/{instance}/login", "/instances/{id}/login"),
    "/instances/{ref}/login/step": ("/instances/{instance}/login/step",),
}


@pytest.fixture
async def office(home: Path) -> AsyncIterator[Office]:
    async with served(home) as opened:
        yield opened


@pytest.mark.case("S08", "S68", "S79")
async def test_what_is_another_keys_answers_like_what_never_was(office: Office) -> None:
    core = office.app.core
    theirs, mine = await office.instance("theirs"), await office.instance("mine")
    await office.say(theirs, "secret")
    chat = (await core.chats.list(OWNER, ChatFilter(instance="theirs"))).items[0].id
    _, secret = await core.keys.create(OWNER, "mine", "admin", instances=[mine])
    headers = {"Authorization": f"Bearer {secret}"}
    names = {"instance": "theirs", "id": theirs, "chat": chat}
    never = {"instance": "nowhere", "id": str(uuid4()), "chat": "c7zzzz"}
    routes = [route for route in office.app.web.routes if isinstance(route, Route)]
    keyed = {route.path for route in routes if door_of(route.path) in KEY_DOORS}

    assert keyed - NO_NAMES == set(PROBES)
    for path, probes in PROBES.items():
        method = "POST" if path.endswith("/step") else "GET"
        for probe in probes:
            told, usual = [
                await office.client.request(method, probe.format(**each), headers=headers)
                for each in (names, never)
            ]

            assert (told.status_code, told.content) == (404, usual.content), probe
            assert usual.status_code == 404


@pytest.mark.case("S68")
async def test_a_cursor_of_another_keys_stream_tells_nothing_of_it(office: Office) -> None:
    theirs, mine = await office.instance("theirs"), await office.instance("mine")
    key = await office.key("mine", mine)
    before = await office.app.core.events.position()
    await office.say(theirs, "secret", times=3)
    await office.say(mine, "hello")
    heard: list[str] = []
    async with office.follow(encode_id(IdKind.EVENT, before), key) as stream:
        await office.say(theirs, "secret again")
        await office.say(mine, "the last")
        with anyio.fail_after(5):
            while "the last" not in heard:
                frame = await anext(stream)
                if frame.type == "message.received":
                    heard.append(frame.data["data"]["message"]["text"])

    assert "secret" not in " ".join(heard)


@pytest.mark.case("S17")
async def test_what_only_the_control_socket_has_is_reached_by_no_header(office: Office) -> None:
    forged = (
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1;host=localhost"},
        {"Host": "rebound.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    )
    paths = {route.path for route in office.app.control.routes if isinstance(route, Route)}
    paths -= {"/approvals", "/approvals/{ref}"}  # the owner's page has its own door there
    database = str(office.app.core.settings.home)
    for path in (*sorted(paths), "/_internal/database-uri", "/_internal/"):
        filled = path.replace("{ref}", "page")
        for headers in forged:
            for method in ("GET", "POST"):
                answer = await office.client.request(method, filled, headers=headers)
                refusals = {401, 403, 421, 429, *([404] if "webhooks" in path else [])}

                assert answer.status_code in refusals, (method, path, headers)
                assert database not in answer.text
                assert "messengers.db" not in answer.text
                assert "sqlite" not in answer.text


@pytest.mark.case("S17")
async def test_with_a_key_they_are_no_routes_at_all(office: Office) -> None:
    _, secret = await office.app.core.keys.create(OWNER, "all", "admin")
    headers = {"Authorization": f"Bearer {secret}"}
    for path in ("/status", "/stop", "/keys", "/log", "/backup", "/_internal/database-uri"):
        for method in ("GET", "POST"):
            answer = await office.client.request(method, path, headers=headers)

            assert answer.status_code == 404, path
