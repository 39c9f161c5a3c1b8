"""Who gets in: hosts, origins, keys, on every transport."""

import socket
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from messengers.core.callers import OWNER
from messengers.web.doors import OPEN_DOORS, door_of
from tests.process.conftest import StartDaemon
from tests.web.conftest import Site

PATHS = (
    ("GET", "/health"),
    ("POST", "/mcp"),
    ("GET", "/mcp"),
    ("GET", "/sse"),
    ("POST", "/messages/?session_id=0"),
    ("GET", "/events"),
    ("POST", "/tickets"),
    ("GET", "/chat/page"),
    ("GET", "/forms/x"),
    ("GET", "/login/x"),
    ("POST", "/login/x/step"),
    ("GET", "/instances/x/login"),
    ("GET", "/approvals"),
    ("POST", "/approvals/a1"),
    ("GET", "/static/chat.css"),
    ("WS", "/chat/page/ws"),
)
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def status(url: str, method: str, path: str, headers: Mapping[str, str], version: str) -> int:
    """What a request written by hand is answered with: libraries would add a Host."""
    parts = urlsplit(url)
    verb, more = ("GET", WEBSOCKET) if method == "WS" else (method, {"Content-Length": "0"})
    lines = [f"{name}: {value}" for name, value in {**more, **headers}.items()]
    request = "\r\n".join((f"{verb} {path} HTTP/{version}", *lines, "", ""))
    async with await anyio.connect_tcp(str(parts.hostname), parts.port or 0) as stream:
        await stream.send(request.encode())
        with anyio.fail_after(5):
            return int((await stream.receive()).split(b" ", 2)[1])


@pytest.mark.case("S01")
@pytest.mark.parametrize("bound", ["127.0.0.1", "::1", "0.0.0.0"])
@pytest.mark.timeout(60)
async def test_a_foreign_host_is_refused_on_every_transport(
    start_daemon: StartDaemon, bound: str
) -> None:
    if bound == "::1" and not has_ipv6():
        pytest.skip("no IPv6 here")
    async with start_daemon() as daemon:
        await daemon.key()
    async with start_daemon(host=bound) as daemon:
        port = urlsplit(daemon.url).port
        foreign = (
            "evil.example",
            f"localhost.evil.com:{port}",
            f"127.0.0.1.nip.io:{port}",
            f"127.0.0.1:{(port or 0) + 1}",
            "127.0.0.1",
            f"127.0.0.1@evil.example:{port}",
            f"0.0.0.0:{port}",
            f"127.0.0.1.:{port}",
        )
        for method, path in PATHS:
            for host in foreign:
                found = await status(daemon.url, method, path, {"Host": host}, "1.1")
                assert found in (400, 421), (method, path, host)
            assert await status(daemon.url, method, path, {}, "1.0") == 400
        own = {"Host": f"localhost:{port}"}
        assert await status(daemon.url, "GET", "/health", own, "1.1") == 200


@pytest.mark.case("S01")
async def test_two_hosts_are_none(site: Site) -> None:
    headers = [("host", "127.0.0.1:3000"), ("host", "evil.example")]

    answer = await site.client.get("/health", headers=headers)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "host", ["127.0.0.1:3000", "localhost:3000", "[::1]:3000", "LOCALHOST:3000", "chat.example"]
)
async def test_own_names_and_allowed_ones_are_served(site: Site, host: str) -> None:
    assert (await site.client.get("/health", headers={"host": host})).status_code == 200


@pytest.mark.case("S02")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://localhost.evil.com",
        "http://127.0.0.1.nip.io",
        "http://127.0.0.1:3001",
        "http://127.0.0.1",
        "file://",
        "ftp://127.0.0.1:3000",
        "http://127.0.0.1:3000.evil.example",
    ],
)
async def test_a_foreign_origin_is_refused_on_every_route(site: Site, origin: str) -> None:
    for method, path in PATHS[:-1]:
        answer = await site.client.request(method, path, headers={"origin": origin})

        assert answer.status_code == 403, (method, path)


