"""Pictures through the chat page: in by a visitor, out by an agent, and to nobody else."""

import struct
import zlib
from base64 import b64encode
from io import BytesIO

import anyio
import pytest
from PIL import Image
from starlette.types import Message, Scope

from messengers.core.callers import OWNER
from messengers.errors import InvalidInput
from tests.web.chat.conftest import Site


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), colour: str = "red") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


async def upload(
    site: Site, cookie: str, data: bytes, **headers: str
) -> tuple[int, dict[str, str]]:
    async with site.client(cookie) as client:
        answer = await client.post("/chat/shop/images", content=data, headers=headers)
        body: dict[str, dict[str, str]] = answer.json()
        return answer.status_code, body.get("error") or answer.json()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_visitors_picture_is_stored_and_shown_to_him_again(site: Site, kind: str) -> None:
    cookie, data = await site.cookie(), picture(kind)
    name = {"X-File-Name": "..%2F..%2Fholiday%E2%80%AE.png"}
    status, uploaded = await upload(site, cookie, data, **name)
    async with site.guest(cookie) as guest:
        await guest.say("look", media=[uploaded["token"]])
        shown = next(frame for frame in guest.frames if frame["type"] == "message")
        stored = await site.told("look")
    [file] = shown["media"]
    async with site.client(cookie) as client:
        answer = await client.get(f"/chat/shop/media/{file['id']}")

    assert status == 200
    assert (file["width"], file["height"]) == (40, 30)
    assert stored.attachments[0].kind == "image"
    assert stored.attachments[0].name == "holiday.png"
    assert stored.attachments[0].mime == f"image/{kind.lower()}"
    assert answer.content == data
    assert answer.headers["content-type"] == f"image/{kind.lower()}"


async def test_a_picture_may_come_without_words(site: Site) -> None:
    cookie = await site.cookie()
    _, uploaded = await upload(site, cookie, picture())
    async with site.guest(cookie) as guest:
        answer = await guest.say("", media=[uploaded["token"]])
        await guest.say("after", "client-0002")
        await site.told("after")
        first, _ = (await site.core.history.read(OWNER, await site.chat())).items

    assert answer["type"] == "ack"
    assert (first.text, len(first.attachments)) == ("", 1)


async def test_an_agents_picture_reaches_the_page(site: Site) -> None:
    cookie, data = await site.cookie(), picture("JPEG")
    async with site.guest(cookie) as guest:
        await guest.say("Hi")
        await site.told("Hi")
        sent = await site.answer("Here", f"data:image/jpeg;base64,{b64encode(data).decode()}")
        shown = await guest.until(type="message", mine=False)
    async with site.client(cookie) as client:
        answer = await client.get(f"/chat/shop/media/{shown['media'][0]['id']}")

    assert sent.outcome == "accepted"
    assert shown["html"] == "<p>Here</p>\n"
    assert answer.content == data


@pytest.mark.case("S41")
@pytest.mark.case("S72")
async def test_a_picture_is_served_so_that_it_can_do_nothing(site: Site) -> None:
    cookie = await site.cookie()
    hostile = {"X-File-Name": "a%0d%0aSet-Cookie%3a%20x%3d1%0d%0a%22.html"}
    _, uploaded = await upload(site, cookie, picture(), **hostile)
    async with site.guest(cookie) as guest:
        await guest.say("look", media=[uploaded["token"]])
        stored = await site.told("look")
    async with site.client(cookie) as client:
        answer = await client.get(f"/chat/shop/media/{stored.attachments[0].media}")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in answer.headers
    assert "html" not in str(answer.headers)
    kept = [path.name for path in site.core.store.media_dir.rglob("*") if path.is_file()]
    assert all(len(name) == 64 for name in kept)


@pytest.mark.case("S78")
async def test_absurd_ranges_are_answered_fast(site: Site) -> None:
    cookie, data = await site.cookie(), picture()
    _, uploaded = await upload(site, cookie, data)
    async with site.guest(cookie) as guest:
        await guest.say("look", media=[uploaded["token"]])
        await site.told("look")
    ranges = {"Range": "bytes=" + ",".join(["0-1", "2-3"] * 5_000)}
    async with site.client(cookie) as client:

        async def quickest(path: str, headers: dict[str, str]) -> float:
            took: list[float] = []
            for _ in range(5):
                began = anyio.current_time()
                answer = await client.get(path, headers=headers)
                took.append(anyio.current_time() - began)
                assert answer.status_code == 200
                assert "content-range" not in answer.headers
            return min(took)

        for path in ("/chat/shop/media/f1", "/static/chat.js"):
            assert await quickest(path, ranges) < 0.05 + 5 * await quickest(path, {})
        whole = await client.get("/chat/shop/media/f1", headers={"Range": "bytes=0-1"})

    assert (whole.status_code, whole.content) == (200, data)


