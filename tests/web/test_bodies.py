"""What may come in a body, and what answers give away."""

import json
from collections.abc import AsyncIterator, Mapping

import pytest
from starlette.requests import Request
from starlette.routing import Route

from messengers.errors import NotFound, RateLimited
from tests.web.conftest import Site

JSON = {"Content-Type": "application/json"}
LIMIT = 4 * 1024 * 1024
PING = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(size // 65_536):
        yield b" " * 65_536
    yield b" "


@pytest.mark.case("S12")
@pytest.mark.parametrize("path", ["/mcp", "/messages/?session_id=0", "/forms/x"])
async def test_a_body_beyond_the_limit_is_refused_declared_or_not(site: Site, path: str) -> None:
    headers = await site.authorized()
    declared = await site.client.post(path, content=b" " * (LIMIT + 1), headers=headers)
    chunked = await site.client.post(path, content=in_pieces(LIMIT), headers=headers)

    assert (declared.status_code, chunked.status_code) == (413, 413)


@pytest.mark.case("S12")
async def test_an_upload_has_its_own_limit(site: Site) -> None:
    limit = site.app.core.settings.media_max_bytes

    answer = await site.client.post(
        "/chat/page/images", headers={"Content-Length": str(limit + 65_537)}
    )

    assert answer.status_code == 413


@pytest.mark.case("S12")
@pytest.mark.parametrize(
    "body",
    [
        b"{bad",
        b"[" * 200_000 + b"]" * 200_000,
        b'{"n": ' + b"9" * 5_000 + b"}",
        b'{"n": NaN}',
        b'{"n": Infinity}',
        b'{"s": "\\ud800"}',
        b'{"s": "\xff"}',
        b'{"n": 9223372036854775808}',
        b"\x00",
    ],
)
async def test_json_that_breaks_later_is_400_and_never_500(site: Site, body: bytes) -> None:
    headers = {**await site.authorized(), **JSON, "Accept": "application/json, text/event-stream"}
    for path in ("/mcp", "/messages/?session_id=" + "0" * 32):
        answer = await site.client.post(path, content=body, headers=headers)

        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "invalid_json"


@pytest.mark.case("S71")
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
async def test_what_a_form_can_post_is_no_json(site: Site, kind: str) -> None:
    headers = {**await site.authorized(), "Content-Type": kind}
    for path in ("/mcp", "/messages/?session_id=0"):
        answer = await site.client.post(path, content=PING, headers=headers)

        assert answer.status_code == 415


async def test_a_form_is_no_json_either(site: Site) -> None:
    answer = await site.client.post("/forms/x", content=b"{}", headers=JSON)

    assert answer.status_code == 415


async def test_a_route_without_bodies_takes_none(site: Site) -> None:
    answer = await site.client.post("/health", content=b"{}", headers=JSON)
    empty = await site.client.post("/health")

    assert (answer.status_code, empty.status_code) == (415, 405)


async def test_nobody_without_a_key_makes_us_read(site: Site) -> None:
    answer = await site.client.post("/mcp", content=b" " * (LIMIT + 1))

    assert answer.status_code == 401


@pytest.mark.case("S12")
async def test_a_length_that_is_no_number_does_not_help(site: Site) -> None:
    headers = {**await site.authorized(), **JSON, "Content-Length": "²"}

    answer = await site.client.post("/mcp", content=b"{bad", headers=list(encoded(headers)))

    assert answer.status_code == 400


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def broken(_: Request) -> None:
    raise RuntimeError("SELECT secret FROM x /srv/messengers/main.py")


async def refusing(_: Request) -> None:
    raise NotFound("No such thing: api_key=hunter2.", "Look elsewhere.")


async def hurried(_: Request) -> None:
    raise RateLimited("Too fast.", retry_after_s=1.2)


@pytest.mark.case("S66")
async def test_what_nobody_expected_is_told_to_the_log_only(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.app.web.router.routes.append(Route("/instances/broken", broken))

    answer = await site.client.get("/instances/broken", headers=await site.authorized())

    assert answer.status_code == 500
    assert answer.json()["error"] == {
        "code": "internal",
        "cause": "Something went wrong inside Messengers.",
        "remedy": "See its log.",
    }
    assert "A request failed." in caplog.text


@pytest.mark.case("S66")
async def test_an_error_of_ours_has_its_status_its_sentences_and_no_secret(site: Site) -> None:
    site.app.web.router.routes += [
        Route("/instances/refusing", refusing),
        Route("/instances/hurried", hurried),
    ]
    headers = await site.authorized()

    refused = await site.client.get("/instances/refusing", headers=headers)
    slowed = await site.client.get("/instances/hurried", headers=headers)

    assert refused.status_code == 404
    assert refused.json()["error"] == {
        "code": "not_found",
        "cause": "No such thing: api_key=[redacted]",
        "remedy": "Look elsewhere.",
    }
    assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "2")


@pytest.mark.case("S66")
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("PUT", "/health"), ("GET", "/static/../x")]
)
async def test_no_refusal_tells_a_path_or_a_version(site: Site, method: str, path: str) -> None:
    answer = await site.client.request(method, path, headers=await site.authorized())

    assert answer.status_code in (401, 404, 405)
    assert "messengers/" not in answer.text
    assert "Traceback" not in answer.text
    assert "starlette" not in json.dumps(dict(answer.headers)).lower()


@pytest.mark.case("S72")
async def test_every_page_has_the_security_headers_and_every_answer_the_general_ones(
    site: Site,
) -> None:
    page = await site.client.get("/chat/nobody")
    form = await site.client.get("/forms/nobody")
    data = await site.client.get("/health")

    for answer in (page, form):
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
    for answer in (page, form, data):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")


async def test_requests_are_logged_by_template_without_what_was_sent(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    headers = await site.authorized()
    with caplog.at_level("DEBUG"):
        await site.client.get("/chat/planted-name?planted=query")
        await site.client.get("/planted-path", headers=headers)

    entries = [str(record.msg) for record in caplog.records if "'request'" in str(record.msg)]
    assert any("/chat/{name}" in entry for entry in entries)
    assert not [entry for entry in entries if "planted" in entry]
