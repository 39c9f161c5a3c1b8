"""Files in a real core: stored once, known by id, given to whom they belong."""

import stat
from base64 import b64encode
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from messengers.core.callers import OWNER, Caller
from messengers.core.core import Core, open_core
from messengers.core.media import plain_file_name
from messengers.errors import (
    Forbidden,
    InvalidInput,
    MessengersError,
    NotFound,
    StorageUnavailable,
    Unsupported,
)
from messengers.models import Attachment, Chat, Message
from messengers.providers.capabilities import Capabilities, MediaLimit
from messengers.providers.webchat.limits import CAPABILITIES
from messengers.providers.webchat.provider import WebchatProvider
from messengers.settings import Settings
from tests.core.conftest import OpenHouse

ANNA = "v" + "a" * 24
LOCAL = Caller("stdio", local=True)
REMOTE = Caller("k1")
BLIND = Caller("k2", instances=frozenset({"another"}))


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), colour: str = "red") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def data_uri(data: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{b64encode(data).decode()}"


class Shop:
    """A core with a chat page where a visitor wrote."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.instance_id = core.instances.by_name("shop").id

    async def says(self, text: str, *files: bytes) -> tuple[Chat, Message]:
        provider = self.core.instances.provider(self.instance_id)
        assert isinstance(provider, WebchatProvider)
        media = [
            await self.core.media.store(self.instance_id, None, data, "a.png") for data in files
        ]
        await provider.receive(ANNA, text, media, uuid4().hex)

        async def stored() -> tuple[Chat, Message] | None:
            chat = await self.core.chats.get_by_native(self.instance_id, ANNA)
            if chat is None:
                return None
            newest = (await self.core.history.read(OWNER, chat)).items[-1:]
            return (chat, newest[0]) if newest and newest[0].text == text else None

        found = await self.core.events.wait(stored, 10)
        assert found is not None
        return found


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    root = tmp_path / "pictures"
    root.mkdir()
    (root / "cake.png").write_bytes(picture())
    (root / "cake.jpg").write_bytes(b"<html>")
    (root / "menu.txt").write_bytes(b"menu")
    settings = Settings(home=tmp_path / "home", media_roots=(root,), media_max_bytes=1_000_000)
    async with open_core(settings) as core:
        await core.instances.create(OWNER, "webchat", "shop")
        yield Shop(core)


@pytest.fixture
def root(shop: Shop) -> Path:
    return shop.core.settings.media_roots[0]


async def test_a_file_is_stored_once_by_its_hash_and_privately(shop: Shop) -> None:
    data = picture()
    chat, _ = await shop.says("hello")
    first = await shop.core.media.store(shop.instance_id, chat.id, data, "../../x/cake.png")
    again = await shop.core.media.store(shop.instance_id, chat.id, data, "cake.png")
    other = await shop.core.media.store(shop.instance_id, chat.id, data, "tart.png")
    [path] = [each for each in shop.core.store.media_dir.rglob("*") if each.is_file()]

    assert first == again
    assert (first.kind, first.mime, first.name) == ("image", "image/png", "cake.png")
    assert (first.width, first.height, first.size_bytes) == (40, 30, len(data))
    assert (first.media[0], other.media[0]) == ("f", "f")
    assert first.media != other.media
    assert path.parent.name == path.name[:2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (await shop.core.media.load(first.media)).data == data


async def test_the_same_file_of_two_who_are_not_known_yet_is_two(shop: Shop) -> None:
    first = await shop.core.media.store(shop.instance_id, None, picture(), "cake.png")
    other = await shop.core.media.store(shop.instance_id, None, picture(), "cake.png")

    assert first.media != other.media


async def test_an_unknown_file_is_nothing_to_send(shop: Shop) -> None:
    with pytest.raises(NotFound):
        await shop.core.store.write(lambda conn: shop.core.media.attachment(conn, "f999"))


async def test_a_file_beyond_the_owners_limit_is_not_stored(shop: Shop) -> None:
    with pytest.raises(InvalidInput):
        await shop.core.media.store(shop.instance_id, None, bytes(1_000_001), "x")

    assert not shop.core.store.media_dir.exists()


@pytest.mark.case("S46")
async def test_an_archive_is_stored_as_it_is(shop: Shop) -> None:
    archive = b"PK\x03\x04" + bytes(500)
    kept = await shop.core.media.store(shop.instance_id, None, archive, "a.docx")

    assert (kept.kind, kept.mime, kept.name) == ("document", "application/zip", "a.docx")
    assert (await shop.core.media.load(kept.media)).data == archive


async def test_the_content_of_a_message_goes_to_who_may_see_it(shop: Shop) -> None:
    large, small = picture("PNG", (3_000, 1_500)), picture("GIF")
    _, message = await shop.says("look", large, small)
    first = await shop.core.media.content(REMOTE, message.id)
    second = await shop.core.media.content(REMOTE, message.id, 1)

    with Image.open(BytesIO(first.data)) as scaled:
        assert scaled.size == (1568, 784)
    assert first.attachment.mime == "image/jpeg"
    assert second.data == small
    for caller, index in ((BLIND, 0), (REMOTE, 2), (REMOTE, -1)):
        with pytest.raises(NotFound):
            await shop.core.media.content(caller, message.id, index)


async def test_other_content_is_given_as_it_is(shop: Shop) -> None:
    _, message = await shop.says("read", b"plain words")

    content = await shop.core.media.content(REMOTE, message.id)

    assert (content.attachment.mime, content.data) == ("text/plain", b"plain words")


@pytest.mark.parametrize("message", ["m999", "nonsense", "", "f1"])
async def test_no_message_has_no_content(shop: Shop, message: str) -> None:
    with pytest.raises(NotFound):
        await shop.core.media.content(REMOTE, message)


async def test_a_file_that_only_the_platform_has_is_said_not_to_be_stored(shop: Shop) -> None:
    provider = shop.core.instances.provider(shop.instance_id)
    assert isinstance(provider, WebchatProvider)
    elsewhere = Attachment(kind="image", native_ref="there")
    await provider.receive(ANNA, "look", [elsewhere], uuid4().hex)
    _, message = await shop.says("after")

    with pytest.raises(NotFound, match="not stored"):
        await shop.core.media.content(REMOTE, "m1")
    assert message.id == "m2"


async def test_a_message_without_files_says_so(shop: Shop) -> None:
    _, message = await shop.says("hello")

    with pytest.raises(NotFound, match="no file"):
        await shop.core.media.content(REMOTE, message.id)


async def test_a_file_belongs_to_its_chat_alone(shop: Shop) -> None:
    chat, message = await shop.says("look", picture())
    media = message.attachments[0].media

    assert (await shop.core.media.of_chat(shop.instance_id, chat, media)).data == picture()
    for instance, place in ((uuid4().hex, chat), (shop.instance_id, None)):
        with pytest.raises(NotFound):
            await shop.core.media.of_chat(instance, place, media)


async def test_bytes_that_are_gone_or_unreadable_are_said_to_be(shop: Shop) -> None:
    kept = await shop.core.media.store(shop.instance_id, None, picture(), "a.png")
    [path] = [each for each in shop.core.store.media_dir.rglob("*") if each.is_file()]

    path.unlink()
    with pytest.raises(NotFound, match="gone"):
        await shop.core.media.load(kept.media)
    path.mkdir()
    with pytest.raises(StorageUnavailable):
        await shop.core.media.load(kept.media)


async def test_a_directory_that_takes_nothing_is_said_to_be(shop: Shop) -> None:
    shop.core.store.media_dir.write_bytes(b"in the way")

    with pytest.raises(StorageUnavailable):
        await shop.core.media.store(shop.instance_id, None, picture(), "a.png")


async def test_every_source_becomes_a_stored_file_of_the_chat(shop: Shop, root: Path) -> None:
    chat, message = await shop.says("look", picture(colour="blue"))
    media = message.attachments[0].media
    sources = [data_uri(picture()), f"{root}/cake.png", message.id, media]
    sent = [await shop.core.sources.outgoing(LOCAL, each, chat, CAPABILITIES) for each in sources]

    assert [each.data for each in sent] == [picture()] * 2 + [picture(colour="blue")] * 2
    assert [each.name for each in sent] == ["file.png", "cake.png", "a.png", "a.png"]
    assert {(each.kind, each.mime, each.width) for each in sent} == {("image", "image/png", 40)}
    for each in sent:
        await shop.core.media.of_chat(shop.instance_id, chat, each.media)


async def test_the_same_attachment_twice_is_the_same_file(shop: Shop) -> None:
    chat, _ = await shop.says("hello")
    first = await shop.core.sources.outgoing(REMOTE, data_uri(picture()), chat, CAPABILITIES)
    again = await shop.core.sources.outgoing(REMOTE, data_uri(picture()), chat, CAPABILITIES)

    assert first == again


REFUSED: dict[str, tuple[str, type[MessengersError]]] = {
    "web address": ("https://example.org/cake.png", InvalidInput),
    "plain address": ("http://127.0.0.1/cake.png", InvalidInput),
    "file address": ("file:///etc/passwd", InvalidInput),
    "gopher": ("gopher://127.0.0.1/", InvalidInput),
    "no base64": ("data:image/png,%89PNG", InvalidInput),
    "broken base64": ("data:image/png;base64,$$$$", InvalidInput),
    "blanks in base64": ("data:image/png;base64,AA AA", InvalidInput),
    "html as png": (data_uri(b"<html>"), InvalidInput),
    "png as sound": (data_uri(picture(), "audio/ogg"), InvalidInput),
    "text": (data_uri(b"words", "text/plain"), Unsupported),
    "pdf": (data_uri(b"%PDF-1.7", "application/pdf"), Unsupported),
    "empty": ("data:image/png;base64,", InvalidInput),
    "unknown media": ("f999", NotFound),
    "unknown message": ("m999", NotFound),
    "message without a file": ("m1", NotFound),
}


@pytest.mark.case("S44")
@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_attached_is_refused(shop: Shop, name: str) -> None:
    source, error = REFUSED[name]
    chat, _ = await shop.says("hello")

    with pytest.raises(error) as refused:
        await shop.core.sources.outgoing(LOCAL, source, chat, CAPABILITIES)

    assert type(refused.value) is error
    assert source not in str(refused.value)
    assert not shop.core.store.media_dir.exists()


@pytest.mark.case("S39")
@pytest.mark.parametrize("source", ["/etc/passwd", "cake.png", "../x", "{root}/cake.png", ""])
async def test_a_remote_caller_never_names_files(shop: Shop, root: Path, source: str) -> None:
    chat, _ = await shop.says("hello")

    with pytest.raises(Forbidden, match="on this machine"):
        await shop.core.sources.outgoing(REMOTE, source.format(root=root), chat, CAPABILITIES)


@pytest.mark.case("S39")
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("/etc/passwd", Forbidden),
        ("{root}/../home/secret.key", Forbidden),
        ("{root}/cake.jpg", InvalidInput),
        ("{root}/menu.txt", Unsupported),
    ],
)
async def test_a_local_caller_names_fitting_files_under_the_roots(
    shop: Shop, root: Path, source: str, error: type[MessengersError]
) -> None:
    chat, _ = await shop.says("hello")

    with pytest.raises(error):
        await shop.core.sources.outgoing(LOCAL, source.format(root=root), chat, CAPABILITIES)


async def test_a_caller_cannot_send_what_it_may_not_see(shop: Shop) -> None:
    chat, message = await shop.says("look", picture())

    for source in (message.id, message.attachments[0].media):
        with pytest.raises(NotFound):
            await shop.core.sources.outgoing(BLIND, source, chat, CAPABILITIES)


@pytest.mark.case("S46")
async def test_base64_is_measured_before_it_is_decoded(shop: Shop) -> None:
    chat, _ = await shop.says("hello")
    too_long_and_broken = "data:image/png;base64," + "$" * 1_400_000

    with pytest.raises(InvalidInput, match="larger"):
        await shop.core.sources.outgoing(LOCAL, too_long_and_broken, chat, CAPABILITIES)


async def test_each_kind_has_its_own_limit_and_some_messengers_take_nothing(shop: Shop) -> None:
    chat, _ = await shop.says("hello")
    tight = Capabilities(
        max_text=10,
        media={
            "image": MediaLimit(max_bytes=50, mimes=("image/png",)),
            "document": MediaLimit(max_bytes=5_000, mimes=("application/pdf",)),
        },
    )

    with pytest.raises(InvalidInput, match="larger"):
        await shop.core.sources.outgoing(LOCAL, data_uri(picture()), chat, tight)
    with pytest.raises(Unsupported, match="no attachments"):
        await shop.core.sources.outgoing(
            LOCAL, data_uri(picture()), chat, Capabilities(max_text=10)
        )


async def test_a_chat_that_is_gone_takes_no_file(shop: Shop) -> None:
    chat, _ = await shop.says("hello")
    gone = chat.model_copy(update={"id": "c999"})

    with pytest.raises(NotFound):
        await shop.core.sources.outgoing(LOCAL, data_uri(picture()), gone, CAPABILITIES)


@pytest.mark.case("S41")
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../x.png", "x.png"),
        ("C:\\temp\\x.png", "x.png"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("cake\u202egnp.exe", "cakegnp.exe"),
        ("..", "file.png"),
        ("", "file.png"),
        ("\x00", "file.png"),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
        ("Торт 🍰.png", "Торт 🍰.png"),
    ],
)
def test_a_files_name_is_data_without_a_path(given: str, kept: str) -> None:
    assert plain_file_name(given, "image/png") == kept


@given(st.text(max_size=300))
def test_no_name_leads_anywhere(name: str) -> None:
    kept = plain_file_name(name, "image/png")

    assert kept.isprintable()
    assert 0 < len(kept) <= 120
    assert not set(kept) & set("/\\\r\n\0")
    assert kept not in (".", "..")


async def test_a_file_that_made_room_is_had_again_from_its_messenger(open_house: OpenHouse) -> None:
    async with open_house(media_quota_bytes=2_600) as house:
        for name, colour in (("one", "red"), ("two", "blue")):
            data = picture("BMP", (16, 16), colour)
            house.personal.files[name] = b"%PDF-1.7" + data + bytes(700)
            file = {"kind": "document", "native_ref": name, "name": f"{name}.pdf"}
            await house.personal.say(name, files=[file])
        messages = [await house.told(name) for name in ("one", "two")]

        for message in (*messages, messages[0]):
            name = message.text
            found = await house.core.media.content(REMOTE, message.id)
            assert found.data == house.personal.files[name]

        assert house.personal.downloads == ["one", "two", "one"]
        again = await house.core.media.content(REMOTE, messages[0].id)
        assert again.attachment.name == "one.pdf"
        assert house.personal.downloads == ["one", "two", "one"]
