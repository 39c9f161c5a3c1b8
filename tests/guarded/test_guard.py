"""Fetching and delivering through the guard, over real connections on loopback."""

import logging
import ssl
import tracemalloc
import zlib

import anyio
import pytest
from anyio.abc import ByteStream, SocketAttribute

from messengers.errors import InvalidInput, MessengersError, Uncertain, Unreachable
from messengers.guarded import AllowedHosts, Guard
from messengers.urls import SafeUrl
from tests.fakes.internet import PUBLIC, Answer, Internet, Server, saying

SHOP = SafeUrl.parse("http://shop.example/cake.png")
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def leading(location: str, status: int = 302) -> bytes:
    head = f"HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    return head.encode()


async def test_what_stands_at_an_address_is_fetched(internet: Internet, server: Server) -> None:
    reply = await internet.guard().fetch(SHOP, max_bytes=5)

    assert (reply.status, reply.body, reply.url) == (200, b"hello", SHOP)
    assert reply.headers["content-length"] == "5"
    assert server.requests[0].startswith(b"GET /cake.png HTTP/1.1\r\nHost: shop.example\r\n")
    assert b"hello" not in repr(reply).encode()


LOOPBACK = [
    "http://127.0.0.1/", "http://127.0.0.1:443/", "https://127.0.0.1/", "http://127.1/",
    "http://127.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/",
    "http://017700000001/", "http://0177.0.0.1/", "http://0/", "http://0.0.0.0/",
    "http://localhost/", "http://LOCALHOST./", "http://inner.localhost/", "http://[::1]/",
    "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[::1%25lo]/",
    "http://１２７.０.０.１/", "http://127。0。0。1/", "http://①②⑦.0.0.1/",
    "http://shop.example@127.0.0.1/", "http://127.0.0.1#@shop.example/",
    "http://127.0.0.1\\@shop.example/", "http://shop.example\\@127.0.0.1/",
    "http://%31%32%37.0.0.1/", "http://127.0.0.1%00.shop.example/", "http:127.0.0.1/",
    "http:///127.0.0.1/", "//127.0.0.1/", "http://\t127.0.0.1/", "file:///etc/passwd",
    "file://127.0.0.1/x", "data:text/plain,x", "gopher://127.0.0.1/", "unix:/run/x.sock",
    "http+unix://%2frun%2fx.sock/", "ftp://127.0.0.1/", "http://inner.example/",
    "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
]  # fmt: skip


@pytest.mark.case("S31")
@pytest.mark.parametrize("address", LOOPBACK)
async def test_no_spelling_of_loopback_opens_a_connection(
    internet: Internet, server: Server, address: str
) -> None:
    internet.names["inner.example"] = ["127.0.0.1"]
    guard = internet.guard(connect_s=0.05)

    with pytest.raises((InvalidInput, Unreachable)):
        await guard.fetch(SafeUrl.parse(address), max_bytes=100)

    assert (server.connections, internet.tried) == (0, [])


@pytest.mark.case("S31")
async def test_the_systems_own_resolver_and_network_stay_out_of_reach_too(server: Server) -> None:
    guard = Guard(AllowedHosts(), connect_s=0.2)
    for host in ("127.0.0.1", "localhost", "[::1]"):
        with pytest.raises(Unreachable):
            await guard.fetch(SafeUrl.parse(f"http://{host}/"), max_bytes=100)
    allowed = Guard(AllowedHosts([f"127.0.0.1:{server.port}"]))

    reply = await allowed.fetch(SafeUrl.parse(f"http://127.0.0.1:{server.port}/"), max_bytes=5)

    assert reply.body == b"hello"
    assert server.connections == 1
    await allowed.aclose()
    await guard.aclose()


