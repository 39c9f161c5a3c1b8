"""Recordings in words, and files had as they come."""

import shlex
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from messengers.core.callers import OWNER
from messengers.core.media import MediaContent
from messengers.errors import InvalidInput, MessengersError, NotReady, Uncertain, Unreachable
from messengers.models import Message
from messengers.settings import Settings
from tests.core.conftest import House, OpenHouse
from tests.fakes.internet import Internet, saying, serving

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28)
URL = "http://ears.example:9000/v1/audio/transcriptions"


def program(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


async def voice(house: House, data: bytes = WAV) -> Message:
    """A voice message that came."""
    house.personal.files["v"] = data
    text = f"listen {uuid4().hex}"
    await house.personal.say(text, files=[{"kind": "voice", "native_ref": "v"}])
    return await house.told(text)


async def content_of(house: House, message: Message) -> MediaContent:
    return await house.core.media.content(OWNER, message.id)


async def test_nobody_hears_unless_the_owner_chose_who(house: House) -> None:
    message = await voice(house)

    assert not house.core.transcripts.are_made
    found = await house.core.transcripts.of(message.id, 0, await content_of(house, message))
    assert found == ""


async def test_a_program_hears_once_and_its_words_stay_with_the_message(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    code = (
        "import sys; data = sys.stdin.buffer.read();"
        f"open({str(asked)!r}, 'a').write('x'); print('  heard', len(data), 'bytes')"
    )
    async with open_house(transcribe_command=program(code)) as house:
        message = await voice(house)
        content = await content_of(house, message)
        first = await house.core.transcripts.of(message.id, 0, content)
        again = await house.core.transcripts.of(message.id, 0, content)
        row = await house.core.history.row(OWNER, message.id)
        stored = house.core.history.of_row(row)
        kinds = [event.kind for _, event in await house.core.events.since(OWNER, 0)]

    assert (first, again) == (f"heard {len(WAV)} bytes",) * 2
    assert asked.read_text("utf-8") == "x"
    assert stored.attachments[0].transcript == first
    assert kinds.count("message.transcribed") == 1


@pytest.mark.parametrize(
    "command", [program("raise SystemExit(2)"), "/nowhere/program", program("print('x' * 300_000)")]
)
async def test_a_program_that_fails_is_said(open_house: OpenHouse, command: str) -> None:
    async with open_house(transcribe_command=command) as house:
        message = await voice(house)
        content = await content_of(house, message)

        with pytest.raises(NotReady):
            await house.core.transcripts.of(message.id, 0, content)


async def test_only_sound_is_heard(open_house: OpenHouse) -> None:
    async with open_house(transcribe_command=program("print('heard')")) as house:
        message = await voice(house, b"plain words")

        found = await house.core.transcripts.of(message.id, 0, await content_of(house, message))
    assert found == ""


def answer(body: bytes, status: int = 200) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


async def test_a_service_is_asked_as_openais(open_house: OpenHouse) -> None:
    async with serving() as server:
        server.answer = saying(answer(b'{"text": " two cakes "}'))
        internet = Internet(server)
        internet.names = {"ears.example": ["10.0.0.9"]}
        guard = internet.guard("ears.example:9000")
        chosen = {"transcribe_url": URL, "transcribe_key": "sesame", "transcribe_model": "tiny"}
        async with open_house(guard=guard, **chosen) as house:
            message = await voice(house)
            content = await content_of(house, message)
            found = await house.core.transcripts.of(message.id, 0, content)

    [request] = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert found == "two cakes"
    assert head.startswith(b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: ears.example:9000\r\n")
    assert b"Authorization: Bearer sesame\r\n" in head + b"\r\n"
    assert b'name="model"\r\n\r\ntiny\r\n' in body
    assert b'filename="speech.wav"\r\nContent-Type: audio/wav\r\n\r\n' + WAV + b"\r\n--" in body


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer(b"no", 500), NotReady),
        (answer(b"{}"), NotReady),
        (answer(b"[]"), NotReady),
        (answer(b"<html>"), NotReady),
        (b"", Uncertain),
    ],
)
async def test_a_service_that_fails_is_said(
    open_house: OpenHouse, said: bytes, error: type[MessengersError]
) -> None:
    async with serving() as server:
        server.answer = saying(said) if said else saying()
        internet = Internet(server)
        internet.names = {"ears.example": ["93.184.216.34"]}
        chosen = {"transcribe_url": "http://ears.example/x"}
        async with open_house(guard=internet.guard(), **chosen) as house:
            message = await voice(house)
            content = await content_of(house, message)
            with pytest.raises(error):
                await house.core.transcripts.of(message.id, 0, content)


async def test_a_service_of_the_own_network_has_to_be_allowed(open_house: OpenHouse) -> None:
    async with serving() as server:
        internet = Internet(server)
        internet.names = {"ears.example": ["10.0.0.9"]}
        chosen = {"transcribe_url": "http://ears.example/x"}
        async with open_house(guard=internet.guard(connect_s=0.1), **chosen) as house:
            message = await voice(house)
            content = await content_of(house, message)
            with pytest.raises(Unreachable):
                await house.core.transcripts.of(message.id, 0, content)
    assert server.connections == 0


def test_an_address_of_a_service_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="transcribe_url"):
        Settings.load(transcribe_url="file:///etc/passwd")
    assert "sesame" not in repr(Settings.load(transcribe_key="sesame"))


async def test_files_are_had_as_they_come_where_the_owner_wants_that(
    open_house: OpenHouse,
) -> None:
    chosen = {"media_download": "at_once", "transcribe_command": program("print('heard')")}
    async with open_house(**chosen) as house:
        await voice(house, b"")  # refused, and nothing else waits for it
        message = await voice(house)

        async def had() -> Message | None:
            row = await house.core.history.row(OWNER, message.id)
            found = house.core.history.of_row(row)
            return found if found.attachments[0].transcript else None

        found = await house.core.events.wait(had, 10)

    assert found is not None
    assert found.attachments[0].media
    assert found.attachments[0].transcript == "heard"
    assert house.personal.downloads == ["v", "v"]


async def test_a_message_that_is_gone_when_its_file_is_wanted_holds_up_nothing(
    open_house: OpenHouse,
) -> None:
    chosen = {"media_download": "at_once", "transcribe_command": program("print('heard')")}
    async with open_house(**chosen) as house:
        core, me = house.core, house.core.instances.by_name("me").id
        await core.events.write(
            lambda conn: core.events.record(
                conn, "message.received", instance_id=me, message_id=10**6
            )
        )
        message = await voice(house)

        async def had() -> bool | None:
            found = core.history.of_row(await core.history.row(OWNER, message.id))
            return True if found.attachments[0].transcript else None

        assert await core.events.wait(had, 10)


async def test_files_wait_until_they_are_wanted(house: House) -> None:
    message = await voice(house)

    assert house.personal.downloads == []
    assert (await content_of(house, message)).data == WAV
    assert house.personal.downloads == ["v"]
