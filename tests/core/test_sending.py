"""What a draft becomes: outcomes that are true, whatever the messenger does."""

import anyio
import pytest

from messengers.core.callers import OWNER
from messengers.errors import (
    Ambiguous,
    Conflict,
    Forbidden,
    InvalidInput,
    NotConnected,
    NotFound,
    PlatformRefused,
    RateLimited,
    Uncertain,
    Unreachable,
)
from messengers.models import Card, Draft, Health, Lifecycle, Location, Outcome
from tests.core.conftest import AGENT, House, OpenHouse, sent


async def _ann(house: House) -> str:
    """The id of a chat that the owner knows: he wrote there from his phone."""
    await house.personal.say("hi ann", **{"from": "me"})
    return (await house.told("hi ann")).chat


async def _accepted(house: House) -> bool | None:
    return True if house.personal.accepted else None


async def test_an_accepted_send_stands_in_the_transcript_with_its_native_id(house: House) -> None:
    chat = await _ann(house)

    answer = await house.send(chat, "good morning")

    assert answer.outcome is Outcome.ACCEPTED
    assert [(c, t) for c, t, _ in house.personal.accepted] == [("ann", "good morning")]
    detail = await house.core.history.get(OWNER, answer.message)
    assert detail.message.native_id
    assert detail.message.delivery == "sent"
    assert [event.kind for event in detail.history] == [
        *("message.queued", "message.sending", "message.accepted")
    ]


async def test_a_long_text_becomes_parts_in_order_and_the_first_id_answers(house: House) -> None:
    chat = await _ann(house)

    answer = await house.send(chat, "a" * 200 + "b" * 200 + "c")

    assert answer.outcome is Outcome.ACCEPTED
    assert [text[0] for _, text, _ in house.personal.accepted] == ["a", "b", "c"]
    assert "part 1 of 3" in answer.notes
    assert (await house.core.history.get(OWNER, answer.message)).message.part == "1/3"


async def test_where_nothing_is_sent_silently_the_sender_is_told_once(house: House) -> None:
    draft = Draft(text="a" * 200 + "b", silent=True)
    act = await house.core.sending.prepare(AGENT, await _ann(house), draft)

    answer = sent(await house.core.approvals.perform(act, 5))

    assert answer.outcome is Outcome.ACCEPTED
    assert [text[0] for _, text, _ in house.personal.accepted] == ["a", "b"]
    assert [note for note in answer.notes if "silent" in note] == [
        "Not silent: scripted_personal has no silent messages."
    ]


async def test_a_place_stands_alone_in_its_draft(house: House) -> None:
    chat = await _ann(house)
    place = Location(latitude_deg=56.9, longitude_deg=24.1)

    for draft in (
        Draft(location=place, text="here"),
        Draft(location=place, attachments=("m1",)),
        Draft(location=place, contact=Card(name="Ann", phone="+37120000001")),
    ):
        with pytest.raises(InvalidInput):
            await house.core.sending.prepare(AGENT, chat, draft)


async def test_a_refused_part_fails_for_certain_and_the_rest_never_leaves(house: House) -> None:
    chat = await _ann(house)
    house.personal.answers = [lambda: None, lambda: PlatformRefused("Blocked by the user.")]

    answer = await house.send(chat, "a" * 200 + "b" * 200 + "c")

    assert answer.outcome is Outcome.FAILED
    assert len(house.personal.accepted) == 1
    assert "Blocked by the user." in answer.notes


async def test_no_connection_is_tried_again_with_the_same_key(house: House) -> None:
    chat = await _ann(house)
    house.personal.answers = [lambda: Unreachable("No route.")]

    answer = await house.send(chat, "hello", wait_s=15)

    assert answer.outcome is Outcome.ACCEPTED
    assert len(house.personal.accepted) == 1


async def test_too_fast_waits_as_long_as_the_messenger_says(house: House) -> None:
    chat = await _ann(house)
    house.personal.answers = [lambda: RateLimited("Slow down.", retry_after_s=0.2)]

    answer = await house.send(chat, "hello")

    assert answer.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("fault", [Uncertain("No answer."), ZeroDivisionError("bug")])