@pytest.mark.case("S32")
async def test_a_rebinding_name_is_looked_up_once_and_met_at_that_address(
    internet: Internet, server: Server
) -> None:
    async def lookup(host: str, _port: int) -> list[str]:
        internet.lookups.append(host)
        return [PUBLIC] if len(internet.lookups) == 1 else ["127.0.0.1"]

    guard = Guard(lookup=lookup, network=internet, connect_s=0.1)
    reply = await guard.fetch(SHOP, max_bytes=5)

    assert reply.body == b"hello"
    assert internet.lookups == ["shop.example"]
    assert internet.tried == [(PUBLIC, 80)]
    assert b"Host: shop.example\r\n" in server.requests[0]
    with pytest.raises(Unreachable):
        await guard.fetch(SHOP, max_bytes=5)
    assert server.connections == 1


@pytest.mark.case("S32")
async def test_tls_keeps_the_name_that_was_asked_for(
    server: Server, secure_server: tuple[Server, ssl.SSLContext, list[str | None]]
) -> None:
    secure, trusting, asked = secure_server
    internet = Internet(secure)
    internet.names = {"shop.example": [PUBLIC], "other.example": [PUBLIC]}
    guard = internet.guard(tls=trusting)

    reply = await guard.fetch(SafeUrl.parse("https://shop.example/"), max_bytes=5)
    with pytest.raises(Unreachable):
        await guard.fetch(SafeUrl.parse("https://other.example/"), max_bytes=5)

    assert reply.body == b"hello"
    assert asked == ["shop.example", "other.example"]
    assert internet.tried == [(PUBLIC, 443)] * 2
    assert len(secure.requests) == 1


@pytest.mark.case("S33")
@pytest.mark.parametrize(
    "addresses", [[PUBLIC, "10.0.0.1"], ["::1", PUBLIC], [PUBLIC, "fe80::1"], []]
)
async def test_a_name_with_one_private_address_is_refused_whole(
    internet: Internet, server: Server, addresses: list[str]
) -> None:
    internet.names["shop.example"] = addresses

    with pytest.raises(Unreachable):
        await internet.guard(connect_s=0.05).fetch(SHOP, max_bytes=5)
    assert (server.connections, internet.tried) == (0, [])


async def test_an_address_that_is_silent_is_followed_by_the_next(internet: Internet) -> None:
    internet.names["shop.example"] = ["93.184.216.36", PUBLIC]
    internet.silent = {"93.184.216.36"}

    reply = await internet.guard().fetch(SHOP, max_bytes=5)

    assert reply.body == b"hello"
    assert internet.tried == [("93.184.216.36", 80), (PUBLIC, 80)]


@pytest.mark.case("S34")
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/", "http://inner.example/", "file:///etc/passwd", "gopher://x/", "",
        "http://user@other.example/", "http://other.example:8080/", "http://[::ffff:127.0.0.1]/",
    ],
)  # fmt: skip
async def test_a_redirect_is_judged_like_an_address(
    internet: Internet, server: Server, location: str
) -> None:
    internet.names["inner.example"] = ["127.0.0.1"]
    server.answer = saying(leading(location))

    with pytest.raises((InvalidInput, Unreachable)):
        await internet.guard(connect_s=0.05).fetch(SHOP, max_bytes=5)
    assert {host for host, _ in internet.tried} == {PUBLIC}


def turns(server: Server, *answers: bytes) -> None:
    """One answer for each request."""
    left = list(answers)

    async def answer(stream: ByteStream) -> None:
        await stream.send(left.pop(0))

    server.answer = answer


@pytest.mark.case("S34")
async def test_three_redirects_are_followed_and_no_fourth(
    internet: Internet, server: Server
) -> None:
    turns(server, leading("/2", 301), leading("/3", 307), leading("4", 308), HELLO)
    reply = await internet.guard().fetch(SHOP, max_bytes=5)
    assert (reply.body, str(reply.url)) == (b"hello", "http://shop.example/4")

    server.answer = saying(leading("/again"))
    before = server.connections
    with pytest.raises(InvalidInput, match="too often"):
        await internet.guard().fetch(SHOP, max_bytes=5)
    assert server.connections - before == 4


