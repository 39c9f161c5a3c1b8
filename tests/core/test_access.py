"""Access rules in a running core: who is kept back, and who is not written to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from sqlalchemy import Connection

from messengers.core.access_views import AccessRule, Direction, Effect
from messengers.core.callers import OWNER
from messengers.core.chats import ChatFilter
from messengers.core.happenings import Happenings
from messengers.core.pages import ChatMessages
from messengers.core.rulebook import NewRule
from messengers.errors import Forbidden, InvalidInput, NotFound
from messengers.models import (
    Attachment,
    Chat,
    Outcome,
    Sender,
    SentMessage,
)
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    MessageEdited,
    MessageSeen,
    PollVoted,
    ReactionChanged,
)
from messengers.store import access_rules
from tests.core.conftest import AGENT, House, OpenHouse

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TEAM = ChatSeen("team", "group", "Team", "platform")


@dataclass
class Gate:
    """A house with its owner's rules and what an agent sees of it."""

    house: House
    rules: list[str] = field(default_factory=list[str])

    async def rule(
        self,
        effect: Effect,
        who: str,
        *,
        instance: str = "",
        direction: Direction | None = None,
        priority: int = 0,
    ) -> AccessRule:
        book = self.house.core.rulebook
        new = NewRule(effect, who, direction, instance, priority=priority)
        return await book.add(OWNER, await book.read(OWNER, new))

    async def see(self, *seen: Happening) -> None:
        """What an account of WhatsApp's kind sees, applied as the inbox applies it."""
        core = self.house.core
        instance = core.instances.by_name("me").id
        happenings = Happenings(core.events, core.clock, core.access)

        def unit(conn: Connection) -> None:
            for each in seen:
                happenings.apply(conn, instance, each, 1)

        await core.events.write(unit)

    async def texts(self) -> list[str]:
        """What an agent reads of late, in every chat."""
        page = await self.house.core.history.recent(AGENT, LONG_AGO)
        return sorted(m.text for each in page.items for m in each.messages)

    async def hits(self, word: str) -> list[str]:
        return [
            hit.message.text for hit in (await self.house.core.search.messages(AGENT, word)).items
        ]

    async def withheld(self) -> dict[str, str]:
        """What the owner sees that agents do not, and why."""
        return {m.text: m.why for m in await self.house.core.judging.withheld(OWNER)}

    async def group(self) -> Chat:
        core = self.house.core
        found = await core.chats.get_by_native(core.instances.by_name("me").id, "team")
        assert found is not None
        return found


@pytest.fixture
async def gate(house: House) -> Gate:
    return Gate(house)


def wrote(
    sender: str, text: str, chat: ChatSeen | None = None, known: Mapping[str, object] | None = None
) -> MessageSeen:
    who = Sender.model_validate({"native_id": sender, "display_name": sender, **(known or {})})
    place = chat or ChatSeen(sender, "dm", sender)
    return MessageSeen(place, f"n-{text}", who, AT, "in", text=text)


@pytest.mark.case("S29")
@pytest.mark.parametrize(
    ("rule", "sender", "known"),
    [
        ("+7 900 123-45-67", "79001234567@s.whatsapp.net", {}),
        ("79001234567:12@s.whatsapp.net", "79001234567@s.whatsapp.net", {}),
        ("79001234567@c.us", "5", {"phone": "+79001234567"}),
        ("+79001234567", "123@lid", {"alt_ids": ("79001234567@s.whatsapp.net",)}),
        ("123@lid", "79001234567@s.whatsapp.net", {"alt_ids": ("123@lid",)}),
        ("+７９００１２３４５６７", "79001234567:3@s.whatsapp.net", {}),
        ("@Spammer", "77", {"username": "spammer"}),
        ("+7900*", "79001234567@s.whatsapp.net", {}),
        ("@spam*", "77", {"username": "SpamKing"}),
        ("any", "whoever", {}),
    ],
)
async def test_a_rule_holds_for_every_spelling_of_somebody(
    gate: Gate, rule: str, sender: str, known: dict[str, object]
) -> None:
    made = await gate.rule("deny", rule)

    await gate.see(wrote(sender, "dropped word", known=known))

    assert await gate.texts() == [] == await gate.hits("dropped")
    assert await gate.withheld() == {"dropped word": f"deny {made.id}"}