async def test_a_call_without_an_answer_is_unknown_and_not_repeated(
    house: House, fault: Exception
) -> None:
    chat = await _ann(house)
    house.personal.answers = [lambda: fault]

    answer = await house.send(chat, "hello")

    assert answer.outcome is Outcome.UNKNOWN
    assert house.personal.accepted == []
    assert (await house.core.history.get(OWNER, answer.message)).message.delivery == "unknown"


async def test_with_a_key_the_messenger_knows_doubt_is_settled_by_sending_again(
    house: House,
) -> None:
    house.personal.capabilities = house.personal.capabilities.model_copy(
        update={"reuses_key": True}
    )
    chat = await _ann(house)
    house.personal.answers = [lambda: Uncertain("No answer.")]

    answer = await house.send(chat, "hello", wait_s=15)

    assert answer.outcome is Outcome.ACCEPTED
    assert len(house.personal.accepted) == 1


async def test_a_send_that_outlasts_the_wait_is_queued_and_still_arrives(house: House) -> None:
    chat = await _ann(house)
    house.personal.hang = anyio.Event()

    act = await house.core.sending.prepare(AGENT, chat, Draft(text="slow"))
    answer = sent(await house.core.approvals.perform(act, wait_s=0.1))
    assert answer.outcome is Outcome.QUEUED
    house.personal.hang.set()

    async def accepted() -> bool | None:
        detail = await house.core.history.get(OWNER, answer.message)
        return True if detail.message.delivery == "sent" else None

    assert await house.core.events.wait(accepted, 5)


async def test_a_crash_between_call_and_record_leaves_unknown(open_house: OpenHouse) -> None:
    message = ""
    with pytest.RaisesGroup(ProcessLookupError, flatten_subgroups=True):
        async with open_house() as house:
            chat = await _ann(house)
            house.personal.hang = anyio.Event()
            message = (await house.send(chat, "half way", wait_s=0.2)).message
            raise ProcessLookupError
    async with open_house() as house:
        house.personal.hang = None
        detail = await house.core.history.get(OWNER, message)

    assert detail.message.delivery == "unknown"
    assert len(house.personal.accepted) == 1


async def test_the_same_client_ref_is_the_same_message(house: House) -> None:
    chat = await _ann(house)

    first = await house.send(chat, "once", client_ref="r1")
    second = await house.send(chat, "once", client_ref="r1")

    assert first.message == second.message
    assert len(house.personal.accepted) == 1
    with pytest.raises(Conflict):
        await house.send(chat, "other", client_ref="r1")


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        (Draft(), InvalidInput),
        (Draft(text="  \n"), InvalidInput),
        (Draft(text="x" * 1_000_000), InvalidInput),
        (Draft(text="a\0b"), InvalidInput),
        (Draft(text="a\ud800b"), InvalidInput),
        (Draft(text="a", attachments=("f1",) * 11), InvalidInput),
        (Draft(text="a", reply_to="m999"), NotFound),
    ],
)
async def test_a_draft_nobody_can_carry_is_refused_before_anything(
    house: House, draft: Draft, error: type[Exception]
) -> None:
    chat = await _ann(house)

    with pytest.raises(error):
        await house.core.sending.prepare(AGENT, chat, draft)

    assert house.personal.accepted == []


async def test_a_reply_quotes_the_native_message_of_the_same_chat_only(house: House) -> None:
    chat = await _ann(house)
    await house.personal.say("question?", id_="q1")
    question = await house.told("question?")
    await house.personal.say("elsewhere", chat="bob", **{"from": "me"})
    other = await house.told("elsewhere")

    act = await house.core.sending.prepare(AGENT, chat, Draft(text="yes", reply_to=question.id))
    answer = sent(await house.core.approvals.perform(act))

    assert (await house.core.history.get(OWNER, answer.message)).message.reply_to == question.id
    with pytest.raises(InvalidInput):
        await house.core.sending.prepare(AGENT, other.chat, Draft(text="x", reply_to=question.id))


async def test_an_instance_that_is_not_connected_takes_no_send(house: House) -> None:
    chat = await _ann(house)
    await house.core.instances.disconnect(OWNER, "me")

    with pytest.raises(NotConnected):
        await house.send(chat, "hello")

    assert house.personal.accepted == []


