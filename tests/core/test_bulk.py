"""Bulk sends: nothing leaves before all of it fits and the owner agreed; then one by one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from messengers.core.acts import Act, BatchAnswer
from messengers.core.batch_views import Batch
from messengers.core.bulk import Addressee
from messengers.core.callers import OWNER, Caller
from messengers.errors import (
    Ambiguous,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PlatformRefused,
    Uncertain,
)
from tests.core.conftest import AGENT, House, OpenHouse


async def people(house: House, *names: str) -> list[str]:
    """Chats with people who wrote first, in the order of the names."""
    for name in names:
        await house.personal.say(f"I am {name}", chat=name)
    return [(await house.told(f"I am {name}")).chat for name in names]


def to(*chats: str, **variables: str) -> list[Addressee]:
    return [Addressee(chat=chat, name=f"N {chat}", variables=variables) for chat in chats]


async def agreed(house: House, act: Act) -> str:
    """Held, then approved by the owner; the batch's id."""
    held = await house.core.approvals.perform(act)
    assert isinstance(held, BatchAnswer)
    assert held.outcome == "needs_approval"
    await house.core.approvals.decide(held.approval, "once", "owner")
    return held.batch


async def rested(house: House, batch: str, *states: str) -> Batch:
    """The batch once it is in one of the states."""

    async def ready() -> Batch | None:
        now = await house.core.batches.get(OWNER, batch)
        return now if now.state in states else None

    found = await house.core.events.wait(ready, 10)
    assert found is not None, await house.core.batches.get(OWNER, batch)
    return found


def texts(house: House) -> list[tuple[str, str]]:
    return [(chat, text) for chat, text, _ in house.personal.accepted]


async def outcomes(house: House, batch: str) -> list[str]:
    return [each.outcome for each in (await house.core.batches.get(OWNER, batch)).recipients]


async def test_everyone_gets_his_own_text_in_order_once_the_owner_agreed(house: House) -> None:
    anna, bob, carl = await people(house, "anna", "bob", "carl")
    asked = [
        Addressee(chat=anna, name="Anna *Star*", variables={"day": "Monday"}),
        Addressee(chat=bob, text="Bob, your own."),
        Addressee(chat=carl, name="Carl", variables={"day": "Tuesday"}),
    ]

    act = await house.core.bulk.prepare(AGENT, asked, "Hi {name}, see you on {day}.")
    assert texts(house) == []
    assert act.shown.title == "Send 3 messages, one to each"
    assert "1. Anna · anna · dm" in act.shown.text
    assert "    Bob, your own." in act.shown.text
    done = await rested(house, await agreed(house, act), "done")

    assert texts(house) == [
        ("anna", r"Hi Anna \*Star\*, see you on Monday."),
        ("bob", "Bob, your own."),
        ("carl", "Hi Carl, see you on Tuesday."),
    ]
    assert [(r.chat, r.outcome, r.delivery) for r in done.recipients] == [
        (chat, "accepted", "sent") for chat in (anna, bob, carl)
    ]
    read = await house.core.history.get(OWNER, done.recipients[1].message)
    assert read.message.text == "Bob, your own."
    assert done.counts == {"accepted": 3}


async def test_until_it_is_approved_nothing_stands_anywhere(house: House) -> None:
    (anna,) = await people(house, "anna")
    act = await house.core.bulk.prepare(AGENT, to(anna), "Hi")

    held = await house.core.approvals.perform(act)
    again = await house.core.approvals.perform(act)

    assert isinstance(held, BatchAnswer)
    assert again == held
    assert (await house.core.batches.get(OWNER, held.batch)).state == "held"
    await house.core.approvals.decide(held.approval, "reject", "owner")
    batch = await house.core.batches.get(OWNER, held.batch)
    assert (batch.state, batch.reason) == ("cancelled", "The owner did not approve it.")
    assert batch.counts == {"not_sent": 1}
    assert texts(house) == []


@pytest.mark.case("S25", "S75")
@pytest.mark.parametrize(
    ("asked", "text", "cause"),
    [
        ({}, "Hi {nmae}", "Recipient 1 has no nmae"),
        ({"name": ""}, "Hi {name}", "Recipient 1 has no name"),
        ({}, "Call {phone}", "Recipient 1 has no phone"),
        ({"text": "{r.cfg.TOKEN}"}, "", "Recipient 1: text has a brace"),
        ({"text": "{0.__class__}"}, "", "Recipient 1: text has a brace"),
        ({}, "{name:>99999999}", "text has a brace"),
        ({}, "${x}", "Recipient 1 has no x"),
        ({"variables": {"name": "x"}}, "Hi", "name is no variable of its own"),
        ({}, "", "Recipient 1: There is nothing to send."),
    ],
)
async def test_what_does_not_fit_is_refused_before_the_first_send(
    house: House, asked: Mapping[str, object], text: str, cause: str
) -> None:
    (anna,) = await people(house, "anna")
    (bob,) = await people(house, "bob")
    fields = {"chat": anna, "name": "Anna", **asked}
    recipients = [Addressee.model_validate(fields), Addressee(chat=bob, name="Bob", text="ok")]

    with pytest.raises(InvalidInput, match=cause):
        await house.core.bulk.prepare(AGENT, recipients, text)

    assert texts(house) == []
    assert await house.core.batches.list(OWNER) == []


