"""Rarer kinds of messages that arrive, and what the owner does to messages on the phone."""

import base64

import pytest

from messengers.core.callers import OWNER
from messengers.models import Message
from tests.fakes.whatsapp_web import Reference, messages
from tests.fakes.whatsapp_web.devices import Peer
from tests.fakes.whatsapp_web.wire import WA, Proto
from tests.providers.whatsapp_web.conftest import AGENT, Linked, next_of

pytestmark = pytest.mark.timeout(60)
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def arrived(linked: Linked, sender: Peer, message: Proto) -> Message:
    """A message as it is stored."""
    id = await linked.wa.send_message(sender, linked.companion, message)
    return await linked.message(id, sender)


def contacts() -> Proto:
    message = WA.Message()
    for name, phone in (("Zane", "37120000000"), ("Juris", "37120000001")):
        card = messages.contact(name, phone).contactMessage
        message.contactsArrayMessage.contacts.add().CopyFrom(card)
    return message


def buttons() -> Proto:
    message = WA.Message()
    inner = message.buttonsMessage
    inner.contentText, inner.footerText = "Shall we come?", "Pizza place"
    for number, text in enumerate(("Yes", "No")):
        inner.buttons.add(buttonId=str(number)).buttonText.displayText = text
    return message


def pressed() -> Proto:
    message = WA.Message()
    message.buttonsResponseMessage.selectedButtonId = "0"
    message.buttonsResponseMessage.selectedDisplayText = "Yes"
    return message


def choice() -> Proto:
    message = WA.Message()
    inner = message.listMessage
    inner.title, inner.description, inner.buttonText = "Menu", "What would you like?", "Choose"
    section = inner.sections.add(title="Soups")
    section.rows.add(rowId="1", title="Borscht")
    return message


def chosen() -> Proto:
    message = WA.Message()
    message.listResponseMessage.title = "Borscht"
    return message


def template() -> Proto:
    message = WA.Message()
    inner = message.templateMessage.hydratedTemplate
    inner.hydratedContentText, inner.hydratedFooterText = "Your parcel is here", "Post"
    inner.hydratedButtons.add().quickReplyButton.displayText = "Thanks"
    return message


def written_by_ai() -> Proto:
    message = WA.Message()
    for text in ("Here is what I found:", "nothing"):
        message.richResponseMessage.submessages.add(messageType=2, messageText=text)
    return message


def many() -> Proto:
    return messages.poll("When?", ["Mon", "Tue"], choices=0)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (contacts(), "Contact: Zane, +37120000000\nContact: Juris, +37120000001"),
        (buttons(), "Shall we come?\nPizza place"),
        (pressed(), "Yes"),
        (choice(), "Menu\nWhat would you like?"),
        (chosen(), "Borscht"),
        (template(), "Your parcel is here\nPost"),
        (written_by_ai(), "Here is what I found:\nnothing"),
        (many(), "Poll: When?\n- Mon\n- Tue"),
    ],
    ids=["contacts", "buttons", "pressed", "choice", "chosen", "template", "ai", "poll"],
)
async def test_every_kind_has_its_words(linked: Linked, message: Proto, text: str) -> None:
    assert (await arrived(linked, linked.somebody("Shop"), message)).text == text


async def test_buttons_are_told_by_their_names(linked: Linked) -> None:
    shop = linked.somebody("Shop")

    found = [await arrived(linked, shop, each) for each in (buttons(), choice(), template())]

    assert [each.buttons for each in found] == [("Yes", "No"), ("Borscht",), ("Thanks",)]


async def test_a_poll_of_many_choices_says_so(linked: Linked) -> None:
    poll = (await arrived(linked, linked.somebody("Bob"), many())).poll

    assert poll is not None
    assert poll.multiple


async def test_moving_pictures_and_round_films_are_told_apart(linked: Linked) -> None:
    bob, file = linked.somebody("Bob"), linked.wa.cdn.seal("Video", b"film")
    gif = messages.video(file)
    gif.videoMessage.gifPlayback = True
    round_ = WA.Message()
    round_.ptvMessage.CopyFrom(messages.video(file).videoMessage)

    found = [await arrived(linked, bob, each) for each in (gif, round_)]

    assert [each.attachments[0].kind for each in found] == ["gif", "video"]


