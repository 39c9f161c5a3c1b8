"""Everything that is sent, as a phone receives it from the real engine."""

import base64
import io
import subprocess
import wave
from functools import partial
from typing import Any

import pytest
from PIL import Image

from messengers.core.callers import OWNER
from messengers.errors import NotFound, Unsupported
from messengers.models import Card, Lifecycle, Location, Message, Outcome, Poll
from messengers.providers.base import MediaBytes, Part
from tests.fakes.whatsapp_web.devices import Peer
from tests.fakes.whatsapp_web.wire import WA
from tests.programs import require_program
from tests.providers.whatsapp_web.conftest import AGENT, Linked, becomes, next_of, reaches

pytestmark = pytest.mark.timeout(60)


def picture(format: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, format)
    return out.getvalue()


def uri(mime: str, data: bytes, name: str = "") -> str:
    title = f";name={name}" if name else ""
    return f"data:{mime}{title};base64,{base64.b64encode(data).decode()}"


def made(source: str, *arguments: str) -> bytes:
    """A second of what ffmpeg can make of nothing."""
    command = [require_program("ffmpeg"), "-loglevel", "error", "-f", "lavfi", "-i", source]
    made = subprocess.run([*command, "-t", "1", *arguments, "-"], capture_output=True, check=True)
    return made.stdout


def sound(*arguments: str) -> bytes:
    return made("anullsrc=r=48000:cl=mono", *arguments)


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(2 * 48_000))
    return out.getvalue()


async def received(peer: Peer) -> Any:  # noqa: ANN401 - protobuf
    """The message that arrived next, unwrapped."""
    message = (await next_of(peer)).message
    captioned = message.documentWithCaptionMessage.message
    return captioned if captioned.ListFields() else message


