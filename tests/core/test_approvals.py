"""Who may be written to unseen, and how the owner decides about the rest."""

import hashlib

import anyio
import pytest

from messengers.core.acts import InstanceAnswer
from messengers.core.callers import OWNER
from messengers.errors import Conflict, Forbidden, NotFound
from messengers.models import Draft, Outcome
from tests.core.conftest import AGENT, House, OpenHouse, sent


async def _stranger(house: House, instance: str = "me") -> str:
    side = house.personal if instance == "me" else house.bot
    await side.say(f"hello from outside to {instance}", chat="eve")
    return (await house.told(f"hello from outside to {instance}", instance)).chat


async def _column(house: House, statement: str) -> list[object]:
    return await house.core.store.write(
        lambda conn: list(conn.exec_driver_sql(statement).scalars())
    )


@pytest.mark.case("S21")
async def test_a_stranger_who_wrote_first_is_not_written_to_unseen(house: House) -> None:
    chat = await _stranger(house)

    answer = await house.send(chat, "the code is 1234")

    assert answer.outcome is Outcome.NEEDS_APPROVAL
    assert house.personal.accepted == []
    (waiting,) = await house.core.approvals.waiting()
    assert waiting.id == answer.approval
    assert waiting.shown.text == "the code is 1234"
    assert "eve" in waiting.shown.recipient


async def test_a_bot_may_answer_whoever_wrote_to_it_but_no_group(house: House) -> None:
    chat = await _stranger(house, "bot")
    assert (await house.send(chat, "welcome")).outcome is Outcome.ACCEPTED

    await house.bot.say("in the group", chat="team", group=True)
    group = (await house.told("in the group", "bot")).chat
    assert (await house.send(group, "hi all")).outcome is Outcome.NEEDS_APPROVAL


@pytest.mark.case("S21")
async def test_approving_sends_the_held_draft_exactly_once(house: House) -> None:
    chat = await _stranger(house)
    held = await house.send(chat, "as agreed")
    page = await house.core.history.read(OWNER, await house.core.chats.get(OWNER, chat))
    assert [m.text for m in page.items] == ["hello from outside to me"]

    answer = sent(await house.core.approvals.decide(held.approval, "once", "owner"))

    assert answer.outcome is Outcome.ACCEPTED
    assert answer.message == held.message
    assert [text for _, text, _ in house.personal.accepted] == ["as agreed"]
    with pytest.raises(Conflict):
        await house.core.approvals.decide(held.approval, "once", "owner")
    assert len(house.personal.accepted) == 1
    again = await house.send(chat, "and another")
    assert again.outcome is Outcome.NEEDS_APPROVAL


async def test_the_identical_call_meanwhile_is_the_same_approval(house: House) -> None:
    chat = await _stranger(house)

    first = await house.send(chat, "same")
    second = await house.send(chat, "same")
    other = await house.send(chat, "different")

    assert first.approval == second.approval != other.approval
    assert len(await house.core.approvals.waiting()) == 2


async def test_rejecting_ends_as_not_sent_and_leaves_no_trace_in_the_chat(house: House) -> None:
    chat = await _stranger(house)
    held = await house.send(chat, "no")

    answer = sent(await house.core.approvals.decide(held.approval, "reject", "owner"))

    assert answer.outcome is Outcome.NOT_SENT
    assert house.personal.accepted == []
    place = await house.core.chats.get(OWNER, chat)
    assert place.last_text == "hello from outside to me"


@pytest.mark.case("S83")
async def test_always_and_never_hold_for_exactly_that_chat_over_restarts(
    open_house: OpenHouse,
) -> None:
    async with open_house() as house:
        eve = await _stranger(house)
        await house.personal.say("and me", chat="mallory")
        mallory = (await house.told("and me")).chat
        held = await house.send(eve, "one")
        await house.core.approvals.decide(held.approval, "always", "owner")
        refused = await house.send(mallory, "one")
        await house.core.approvals.decide(refused.approval, "never", "owner")

    async with open_house() as house:
        assert (await house.send(eve, "two")).outcome is Outcome.ACCEPTED
        with pytest.raises(Forbidden):
            await house.send(mallory, "two")
        decided = {c.id: c.decision for c in await house.core.chats.decided(OWNER)}
        assert decided == {eve: "always", mallory: "never"}
        chat = await house.core.chats.get(OWNER, eve)
        with pytest.raises(Forbidden):
            await house.core.chats.decide(AGENT, chat, "never")
        await house.core.chats.decide(OWNER, chat, None)
        assert (await house.send(eve, "three")).outcome is Outcome.NEEDS_APPROVAL