@pytest.mark.case("S25")
async def test_a_hostile_name_is_shown_and_never_read(house: House) -> None:
    chats = await people(house, "a", "b", "c", "d")
    names = ["{r.cfg.TOKEN}", "{0.__class__}", "{name:>99999999}", "%s ${x} <b>"]
    asked = [Addressee(chat=c, name=n) for c, n in zip(chats, names, strict=True)]

    act = await house.core.bulk.prepare(AGENT, asked, "Hi {name}")
    await rested(house, await agreed(house, act), "done")

    assert [text.replace("\\", "") for _, text in texts(house)] == [f"Hi {n}" for n in names]


@pytest.mark.case("S75")
async def test_more_than_a_hundred_are_refused(house: House) -> None:
    (anna,) = await people(house, "anna")

    with pytest.raises(InvalidInput, match="More than 100 recipients") as raised:
        await house.core.bulk.prepare(AGENT, to(anna) * 101, "Hi")

    assert raised.value.http_status == 422


@pytest.mark.case("S75")
async def test_who_is_named_twice_gets_one_message(house: House) -> None:
    await house.personal.say("hi", chat="anna", phone="+37120000001", known=True)
    anna = (await house.told("hi")).chat
    asked = [Addressee(chat=name) for name in (anna, "+371 2000-0001", "anna", f" {anna} ")]

    act = await house.core.bulk.prepare(AGENT, asked, "Hi", instance="me")
    done = await rested(house, await agreed(house, act), "done")

    assert texts(house) == [("anna", "Hi")]
    assert act.payload["doubles"] == [2, 3, 4]
    assert len(done.recipients) == 1


@pytest.mark.case("S75")
async def test_who_opted_out_is_left_out_by_whatever_name_he_is_known(house: House) -> None:
    await house.personal.say("one", chat="anna", phone="+37120000001")
    await house.personal.say("two", chat="bob", username="Bobby")
    chats = [(await house.told(text)).chat for text in ("one", "two")]
    (carl, dora) = await people(house, "carl", "dora")
    opt_outs = house.core.opt_outs
    await opt_outs.add(OWNER, "+371 20000001")
    await opt_outs.add(OWNER, "@bobby", "me")
    await opt_outs.add(OWNER, carl)

    act = await house.core.bulk.prepare(AGENT, to(*chats, carl, dora), "Hi")
    done = await rested(house, await agreed(house, act), "done")

    assert texts(house) == [("dora", "Hi")]
    assert [(r.outcome, r.why) for r in done.recipients[:3]] == [("skipped", "opted out")] * 3
    with pytest.raises(InvalidInput, match="Nobody is left"):
        await house.core.bulk.prepare(AGENT, to(carl), "Hi")


async def test_the_list_of_opt_outs_is_the_owners(house: House) -> None:
    opt_outs = house.core.opt_outs
    await opt_outs.add(OWNER, "+37120000001")
    await opt_outs.add(OWNER, "some-id", "me")
    await opt_outs.add(OWNER, "+371 2000 0001")

    assert [(o.subject, o.instance) for o in await opt_outs.list(OWNER)] == [
        ("+37120000001", ""),
        ("some-id", "me"),
    ]
    assert await opt_outs.remove(OWNER, "+37120000001") == ["+37120000001"]
    with pytest.raises(NotFound):
        await opt_outs.remove(OWNER, "+37120000001")
    with pytest.raises(InvalidInput):
        await opt_outs.add(OWNER, "some-id")
    for attempt in (opt_outs.list(AGENT), opt_outs.add(AGENT, "@x"), opt_outs.remove(AGENT, "@x")):
        with pytest.raises(Forbidden):
            await attempt


async def test_a_decision_of_the_owner_holds_in_the_middle_of_a_batch(house: House) -> None:
    anna, bob, carl, dora = await people(house, "anna", "bob", "carl", "dora")
    house.personal.hang = anyio.Event()
    act = await house.core.bulk.prepare(AGENT, to(anna, bob, carl, dora), "Hi")
    batch = await agreed(house, act)

    await house.core.opt_outs.add(OWNER, bob)
    await house.core.chats.decide(OWNER, await house.core.chats.get(OWNER, carl), "never")
    house.personal.hang.set()
    done = await rested(house, batch, "done")

    assert texts(house) == [("anna", "Hi"), ("dora", "Hi")]
    assert [r.why for r in done.recipients[1:3]] == [
        "opted out",
        "The owner said never to write to this chat.",
    ]