@pytest.mark.case("S34")
async def test_headers_stay_with_their_origin_and_cookies_with_nobody(
    internet: Internet, server: Server
) -> None:
    cookie = b"HTTP/1.1 302 Go\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nLocation: "
    turns(server, cookie + b"/next\r\n\r\n", leading("http://other.example/"), HELLO)

    await internet.guard().fetch(SHOP, max_bytes=5, headers={"Authorization": "Bearer x"})

    first, second, third = (request.lower() for request in server.requests)
    assert b"authorization: bearer x" in first
    assert b"authorization: bearer x" in second
    assert b"authorization" not in third
    assert b"cookie" not in first + second + third


@pytest.mark.case("S34")
async def test_an_encrypted_address_does_not_lead_to_an_open_one(
    secure_server: tuple[Server, ssl.SSLContext, list[str | None]],
) -> None:
    secure, trusting, _ = secure_server
    secure.answer = saying(leading("http://shop.example/"))
    internet = Internet(secure)
    internet.names = {"shop.example": [PUBLIC]}

    with pytest.raises(InvalidInput, match="https to http"):
        await internet.guard(tls=trusting).fetch(
            SafeUrl.parse("https://shop.example/"), max_bytes=5
        )
    assert internet.tried == [(PUBLIC, 443)]


@pytest.mark.case("S34")
async def test_what_is_delivered_follows_no_redirect(internet: Internet, server: Server) -> None:
    server.answer = saying(leading("http://other.example/", 307))

    reply = await internet.guard().post(SHOP, b"secret", {"Content-Type": "text/plain"})

    assert (reply.status, server.connections) == (307, 1)
    assert server.requests[0].endswith(b"\r\n\r\nsecret")


@pytest.mark.case("S35")
async def test_proxies_of_the_environment_are_ignored(
    internet: Internet, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    reply = await internet.guard().fetch(SHOP, max_bytes=5)

    assert reply.body == b"hello"
    assert internet.tried == [(PUBLIC, 80)]
    assert server.requests[0].startswith(b"GET /cake.png ")


PROXY = SafeUrl.parse("http://proxy.example:3128")


def carrying(server: Server, head: bytes = b"HTTP/1.1 200 Go\r\n\r\n") -> Answer:
    """A proxy that answers CONNECT, then is itself what stands at the other end."""

    async def answer(stream: ByteStream) -> None:
        await stream.send(head)
        server.requests.append(await stream.receive())
        await stream.send(HELLO)

    return answer


@pytest.mark.case("S35")
async def test_the_owners_proxy_carries_to_the_address_that_was_looked_at(
    internet: Internet, server: Server
) -> None:
    server.answer = carrying(server)

    reply = await internet.guard(proxy=PROXY).fetch(SHOP, max_bytes=5)

    assert reply.body == b"hello"
    assert internet.tried == [("proxy.example", 3128)]
    assert (
        server.requests[0] == f"CONNECT {PUBLIC}:80 HTTP/1.1\r\nHost: {PUBLIC}:80\r\n\r\n".encode()
    )
    assert server.requests[1].startswith(b"GET /cake.png HTTP/1.1\r\nHost: shop.example\r\n")


@pytest.mark.case("S35")
async def test_a_proxy_is_asked_for_nothing_that_is_not_public(
    internet: Internet, server: Server
) -> None:
    internet.names["inner.example"] = ["10.0.0.1"]
    guard = internet.guard(proxy=PROXY, connect_s=0.05)

    for address in ("http://inner.example/", "http://127.0.0.1/", "http://unknown.example/"):
        with pytest.raises(Unreachable):
            await guard.fetch(SafeUrl.parse(address), max_bytes=5)
    assert (internet.tried, server.connections) == ([], 0)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 403 No\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 Go\r\n\r\nearly",
        b"x" * 9_000,
    ],
    ids=["refused", "none", "early", "endless"],
)
async def test_a_proxy_that_does_not_carry_is_one_that_is_not_reached(
    internet: Internet, server: Server, head: bytes
) -> None:
    server.answer = saying(head)

    with pytest.raises(Unreachable) as error:
        await internet.guard(proxy=PROXY).post(SHOP, b"", {})
    assert error.type is Unreachable