async def test_what_waits_for_the_connection_leaves_when_it_is_back(house: House) -> None:
    chat = await _ann(house)
    act = await house.core.sending.prepare(AGENT, chat, Draft(text="later"))
    await house.core.instances.disconnect(OWNER, "me")
    waiting = sent(await house.core.approvals.perform(act, wait_s=0.2))
    assert waiting.outcome is Outcome.QUEUED

    house.personal.connected = anyio.Event()
    await house.core.instances.connect(OWNER, "me")

    assert await house.core.events.wait(lambda: _accepted(house), 5)


async def test_what_is_sent_while_an_account_connects_waits_for_it(house: House) -> None:
    chat = await _ann(house)
    sink = house.personal.sinks[-1]
    sink.report(Health(lifecycle=Lifecycle.CONNECTING))

    waiting = await house.send(chat, "hello", wait_s=0.2)
    tried = list(house.personal.accepted)
    sink.report(Health(lifecycle=Lifecycle.CONNECTED))

    assert (waiting.outcome, tried) == (Outcome.QUEUED, [])
    assert await house.core.events.wait(lambda: _accepted(house), 5)


async def test_a_read_only_instance_and_a_never_chat_refuse(house: House) -> None:
    chat = await _ann(house)
    found = await house.core.chats.get(OWNER, chat)
    await house.core.chats.decide(OWNER, found, "never")
    with pytest.raises(Forbidden):
        await house.send(chat, "hello")
    await house.core.chats.decide(OWNER, found, None)
    await house.core.instances.set_policy(OWNER, "me", read_only=True)
    with pytest.raises(Forbidden):
        await house.send(chat, "hello")


@pytest.mark.case("S81")
async def test_a_strangers_own_name_never_chooses_a_recipient(house: House) -> None:
    chat = await _ann(house)
    await house.personal.say("known", chat="n5", name="Anna", known=True, **{"from": "me"})
    owned = await house.told("known")
    await house.personal.say("me too", chat="fraud", name="Anna")
    fraud = await house.told("me too")
    await house.personal.say("I am you", chat="copy", name=chat)
    await house.told("I am you")

    with pytest.raises(Ambiguous) as refused:
        await house.send("Anna", "secret")
    assert set(refused.value.candidates) == {owned.chat, fraud.chat}
    with pytest.raises(Ambiguous):
        await house.core.chats.find(AGENT, "anna")
    assert (await house.core.chats.find(AGENT, chat, write=True)).id == chat
    assert house.personal.accepted == []


async def test_a_name_the_owner_gave_chooses_its_chat(house: House) -> None:
    await house.personal.say("known", chat="anna", name="Анна Петрова 🌸", known=True)
    message = await house.told("known")

    assert (await house.core.chats.find(AGENT, "анна петрова", write=True)).id == message.chat
    assert (await house.core.chats.find(AGENT, "Петр")).id == message.chat
    with pytest.raises(Ambiguous):
        await house.core.chats.find(AGENT, "Петр", write=True)


async def test_an_alias_is_the_owners_name(house: House) -> None:
    await house.personal.say("hello", chat="x77")
    chat = await house.chat_of(await house.told("hello"))
    await house.core.chats.set_alias(OWNER, chat, "Plumber")

    assert (await house.core.chats.find(AGENT, "plumber", write=True)).name == "Plumber"
    with pytest.raises(Forbidden):
        await house.core.chats.set_alias(AGENT, chat, "Bank")


async def test_a_chat_that_several_open_at_once_is_one_chat(house: House) -> None:
    found: set[str] = set()

    async def find() -> None:
        found.add((await house.core.chats.find(AGENT, "x:new", "me", write=True)).id)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(find)

    assert len(found) == 1


async def test_recipients_by_number_handle_and_target(house: House) -> None:
    await house.personal.say("hello", chat="n1", phone="+37120000001", username="anna_p")
    chat = (await house.told("hello")).chat

    for name in ("+371 2000-0001", "@Anna_P", "n1"):
        assert (await house.core.chats.find(AGENT, name, write=True)).id == chat
    opened = await house.core.chats.find(AGENT, "x:new", "me", write=True)
    assert opened.native_id == "new"
    with pytest.raises(InvalidInput):
        await house.core.chats.find(AGENT, "tg:5", "me", write=True)
    for unknown in ("c999", "nobody", "+37129999999"):
        with pytest.raises(NotFound):
            await house.core.chats.find(AGENT, unknown, write=True)
    for bad in ("", "x" * 201):
        with pytest.raises(InvalidInput):
            await house.core.chats.find(AGENT, bad)