@pytest.mark.case("S75")
async def test_cancelling_stops_within_one_message(house: House) -> None:
    chats = await people(house, "anna", "bob", "carl")
    house.personal.hang = anyio.Event()
    batch = await agreed(house, await house.core.bulk.prepare(AGENT, to(*chats), "Hi"))

    cancelled = await house.core.batches.control(AGENT, batch, "cancel")
    house.personal.hang.set()

    assert cancelled.state == "cancelled"
    await house.core.events.wait(lambda: settled(house, batch), 5)
    assert len(texts(house)) <= 1
    assert (await outcomes(house, batch))[1:] == ["not_sent", "not_sent"]
    again = await house.core.batches.control(AGENT, batch, "resume")
    assert again.state == "cancelled"


async def test_with_a_key_eight_are_under_way_and_a_pause_holds_the_others_back(
    house: House,
) -> None:
    keyed = house.personal.capabilities.model_copy(update={"reuses_key": True})
    house.personal.capabilities = keyed
    names = [f"p{number}" for number in range(10)]
    chats = await people(house, *names)
    house.personal.hang = anyio.Event()
    batch = await agreed(house, await house.core.bulk.prepare(AGENT, to(*chats), "Hi"))

    with anyio.fail_after(5):
        while True:
            if len(texts(house)) >= 8:
                break
            await anyio.sleep(0.02)
    assert (await house.core.batches.control(AGENT, batch, "pause")).state == "paused"
    house.personal.hang.set()
    await house.core.events.wait(lambda: handed_over(house, batch, 8), 5)
    before = len(texts(house))
    await house.core.batches.control(AGENT, batch, "resume")
    done = await rested(house, batch, "done")

    assert before == 8
    assert sorted(chat for chat, _ in texts(house)) == names
    assert {each.outcome for each in done.recipients} == {"accepted"}


async def handed_over(house: House, batch: str, count: int) -> bool | None:
    return (await outcomes(house, batch)).count("accepted") >= count or None


async def settled(house: House, batch: str) -> bool | None:
    return None if "waiting" in await outcomes(house, batch) else True


async def test_a_paused_batch_goes_on_where_it_stopped(house: House) -> None:
    chats = await people(house, "anna", "bob", "carl")
    house.personal.hang = anyio.Event()
    batch = await agreed(house, await house.core.bulk.prepare(AGENT, to(*chats), "Hi"))
    assert (await house.core.batches.control(AGENT, batch, "pause")).state == "paused"
    house.personal.hang.set()
    with anyio.move_on_after(0.3):
        await house.core.events.wait(lambda: settled(house, batch), 5)
    before = texts(house)

    await house.core.batches.control(AGENT, batch, "resume")
    await rested(house, batch, "done")

    assert len(before) <= 1
    assert [chat for chat, _ in texts(house)] == ["anna", "bob", "carl"]


@pytest.mark.parametrize("fault", [PlatformRefused("Blocked."), Uncertain("No answer.")])
async def test_abort_ends_at_the_first_that_failed(house: House, fault: Exception) -> None:
    chats = await people(house, "anna", "bob", "carl")
    house.personal.answers = [lambda: None, lambda: fault]

    act = await house.core.bulk.prepare(AGENT, to(*chats), "Hi", on_failure="abort")
    ended = await rested(house, await agreed(house, act), "aborted")

    outcome = "failed" if isinstance(fault, PlatformRefused) else "unknown"
    assert [r.outcome for r in ended.recipients] == ["accepted", outcome, "not_sent"]
    assert texts(house) == [("anna", "Hi")]


async def test_continue_goes_on_and_says_who_did_not_get_it(house: House) -> None:
    chats = await people(house, "anna", "bob", "carl")
    house.personal.answers = [lambda: None, lambda: PlatformRefused("Blocked by the user.")]

    act = await house.core.bulk.prepare(AGENT, to(*chats), "Hi")
    done = await rested(house, await agreed(house, act), "done")

    assert [(r.outcome, r.why) for r in done.recipients] == [
        ("accepted", ""),
        ("failed", "Blocked by the user."),
        ("accepted", ""),
    ]


async def test_the_delay_lies_between_two_messages(house: House) -> None:
    chats = await people(house, "anna", "bob")
    act = await house.core.bulk.prepare(AGENT, to(*chats), "Hi", delay_s=0.4)
    started = anyio.current_time()

    await rested(house, await agreed(house, act), "done")

    assert 0.4 <= anyio.current_time() - started < 5