@pytest.mark.case("S36")
@pytest.mark.parametrize("port", [1, 22, 25, 81, 444, 6379, 8080, 65535])
async def test_an_unusual_port_is_refused_before_anything(internet: Internet, port: int) -> None:
    guard, url = internet.guard(), SafeUrl.parse(f"http://shop.example:{port}/")

    for act in (guard.fetch(url, max_bytes=5), guard.post(url, b"", {}), guard.check(url)):
        with pytest.raises(InvalidInput, match="80 and 443"):
            await act
    assert (internet.lookups, internet.tried) == ([], [])


@pytest.mark.case("S36")
async def test_the_owner_allows_a_host_at_a_port(internet: Internet) -> None:
    internet.names["nas.example"] = ["192.168.1.5"]
    guard = internet.guard("nas.example:8080", "[fd00::1]", "10.0.0.7", connect_s=0.05)

    await guard.fetch(SafeUrl.parse("http://nas.example:8080/"), max_bytes=5)
    await guard.check(SafeUrl.parse("http://[fd00::1]/"))
    await guard.check(SafeUrl.parse("https://10.0.0.7/"))

    assert internet.tried == [("192.168.1.5", 8080)]
    for other in ("http://nas.example/", "http://10.0.0.8/", "http://[fd00::2]/"):
        with pytest.raises(Unreachable):
            await guard.check(SafeUrl.parse(other))


@pytest.mark.parametrize(
    "entry", ["", "http://x", "a/b", "a@b", "a:b", "a:99999", "*.example", "?"]
)
def test_a_host_that_is_none_cannot_be_allowed(entry: str) -> None:
    with pytest.raises(InvalidInput):
        AllowedHosts([entry])


@pytest.mark.case("S38")
async def test_blocked_unknown_refused_and_timed_out_look_alike(internet: Internet) -> None:
    nobody = Server()
    with_nobody = Internet(nobody)
    with_nobody.names = {
        "blocked.example": ["10.0.0.1"],
        "refused.example": [PUBLIC],
        "silent.example": ["93.184.216.36"],
    }
    with_nobody.silent = {"93.184.216.36"}
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as closed:
        nobody.port = closed.extra(SocketAttribute.local_port)  # noqa: S610 — not django's
    guard, told, took = with_nobody.guard(connect_s=0.4), set[str](), list[float]()

    for name in ("blocked", "refused", "silent", "unknown"):
        began = anyio.current_time()
        with pytest.raises(Unreachable) as error:
            await guard.fetch(SafeUrl.parse(f"http://{name}.example/"), max_bytes=5)
        took.append(anyio.current_time() - began)
        told.add(f"{error.type.__name__} {error.value}")

    assert len(told) == 1
    assert min(took) >= 0.39
    assert max(took) - min(took) < 0.3


async def test_the_owner_finds_the_cause_in_the_log(
    internet: Internet, caplog: pytest.LogCaptureFixture
) -> None:
    internet.names["inner.example"] = ["10.0.0.1"]
    url, guard = (
        SafeUrl.parse("http://inner.example/a?token=hidden"),
        internet.guard(connect_s=0.05),
    )
    with caplog.at_level(logging.WARNING), pytest.raises(Unreachable):
        await guard.fetch(url, max_bytes=5)

    assert "inner.example:80 was not reached: an address of it is not public" in caplog.text
    assert "hidden" not in caplog.text


def bomb(size_mib: int) -> bytes:
    """What unfolds to so many MiB, made without ever being that."""
    packing = zlib.compressobj(level=1, wbits=31)
    pieces = [packing.compress(bytes(1024 * 1024)) for _ in range(size_mib)]
    return b"".join([*pieces, packing.flush()])


