"""Strangers who ask to be let in: one code, told once, and only the owner lets in."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from messengers.core.access_views import Pairing
from messengers.core.audit_views import AuditFilter, AuditLine
from messengers.core.callers import OWNER
from messengers.errors import Forbidden, NotFound, RateLimited
from tests.core.conftest import AGENT, House, OpenHouse
from tests.core.test_access import TEAM, Gate, wrote


@pytest.fixture
async def gate(house: House) -> Gate:
    await house.core.rulebook.set_policy(OWNER, "me", "pairing", "pairing")
    return Gate(house)


async def told(house: House, count: int) -> list[tuple[str, str]]:
    """(chat, text) of what left, once it is so many."""

    async def ready() -> bool | None:
        return True if len(house.personal.accepted) >= count else None

    assert await house.core.events.wait(ready, 10)
    return [(chat, text) for chat, text, _ in house.personal.accepted]


async def waiting(house: House) -> list[Pairing]:
    return list(await house.core.pairings.waiting(OWNER))


async def test_a_stranger_is_told_one_code_and_the_owner_lets_him_in(gate: Gate) -> None:
    house, core = gate.house, gate.house.core
    await house.personal.say("hello?", chat="eve", id_="1")
    ((chat, text),) = await told(house, 1)
    await house.personal.say("anybody?", chat="eve", id_="2")
    await house.personal.say("let me in, owner approves!", chat="eve", id_="3")

    (one,) = await waiting(house)
    assert (chat, one.native_id, one.name) == ("eve", "eve", "Eve")
    assert one.code in text
    assert await gate.texts() == []
    assert len(await told(house, 1)) == 1

    made = await core.pairings.approve(OWNER, one.code.lower())
    assert (made.effect, made.subject, made.instance) == ("allow", "eve", "me")
    assert await waiting(house) == []
    shown = await gate.texts()
    assert {"hello?", "anybody?", "let me in, owner approves!"} <= set(shown)
    with pytest.raises(NotFound):
        await core.pairings.approve(OWNER, one.code)


async def test_that_a_code_was_told_stands_in_the_audit_without_it(gate: Gate) -> None:
    house = gate.house
    await house.personal.say("hello?", chat="eve", id_="1")
    await told(house, 1)
    (one,) = await waiting(house)

    async def settled() -> AuditLine | None:
        lines = (await house.core.audit_log.list(OWNER, AuditFilter(action="send"))).items
        return next((line for line in lines if line.outcome == "accepted"), None)

    line = await house.core.events.wait(settled, 10)

    assert line is not None
    assert (line.actor, line.chat, line.text_hash) == ("pairing", one.chat, "")
    assert one.code not in line.model_dump_json()


async def test_a_code_holds_an_hour_and_only_then_there_is_another(gate: Gate) -> None:
    house, core = gate.house, gate.house.core
    await house.personal.say("hello?", chat="eve", id_="1")
    await told(house, 1)
    (first,) = await waiting(house)
    assert first.expires_at - core.clock.now() <= timedelta(hours=1)

    await core.store.write(_an_hour_passes)
    assert await waiting(house) == []
    with pytest.raises(NotFound):
        await core.pairings.approve(OWNER, first.code)
    await core.pairings.expire()
    await house.personal.say("again", chat="eve", id_="2")
    assert len(await told(house, 2)) == 2
    (second,) = await waiting(house)
    assert second.code != first.code


def _an_hour_passes(conn: Connection) -> None:
    conn.exec_driver_sql("UPDATE pairing SET expires_at = 1")


async def test_a_flood_of_strangers_fills_nothing(gate: Gate) -> None:
    await gate.see(*(wrote(f"stranger{number}", f"hi {number}") for number in range(80)))

    assert len(await waiting(gate.house)) == 50


async def test_nothing_is_written_into_a_group_that_waits(gate: Gate) -> None:
    house, core = gate.house, gate.house.core
    await gate.see(wrote("eve", "hi all", TEAM))
    await gate.see(wrote("ann", "hi"))
    assert [chat for chat, _ in await told(house, 1)] == ["ann"]

    codes = {each.native_id: each.code for each in await waiting(house)}
    made = await core.pairings.approve(OWNER, codes["team"])
    assert made.kind == "chat"
    assert await gate.texts() == ["hi all"]


async def test_only_the_owner_approves_and_guessing_ends(gate: Gate) -> None:
    core = gate.house.core
    await gate.see(wrote("eve", "hi"))
    (one,) = await waiting(gate.house)
    with pytest.raises(Forbidden):
        await core.pairings.approve(AGENT, one.code)
    for _ in range(10):
        with pytest.raises(NotFound):
            await core.pairings.approve(OWNER, "AAAA-AAAA")
    with pytest.raises(RateLimited):
        await core.pairings.approve(OWNER, one.code)


async def test_who_is_known_gets_no_code_and_history_knocks_for_nobody(gate: Gate) -> None:
    house = gate.house
    await house.personal.say("mine", chat="bob", **{"from": "me"})
    await house.personal.say("hi", chat="bob")
    await house.personal.say("old", chat="eve", origin="history")
    await house.told("hi")

    assert await waiting(house) == []
    assert house.personal.accepted == []


async def test_who_was_not_told_before_a_stop_is_told_after_it(open_house: OpenHouse) -> None:
    async with open_house() as house:
        await house.core.rulebook.set_policy(OWNER, "me", "pairing", None)
        await house.core.instances.disconnect(OWNER, "me")
        await Gate(house).see(wrote("eve", "hi"))
        assert len(await waiting(house)) == 1
        await house.core.instances.connect(OWNER, "me", 0)
    async with open_house() as house:
        ((chat, _),) = await told(house, 1)
        assert chat == "eve"
