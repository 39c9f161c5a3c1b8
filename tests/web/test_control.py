"""The command line's side of the daemon: what it may ask, and from where."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from messengers.app import App, open_app
from messengers.cli.control import segment
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import ChatFilter
from messengers.core.visitors import new_cookie
from messengers.settings import Settings
from messengers.web import health
from tests.process.conftest import Daemon

WHO = {"provider": "webchat", "name": "page"}


@dataclass
class Owner:
    """The owner at the terminal."""

    app: App
    client: httpx2.AsyncClient
    stops: list[str]

    async def ask(self, method: str, path: str, body: object = None, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        answer = await self.client.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def fault(self, method: str, path: str, body: object = None) -> tuple[str, str]:
        """(code, cause) of a refusal."""
        answer = await self.client.request(method, path, json=body)
        assert answer.is_error, answer.text
        error = answer.json()["error"]
        return error["code"], error["cause"]


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[Owner]:
    stops: list[str] = []
    settings = Settings.load(home=tmp_path / "home")
    async with open_app(settings, stop=lambda: stops.append("stop")) as app:
        transport = httpx2.ASGITransport(app=app.control, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://messengers") as client:
            yield Owner(app, client, stops)


async def test_the_status_tells_the_owner_everything(owner: Owner) -> None:
    await owner.ask("POST", "/instances", WHO)

    status = await owner.ask("GET", "/status")

    assert (status["pid"], status["well"], status["approvals_waiting"]) == (os.getpid(), True, 0)
    assert status["database_bytes"] > 0
    assert [each["instance"]["name"] for each in status["instances"]] == ["page"]
    assert status["settings"]["port"] == 3000


async def test_stopping_is_asked_of_the_daemon(owner: Owner) -> None:
    assert (await owner.ask("POST", "/stop"))["stopping"]
    assert owner.stops == ["stop"]


async def test_the_catalog_tells_what_each_provider_asks(owner: Owner) -> None:
    providers = await owner.ask("GET", "/providers")

    webchat = next(each for each in providers if each["name"] == "webchat")
    assert webchat["title"]
    assert {"name", "kind", "required", "help"} <= set(webchat["fields"][0])


async def test_an_instance_lives_its_life(owner: Owner) -> None:
    made = await owner.ask("POST", "/instances", WHO)
    assert (made["instance"], made["outcome"]) == ("page", "done")

    assert [each["instance"]["name"] for each in await owner.ask("GET", "/instances")] == ["page"]
    assert (await owner.ask("GET", "/instances?provider=webchat"))[0]["instance"]["id"] == made[
        "id"
    ]
    shown = await owner.ask("GET", "/instances/page")
    assert shown["instance"]["provider"] == "webchat"
    assert shown["problems"] == []

    changed = await owner.ask(
        "PATCH", "/instances/page", {"name": "desk", "confirm": "always", "read_only": True}
    )
    assert (changed["instance"]["name"], changed["instance"]["confirm"]) == ("desk", "always")
    assert changed["instance"]["read_only"]
    assert (await owner.ask("PATCH", "/instances/desk", {}))["instance"]["confirm"] == "always"

    stopped = await owner.ask("POST", "/instances/desk/disconnect")
    assert stopped["state"] == "stopped"
    started = await owner.ask("POST", "/instances/desk/connect", {"wait_s": 5})
    assert started["state"] == "connected"
    assert "step" in await owner.ask("POST", "/instances/desk/login", {"wait_s": 0})

    await owner.ask("DELETE", f"/instances/{made['id']}?purge=1")
    assert await owner.ask("GET", "/instances") == []


async def test_keys_are_shown_once_listed_and_revoked(owner: Owner) -> None:
    instance = (await owner.ask("POST", "/instances", WHO))["id"]
    body = {"name": "cursor", "preset": "reader", "instances": ["page"], "toolsets": ["groups"]}

    made = await owner.ask("POST", "/keys", {**body, "expires_at": "2999-01-01T00:00:00Z"})
    listed = await owner.client.get("/keys")

    assert made["secret"].startswith("msk_")
    assert made["key"]["instances"] == [instance]
    assert made["key"]["toolsets"] == ["groups"]
    assert made["secret"] not in listed.text
    assert [key["name"] for key in listed.json()] == ["cursor"]
    assert (await owner.ask("DELETE", "/keys/cursor"))["revoked_at"]
    assert owner.app.core.keys.verify(made["secret"]) is None


async def test_an_approval_is_shown_whole_and_decided_once(owner: Owner) -> None:
    await owner.ask("POST", "/instances", WHO)
    agent = Caller("stdio", preset="setup")
    act = await owner.app.core.instances.prepare_disconnect(agent, "page")
    held = await owner.app.core.approvals.hold(act)

    assert [each["id"] for each in await owner.ask("GET", "/approvals")] == [held.id]
    assert (await owner.ask("GET", f"/approvals/{held.id}"))["shown"]["title"]
    answer = await owner.ask("POST", f"/approvals/{held.id}", {"decision": "once", "wait_s": 5})
    assert answer["instance"] == "page"
    again = await owner.fault("POST", f"/approvals/{held.id}", {"decision": "once"})
    assert again[0] == "conflict"
    assert await owner.ask("GET", "/approvals") == []


async def test_the_owner_names_chats_and_decides_about_them(owner: Owner) -> None:
    core = owner.app.core
    await owner.ask("POST", "/instances", WHO)
    visitor = core.visitors.identify(new_cookie())
    heard: list[object] = []

    async def push(frame: object) -> None:
        heard.append(frame)

    visit = await core.visitors.join("page", visitor, push)
    await visit.say("hello", (), "client-id-1", "")
    visit.leave()
    chat = await first_chat(owner)

    named = await owner.ask("PUT", f"/chats/{chat}/alias", {"alias": "Anna"})
    assert (named["name"], named["name_source"]) == ("Anna", "owner")
    assert (await owner.ask("PUT", "/chats/Anna/decision", {"decision": "always"}))["id"] == chat
    assert [each["id"] for each in await owner.ask("GET", "/chats/decided")] == [chat]
    await owner.ask("PUT", f"/chats/{chat}/decision", {"decision": None})
    assert await owner.ask("GET", "/chats/decided") == []


@pytest.mark.case("S38b")
@pytest.mark.parametrize(
    "ref",
    [
        "../../stop",
        "../../getMe?x=",
        "..",
        ".",
        "a/decision",
        "c1%2Fdecision",
        "x#y",
        "é/ü",
        "%",
        "%zz",
    ],
)
async def test_a_name_stays_one_segment_of_the_path_whatever_stands_in_it(
    owner: Owner, ref: str
) -> None:
    name = segment(ref)
    for method, path, body in (
        ("GET", f"/instances/{name}", None),
        ("POST", f"/instances/{name}/disconnect", None),
        ("GET", f"/approvals/{name}", None),
        ("DELETE", f"/keys/{name}", None),
        ("PUT", f"/chats/{name}/decision", {"decision": "always"}),
    ):
        assert (await owner.fault(method, path, body))[0] == "not_found", path
    assert owner.stops == []

    made = await owner.ask("POST", "/keys", {"name": ref})
    ended = await owner.ask("DELETE", f"/keys/{name}")

    assert ended["id"] == made["key"]["id"]


async def first_chat(owner: Owner) -> str:
    async def ready() -> str | None:
        found = (await owner.app.core.chats.list(OWNER, ChatFilter())).items
        return found[0].id if found else None

    chat = await owner.app.core.events.wait(ready, 5)
    assert chat is not None
    return chat


async def test_a_backup_is_made_where_the_owner_says(owner: Owner, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"

    made = await owner.ask("POST", "/backup", {"path": str(target)})

    assert made["path"] == str(target)
    assert "secret.key" in made["note"]
    assert os.stat(target).st_mode & 0o777 == 0o600
    assert (await owner.fault("POST", "/backup", {"path": str(target)}))[0] == "conflict"
    assert (await owner.fault("POST", "/backup", {"path": "copy.db"}))[0] == "invalid_input"


async def test_the_log_is_shown(owner: Owner) -> None:
    log = owner.app.core.settings.home / "log"
    await anyio.Path(log).mkdir()
    await anyio.Path(log / "messengers.log").write_text("one\ntwo\nthree\n")

    assert (await owner.ask("GET", "/log?lines=2"))["lines"] == ["two", "three"]
    for lines in ("0", "-1", "x", "1000000000"):
        assert (await owner.fault("GET", f"/log?lines={lines}"))[0] == "invalid_input"


async def test_what_was_not_understood_is_asked_for_in_bounds(owner: Owner) -> None:
    assert await owner.ask("GET", "/dead-letters") == {"items": [], "cursor": ""}
    assert (await owner.ask("POST", "/dead-letters/all/replay"))["understood"] == 0
    for query in ("limit=0", "limit=x", "limit=201", "cursor=none"):
        assert (await owner.fault("GET", f"/dead-letters?{query}"))[0] == "invalid_input"


@pytest.mark.case("S66")
@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/instances/nobody", None, "not_found"),
        ("POST", "/instances", {"provider": "nothing", "name": "x"}, "invalid_input"),
        ("POST", "/instances", {"provider": "webchat"}, "invalid_input"),
        ("POST", "/instances", {**WHO, "colour": "red"}, "invalid_input"),
        ("POST", "/instances", {**WHO, "wait_s": 10**9}, "invalid_input"),
        ("POST", "/instances", [], "invalid_input"),
        ("DELETE", "/instances/page?purge=yes", None, "invalid_input"),
        ("POST", "/keys", {"name": "x", "preset": "owner"}, "invalid_input"),
        ("POST", "/keys", {"name": "x", "toolsets": ["gruops"]}, "invalid_input"),
        ("POST", "/keys", {"name": "x", "expires_at": "2030-01-01T00:00:00"}, "invalid_input"),
        ("POST", "/keys", {"name": "x", "instances": ["nobody"]}, "not_found"),
        ("DELETE", "/keys/nobody", None, "not_found"),
        ("GET", "/approvals/a1", None, "not_found"),
        ("POST", "/approvals/a1", {"decision": "perhaps"}, "invalid_input"),
        ("PUT", "/chats/c1/alias", {"alias": "x"}, "not_found"),
        ("PUT", "/chats/c1/decision", {}, "invalid_input"),
    ],
)
async def test_every_refusal_is_one_sentence_with_a_code(
    owner: Owner, method: str, path: str, body: object, code: str
) -> None:
    found, cause = await owner.fault(method, path, body)

    assert found == code
    assert cause.endswith(".")
    assert "pydantic" not in cause


async def test_broken_json_is_refused_and_an_ambiguous_name_lists_its_chats(owner: Owner) -> None:
    answer = await owner.client.post("/keys", content=b"{bad")

    assert answer.status_code == 422


CONTROL = (
    "/status",
    "/stop",
    "/instances",
    "/keys",
    "/owner-sessions",
    "/backup",
    "/log",
    "/chats",
    "/chats/decided",
)


@pytest.mark.case("S84")
async def test_no_control_route_is_reached_over_tcp(daemon: Daemon) -> None:
    secret = await daemon.key("admin")
    local = daemon.local_key
    async with httpx2.AsyncClient(base_url=daemon.url) as client:
        for path in CONTROL:
            for method in ("GET", "POST"):
                for key in (secret, local):
                    headers = {"Authorization": f"Bearer {key}"}
                    answer = await client.request(method, path, headers=headers)
                    assert answer.status_code == 404, (method, path)
                assert (await client.request(method, path)).status_code == 401
        for key in (secret, local):
            # There is a page of this name, and no key opens it.
            page = await client.get("/approvals", headers={"Authorization": f"Bearer {key}"})
            assert page.status_code == 401

    assert (await daemon.ask("GET", "/status"))["pid"] == os.getpid()


@pytest.mark.case("S84")
async def test_no_control_route_is_reached_over_the_clients_socket(daemon: Daemon) -> None:
    async with await anyio.connect_unix(str(daemon.home / "daemon.sock")) as stream:
        await stream.send(b"POST /stop HTTP/1.1\r\nHost: messengers\r\n\r\n")
        with anyio.fail_after(5):
            answer = await stream.receive()

    assert b'"malformed"' in answer
    assert (await daemon.ask("GET", "/status"))["well"]


async def test_without_room_for_messages_it_is_degraded(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_SPARE_BYTES", 2**62)
    transport = httpx2.ASGITransport(app=owner.app.web)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:3000") as client:
        answer = await client.get("/health")

    assert (answer.status_code, answer.json()) == (503, {"status": "degraded"})
    assert not (await owner.ask("GET", "/status"))["well"]


@pytest.mark.case("S62")
@pytest.mark.parametrize(
    "field",
    [
        "tenant_id",
        "id",
        "usageCount",
        "use_count",
        "digest",
        "prefix",
        "secret",
        "generation",
        "created_at",
        "revoked_at",
        "last_used_at",
        "local",
        "actor",
    ],
)
async def test_a_key_takes_no_field_but_those_that_it_is_asked_with(
    owner: Owner, field: str
) -> None:
    before = await owner.ask("GET", "/keys")
    refused = await owner.ask("POST", "/keys", {"name": "app", field: "x"}, status=422)

    assert refused["error"]["code"] == "invalid_input"
    assert await owner.ask("GET", "/keys") == before == []


@pytest.mark.case("S62")
@pytest.mark.parametrize(
    "field",
    [
        {"scopes": ["everything"]},
        {"scopes": "*"},
        {"instances": ["nobody"]},
        {"toolsets": ["all"]},
        {"preset": "root"},
        {"rate_per_min": 0},
        {"rate_per_min": "many"},
    ],
    ids=str,
)
async def test_what_a_key_cannot_be_bound_to_is_refused_and_makes_none(
    owner: Owner, field: dict[str, object]
) -> None:
    code, _ = await owner.fault("POST", "/keys", {"name": "app", **field})

    assert code in {"invalid_input", "not_found"}
    assert await owner.ask("GET", "/keys") == []


async def test_a_key_is_made_anew_at_the_control_socket(owner: Owner) -> None:
    asked = {"name": "app", "scopes": ["events:*"], "rate_per_min": 5}
    made = await owner.ask("POST", "/keys", asked)
    again = await owner.ask("POST", "/keys/app/regenerate")

    assert made["key"]["scopes"] == again["key"]["scopes"] == ["events:*"]
    assert (again["key"]["id"], again["key"]["rate_per_min"]) == (made["key"]["id"], 5)
    assert again["secret"] != made["secret"]
    assert made["secret"] not in str(await owner.ask("GET", "/keys"))