@pytest.mark.case("S42")
async def test_a_compressed_answer_is_refused_unread(internet: Internet, server: Server) -> None:
    body = bomb(64)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    server.answer = saying(head.encode(), body)
    guard = internet.guard()
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match="compressed"):
            await guard.fetch(SHOP, max_bytes=len(body))
        delivered = await guard.post(SHOP, b"", {}, max_bytes=len(body))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert delivered.body == b""
    assert peak_bytes < 32 * 1024 * 1024
    assert b"Accept-Encoding: identity\r\n" in server.requests[0]


@pytest.mark.case("S42")
@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 100000000\r\n", b"Transfer-Encoding: chunked\r\n", b""],
    ids=["claimed", "chunked", "endless"],
)
async def test_an_answer_ends_at_its_cap(internet: Internet, server: Server, head: bytes) -> None:
    block = b"x" * 65_536
    piece = b"10000\r\n" + block + b"\r\n" if b"chunked" in head else block

    async def answer(stream: ByteStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        while True:
            await stream.send(piece)

    server.answer = answer
    with pytest.raises(InvalidInput, match="larger than 300,000 bytes"):
        await internet.guard().fetch(SHOP, max_bytes=300_000)
    cut = await internet.guard().post(SHOP, b"", {}, max_bytes=300_000)
    assert len(cut.body) == 300_000


def dripping(first: bytes) -> Answer:
    async def answer(stream: ByteStream) -> None:
        await stream.send(first)
        while True:
            await anyio.sleep(0.02)
            await stream.send(b"x")

    return answer


@pytest.mark.case("S43")
@pytest.mark.parametrize("first", [HELLO[:20], HELLO[:-5].replace(b"5", b"500")])
async def test_a_dripping_server_is_cut_at_the_deadline(
    internet: Internet, server: Server, first: bytes
) -> None:
    server.answer = dripping(first)
    guard = internet.guard()

    for act, error in (
        (guard.fetch(SHOP, max_bytes=1_000, deadline_s=0.4), Unreachable),
        (guard.post(SHOP, b"", {}, deadline_s=0.4), Uncertain),
    ):
        began = anyio.current_time()
        with pytest.raises(error) as cut:
            await act
        assert cut.type is error
        assert 0.3 < anyio.current_time() - began < 2


@pytest.mark.case("S44")
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nhello",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_none_is_no_file(
    internet: Internet, server: Server, answer: bytes
) -> None:
    server.answer = saying(answer) if answer else saying()

    with pytest.raises(Unreachable):
        await internet.guard().fetch(SHOP, max_bytes=100)
    with pytest.raises(Uncertain):
        await internet.guard().post(SHOP, b"", {})


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, InvalidInput),
        (403, InvalidInput),
        (304, InvalidInput),
        (503, Unreachable),
        (429, Unreachable),
    ],
)
async def test_a_refusal_is_said_and_its_words_are_not(
    internet: Internet, server: Server, status: int, error: type[MessengersError]
) -> None:
    server.answer = saying(f"HTTP/1.1 {status} Evil\r\nContent-Length: 0\r\n\r\n".encode())

    with pytest.raises(error, match=f"status {status}") as refused:
        await internet.guard().fetch(SHOP, max_bytes=5)

    assert "Evil" not in str(refused.value)
    assert (await internet.guard().post(SHOP, b"", {})).status == status


async def test_what_cannot_be_delivered_is_certain_not_to_be(internet: Internet) -> None:
    internet.names["shop.example"] = ["10.0.0.1"]

    with pytest.raises(Unreachable) as error:
        await internet.guard(connect_s=0.05).post(SHOP, b"x", {})
    assert error.type is Unreachable


async def test_a_header_of_two_lines_is_never_sent(internet: Internet, server: Server) -> None:
    with pytest.raises(Unreachable):
        await internet.guard().post(SHOP, b"", {"X-Name": "a\r\nX-Other: b"})

    assert server.requests == []


async def test_each_request_looks_anew(internet: Internet, server: Server) -> None:
    guard = internet.guard()
    await guard.fetch(SHOP, max_bytes=5)
    await guard.fetch(SHOP, max_bytes=5)

    assert internet.lookups == ["shop.example"] * 2
    assert server.connections == 2