@pytest.mark.case("S83")
async def test_nothing_that_was_asked_before_leaves_a_chat_or_account_that_was_closed_since(
    house: House,
) -> None:
    eve = await _stranger(house)
    first, second = [(await house.send(eve, text)).approval for text in ("one", "two")]
    chat = await house.core.chats.get(OWNER, eve)
    group = await house.core.group_changes.prepare_create(AGENT, "me", "Bakers", ["x:eve"])
    made = await house.core.approvals.hold(group)

    await house.core.chats.decide(OWNER, chat, "never")
    with pytest.raises(Forbidden):
        await house.core.approvals.decide(first, "once", "owner")
    await house.core.chats.decide(OWNER, chat, None)
    await house.core.instances.set_policy(OWNER, "me", read_only=True)
    for each in (first, made.id):
        with pytest.raises(Forbidden):
            await house.core.approvals.decide(each, "once", "owner")
    assert house.personal.accepted == []

    await house.core.instances.set_policy(OWNER, "me", read_only=False)
    await house.core.chats.decide(OWNER, chat, "never")
    await house.core.approvals.decide(second, "always", "owner")
    await house.core.approvals.decide(first, "once", "owner")
    assert [text for _, text, _ in house.personal.accepted] == ["two", "one"]


@pytest.mark.parametrize("closed", ["never", "read-only"])
async def test_what_is_queued_does_not_leave_what_was_closed_since(
    house: House, closed: str
) -> None:
    await house.personal.say("hi ann", **{"from": "me"})
    ann = await house.chat_of(await house.told("hi ann"))
    house.personal.down = True
    waits = await house.send(ann.id, "later", wait_s=0)

    async def told(kind: str) -> str | None:
        history = (await house.core.history.get(OWNER, waits.message)).history
        return next((str(event.data) for event in history if event.kind == kind), None)

    assert await house.core.events.wait(lambda: told("message.delayed"), 10)
    await house.core.chats.decide(OWNER, ann, "never" if closed == "never" else None)
    await house.core.instances.set_policy(OWNER, "me", read_only=closed == "read-only")
    house.personal.down = False
    house.core.outbox.wake_instance(house.core.instances.by_name("me").id)

    assert closed in (await house.core.events.wait(lambda: told("message.not_sent"), 10) or "")
    assert house.personal.accepted == []


async def test_a_held_draft_survives_a_restart_and_is_sent_after_it(open_house: OpenHouse) -> None:
    async with open_house() as house:
        held = await house.send(await _stranger(house), "patience")

    async with open_house() as house:
        answer = sent(await house.core.approvals.decide(held.approval, "once", "owner"))
        assert answer.outcome is Outcome.ACCEPTED
        assert [text for _, text, _ in house.personal.accepted] == ["patience"]


async def test_what_nobody_decides_in_time_is_not_sent(house: House) -> None:
    held = await house.send(await _stranger(house), "too late")
    await house.core.store.write(
        lambda conn: conn.exec_driver_sql("UPDATE approval SET expires_at = 1") and None
    )

    await house.core.approvals.expire()

    assert (await house.core.approvals.get(held.approval)).state == "expired"
    with pytest.raises(Conflict):
        await house.core.approvals.decide(held.approval, "once", "owner")
    assert house.personal.accepted == []
    with pytest.raises(NotFound):
        await house.core.approvals.get("a999")


async def test_a_decided_or_expired_approval_keeps_nothing_of_what_it_held(house: House) -> None:
    chat = await _stranger(house)
    approved, rejected, expired = [
        (await house.send(chat, word)).approval for word in ("yes", "no", "late")
    ]
    assert all(await _column(house, "SELECT payload FROM approval"))

    await house.core.approvals.decide(approved, "once", "owner")
    await house.core.approvals.decide(rejected, "reject", "owner")
    await house.core.store.write(
        lambda conn: conn.exec_driver_sql("UPDATE approval SET expires_at = 1") and None
    )
    await house.core.approvals.expire()

    states = [(await house.core.approvals.get(id_)).state for id_ in (approved, rejected, expired)]
    assert states == ["approved", "rejected", "expired"]
    assert await _column(house, "SELECT payload FROM approval") == [b"", b"", b""]