@pytest.mark.case("S29")
async def test_a_hidden_id_is_known_from_an_earlier_contact(gate: Gate) -> None:
    number, hidden = "79001234567@s.whatsapp.net", "123@lid"
    await gate.see(ContactSeen(number, "Eve", phone="+79001234567", alt_ids=(hidden,)))
    await gate.rule("deny", "+79001234567")

    await gate.see(wrote(hidden, "by my other id"))

    assert await gate.texts() == []


async def test_a_hidden_id_is_known_from_a_contact_that_comes_later(gate: Gate) -> None:
    await gate.rule("deny", "+79001234567")
    known = ContactSeen("79001234567@s.whatsapp.net", "Eve", alt_ids=("123@lid",))
    await gate.see(known, wrote("123@lid", "by my other id"))

    assert await gate.texts() == []


async def test_whom_a_rule_keeps_out_does_not_exist_for_agents(gate: Gate) -> None:
    house, core = gate.house, gate.house.core
    made = await gate.rule("deny", "eve", instance="me")
    before = await core.events.position()
    file = Attachment(kind="image", native_ref="pic").model_dump()
    await house.personal.say("open this", chat="eve", files=[file])
    await house.personal.say("lunch?", chat="ann")
    await house.told("lunch?")
    eve = await core.chats.get_by_native(core.instances.by_name("me").id, "eve")
    assert eve is not None

    assert await gate.texts() == ["lunch?"]
    assert await gate.hits("open") == []
    listed = (await core.chats.list(AGENT, ChatFilter())).items
    assert [chat.native_id for chat in listed] == ["ann"]
    with pytest.raises(NotFound):
        await core.chats.get(AGENT, eve.id)
    with pytest.raises(NotFound):
        await core.chats.find(AGENT, "Eve")
    assert await core.contacts.find(AGENT, "eve") == []
    (owners,) = (await core.history.read(OWNER, eve)).items
    for reading in (core.history.get(AGENT, owners.id), core.media.content(AGENT, owners.id)):
        with pytest.raises(NotFound):
            await reading
    kinds = [event.kind for _, event in await core.events.since(OWNER, before) if event.chat]
    assert kinds.count("message.received") == 1
    assert (eve.unread, eve.last_text, eve.peer_wrote_at) == (0, "", None)
    assert owners.text == "open this"
    assert await gate.withheld() == {"open this": f"deny {made.id}"}
    assert house.personal.downloads == []


async def test_nobody_who_waits_is_woken_by_whom_a_rule_keeps_out(gate: Gate) -> None:
    core, got = gate.house.core, list[ChatMessages]()
    await gate.rule("deny", "eve", instance="me")

    async def wait() -> None:
        got.extend((await core.history.wait(AGENT, timeout_s=10)).items)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await gate.house.personal.say("psst", chat="eve")
        await gate.house.personal.say("hello", chat="ann")

    assert [message.text for each in got for message in each.messages] == ["hello"]


async def test_in_a_group_whom_a_rule_keeps_out_is_left_out_and_counted(gate: Gate) -> None:
    core = gate.house.core
    await gate.rule("deny", "eve", instance="me")
    for number, (who, text) in enumerate((("ann", "one"), ("eve", "two"), ("bob", "three"))):
        seen = wrote(who, text, TEAM)
        await gate.see(replace(seen, sent_at=AT + timedelta(minutes=number)))

    group = await gate.group()
    page = await core.history.read(AGENT, group)
    assert ([m.text for m in page.items], page.left_out) == (["one", "three"], 1)
    assert (group.unread, group.last_text) == (2, "three")
    owners = await core.history.read(OWNER, group)
    assert ([m.text for m in owners.items], owners.left_out) == (["one", "two", "three"], 0)


async def test_what_he_does_to_messages_counts_for_nothing(gate: Gate) -> None:
    core = gate.house.core
    await gate.see(wrote("ann", "look", TEAM))
    await gate.rule("deny", "eve", instance="me")
    await gate.see(wrote("eve", "bad", TEAM))
    before = await core.events.position()

    await gate.see(
        MessageEdited("team", "n-bad", "worse", AT),
        ReactionChanged("team", "n-look", "eve", ("💩",), AT),
        PollVoted("team", "n-look", "eve", ("yes",), AT),
    )
    await gate.see(ReactionChanged("team", "n-look", "bob", ("👍",), AT))

    kinds = [event.kind for _, event in await core.events.since(OWNER, before) if event.chat]
    assert kinds == ["message.reaction"]
    (look,) = (await core.history.read(AGENT, await gate.group())).items
    assert [(each.emoji, each.by) for each in look.reactions] == [("👍", ("bob",))]
    assert list(await gate.withheld()) == ["worse"]