@pytest.mark.case("S02", "S73")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_opens_no_websocket(start_daemon: StartDaemon, origin: str) -> None:
    async with start_daemon() as daemon:
        host = urlsplit(daemon.url).netloc
        headers = {"Host": host, "Origin": origin}

        assert await status(daemon.url, "WS", "/chat/page/ws", headers, "1.1") == 403


@pytest.mark.case("S02")
@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:3000", "https://chat.example"])
async def test_no_origin_and_our_own_pass(site: Site, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}

    assert (await site.client.get("/health", headers=headers)).status_code == 200


@pytest.mark.case("S71")
async def test_no_page_of_another_origin_is_ever_allowed_by_cors(site: Site) -> None:
    headers = {"origin": "http://127.0.0.1:3000", "access-control-request-method": "POST"}
    for method in ("GET", "OPTIONS"):
        answer = await site.client.request(method, "/health", headers=headers)

        assert not [name for name in answer.headers if name.startswith("access-control")]


def every_route(routes: list[BaseRoute], prefix: str = "") -> list[tuple[str, str]]:
    """(method, path) of each route, sub-applications included; parameters filled in."""
    found: list[tuple[str, str]] = []
    for route in routes:
        if isinstance(route, Mount):
            found += every_route(route.routes, prefix + route.path) or [("POST", route.path + "/")]
        elif isinstance(route, Route):
            filled = prefix + route.path.replace("{", "").replace("}", "")
            found += [(method, filled) for method in route.methods or {"GET", "POST", "DELETE"}]
        else:
            assert isinstance(route, WebSocketRoute)
            found.append(("WS", prefix + route.path.replace("{", "").replace("}", "")))
    return found


@pytest.mark.case("S04")
async def test_every_route_needs_a_key_but_the_known_few(site: Site) -> None:
    routes = every_route(site.app.web.routes)
    locked = {(method, path) for method, path in routes if door_of(path).opened_by == "key"}
    opened = {path for _, path in routes if door_of(path).opened_by != "key"}

    for method, path in sorted(locked):
        answer = await site.client.request(method, path)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert {path for _, path in locked} == {
        "/mcp",
        "/sse",
        "/messages/",
        "/events",
        "/tickets",
        "/instances/ref/login",
        "/instances/ref/login/step",
    }
    assert opened == {
        "/health",
        "/chat/name",
        "/chat/name/ws",
        "/chat/name/images",
        "/chat/name/media/media",
        "/static/file",
        "/forms/token",
        "/login/token",
        "/login/token/step",
        "/approvals",
        "/approvals/open/token",
        "/approvals/logout",
        "/approvals/ref",
        "/approvals/ref/files/media",
        "/webhooks/instance:uuid",
    }


@pytest.mark.case("S04")
def test_the_list_of_open_doors_is_this() -> None:
    doors = {door.path: door.opened_by for door in OPEN_DOORS}

    assert doors == {
        "/health": "anyone",
        "/static/": "anyone",
        "/chat/": "visitor",
        "/webhooks/": "signature",
        "/forms/": "link",
        "/login/": "link",
        "/approvals": "owner",
        "/approvals/": "owner",
        "/.well-known/": "anyone",
    }


@pytest.mark.case("S04")
@pytest.mark.parametrize("path", ["/health/", "/healthy", "/chat", "/", "/mcp/", "/nothing", "//"])
async def test_what_is_nearly_an_open_door_is_closed(site: Site, path: str) -> None:
    assert (await site.client.get(path)).status_code == 401


@pytest.mark.case("S38b")
@pytest.mark.parametrize(
    "path",
    [
        "/chat/..%2Fhealth",
        "/chat/%2E%2E/health",
        "/chat/page/media/..%2F..%2F..%2Fhealth",
        "/chat/page/media/f1%3Fx=",
        "/static/..%2F..%2Fsettings.py",
        "/static/..%2Fchat%2Fpage",
        "/forms/..%2Fhealth",
        "/forms/..%2Fmcp",
        "/login/..%2Fhealth",
        "/login/..%2Fmcp",
        "/approvals/..%2Fhealth",
        "/approvals/open/..%2F..%2Fmcp",
    ],
)
async def test_an_id_in_a_path_reaches_no_other_route(site: Site, path: str) -> None:
    await site.app.core.instances.create(OWNER, "webchat", "page")

    answer = await site.client.get(path)

    assert answer.status_code in (401, 403, 404)
    assert "status" not in answer.text