async def test_a_text_leaves_in_the_messengers_own_marks(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    answer = await linked.send(bob, "**hello** _you_, see [this](https://example.org)")

    arrived = await next_of(bob)
    assert arrived.text == "*hello* _you_, see this (https://example.org)"
    assert answer.outcome is Outcome.ACCEPTED
    stored = await linked.message(arrived.id, bob)
    assert stored.id == answer.message
    assert stored.delivery == "sent"
    assert stored.sent_at is not None


async def test_what_the_phone_echoes_is_no_second_message(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    await linked.send(bob, "only once")
    own = await next_of(linked.me)
    await linked.wa.send_text(bob, linked.companion, "ok")

    assert own.message.HasField("deviceSentMessage")
    await becomes(lambda: len(bob.received) == 1)
    stored = [each.text for each in await linked.messages(bob.pn)]
    assert stored.count("only once") == 1


async def test_an_answer_quotes_its_message_and_who_wrote_it(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    theirs = await linked.wa.send_text(bob, linked.companion, "which one?")
    asked = await linked.message(theirs, bob)
    ours = await linked.send(bob, "this one", reply_to=asked.id)
    first = await next_of(bob)

    await linked.send(bob, "and that one", reply_to=ours.message)

    quote = first.message.extendedTextMessage.contextInfo
    own = (await next_of(bob)).message.extendedTextMessage.contextInfo
    assert (quote.stanzaId, quote.participant) == (theirs, bob.pn)
    assert quote.quotedMessage.conversation == "which one?"
    assert (own.stanzaId, own.participant) == (first.id, linked.me.pn)
    assert own.quotedMessage.conversation == "this one"


async def test_a_number_with_an_at_sign_mentions_its_owner(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    await linked.send(bob, f"ask @{bob.phone} about it")

    text = (await next_of(bob)).message.extendedTextMessage
    assert text.text == f"ask @{bob.phone} about it"
    assert list(text.contextInfo.mentionedJid) == [bob.pn]


async def test_our_reaction_is_set_changed_and_taken_back(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    id = await linked.wa.send_text(bob, linked.companion, "news")
    message = await linked.message(id, bob)

    given: list[tuple[str, str, bool]] = []
    stored: list[list[tuple[str, bool]]] = []
    for emoji in ("👍", "❤️", ""):
        act = await linked.core.changes.prepare_react(AGENT, message.id, emoji)
        await linked.core.approvals.perform(act)
        reaction = (await next_of(bob)).message.reactionMessage
        given.append((reaction.text, reaction.key.id, reaction.key.fromMe))
        now = await linked.message(id, bob)
        stored.append([(each.emoji, each.by_me) for each in now.reactions])

    assert given == [("👍", id, False), ("❤️", id, False), ("", id, False)]
    assert stored == [[("👍", True)], [("❤️", True)], []]


async def test_our_message_is_edited_and_deleted_for_everyone(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    answer = await linked.send(bob, "at five")
    sent = await next_of(bob)

    act = await linked.core.changes.prepare_edit(AGENT, answer.message, "at **six**")
    await linked.core.approvals.perform(act)
    edit = await next_of(bob)
    act = await linked.core.changes.prepare_delete(AGENT, answer.message)
    await linked.core.approvals.executors["delete"](act.payload, AGENT, 5)
    revoke = await next_of(bob)

    change = edit.message.editedMessage.message.protocolMessage
    assert (change.key.id, change.editedMessage.conversation) == (sent.id, "at *six*")
    assert edit.node["edit"] == "1"
    assert revoke.message.protocolMessage.key.id == sent.id
    assert revoke.node["edit"] == "7"
    assert (await linked.message(sent.id, bob)).status == "deleted"


async def test_a_picture_leaves_with_its_caption_size_and_thumbnail(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    data = picture()

    await linked.send(bob, "a **red** one", attachments=[uri("image/png", data)])

    image = (await received(bob)).imageMessage
    assert linked.wa.cdn.open("Image", image) == data
    assert (image.caption, image.mimetype) == ("a *red* one", "image/png")
    assert (image.width, image.height) == (40, 30)
    assert bytes(image.jpegThumbnail).startswith(b"\xff\xd8")


async def test_a_webp_picture_becomes_one_that_every_phone_shows(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    await linked.send(bob, attachments=[uri("image/webp", picture("WEBP"))])

    image = (await received(bob)).imageMessage
    assert image.mimetype == "image/jpeg"
    assert linked.wa.cdn.open("Image", image).startswith(b"\xff\xd8")


async def test_a_film_leaves_with_a_picture_of_it(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    film = made("color=red:s=64x48", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4")

    await linked.send(bob, "look", attachments=[uri("video/mp4", film)])

    video = (await received(bob)).videoMessage
    assert linked.wa.cdn.open("Video", video) == film
    assert (video.caption, video.mimetype) == ("look", "video/mp4")
    assert bytes(video.jpegThumbnail).startswith(b"\xff\xd8")


async def test_music_stays_music_and_opus_is_a_voice_note(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    music, voice = sound("-f", "mp3"), sound("-c:a", "libopus", "-f", "ogg")

    await linked.send(bob, attachments=[uri("audio/mpeg", music)])
    song = (await received(bob)).audioMessage
    await linked.send(bob, attachments=[uri("audio/ogg", voice)])
    note = (await received(bob)).audioMessage

    assert linked.wa.cdn.open("Audio", song) == music
    assert (song.ptt, song.mimetype) == (False, "audio/mpeg")
    assert linked.wa.cdn.open("Audio", note) == voice
    assert (note.ptt, note.mimetype, note.seconds) == (True, "audio/ogg; codecs=opus", 1)


async def test_other_sound_is_made_a_voice_note(linked: Linked) -> None:
    require_program("ffmpeg")
    bob = linked.somebody("Bob")

    await linked.send(bob, attachments=[uri("audio/wav", wav())], wait_s=20)

    note = (await received(bob)).audioMessage
    assert note.ptt
    assert linked.wa.cdn.open("Audio", note).startswith(b"OggS")
    assert note.seconds == 1


async def test_a_document_leaves_with_its_name_and_caption(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    data = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"

    await linked.send(bob, "the bill", attachments=[uri("application/pdf", data)])

    document = (await received(bob)).documentMessage
    assert linked.wa.cdn.open("Document", document) == data
    assert (document.caption, document.mimetype) == ("the bill", "application/pdf")
    assert document.fileName.endswith(".pdf")


async def test_a_sticker_is_made_a_square(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    file = MediaBytes("sticker", "image/png", "s.png", picture())

    await linked.send_part(bob, Part(media=file))

    sticker = (await received(bob)).stickerMessage
    with Image.open(io.BytesIO(linked.wa.cdn.open("Image", sticker))) as shown:
        assert (shown.format, shown.size) == ("WEBP", (512, 512))


async def test_places_contacts_and_polls_leave(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    place = Location(latitude_deg=56.95, longitude_deg=24.11, title="The Dome")
    poll = Poll(question="Lunch?", options=("Soup", "Salad"))

    await linked.send_part(bob, Part(location=place))
    here = (await received(bob)).locationMessage
    await linked.send_part(bob, Part(contact=Card(name="Zane; B", phone="+371 2000 0000")))
    card = (await received(bob)).contactMessage
    await linked.send_part(bob, Part(poll=poll))
    asked = (await received(bob)).pollCreationMessageV3

    assert (here.degreesLatitude, here.degreesLongitude, here.name) == (56.95, 24.11, "The Dome")
    assert "FN:Zane\\; B\n" in card.vcard
    assert "waid=37120000000:+37120000000" in card.vcard
    assert [each.optionName for each in asked.options] == ["Soup", "Salad"]
    assert asked.selectableOptionsCount == 1


async def test_messages_disappear_where_the_chat_says_so(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    await linked.wa.set_disappearing(bob, linked.companion, 86_400)
    id = await linked.wa.send_text(bob, linked.companion, "now", expiration_s=86_400)
    await linked.message(id, bob)

    await linked.send(bob, "gone tomorrow")
    timed = (await next_of(bob)).message.extendedTextMessage
    await linked.wa.set_disappearing(bob, linked.companion, 0)
    id = await linked.wa.send_text(bob, linked.companion, "stays")
    await linked.message(id, bob)
    await linked.send(bob, "stays too")
    plain = (await next_of(bob)).message

    assert timed.contextInfo.expiration == 86_400
    assert plain.conversation == "stays too"


async def test_what_the_messenger_refuses_failed_for_certain(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    linked.wa.refuse_messages(479)
    try:
        answer = await linked.send(bob, "no")
    finally:
        linked.wa.refuse_messages(None)

    assert answer.outcome is Outcome.FAILED
    assert answer.notes
    assert bob.received == []


async def test_a_failed_upload_is_tried_again_and_sent_once(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    linked.wa.fail_upload(1)

    answer = await linked.send(bob, "look", attachments=[uri("image/png", picture())], wait_s=20)

    assert answer.outcome is Outcome.ACCEPTED
    assert (await received(bob)).imageMessage.caption == "look"
    assert len(bob.received) == 1


async def test_a_message_that_a_phone_could_not_read_goes_again(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    await linked.send(bob, "again please")
    first = await next_of(bob)

    await linked.wa.retry_receipt(bob, linked.companion, first.id)

    again = await next_of(bob)
    assert (again.id, again.text, again.is_resend) == (first.id, "again please", True)


async def test_a_long_text_leaves_in_parts_in_their_order(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 150 for number in range(12))

    await linked.send(bob, text, wait_s=20)

    parts = [(await next_of(bob)).text for _ in range(3)]
    assert all(len(part) <= 4096 for part in parts)
    assert [f"Paragraph {number}." in "".join(parts) for number in range(12)] == [True] * 12
    assert parts[0].startswith("Paragraph 0.")


async def test_votes_stand_on_the_poll_and_a_changed_vote_replaces_the_first(
    linked: Linked,
) -> None:
    bob = linked.somebody("Bob")
    poll = Poll(question="Lunch?", options=("Soup", "Salad"))
    await linked.send_part(bob, Part(poll=poll))
    asked = await next_of(bob)
    echo = WA.Message()
    echo.CopyFrom(asked.message)
    await linked.wa.send_message(linked.me, linked.companion, echo, id=asked.id, chat=bob)
    await linked.message(asked.id, bob)

    votes: list[tuple[int, ...]] = []
    for option in ("Salad", "Soup"):
        await linked.wa.send_vote(bob, linked.companion, asked.message, asked.id, [option])
        fits = partial(voted, wanted=(int(option == "Soup"), int(option == "Salad")))
        found = await linked.message(asked.id, bob, fits)
        votes.append(found.poll.votes if found.poll else ())

    assert votes == [(0, 1), (1, 0)]


def voted(message: Message, wanted: tuple[int, ...]) -> bool:
    return message.poll is not None and message.poll.votes == wanted


async def test_sound_that_needs_ffmpeg_says_so_where_it_is_missing(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = linked.somebody("Bob")
    monkeypatch.setenv("PATH", "/nowhere")
    await linked.core.instances.disconnect(OWNER, "wa")
    await linked.core.instances.connect(OWNER, "wa")
    await reaches(linked.core, Lifecycle.CONNECTED)
    monkeypatch.undo()

    answer = await linked.send(bob, attachments=[uri("audio/wav", wav())])
    await linked.core.instances.disconnect(OWNER, "wa")
    await linked.core.instances.connect(OWNER, "wa")
    await reaches(linked.core, Lifecycle.CONNECTED)

    assert answer.outcome is Outcome.FAILED
    assert "ffmpeg" in " ".join(answer.notes)
    assert bob.received == []


async def test_a_person_is_blocked_and_let_in_again(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    await linked.provider.block(bob.pn, blocked=True)
    listed = await linked.core.arrangements.blocked(OWNER, linked.name)
    await linked.provider.block(bob.pn, blocked=False)

    assert [person.native_id for person in listed] == [bob.pn]
    assert linked.me.blocked == []


async def test_the_picture_of_a_person_is_fetched_from_where_whatsapp_keeps_it(
    linked: Linked,
) -> None:
    bob, shy = linked.somebody("Bob"), linked.somebody("Shy")
    await linked.wa.set_picture(bob, picture("JPEG"))

    found = await linked.provider.portrait(bob.pn, 1_000_000)

    assert found == picture("JPEG")
    with pytest.raises(Unsupported, match="larger than it may be"):
        await linked.provider.portrait(bob.pn, 10)
    with pytest.raises(NotFound):
        await linked.provider.portrait(shy.pn, 1_000_000)