async def test_a_rule_reaches_back_and_lets_go_again(gate: Gate) -> None:
    core = gate.house.core
    await gate.see(wrote("eve", "before"), wrote("ann", "hi"))
    cursor = (await core.history.wait(AGENT, timeout_s=0)).cursor
    start = await core.events.position()
    assert await gate.texts() == ["before", "hi"]

    made = await gate.rule("deny", "eve", instance="me")
    assert await gate.texts() == ["hi"]
    assert await gate.hits("before") == []
    notices, _, _ = await core.feed.page(core.feed.select(AGENT, types=("message.received",)), 0)
    assert [notice.message.text for notice in notices if notice.message] == ["hi"]

    await core.rulebook.remove(OWNER, made.id)
    assert await gate.texts() == ["before", "hi"]
    assert await gate.withheld() == {}
    told = [event.kind for _, event in await core.events.since(OWNER, start) if event.chat]
    assert told == [], "nobody is woken by what is old"
    assert (await core.history.wait(AGENT, timeout_s=0, cursor=cursor)).items == ()


async def test_silent_wakes_nobody_and_its_id_still_leads_to_it(gate: Gate) -> None:
    core = gate.house.core
    made = await gate.rule("silent", "eve", instance="me")
    await gate.see(wrote("eve", "newsletter"))

    assert await gate.texts() == [] == await gate.hits("newsletter")
    (kept,) = await core.judging.withheld(OWNER)
    assert kept.why == f"silent {made.id}"
    assert (await core.history.get(AGENT, kept.id)).message.text == "newsletter"


@pytest.mark.parametrize("effect", ["deny", "read_only"])
async def test_nothing_leaves_for_whom_a_rule_forbids_it(gate: Gate, effect: Effect) -> None:
    house, core = gate.house, gate.house.core
    await house.personal.say("mine", chat="eve", **{"from": "me"})
    await house.personal.say("theirs", chat="eve", id_="t1")
    mine, theirs = await house.told("mine"), await house.told("theirs")
    made = await gate.rule(
        effect, "eve", instance="me", direction="out" if effect == "deny" else None
    )
    before = len(house.personal.calls)

    acts = (
        lambda: house.send(mine.chat, "more"),
        lambda: core.changes.prepare_edit(AGENT, mine.id, "else"),
        lambda: core.changes.prepare_delete(AGENT, mine.id),
        lambda: core.changes.prepare_react(AGENT, theirs.id, "👍"),
        lambda: core.changes.prepare_pin(AGENT, theirs.id),
        lambda: core.changes.prepare_forward(AGENT, theirs.id, theirs.chat),
    )
    for act in acts:
        with pytest.raises(Forbidden, match=f"access rule {made.id} forbids"):
            await act()
    assert house.personal.accepted == []
    assert len(house.personal.calls) == before
    assert await gate.texts() == ["mine", "theirs"]


@pytest.mark.parametrize("effect", ["deny", "read_only"])
async def test_who_is_written_nothing_is_not_put_into_a_group_either(
    gate: Gate, effect: Effect
) -> None:
    house, core = gate.house, gate.house.core
    await house.personal.say("hello", chat="eve")
    await gate.see(wrote("bob", "all here", TEAM))
    eve, team = [(await house.told(text)).chat for text in ("hello", "all here")]
    made = await gate.rule(effect, eve)

    for member in ("x:eve", eve):
        with pytest.raises(Forbidden, match=f"access rule {made.id} forbids"):
            await core.group_changes.prepare_create(AGENT, "me", "Bakers", [member])
        with pytest.raises(Forbidden, match=f"access rule {made.id} forbids"):
            await core.group_changes.prepare_members(AGENT, team, "add", [member])
    assert await core.group_changes.prepare_create(AGENT, "me", "Bakers", ["x:bob"])


