"""What goes on beside the messages: receipts, typing, names, the place of chats, who is on it."""

from collections.abc import Callable

import pytest

from messengers.core.callers import OWNER
from messengers.core.events import Signal
from messengers.errors import Ambiguous, NotFound
from messengers.models import Chat, Message
from tests.fakes.whatsapp_web.devices import Peer
from tests.fakes.whatsapp_web.talk import ReceiptKind
from tests.providers.whatsapp_web.conftest import AGENT, Linked, becomes, next_of, until

pytestmark = pytest.mark.timeout(60)


async def chat_where(linked: Linked, bob: Peer, fits: Callable[[Chat], bool]) -> Chat:
    """The chat with a person, once it is as wanted."""

    async def found() -> Chat | None:
        chat = await linked.chat(bob.pn)
        return chat if fits(chat) else None

    return await until(found)


async def delivered(linked: Linked, id: str, bob: Peer, delivery: str) -> Message:
    return await linked.message(id, bob, lambda each: each.delivery == delivery)


@pytest.mark.parametrize("seen", ["read", "played"])
async def test_receipts_tell_how_far_a_message_came_and_never_go_back(
    linked: Linked, seen: ReceiptKind
) -> None:
    bob = linked.somebody("Bob")
    await linked.send(bob, "did you get it?")
    id = (await next_of(bob)).id

    await linked.wa.receipt(bob, linked.companion, id, "delivered")
    await delivered(linked, id, bob, "delivered")
    await linked.wa.receipt(bob, linked.companion, id, seen)
    await delivered(linked, id, bob, "read")
    await linked.wa.receipt(bob, linked.companion, id, "delivered")
    last = await linked.wa.send_text(bob, linked.companion, "yes")

    await linked.message(last, bob)
    assert (await linked.message(id, bob)).delivery == "read"


async def test_one_receipt_may_speak_of_several_messages(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    ids: list[str] = []
    for number in range(3):
        await linked.send(bob, f"number {number}")
        ids.append((await next_of(bob)).id)

    await linked.wa.receipt(bob, linked.companion, ids, "read")

    for id in ids:
        await delivered(linked, id, bob, "read")


async def test_what_is_read_on_the_phone_is_read_here(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    ids = [await linked.wa.send_text(bob, linked.companion, f"number {n}") for n in range(2)]
    await linked.message(ids[-1], bob)
    before = (await linked.chat(bob.pn)).unread

    await linked.wa.read_on_phone(linked.me, bob, ids)

    await chat_where(linked, bob, lambda chat: chat.unread == 0)
    assert before == 2


async def test_marking_read_sends_one_receipt_for_what_was_unread(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    ids = [await linked.wa.send_text(bob, linked.companion, f"number {n}") for n in range(3)]
    await linked.message(ids[-1], bob)

    chat = await linked.core.receipts.up_to(OWNER, await linked.chat(bob.pn))

    receipts = [each for each in linked.wa.receipts if each.chat in (bob.pn, bob.lid)]
    sent = [each.ids for each in receipts if each.kind == "read"]
    assert [set(each) for each in sent] == [set(ids)]
    assert chat.unread == 0


async def test_who_is_typing_is_told_and_forgotten(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    await linked.message(await linked.wa.send_text(bob, linked.companion, "hi"), bob)
    signals: list[tuple[str, str, str]] = []

    def note(signal: Signal) -> None:
        signals.append((signal.chat_key, signal.kind, signal.data))

    stop = linked.core.events.listen(note)

    for state in ("composing", "paused", "recording", "paused"):
        await linked.wa.type(bob, linked.companion, state)
    await becomes(lambda: len(signals) == 4)
    stop()

    assert signals == [(bob.pn, "typing", now) for now in ("on", "off", "on", "off")]


async def test_our_typing_is_seen(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    await linked.provider.typing(bob.pn, active=True)
    await linked.provider.typing(bob.pn, active=False)

    await linked.wa.until(lambda: len(linked.wa.typing) == 2)
    assert [each.state for each in linked.wa.typing] == ["composing", "paused"]


async def test_a_name_from_the_owners_address_book_chooses_a_recipient_and_no_other(
    linked: Linked,
) -> None:
    bob = linked.somebody("Robertissimo")
    await linked.message(await linked.wa.send_text(bob, linked.companion, "hi"), bob)
    with pytest.raises(Ambiguous):
        await linked.core.chats.find(AGENT, "Robertissimo", "wa", write=True)

    await linked.wa.rename_contact(linked.me, bob, "Robert of the band")
    chat = await chat_where(linked, bob, lambda chat: chat.name == "Robert of the band")
    found = await linked.core.chats.find(AGENT, "robert of the BAND", "wa", write=True)

    assert found.id == chat.id


async def test_a_number_that_is_not_on_it_is_said_before_anything_is_sent(linked: Linked) -> None:
    with pytest.raises(NotFound, match="not on whatsapp_web"):
        await linked.send("+15559990000", "hello?")