@pytest.mark.case("S04")
async def test_a_form_without_its_token_is_closed(site: Site) -> None:
    assert (await site.client.get("/forms/guessed")).status_code == 401


@pytest.mark.case("S04")
async def test_health_tells_nothing_but_whether_it_works(site: Site) -> None:
    answer = await site.client.get("/health")

    assert answer.json() == {"status": "ok"}
    assert "server" not in answer.headers


@pytest.mark.case("S05", "S06", "S60")
async def test_what_is_no_key_of_ours_is_refused_alike(site: Site) -> None:
    instance = (await site.app.core.instances.create(OWNER, "webchat", "page")).id
    _, revoked = await site.app.core.keys.create(OWNER, "revoked")
    await site.app.core.keys.revoke(OWNER, "revoked")
    tried = (
        "Bearer",
        "Bearer ",
        f"Basic {revoked}",
        f"Bearer {instance}",
        "Bearer page",
        f"Bearer {revoked}",
        f"Bearer {revoked[:-1]}",
        "Bearer 7012345678:AAFxK9-_qxK9-_qxK9-_qxK9-_qxK9-_q",
        "Bearer xoxb-123456789012-abcdef",
        "Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOiJlbHNlIn0.c2lnbmF0dXJlc2lnbmF0dXJl",
        "Bearer " + "x" * 8_000,
        "Bearer \xff\xfe",
    )
    values = [value.encode("latin-1") for value in tried]
    answers = [
        await site.client.post("/mcp"),
        *[await site.client.post("/mcp", headers=[(b"Authorization", value)]) for value in values],
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.case("S05", "S73")
async def test_a_key_counts_in_its_header_only(site: Site) -> None:
    _, secret = await site.app.core.keys.create(OWNER, "good")
    for path in (f"/mcp?key={secret}", f"/sse?access_token={secret}"):
        assert (await site.client.get(path)).status_code == 401
    for headers in ({"X-Api-Key": secret}, {"Cookie": f"key={secret}"}):
        assert (await site.client.get("/mcp", headers=headers)).status_code == 401
    two = [("Authorization", f"Bearer {secret}")] * 2
    assert (await site.client.get("/mcp", headers=two)).status_code == 401


@pytest.mark.case("S05")
async def test_a_token_of_another_service_reaches_no_log(
    start_daemon: StartDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = ("7012345678:AAFxK9-_qxK9-_qxK9-_qxK9-_qxK9-_q", "xoxb-123456789012-abcdefgh")
    async with start_daemon(log_level="debug") as daemon, httpx2.AsyncClient() as client:
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post(f"{daemon.url}/mcp?token={token}", headers=headers)
            assert answer.status_code == 401

    shown = capsys.readouterr()
    assert not [token for token in tokens if token in shown.out + shown.err]


async def test_the_local_key_opens_from_this_machine_only(site: Site) -> None:
    local = (site.app.core.store.home / "local.key").read_bytes().decode().strip()
    headers = {"Authorization": f"Bearer {local}"}
    far = httpx2.ASGITransport(app=site.app.web, client=("192.0.2.7", 4711))
    async with httpx2.AsyncClient(transport=far, base_url="http://127.0.0.1:3000") as client:
        remote = await client.get("/mcp", headers={**headers, "X-Forwarded-For": "127.0.0.1"})
    here = await site.client.get("/mcp", headers=headers)

    assert remote.status_code == 401
    assert here.status_code != 401


async def test_a_connection_without_an_address_is_not_of_this_machine(site: Site) -> None:
    local = (site.app.core.store.home / "local.key").read_bytes().decode().strip()
    headers = {"Authorization": f"Bearer {local}"}
    for peer in ("", "testclient"):
        transport = httpx2.ASGITransport(app=site.app.web, client=(peer, 0))
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:3000"
        ) as client:
            assert (await client.get("/mcp", headers=headers)).status_code == 401


def test_a_door_is_found_by_its_whole_path() -> None:
    assert door_of("/chat/x").opened_by == "visitor"
    assert replace(door_of("/x"), path="/y").opened_by == "key"