async def test_what_was_taken_on_before_the_rule_does_not_leave_either(gate: Gate) -> None:
    house, core = gate.house, gate.house.core
    await house.personal.say("stranger", chat="eve")
    chat = (await house.told("stranger")).chat
    held = await house.send(chat, "held")
    house.personal.down = True
    queued = await house.send((await known(gate, "bob")), "queued", wait_s=0)
    for who in ("eve", "bob"):
        await gate.rule("deny", who, instance="me", direction="out")

    with pytest.raises(Forbidden, match="access rule"):
        await core.approvals.decide(held.approval, "once", "owner")
    house.personal.down = False
    core.outbox.wake_instance(core.instances.by_name("me").id)

    async def ended() -> str | None:
        history = (await core.history.get(OWNER, queued.message)).history
        return next((str(e.data) for e in history if e.kind == "message.not_sent"), None)

    assert "access rule" in (await core.events.wait(ended, 10) or "")
    assert house.personal.accepted == []
    rejected = await core.approvals.decide(held.approval, "reject", "owner")
    assert isinstance(rejected, SentMessage)
    assert rejected.outcome is Outcome.NOT_SENT


async def known(gate: Gate, who: str) -> str:
    """A chat in which the owner wrote himself."""
    await gate.house.personal.say(f"me to {who}", chat=who, **{"from": "me"})
    return (await gate.house.told(f"me to {who}")).chat


async def test_an_allow_rule_makes_a_chat_known_and_never_still_refuses(gate: Gate) -> None:
    house, core = gate.house, gate.house.core
    await house.personal.say("hi", chat="eve")
    chat = (await house.told("hi")).chat
    assert (await house.send(chat, "one")).outcome is Outcome.NEEDS_APPROVAL

    await gate.rule("allow", "eve", instance="me")
    assert (await house.send(chat, "two")).outcome is Outcome.ACCEPTED
    await core.chats.decide(OWNER, await core.chats.get(OWNER, chat), "never")
    with pytest.raises(Forbidden):
        await house.send(chat, "three")


async def test_a_refused_recipient_is_told_by_his_rule_also_where_agents_do_not_see_him(
    gate: Gate,
) -> None:
    chat = await known(gate, "eve")
    made = await gate.rule("deny", "eve", instance="me")

    with pytest.raises(Forbidden, match=made.id):
        await gate.house.send(chat, "hello")


async def test_a_persons_chat_means_the_person_and_a_groups_the_group(gate: Gate) -> None:
    core = gate.house.core
    await gate.see(wrote("eve", "dm"), wrote("eve", "in team", TEAM), wrote("ann", "here", TEAM))
    dm = await core.chats.get_by_native(core.instances.by_name("me").id, "eve")
    assert dm is not None

    made = await gate.rule("deny", dm.id)
    assert (made.kind, made.subject, made.instance) == ("native_id", "eve", "me")
    assert await gate.texts() == ["here"]
    group = await gate.group()
    other = await gate.rule("deny", group.id)
    assert (other.kind, other.subject) == ("chat", group.id)
    assert await gate.texts() == []
    with pytest.raises(NotFound):
        await core.chats.get(AGENT, group.id)


@pytest.mark.parametrize(
    ("rules", "texts"),
    [
        ([("deny", "any", 0), ("allow", "eve", 0)], ["hi"]),
        ([("deny", "eve", 0), ("allow", "e*", 0)], []),
        ([("allow", "eve", 0), ("deny", "any", 1)], []),
        ([("allow", "eve", 0), ("deny", "eve", 0)], []),
        ([("allow", "ev*", 0), ("deny", "e*", 0)], ["hi"]),
        ([("silent", "eve", 0), ("allow", "eve", 0)], []),
    ],
)
async def test_priority_then_the_most_exact_then_deny(
    gate: Gate, rules: list[tuple[Effect, str, int]], texts: list[str]
) -> None:
    for effect, who, priority in rules:
        await gate.rule(effect, who, instance="me", priority=priority)

    await gate.see(wrote("eve", "hi"))

    assert await gate.texts() == texts
    (way_in, _) = await gate.house.core.rulebook.explain(OWNER, "eve", "me")
    assert (way_in.verdict == "allow") is bool(texts)
    assert len(way_in.others) == 1


async def test_of_two_alike_the_older_holds_and_the_same_again_takes_its_place(gate: Gate) -> None:
    core = gate.house.core
    await gate.rule("deny", "eve", instance="me", direction="in")
    older = await gate.rule("deny", "eve", instance="me")
    newer = await gate.rule("deny", "eve", instance="me", priority=3)
    ids = [rule.id for rule in core.rulebook.list(OWNER)]
    assert ids[0] == newer.id
    assert older.id not in ids
    assert len(ids) == 2