async def test_a_voice_note_that_is_heard_once_is_marked(linked: Linked) -> None:
    note = messages.view_once(messages.audio(linked.wa.cdn.seal("Audio", b"words"), voice=True))

    found = await arrived(linked, linked.somebody("Bob"), note)

    assert found.marks == ("view_once",)
    assert found.attachments[0].kind == "voice"


async def test_what_disappears_later_is_a_message_as_any_other(linked: Linked) -> None:
    message = WA.Message()
    message.ephemeralMessage.message.CopyFrom(messages.text("for a day", expiration_s=86_400))

    assert (await arrived(linked, linked.somebody("Bob"), message)).text == "for a day"


async def test_what_could_not_be_decrypted_comes_again_by_itself(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    await linked.message(await linked.wa.send_text(bob, linked.companion, "first"), bob)

    id = await linked.wa.send_undecryptable(bob, linked.companion, messages.text("second"))

    real = await linked.message(id, bob, lambda each: "undecrypted" not in each.marks)
    assert real.text == "second"
    assert next(each.kind for each in linked.wa.receipts if each.ids == (id,)) == "retry"
    assert len(await linked.messages(bob.pn)) == 2


async def test_the_owner_edits_deletes_and_reacts_on_the_phone(linked: Linked) -> None:
    bob, wa, companion, me = linked.somebody("Bob"), linked.wa, linked.companion, linked.me
    asked = await wa.send_text(bob, companion, "at five?")
    await linked.message(asked, bob)
    ids = [await wa.send_text(me, companion, text, chat=bob) for text in ("yes", "oops")]
    await linked.message(ids[1], bob)

    like = messages.reaction(Reference(asked, bob.jid, bob.jid), "👍")
    await wa.send_message(me, companion, like, chat=bob)
    change = messages.edit(Reference(ids[0], bob.jid), "no, at six")
    await wa.send_message(me, companion, change, chat=bob, edit="1")
    gone = messages.revoke(Reference(ids[1], bob.jid))
    await wa.send_message(me, companion, gone, chat=bob, edit="7")

    edited = await linked.message(ids[0], bob, lambda each: each.status == "edited")
    deleted = await linked.message(ids[1], bob, lambda each: each.status == "deleted")
    liked = await linked.message(asked, bob, lambda each: each.reactions)
    assert (edited.text, edited.direction, deleted.text) == ("no, at six", "out", "")
    assert [(each.emoji, each.by_me) for each in liked.reactions] == [("👍", True)]


async def test_what_changes_a_message_may_come_before_it_is_known(linked: Linked) -> None:
    """A reaction to what was never handed over changes nothing and stops nothing."""
    bob = linked.somebody("Bob")
    unknown = Reference("NEVER-SEEN", bob.jid, bob.jid)
    await linked.wa.send_reaction(bob, linked.companion, unknown, "👍")
    await linked.wa.send_revoke(bob, linked.companion, "NEVER-SEEN")

    id = await linked.wa.send_text(bob, linked.companion, "after it")

    await linked.message(id, bob)
    assert [each.text for each in await linked.messages(bob.pn)] == ["after it"]


@pytest.mark.parametrize(
    "silent", ["keepInChatMessage", "pinInChatMessage", "senderKeyDistributionMessage"]
)
async def test_what_no_app_shows_is_no_message(linked: Linked, silent: str) -> None:
    bob, message = linked.somebody("Bob"), WA.Message()
    getattr(message, silent).SetInParent()
    await linked.wa.send_message(bob, linked.companion, message)

    id = await linked.wa.send_text(bob, linked.companion, "shown")

    await linked.message(id, bob)
    assert [each.text for each in await linked.messages(bob.pn)] == ["shown"]


async def test_what_is_forwarded_by_an_agent_keeps_its_words_and_file(linked: Linked) -> None:
    bob, carol = linked.somebody("Bob"), linked.somebody("Carol")
    id = await linked.wa.send_image(bob, linked.companion, PIXEL, caption="*not* bold")
    picture = await linked.message(id, bob)
    heard = await linked.message(await linked.wa.send_text(carol, linked.companion, "hi"), carol)
    to = await linked.core.chats.get(OWNER, heard.chat)
    await linked.core.chats.decide(OWNER, to, "always")

    act = await linked.core.changes.prepare_forward(AGENT, picture.id, f"+{carol.phone}")
    await linked.core.approvals.perform(act)

    image = (await next_of(carol)).message.imageMessage
    assert linked.wa.cdn.open("Image", image) == PIXEL
    assert image.caption == "*not* bold"
