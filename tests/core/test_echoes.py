"""A messenger tells an account of its own sends too: one message, whatever came first."""

import anyio

from messengers.core.callers import OWNER
from messengers.core.history import MessageDetail
from messengers.errors import Uncertain
from messengers.models import Delivery, Outcome
from tests.core.conftest import AGENT, House

MINE = {"from": "me"}


async def until(house: House, message: str, delivery: Delivery) -> MessageDetail:
    """The message once it got so far."""

    async def ready() -> MessageDetail | None:
        found = await house.core.history.get(OWNER, message)
        return found if found.message.delivery == delivery else None

    found = await house.core.events.wait(ready, 5)
    assert found is not None
    return found


async def ann(house: House) -> str:
    await house.personal.say("hi", **MINE)
    return (await house.told("hi")).chat


async def texts(house: House, detail: MessageDetail) -> list[str]:
    return [each.text for each in (await house.core.history.read(OWNER, detail.chat)).items]


async def test_an_echo_with_our_key_settles_a_doubt(house: House) -> None:
    chat = await ann(house)
    house.personal.lost = 1
    doubt = await house.send(chat, "are you there?", client_ref="r")
    key = house.personal.accepted[0][2]
    await house.personal.say("are you there?", id_="p77", ours=key, **MINE)

    settled = await until(house, doubt.message, "sent")

    assert doubt.outcome is Outcome.UNKNOWN
    assert settled.message.native_id == "p77"
    assert await texts(house, settled) == ["hi", "are you there?"]
    again = await house.send(chat, "are you there?", client_ref="r")
    assert (again.message, again.outcome) == (doubt.message, Outcome.ACCEPTED)


async def test_an_echo_with_our_key_is_the_answer_of_a_call_that_hangs(house: House) -> None:
    chat = await ann(house)
    house.personal.hang = anyio.Event()
    queued = await house.send(chat, "slow", wait_s=0.1)
    key = house.personal.accepted[0][2]
    await house.personal.say("slow", id_="p78", ours=key, delivery="delivered", **MINE)
    settled = await until(house, queued.message, "delivered")
    house.personal.hang.set()
    await house.send(chat, "next")

    assert settled.message.native_id == "p78"
    assert await texts(house, settled) == ["hi", "slow", "next"]


async def test_an_unknown_message_that_is_seen_under_its_id_was_sent(house: House) -> None:
    chat = await ann(house)
    fault = Uncertain("No answer.")
    fault.native_id = "p79"
    house.personal.answers = [lambda: fault]
    answer = await house.send(chat, "hello")
    await house.personal.say("hello", id_="p79", **MINE)

    assert answer.outcome is Outcome.UNKNOWN
    assert (await until(house, answer.message, "sent")).message.native_id == "p79"


async def test_all_that_was_told_of_an_echo_is_told_of_the_send(house: House) -> None:
    chat = await ann(house)
    house.personal.hang = anyio.Event()
    queued = await house.send(chat, "mine", wait_s=0.1)
    native = f"s-{house.personal.accepted[0][2]}"
    await house.personal.say("mine", id_=native, **MINE)
    await house.personal.deliver("edit", key="e", id=native, text="mine, mended")
    await house.personal.deliver("reaction", key="r", id=native, sender="ann", emoji="👍")
    await house.personal.deliver("receipt", key="d", id=native, delivery="read")
    echo = await house.told("mine, mended")
    await until(house, echo.id, "read")
    house.personal.hang.set()

    settled = await until(house, queued.message, "read")

    assert (settled.message.text, settled.message.status) == ("mine, mended", "edited")
    assert [each.emoji for each in settled.message.reactions] == ["👍"]
    assert {"message.sent", "message.read", "message.accepted"} <= {
        event.kind for event in settled.history
    }
    assert await texts(house, settled) == ["hi", "mine, mended"]
    assert settled.chat.last_text == "mine, mended"
    hits = await house.core.search.messages(OWNER, "mended")
    assert [hit.message.id for hit in hits.items] == [settled.message.id]


async def test_an_echo_makes_no_chat_known_to_its_owner(house: House) -> None:
    await house.core.instances.set_policy(OWNER, "me", confirm="never")
    house.personal.hang = anyio.Event()
    stranger = await house.core.chats.find(AGENT, "x:stranger", "me", write=True)
    queued = await house.send(stranger.id, "hello stranger", wait_s=0.1)
    native = f"s-{house.personal.accepted[0][2]}"
    await house.personal.say("hello stranger", chat="stranger", id_=native, **MINE)
    await house.told("hello stranger")
    house.personal.hang.set()

    settled = await until(house, queued.message, "sent")

    assert settled.chat.owner_wrote_at is None
