"""Who is heard where no rule says it, per instance."""

from dataclasses import replace

import pytest

from messengers.core.callers import OWNER
from messengers.errors import Forbidden, NotFound
from messengers.models import Decision, DmPolicy, GroupPolicy
from tests.core.conftest import AGENT, House, OpenHouse
from tests.core.test_access import TEAM, Gate, wrote


@pytest.fixture
async def gate(house: House) -> Gate:
    return Gate(house)


async def choose(gate: Gate, dm: DmPolicy | None = None, group: GroupPolicy | None = None) -> None:
    await gate.house.core.rulebook.set_policy(OWNER, "me", dm, group)


@pytest.mark.parametrize(
    ("dm", "texts"), [("open", ["hi", "mine"]), ("allowlist", ["mine"]), ("off", [])]
)
async def test_people_are_heard_as_the_policy_says(
    gate: Gate, dm: DmPolicy, texts: list[str]
) -> None:
    house = gate.house
    await house.personal.say("to bob", chat="bob", **{"from": "me"})
    await house.told("to bob")
    await choose(gate, dm)
    await gate.see(wrote("eve", "hi"), wrote("bob", "mine"))

    assert [text for text in await gate.texts() if text != "to bob"] == texts
    assert await gate.hits("hi") == [text for text in texts if text == "hi"]
    await choose(gate, "open")
    assert await gate.texts() == ["hi", "mine", "to bob"]


async def test_off_reaches_back_and_hides_the_whole_chat(gate: Gate) -> None:
    core = gate.house.core
    await gate.see(wrote("eve", "hi"), wrote("ann", "in team", TEAM))
    eve = await core.chats.find(AGENT, "eve", "me")
    await choose(gate, "off", "off")

    assert await gate.texts() == []
    for chat in (eve.id, (await gate.group()).id):
        with pytest.raises(NotFound):
            await core.chats.get(AGENT, chat)
    assert set((await gate.withheld()).values()) == {"deny off"}


async def test_a_rule_comes_before_the_policy(gate: Gate) -> None:
    await choose(gate, "allowlist", "allowlist")
    await gate.rule("allow", "eve", instance="me")
    await gate.see(wrote("eve", "dm"), wrote("eve", "team", TEAM), wrote("ann", "not me", TEAM))

    assert await gate.texts() == ["dm", "team"]
    assert await gate.withheld() == {"not me": "deny allowlist"}


async def test_of_a_group_only_what_mentions_the_account_is_shown(gate: Gate) -> None:
    core = gate.house.core
    await choose(gate, group="mention")
    before = await core.events.position()
    called = replace(wrote("bob", "me?", TEAM), mentions_me=True)
    await gate.see(wrote("ann", "chatter", TEAM), called, wrote("ann", "more", TEAM))

    assert await gate.texts() == ["me?"]
    kinds = [event.kind for _, event in await core.events.since(OWNER, before) if event.chat]
    assert kinds == ["message.received"]
    group = await gate.group()
    assert (group.unread, group.last_text) == (1, "me?")
    assert set((await gate.withheld()).values()) == {"silent mention"}


async def test_whom_the_owner_answers_from_his_phone_is_known_from_then_on(gate: Gate) -> None:
    house, core = gate.house, gate.house.core
    await choose(gate, "allowlist")
    await house.personal.say("let me in", chat="eve")
    await house.personal.say("of course", chat="eve", **{"from": "me"})
    await house.personal.say("thanks", chat="eve")
    await house.told("thanks")
    await core.rulebook.sweep()

    assert await gate.texts() == ["let me in", "of course", "thanks"]


async def test_always_lets_a_chat_in_and_taking_it_back_ends_that(gate: Gate) -> None:
    core = gate.house.core
    await choose(gate, "allowlist")
    await gate.see(wrote("eve", "hi"))
    eve = await core.chats.get_by_native(core.instances.by_name("me").id, "eve")
    assert eve is not None
    steps: list[tuple[Decision | None, list[str]]] = [("always", ["hi"]), (None, [])]
    for decision, texts in steps:
        await core.chats.decide(OWNER, eve, decision)
        await core.rulebook.sweep()
        assert await gate.texts() == texts


async def test_a_policy_survives_a_restart_and_only_the_owner_sets_it(
    open_house: OpenHouse,
) -> None:
    async with open_house() as house:
        await choose(Gate(house), "off", "mention")
        with pytest.raises(Forbidden):
            await house.core.rulebook.set_policy(AGENT, "me", "open", None)
    async with open_house() as house:
        gate = Gate(house)
        await gate.see(wrote("eve", "hi"))
        assert await gate.texts() == []
        chosen = house.core.instances.by_name("me")
        assert (chosen.dm_policy, chosen.group_policy) == ("off", "mention")


async def test_a_person_whom_the_policy_keeps_back_is_no_contact_of_agents(gate: Gate) -> None:
    core = gate.house.core
    await gate.see(wrote("eve", "hi"), wrote("ann", "in team", TEAM))
    assert len(await core.contacts.find(AGENT, "eve")) == 1
    await choose(gate, "allowlist")

    assert await core.contacts.find(AGENT, "eve") == []
    assert [each.native_id for each in await core.contacts.find(OWNER, "eve")] == ["eve"]
    assert [each.native_id for each in await core.contacts.find(AGENT, "ann")] == ["ann"]


@pytest.mark.parametrize(
    ("dm", "group", "eve", "team"),
    [
        ("open", "open", "shown", "shown"),
        ("pairing", "mention", "kept back", "shown where it mentions the account"),
        ("allowlist", "allowlist", "kept back", "kept back"),
        ("off", "off", "kept back", "kept back"),
    ],
)
async def test_what_no_rule_says_is_explained_by_the_policy(
    gate: Gate, dm: DmPolicy, group: GroupPolicy, eve: str, team: str
) -> None:
    core = gate.house.core
    await gate.see(wrote("eve", "hi"), wrote("ann", "in team", TEAM))
    chats = [await core.chats.find(OWNER, "eve", "me"), await gate.group()]
    await choose(gate, dm, group)

    told = [await core.rulebook.explain(OWNER, chat.id) for chat in chats]

    for (way_in, way_out), expected in zip(told, (eve, team), strict=True):
        assert way_in.verdict == way_out.verdict == "no rule"
        assert way_in.result.partition(":")[0] == expected
        assert way_out.result.startswith("asks the owner: ")
    (way_in, way_out) = await core.rulebook.explain(OWNER, "somebody", "me")
    assert way_in.result == f"dm policy {dm}, group policy {group}"
    assert way_out.result == "confirm policy unknown_chats"
    (way_in, _) = await core.rulebook.explain(OWNER, "+4917012345678")
    assert way_in.result == "as the policy of each instance says"


async def test_a_standing_answer_is_part_of_what_comes_of_a_rule(gate: Gate) -> None:
    core = gate.house.core
    await gate.see(wrote("eve", "hi"))
    chat = await core.chats.find(OWNER, "eve", "me")
    await gate.rule("allow", "eve", instance="me")
    (_, before) = await core.rulebook.explain(OWNER, chat.id)
    await core.chats.decide(OWNER, chat, "never")
    (_, after) = await core.rulebook.explain(OWNER, chat.id)

    assert (before.verdict, before.result) == ("allow", "sent without asking")
    assert after.verdict == "allow"
    assert after.result.startswith("refused: The owner said never")