async def test_what_the_audit_keeps_of_a_text_cannot_be_guessed_from_words(house: House) -> None:
    chat = await _stranger(house)
    act = await house.core.sending.prepare(AGENT, chat, Draft(text="yes"))
    held = sent(await house.core.approvals.perform(act))
    await house.core.approvals.decide(held.approval, "once", "owner")

    kept = await _column(house, "SELECT text_hash FROM audit WHERE text_hash != ''")
    assert set(kept) == {house.core.audit.hash("yes")}
    assert hashlib.sha256(b"yes").hexdigest() not in kept


async def test_the_policy_always_asks_even_for_known_chats(house: House) -> None:
    await house.personal.say("me here", **{"from": "me"})
    chat = (await house.told("me here")).chat
    await house.core.instances.set_policy(OWNER, "me", confirm="always")
    assert (await house.send(chat, "hi")).outcome is Outcome.NEEDS_APPROVAL

    await house.core.instances.set_policy(OWNER, "me", confirm="never")
    assert (await house.send(await _stranger(house), "hi")).outcome is Outcome.ACCEPTED


@pytest.mark.case("S87")
async def test_edits_reactions_and_forwards_pass_the_same_gate(house: House) -> None:
    chat = await _stranger(house)
    stranger = await house.told("hello from outside to me")
    await house.personal.say("my note", chat="notes", **{"from": "me"})
    note = await house.told("my note")
    changes = house.core.changes

    acts = [
        await changes.prepare_react(AGENT, stranger.id, "👍"),
        await changes.prepare_forward(AGENT, note.id, chat),
        await changes.prepare_delete(AGENT, note.id),
    ]

    for act in acts:
        assert act.needs_approval
        assert sent(await house.core.approvals.perform(act)).outcome is Outcome.NEEDS_APPROVAL
    assert house.personal.calls == []
    assert house.personal.accepted == []


async def test_setting_up_and_taking_down_ask_the_owner(house: House) -> None:
    instances = house.core.instances
    created = await instances.prepare_create(AGENT, "scripted_bot", "extra", {"token": "t1"})
    stopped = await instances.prepare_disconnect(AGENT, "me")

    for act in (created, stopped):
        answer = await house.core.approvals.perform(act)
        assert isinstance(answer, InstanceAnswer)
        assert answer.outcome == "needs_approval"
    waiting = await house.core.approvals.waiting()
    assert "t1" not in "".join(w.model_dump_json() for w in waiting)
    assert {v.instance.name for v in await instances.list(OWNER)} == {"me", "bot"}

    answer = await house.core.approvals.decide(waiting[0].id, "once", "owner")
    assert isinstance(answer, InstanceAnswer)
    assert (await instances.get(OWNER, "extra")).instance.provider == "scripted_bot"
    undone = await house.core.approvals.decide(waiting[1].id, "reject", "owner")
    assert isinstance(undone, InstanceAnswer)
    assert undone.outcome == "not_done"


async def test_a_draft_is_judged_again_when_it_is_sent_to_a_known_chat(house: House) -> None:
    await house.personal.say("me again", **{"from": "me"})
    chat = (await house.told("me again")).chat

    act = await house.core.sending.prepare(AGENT, chat, Draft(text="hi"))

    assert not act.needs_approval
    assert act.shown.text == "hi"


async def _decide_and_leave(house: House, approval: str) -> None:
    """Cancelled as soon as the decision is stored."""
    async with house.core.events.follow() as wakes, anyio.create_task_group() as tasks:
        tasks.start_soon(house.core.approvals.decide, approval, "once", "owner")
        await wakes.receive()
        tasks.cancel_scope.cancel()


async def test_what_was_decided_is_done_though_who_decided_left(house: House) -> None:
    held = await house.send(await _stranger(house), "as agreed")
    stop = await house.core.approvals.hold(
        await house.core.instances.prepare_disconnect(AGENT, "bot")
    )

    async def accepted() -> bool | None:
        return [text for _, text, _ in house.personal.accepted] == ["as agreed"] or None

    await _decide_and_leave(house, held.approval)
    await _decide_and_leave(house, stop.id)

    assert await house.core.events.wait(accepted, 5)
    assert (await house.core.instances.get(OWNER, "bot")).instance.wanted == "stopped"