async def test_another_visitor_sees_a_picture_like_one_that_never_was(site: Site) -> None:
    owner, stranger = await site.cookie(), await site.cookie()
    _, uploaded = await upload(site, owner, picture())
    async with site.guest(owner) as guest, site.guest(stranger) as other:
        await guest.say("mine", media=[uploaded["token"]])
        await site.told("mine")
        stolen = await other.say("theirs", "client-0002", media=[uploaded["token"]])
        await other.say("Hi", "client-0003")
        await site.told("Hi")
    answers: list[tuple[int, object]] = []
    async with site.client(stranger) as client:
        for media in ("f1", "f99", "x", "f1f1f1f1f1f1f1", "f0"):
            answer = await client.get(f"/chat/shop/media/{media}")
            answers.append((answer.status_code, answer.content))
    async with site.client() as client:
        nobody = await client.get("/chat/shop/media/f1")

    assert (stolen["type"], stolen["final"]) == ("refused", True)
    assert len(set(answers)) == 1
    assert answers[0][0] == 404
    assert nobody.status_code == 403


async def test_an_unsent_picture_is_not_served(site: Site) -> None:
    cookie = await site.cookie()
    await upload(site, cookie, picture())
    async with site.client(cookie) as client:
        before_any_chat = await client.get("/chat/shop/media/f1")

    assert before_any_chat.status_code == 404


NO_PICTURES = {
    "html": b"<html><script>alert(1)</script>",
    "html behind a name": b"<!doctype html>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "zip": b"PK\x03\x04" + bytes(100),
    "pdf": b"%PDF-1.7",
    "nothing": b"",
    "half a png": picture()[:40],
    "a gif's name only": b"GIF89a",
    "tiff": picture("TIFF"),
    "bmp": picture("BMP"),
}


@pytest.mark.case("S44")
@pytest.mark.parametrize("name", NO_PICTURES)
async def test_what_is_no_picture_is_refused_whatever_it_claims(site: Site, name: str) -> None:
    claim = {"Content-Type": "image/png", "X-File-Name": "cake.png"}
    status, error = await upload(site, await site.cookie(), NO_PICTURES[name], **claim)

    assert (status, error["code"]) == (422, "invalid_input")
    assert not list(site.core.store.media_dir.rglob("*.*"))


@pytest.mark.case("S45")
@pytest.mark.parametrize("size", [(50_000, 50_000), (8_000, 8_000), (2**31 - 1, 1)])
async def test_a_picture_of_too_many_pixels_is_refused_by_its_header(
    site: Site, size: tuple[int, int]
) -> None:
    status, error = await upload(site, await site.cookie(), png_header(*size))

    assert (status, error["code"]) == (422, "invalid_input")
    assert "megapixels" in error["cause"]


@pytest.mark.case("S46")
async def test_an_upload_is_cut_at_its_limit(site: Site) -> None:
    cookie, limit = await site.cookie(), 8 * 1024 * 1024
    declared, _ = await upload(site, cookie, bytes(limit + 1))
    async with site.client(cookie) as client:

        async def chunks():  # noqa: ANN202 - an async generator of bytes
            for _ in range(9):
                yield bytes(1024 * 1024)

        streamed = await client.post("/chat/shop/images", content=chunks())

    assert declared == 413
    assert streamed.status_code == 413
    assert streamed.json()["error"]["code"] == "too_large"


