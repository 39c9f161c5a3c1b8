"""Every kind of message that arrives, as the real engine receives it."""

import base64
from functools import partial

import pytest

from messengers.core.callers import OWNER
from messengers.errors import MessengersError
from messengers.models import Message
from tests.fakes.whatsapp_web import Reference, messages
from tests.fakes.whatsapp_web.wire import WA
from tests.providers.whatsapp_web.conftest import Linked, next_of

pytestmark = pytest.mark.timeout(60)
IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def test_a_text_arrives_with_its_sender_and_is_unread(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    id = await linked.wa.send_text(bob, linked.companion, "hello")

    message = await linked.message(id, bob)
    chat = await linked.chat(bob.pn)
    assert message.text == "hello"
    assert message.direction == "in"
    assert message.sender.native_id == bob.pn
    assert message.sender.phone == f"+{bob.phone}"
    assert message.sender.alt_ids == (bob.lid,)
    assert message.sender.display_name == "Bob"
    assert chat.unread == 1
    assert chat.phone == f"+{bob.phone}"
    assert chat.waiting_for_reply


async def test_a_person_who_writes_from_the_number_has_the_same_chat(linked: Linked) -> None:
    old = linked.somebody("Old", lid_addressing=False)

    first = await linked.wa.send_text(old, linked.companion, "from the number")
    await linked.message(first, old)
    old.lid_addressing = True
    second = await linked.wa.send_text(old, linked.companion, "from the hidden id")

    await linked.message(second, old, lambda each: not each.marks)
    assert [each.text for each in await linked.messages(old.pn)] == [
        "from the number",
        "from the hidden id",
    ]


async def test_what_the_owner_writes_on_the_phone_is_his(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    asked = await linked.wa.send_text(bob, linked.companion, "are you there?")
    await linked.message(asked, bob)

    id = await linked.wa.send_text(linked.me, linked.companion, "yes", chat=bob)

    message = await linked.message(id, bob)
    chat = await linked.chat(bob.pn)
    assert (message.direction, message.origin) == ("out", "device")
    assert message.sender.is_me
    assert chat.unread == 0
    assert chat.owner_wrote_at == message.sent_at
    assert not chat.waiting_for_reply


async def test_an_answer_quotes_what_was_sent(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    sent = await linked.send(bob, "which one?")
    received = await next_of(bob)

    quoted = Reference(received.id, linked.companion.account.lid, linked.me.lid, "which one?")
    id = await linked.wa.send_text(bob, linked.companion, "that one", reply_to=quoted)

    assert (await linked.message(id, bob)).reply_to == sent.message


async def test_a_mention_shows_a_name_and_says_when_it_is_us(linked: Linked) -> None:
    bob, carol = linked.somebody("Bob"), linked.somebody("Carol")
    known = await linked.wa.send_text(carol, linked.companion, "hi")
    await linked.message(known, carol)
    group = linked.wa.add_group("Team", bob, [linked.me, carol])
    both = f"@{group.jid_of(carol).split('@')[0]} and @{group.jid_of(linked.me).split('@')[0]}"

    other = await linked.wa.send_text(
        bob,
        linked.companion,
        f"@{group.jid_of(carol).split('@')[0]} look",
        mentions=[carol],
        group=group,
    )
    us = await linked.wa.send_text(
        bob, linked.companion, both, mentions=[carol, linked.me], group=group
    )

    first, second = [await linked.message(each, group.jid) for each in (other, us)]
    assert first.text == "@Carol look"
    assert second.text in ("@Carol and @Me Myself", f"@Carol and @+{linked.me.phone}")
    assert [first.mentions_me, second.mentions_me] == [False, True]


async def test_reactions_of_others_are_set_changed_and_taken_back(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    await linked.send(bob, "good news")
    received = await next_of(bob)
    to = Reference(received.id, linked.me.lid, linked.me.lid)

    seen: list[list[tuple[str, int]]] = []
    for emoji in ("👍", "❤️", ""):
        await linked.wa.send_reaction(bob, linked.companion, to, emoji)
        wanted = [(emoji, 1)] if emoji else []
        fits = partial(reacted, wanted=wanted)
        seen.append(reactions_of(await linked.message(received.id, bob, fits)))

    assert seen == [[("👍", 1)], [("❤️", 1)], []]


def reacted(message: Message, wanted: list[tuple[str, int]]) -> bool:
    return reactions_of(message) == wanted


def reactions_of(message: Message) -> list[tuple[str, int]]:
    return [(each.emoji, each.count) for each in message.reactions]


async def test_a_message_is_edited_by_its_writer(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    id = await linked.wa.send_text(bob, linked.companion, "at five")
    await linked.message(id, bob)

    await linked.wa.send_edit(bob, linked.companion, id, "at six")

    message = await linked.message(id, bob, lambda each: each.status == "edited")
    assert message.text == "at six"
    assert len(await linked.messages(bob.pn)) == 1


async def test_a_message_is_deleted_by_its_writer(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    id = await linked.wa.send_text(bob, linked.companion, "oops")
    await linked.message(id, bob)

    await linked.wa.send_revoke(bob, linked.companion, id)

    message = await linked.message(id, bob, lambda each: each.status == "deleted")
    assert message.text == ""
    assert len(await linked.messages(bob.pn)) == 1


async def test_pictures_and_other_files_arrive_with_what_is_known_of_them(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    wa, companion = linked.wa, linked.companion

    ids = [
        await wa.send_image(bob, companion, IMAGE, caption="a pixel"),
        await wa.send_video(bob, companion, b"film", caption="a film"),
        await wa.send_audio(bob, companion, b"song"),
        await wa.send_audio(bob, companion, b"words", voice=True),
        await wa.send_document(bob, companion, b"%PDF-", name="bill.pdf", caption="the bill"),
        await wa.send_sticker(bob, companion, IMAGE),
    ]

    found = [await linked.message(id, bob) for id in ids]
    assert [each.attachments[0].kind for each in found] == [
        "image",
        "video",
        "audio",
        "voice",
        "document",
        "sticker",
    ]
    assert [each.text for each in found] == ["a pixel", "a film", "", "", "the bill", ""]
    assert found[4].attachments[0].name == "bill.pdf"
    assert found[4].attachments[0].mime == "application/pdf"
    assert found[3].attachments[0].duration_s == 1


async def test_a_picture_is_fetched_and_decrypted_when_it_is_asked_for(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    id = await linked.wa.send_image(bob, linked.companion, IMAGE)
    message = await linked.message(id, bob)

    content = await linked.core.media.content(OWNER, message.id)
    again = await linked.core.media.content(OWNER, message.id)

    assert content.data.startswith(b"\x89PNG")
    assert content.attachment.mime == "image/png"
    assert again.data == content.data


async def test_a_file_that_the_messenger_deleted_says_so(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    id = await linked.wa.send_image(bob, linked.companion, IMAGE + b"gone")
    message = await linked.message(id, bob)
    linked.wa.cdn.blobs.clear()

    with pytest.raises(MessengersError) as refused:
        await linked.core.media.content(OWNER, message.id)

    assert refused.value.code == "not_found"


async def test_places_and_contacts_arrive_as_words_and_as_what_they_are(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    live = WA.Message()
    live.liveLocationMessage.degreesLatitude = 56.9
    live.liveLocationMessage.degreesLongitude = 24.1
    live.liveLocationMessage.caption = "on my way"

    place = await linked.wa.send_location(bob, linked.companion, 56.95, 24.11, "The Dome")
    moving = await linked.wa.send_message(bob, linked.companion, live)
    card = await linked.wa.send_contact(bob, linked.companion, "Zane", "37120000000")

    here = await linked.message(place, bob)
    assert here.location is not None
    assert here.location.latitude_deg == pytest.approx(56.95)
    assert here.text == "Location: The Dome (56.950000, 24.110000)"
    assert (await linked.message(moving, bob)).text == (
        "Live location: on my way (56.900000, 24.100000)"
    )
    contact = await linked.message(card, bob)
    assert contact.contact is not None
    assert (contact.contact.name, contact.contact.phone) == ("Zane", "+37120000000")
    assert contact.text == "Contact: Zane, +37120000000"


async def test_a_poll_of_somebody_else_can_be_read(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    id = await linked.wa.send_poll(bob, linked.companion, "Lunch?", ["Soup", "Salad"])

    message = await linked.message(id, bob)
    assert message.poll is not None
    assert message.poll.options == ("Soup", "Salad")
    assert not message.poll.multiple
    assert message.text == "Poll: Lunch?\n- Soup\n- Salad"


async def test_the_pictures_of_an_album_belong_together(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    album, *pictures = await linked.wa.send_album(bob, linked.companion, [IMAGE, IMAGE])

    found = [await linked.message(id, bob) for id in pictures]
    assert [each.album for each in found] == [album, album]
    assert [each.native_id for each in await linked.messages(bob.pn)] == pictures


async def test_marks_say_what_is_seen_once_and_what_was_forwarded(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    forwarded = messages.text("pass it on", expiration_s=0)
    forwarded.extendedTextMessage.text = "pass it on"
    forwarded.ClearField("conversation")
    forwarded.extendedTextMessage.contextInfo.isForwarded = True

    once = await linked.wa.send_image(bob, linked.companion, IMAGE, view_once=True)
    passed = await linked.wa.send_message(bob, linked.companion, forwarded)

    assert (await linked.message(once, bob)).marks == ("view_once",)
    assert (await linked.message(passed, bob)).marks == ("forwarded",)


async def test_what_cannot_be_decrypted_is_said_and_replaced_when_it_comes_again(
    linked: Linked,
) -> None:
    bob = linked.somebody("Bob")
    linked.wa.resend(resend=False)
    try:
        id = await linked.wa.send_undecryptable(bob, linked.companion, messages.text("at last"))
        placeholder = await linked.message(id, bob)
    finally:
        linked.wa.resend(resend=True)
    await linked.wa.send_message(bob, linked.companion, messages.text("at last"), id=id)
    real = await linked.message(id, bob, lambda each: "undecrypted" not in each.marks)

    assert placeholder.marks == ("undecrypted",)
    assert "could not be decrypted" in placeholder.text
    assert real.text == "at last"
    assert len(await linked.messages(bob.pn)) == 1


async def test_a_kind_that_nobody_knows_is_named(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    message = WA.Message()
    message.paymentInviteMessage.serviceType = 1

    id = await linked.wa.send_message(bob, linked.companion, message)

    assert (await linked.message(id, bob)).text == "(payment invite: shown in WhatsApp only)"


async def test_a_story_is_no_message(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    await linked.wa.send_status(bob, linked.companion, messages.text("my story"))
    id = await linked.wa.send_text(bob, linked.companion, "a message")

    await linked.message(id, bob)
    assert [each.text for each in await linked.messages(bob.pn)] == ["a message"]
    assert (
        await linked.core.chats.get_by_native(linked.entry.instance.id, "status@broadcast") is None
    )


async def test_the_words_of_a_link_stand_without_its_preview(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    message = WA.Message()
    message.extendedTextMessage.text = "see https://example.org/a"
    message.extendedTextMessage.matchedText = "https://example.org/a"
    message.extendedTextMessage.title = "A title"
    message.extendedTextMessage.jpegThumbnail = b"picture"

    id = await linked.wa.send_message(bob, linked.companion, message)

    found = await linked.message(id, bob)
    assert found.text == "see https://example.org/a"
    assert found.attachments == ()