@pytest.mark.case("S75")
async def test_no_more_than_so_many_leave_in_a_minute(open_house: OpenHouse) -> None:
    async with open_house(bulk_per_minute=2) as house:
        chats = await people(house, "anna", "bob", "carl")
        batch = await agreed(house, await house.core.bulk.prepare(AGENT, to(*chats), "Hi"))

        async def two() -> bool | None:
            return len(texts(house)) == 2 or None

        await house.core.events.wait(two, 5)
        with anyio.move_on_after(0.5):
            await rested(house, batch, "done")

        assert [chat for chat, _ in texts(house)] == ["anna", "bob"]
        await house.core.batches.control(OWNER, batch, "cancel")


async def test_a_batch_with_a_time_waits_for_it(house: House) -> None:
    (anna,) = await people(house, "anna")
    soon = datetime.now(UTC) + timedelta(seconds=1)
    act = await house.core.bulk.prepare(OWNER, to(anna), "Hi", send_at=soon)
    started = await house.core.approvals.perform(act)
    assert isinstance(started, BatchAnswer)
    assert started.outcome == "scheduled"
    (waits,) = await house.core.batches.list(OWNER, scheduled=True)
    assert waits.id == started.batch
    assert texts(house) == []

    await rested(house, started.batch, "done")

    assert datetime.now(UTC) >= soon
    assert texts(house) == [("anna", "Hi")]
    assert await house.core.batches.list(OWNER, scheduled=True) == []


async def test_the_same_client_ref_is_the_same_batch(house: House) -> None:
    (anna,) = await people(house, "anna")

    async def send(text: str) -> BatchAnswer:
        act = await house.core.bulk.prepare(OWNER, to(anna), text, client_ref="spring")
        answer = await house.core.approvals.perform(act)
        assert isinstance(answer, BatchAnswer)
        return answer

    first, again = await send("Hi"), await send("Hi")
    await rested(house, first.batch, "done")

    assert again.batch == first.batch
    assert texts(house) == [("anna", "Hi")]
    with pytest.raises(Conflict):
        await send("Something else")


async def test_recipients_that_cannot_be_found_are_named_together(house: House) -> None:
    (anna,) = await people(house, "anna")
    asked = [Addressee(chat=chat) for chat in (anna, "c999", "nobody", anna)]

    with pytest.raises(NotFound, match="Recipients 2, 3: No such chat"):
        await house.core.bulk.prepare(AGENT, asked, "Hi")
    with pytest.raises(Ambiguous, match="Recipient 1: That name is not one the owner gave"):
        await house.core.bulk.prepare(AGENT, [Addressee(chat="Anna")], "Hi")


async def test_a_batch_belongs_to_one_instance_and_is_hidden_from_who_does_not_see_it(
    house: House,
) -> None:
    (anna,) = await people(house, "anna")
    await house.bot.say("to the bot", chat="eve")
    eve = (await house.told("to the bot", "bot")).chat
    bot = house.core.instances.resolve(OWNER, "bot").id
    other = Caller("k1", preset="admin", instances=frozenset({bot}))

    with pytest.raises(InvalidInput, match="chats of 2 instances"):
        await house.core.bulk.prepare(AGENT, to(anna, eve), "Hi")
    batch = await agreed(house, await house.core.bulk.prepare(AGENT, to(anna), "Hi"))

    for attempt in (
        house.core.batches.get(other, batch),
        house.core.batches.control(other, batch, "cancel"),
        house.core.schedules.cancel(other, batch),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await house.core.batches.list(other) == []


async def test_what_a_stopped_process_left_goes_on_in_order(open_house: OpenHouse) -> None:
    names = ["anna", "bob", "carl", "dora"]
    async with open_house() as house:
        chats = await people(house, *names)
        act = await house.core.bulk.prepare(AGENT, to(*chats), "Hi", delay_s=0.2)
        batch = await agreed(house, act)

        async def one() -> bool | None:
            return bool(texts(house)) or None

        await house.core.events.wait(one, 5)

    async with open_house() as house:
        await rested(house, batch, "done")

        assert [chat for chat, _ in texts(house)] == names


async def test_a_removed_instance_ends_its_batches(house: House) -> None:
    chats = await people(house, "anna", "bob")
    act = await house.core.bulk.prepare(AGENT, to(*chats), "Hi", send_at=timedelta(hours=1))
    batch = await agreed(house, act)

    await house.core.instances.delete(OWNER, "me")
    house.core.rounds.wake(int(batch[1:]))
    ended = await rested(house, batch, "cancelled")

    assert ended.reason == "The instance was removed."
    assert texts(house) == []