async def test_rules_survive_a_restart_and_a_stopped_judgement_is_finished(
    open_house: OpenHouse,
) -> None:
    async with open_house() as house:
        gate = Gate(house)
        await gate.see(wrote("eve", "old"))
        made = await gate.rule("deny", "eve", instance="me")
        # As after a crash between the rule and the judging.
        await house.core.store.write(_forget_judgement)

    async with open_house() as house:
        gate = Gate(house)
        await gate.see(wrote("eve", "new"))
        await house.core.rulebook.sweep()
        assert await gate.texts() == []
        assert set((await gate.withheld()).values()) == {f"deny {made.id}"}


def _forget_judgement(conn: Connection) -> None:
    conn.exec_driver_sql("UPDATE message SET withheld = ''")
    conn.exec_driver_sql("UPDATE chat SET hidden = 0")
    access_rules.mark(conn)


async def test_a_rule_ends_at_its_time(gate: Gate) -> None:
    core = gate.house.core
    new = NewRule("deny", "eve", instance="me")
    await core.rulebook.add(OWNER, await core.rulebook.read(OWNER, new), days=0.5)
    await gate.see(wrote("eve", "hidden"))
    assert await gate.texts() == []

    past = "UPDATE access_rule SET expires_at = 1"
    await core.store.write(lambda conn: conn.exec_driver_sql(past) and None)
    await core.access.load()
    await core.rulebook.sweep()

    assert core.rulebook.list(OWNER) == []
    assert await gate.texts() == ["hidden"]


@pytest.mark.parametrize(
    ("new", "cause"),
    [
        (NewRule("silent", "+79001234567", "out"), "silent"),
        (NewRule("read_only", "+79001234567", "in"), "read_only"),
        (NewRule("deny", "12345"), "only together with its instance"),
        (NewRule("deny", "(a+)+$", instance="me"), "Regular expressions"),
        (NewRule("deny", "any", priority=5_000), "priority"),
    ],
)
async def test_what_is_no_rule_is_refused(gate: Gate, new: NewRule, cause: str) -> None:
    with pytest.raises(InvalidInput, match=cause):
        await gate.house.core.rulebook.read(OWNER, new)


async def test_only_the_owner_keeps_rules(gate: Gate) -> None:
    book = gate.house.core.rulebook
    rule = await book.read(AGENT, NewRule("deny", "any"))
    for attempt in (book.add(AGENT, rule), book.remove(AGENT, "r1")):
        with pytest.raises(Forbidden):
            await attempt
    with pytest.raises(NotFound):
        await book.remove(OWNER, "r99")
    with pytest.raises(InvalidInput, match="days"):
        await book.add(OWNER, rule, days=-1)


async def test_a_key_of_one_instance_makes_no_rule_for_all(gate: Gate) -> None:
    core = gate.house.core
    bound = replace(AGENT, instances=frozenset({core.instances.by_name("me").id}))
    with pytest.raises(Forbidden, match="bound"):
        await core.rulebook.read(bound, NewRule("deny", "any"))
    with pytest.raises(NotFound):
        await core.rulebook.read(bound, NewRule("deny", "any", instance="bot"))
    made = await core.rulebook.read(bound, NewRule("deny", "any", instance="me"))
    assert {made.instance_id} == bound.instances


async def test_there_is_an_end_to_rules_that_are_looked_at_one_by_one(gate: Gate) -> None:
    core = gate.house.core
    now = {"instance_id": "", "direction": "in", "subject_kind": "glob", "effect": "deny"}

    def unit(conn: Connection) -> None:
        for number in range(200):
            access_rules.add(conn, {**now, "subject": f"x{number}*", "created_at": 1})

    await core.store.write(unit)
    await core.access.load()
    with pytest.raises(InvalidInput, match="already"):
        await gate.rule("deny", "y*", instance="me")
    assert (await gate.rule("deny", "eve", instance="me")).kind == "native_id"


async def test_the_rules_of_an_instance_go_with_it(gate: Gate) -> None:
    core = gate.house.core
    await gate.rule("deny", "eve", instance="me")
    await core.instances.delete(OWNER, "me", purge=True)
    await core.access.load()
    assert core.rulebook.list(OWNER) == []
