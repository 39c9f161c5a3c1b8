"""Whose page a request comes from, and how its browser got here."""

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request

from messengers.web.origins import is_https, is_own_origin

PUBLIC = "https://Chat.example/base"
HOST = ("host", "127.0.0.1:3000")


@pytest.mark.case("S02")
@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ([HOST], True),
        ([HOST, ("origin", "http://127.0.0.1:3000")], True),
        ([HOST, ("origin", "https://127.0.0.1:3000")], True),
        ([("host", "LOCALHOST:3000"), ("origin", "http://localhost:3000")], True),
        ([HOST, ("origin", "https://chat.example")], True),
        ([HOST, ("origin", "http://chat.example")], False),
        ([HOST, ("origin", "https://chat.example.evil.com")], False),
        ([HOST, ("origin", "http://localhost:3000")], False),
        ([HOST, ("origin", "http://127.0.0.1")], False),
        ([HOST, ("origin", "ws://127.0.0.1:3000")], False),
        ([HOST, ("origin", "null")], False),
        ([HOST, ("origin", "")], False),
        ([HOST, ("origin", "http://127.0.0.1:3000"), ("origin", "https://evil.example")], False),
        ([("origin", "http://127.0.0.1:3000")], False),
    ],
)
def test_only_our_own_pages_and_programs_pass(headers: list[tuple[str, str]], own: bool) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers]

    assert is_own_origin(Headers(raw=raw), PUBLIC) is own


def test_without_a_public_address_only_the_asked_host_is_ours() -> None:
    raw = [(b"host", b"127.0.0.1:3000"), (b"origin", b"https://chat.example")]

    assert not is_own_origin(Headers(raw=raw))


@pytest.mark.parametrize(
    ("scheme", "host", "public_url", "secure"),
    [
        ("http", "127.0.0.1:3000", "", False),
        ("https", "127.0.0.1:3000", "", True),
        ("http", "chat.example", PUBLIC, True),
        ("http", "127.0.0.1:3000", PUBLIC, False),
        ("http", "chat.example", "http://chat.example", False),
    ],
)
def test_the_cookie_is_secure_where_the_browser_came_by_https(
    scheme: str, host: str, public_url: str, secure: bool
) -> None:
    scope = {
        "type": "http",
        "scheme": scheme,
        "path": "/",
        "server": ("127.0.0.1", 3000),
        "query_string": b"",
        "headers": [(b"host", host.encode())],
    }

    assert is_https(Request(scope), public_url) is secure