@pytest.mark.case("S44")
@pytest.mark.parametrize("length", ["200", "99999999999999999999", "-1", "1e3"])
async def test_a_length_that_lies_stores_nothing(site: Site, length: str) -> None:
    head = (
        f"POST /chat/shop/images HTTP/1.1\r\nHost: {site.host}\r\n"
        f"Cookie: visitor={await site.cookie()}\r\nContent-Length: {length}\r\n\r\n"
    )
    async with await anyio.connect_tcp("127.0.0.1", site.port) as stream:
        await stream.send(head.encode() + picture()[:100])
        await stream.send_eof()
        with anyio.fail_after(5):
            answer = await stream.receive() if length != "200" else b"HTTP/1.1 4"

    assert answer.startswith(b"HTTP/1.1 4")
    assert not site.core.store.media_dir.exists() or not any(site.core.store.media_dir.iterdir())


@pytest.mark.case("S02")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_cannot_upload(site: Site, origin: str) -> None:
    status, error = await upload(site, await site.cookie(), picture(), Origin=origin)

    assert (status, error["code"]) == (403, "forbidden")


async def test_uploading_needs_the_cookie_and_an_existing_page(site: Site) -> None:
    nobody, _ = await upload(site, "", picture())
    async with site.client(await site.cookie()) as client:
        nowhere = await client.post("/chat/nowhere/images", content=picture())

    assert nobody == 403
    assert nowhere.status_code == 404


async def test_uploads_are_limited_in_number(site: Site) -> None:
    cookie = await site.cookie()
    async with site.client(cookie) as client:
        answers = [await client.post("/chat/shop/images", content=picture()) for _ in range(13)]

    assert [answer.status_code for answer in answers] == [200] * 12 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_a_picture_is_served_in_the_moment_its_message_is_shown(site: Site) -> None:
    cookie, data = await site.cookie(), picture()
    _, uploaded = await upload(site, cookie, data)
    async with site.guest(cookie) as guest, site.client(cookie) as client:
        await guest.send({"type": "say", "client_id": "client-0001", "media": [uploaded["token"]]})
        shown = await guest.until(type="message")
        answer = await client.get(f"/chat/shop/media/{shown['media'][0]['id']}")

    assert answer.content == data


async def test_a_file_that_no_browser_should_show_is_a_download(site: Site) -> None:
    """No way leads there today; another provider's page may show documents one day."""
    cookie = await site.cookie()
    visitor = site.core.visitors.identify(cookie)
    instance = site.core.instances.by_name("shop").id
    page = b"<html><script>alert(1)</script>"
    kept = await site.core.media.store(instance, None, page, "x.html")
    await site.provider.receive(visitor, "look", (kept,), "client-0001")
    await site.told("look")
    async with site.client(cookie) as client:
        answer = await client.get(f"/chat/shop/media/{kept.media}")

    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="{kept.media}"'


async def test_a_fault_on_our_side_is_not_told_to_visitors(site: Site) -> None:
    site.core.store.media_dir.write_bytes(b"in the way")
    status, error = await upload(site, await site.cookie(), picture())

    assert (status, error["code"]) == (503, "not_ready")
    assert error["cause"] == "That did not work just now."


async def test_an_upload_that_breaks_off_is_given_up(site: Site) -> None:
    """As the server tells it to the app: the connection is gone in the middle of the body."""
    answered: list[Message] = []
    arriving = iter(
        (
            {"type": "http.request", "body": picture()[:10], "more_body": True},
            {"type": "http.disconnect"},
        )
    )

    async def receive() -> Message:
        return next(arriving)

    async def send(message: Message) -> None:
        answered.append(message)

    cookie = f"visitor={await site.cookie()}".encode()
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/chat/shop/images",
        "query_string": b"",
        "headers": [(b"host", site.host.encode()), (b"cookie", cookie)],
    }
    await site.web(scope, receive, send)

    assert answered[0]["status"] == 422
    assert not site.core.store.media_dir.exists()


async def test_a_token_of_a_file_that_is_gone_is_refused(site: Site) -> None:
    cookie = await site.cookie()
    _, uploaded = await upload(site, cookie, picture())
    await site.core.store.write(lambda conn: conn.exec_driver_sql("DELETE FROM media"))
    async with site.guest(cookie) as guest:
        refused = await guest.say("look", media=[uploaded["token"]])

    assert (refused["final"], refused["reason"]) == (True, "The picture is gone.")


async def test_what_comes_in_by_another_way_is_measured_too(site: Site) -> None:
    visitor = site.core.visitors.identify(await site.cookie())

    with pytest.raises(InvalidInput):
        await site.core.visitors.upload("shop", visitor, bytes(8 * 1024 * 1024 + 1), "x.png")
