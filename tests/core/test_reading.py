"""Lists, transcripts, search and waiting: what was stored is what is read, page by page."""

from datetime import UTC, datetime

import anyio
import pytest

from messengers.core.callers import OWNER, Caller
from messengers.core.chats import ChatFilter
from messengers.errors import Ambiguous, InvalidInput, NotFound
from tests.core.conftest import AGENT, House
from tests.fakes.scripted import EPOCH

FOREVER_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def _fill(house: House, count: int, chat: str = "ann") -> str:
    for number in range(count):
        await house.personal.say(f"{chat} {number}", chat=chat, minute=number)
    return (await house.told(f"{chat} {count - 1}")).chat


async def test_pages_of_a_transcript_cover_it_once_and_in_order(house: House) -> None:
    chat = await house.core.chats.get(OWNER, await _fill(house, 25))

    texts: list[str] = []
    cursor = ""
    for _ in range(3):
        page = await house.core.history.read(AGENT, chat, limit=10, cursor=cursor)
        texts = [m.text for m in page.items] + texts
        cursor = page.cursor

    assert texts == [f"ann {n}" for n in range(25)]
    assert cursor == ""


async def test_a_transcript_by_range_and_around_a_message(house: House) -> None:
    chat = await house.core.chats.get(OWNER, await _fill(house, 9))
    middle = await house.told("ann 4")
    read = house.core.history.read

    since, until = EPOCH.replace(minute=2), EPOCH.replace(minute=5)
    page = await read(AGENT, chat, since=since, until=until)
    assert [m.text for m in page.items] == ["ann 2", "ann 3", "ann 4"]
    around = await read(AGENT, chat, limit=3, around=middle.id)
    assert "ann 4" in [m.text for m in around.items]
    assert len(around.items) == 3
    with pytest.raises(InvalidInput):
        await read(AGENT, chat, since=until, until=since)
    with pytest.raises(NotFound):
        await read(AGENT, chat, around="m999")


@pytest.mark.parametrize("limit", [0, -1, 10**9])
async def test_a_limit_out_of_range_is_an_error_everywhere(house: House, limit: int) -> None:
    chat = await house.core.chats.get(OWNER, await _fill(house, 1))
    core = house.core

    with pytest.raises(InvalidInput):
        await core.history.read(AGENT, chat, limit=limit)
    with pytest.raises(InvalidInput):
        await core.chats.list(AGENT, ChatFilter(), limit=limit)
    with pytest.raises(InvalidInput):
        await core.search.messages(AGENT, "ann", limit=limit)
    with pytest.raises(InvalidInput):
        await core.history.recent(AGENT, FOREVER_AGO, limit=limit)
    with pytest.raises(InvalidInput):
        await core.contacts.find(AGENT, "ann", limit=limit)


async def test_a_cursor_serves_only_its_own_question(house: House) -> None:
    chat = await house.core.chats.get(OWNER, await _fill(house, 5))
    await _fill(house, 2, "bob")
    cursor = (await house.core.history.read(AGENT, chat, limit=2)).cursor
    other = (await house.core.chats.list(AGENT, ChatFilter(), limit=1)).cursor
    assert cursor
    assert other

    for foreign in (other, "garbage", cursor[:-2] + "xx"):
        with pytest.raises(InvalidInput):
            await house.core.history.read(AGENT, chat, limit=2, cursor=foreign)
    with pytest.raises(InvalidInput):
        await house.core.chats.list(AGENT, ChatFilter(unread_only=True), limit=1, cursor=other)


async def test_the_chat_list_filters_by_what_the_summary_keeps(house: House) -> None:
    await _fill(house, 3)
    await house.personal.say("mine", chat="bob", **{"from": "me"})
    await house.told("mine")
    await house.bot.say("team talk", chat="team", group=True)
    await house.told("team talk", "bot")

    async def names(chosen: ChatFilter) -> set[str]:
        return {c.native_id for c in (await house.core.chats.list(AGENT, chosen)).items}

    assert await names(ChatFilter()) == {"ann", "bob", "team"}
    assert await names(ChatFilter(instance="bot")) == {"team"}
    assert await names(ChatFilter(kind="group")) == {"team"}
    assert await names(ChatFilter(unread_only=True)) == {"ann", "team"}
    assert await names(ChatFilter(waiting_for_reply=True)) == {"ann", "team"}
    assert await names(ChatFilter(query="aN")) == {"ann"}
    assert await names(ChatFilter(query="100%")) == set()
    assert await names(ChatFilter(active_since=EPOCH.replace(minute=1))) == {"ann"}


async def test_marking_read_tells_the_messenger_and_reading_never_does(house: House) -> None:
    chat = await house.core.chats.get(OWNER, await _fill(house, 3))
    assert chat.unread == 3
    await house.core.history.read(AGENT, chat)
    await house.core.history.recent(AGENT, FOREVER_AGO)
    assert house.personal.calls == []

    second = await house.told("ann 1")
    assert (await house.core.receipts.up_to(AGENT, chat, second.id)).unread == 1
    assert (await house.core.receipts.up_to(AGENT, chat)).unread == 0
    assert house.personal.calls == [("read", "ann", "nann 0", "nann 1"), ("read", "ann", "nann 2")]
    with pytest.raises(NotFound):
        await house.core.receipts.up_to(AGENT, chat, "m999")


async def test_the_inbox_groups_the_newest_by_chat(house: House) -> None:
    await _fill(house, 7)
    await _fill(house, 2, "bob")
    await house.personal.say("you there?", chat="bob", mention=True, minute=30)
    await house.told("you there?")

    page = await house.core.history.recent(AGENT, FOREVER_AGO, per_chat=3)
    assert [(i.chat.native_id, len(i.messages)) for i in page.items] == [("bob", 3), ("ann", 3)]
    only = await house.core.history.recent(AGENT, FOREVER_AGO, mentions_me=True)
    assert [[m.text for m in i.messages] for i in only.items] == [["you there?"]]
    unread = await house.core.history.recent(AGENT, FOREVER_AGO, unread_only=True, per_chat=20)
    assert sum(len(i.messages) for i in unread.items) == 10
    first = await house.core.history.recent(AGENT, FOREVER_AGO, per_chat=3, limit=4)
    assert [i.chat.native_id for i in first.items] == ["bob"]
    rest = await house.core.history.recent(
        AGENT, FOREVER_AGO, per_chat=3, limit=4, cursor=first.cursor
    )
    assert [i.chat.native_id for i in rest.items] == ["ann"]


async def test_search_finds_words_in_any_script_newest_first(house: House) -> None:
    for number, text in enumerate(("ёлка дома", "你好世界", "fire 🔥🔥 works", "Елка в лесу")):
        await house.personal.say(text, minute=number)
    await house.told("Елка в лесу")

    async def found(query: str, **more: object) -> list[str]:
        page = await house.core.search.messages(AGENT, query, **more)  # pyright: ignore[reportArgumentType] - filters by name
        return [hit.message.text for hit in page.items]

    assert await found("елка") == ["Елка в лесу", "ёлка дома"]
    assert await found("你好") == ["你好世界"]
    assert await found("🔥") == ["fire 🔥🔥 works"]
    assert await found("елка", chat="Ann", limit=1) == ["Елка в лесу"]
    assert await found("елка", until=EPOCH.replace(minute=2)) == ["ёлка дома"]
    assert await found("елка", since=EPOCH.replace(minute=2)) == ["Елка в лесу"]
    assert await found("елка", sender="me") == []
    assert await found("елка", sender="ann") == ["Елка в лесу", "ёлка дома"]
    assert await found("елка", media="any") == []
    for odd in ('"x', "foo AND", "NEAR(", "a:b", "-x", "()", "*", " "):
        assert await found(odd) == []
    with pytest.raises(InvalidInput):
        await found("x", media="hologram")
    with pytest.raises(InvalidInput):
        await found("x" * 501)


async def test_an_edit_moves_the_message_in_search_and_a_delete_removes_it(house: House) -> None:
    await house.personal.say("apples", id_="n1")
    message = await house.told("apples")
    await house.personal.deliver("edit", id="n1", text="pears")
    await house.told("pears")
    search = house.core.search.messages

    assert [h.message.status for h in (await search(AGENT, "pears")).items] == ["edited"]
    assert not (await search(AGENT, "apples")).items
    await house.personal.deliver("delete", id="n1")

    async def gone() -> bool | None:
        detail = await house.core.history.get(OWNER, message.id)
        return True if detail.message.status == "deleted" else None

    assert await house.core.events.wait(gone, 5)
    assert not (await search(AGENT, "pears")).items
    assert (await house.core.chats.get(OWNER, message.chat)).last_text == "(deleted)"


async def test_waiting_misses_nothing_between_two_calls(house: House) -> None:
    await _fill(house, 1)
    first = await house.core.history.wait(AGENT, timeout_s=0)
    assert first.items == ()
    await house.personal.say("while away")
    await house.told("while away")

    await house.personal.say("elsewhere", "bob")
    second = await house.core.history.wait(AGENT, "Ann", timeout_s=0.2)
    third = await house.core.history.wait(AGENT, timeout_s=5, cursor=first.cursor)

    assert second.items == ()
    assert "while away" in [m.text for item in third.items for m in item.messages]
    assert not third.gap
    with pytest.raises(InvalidInput):
        await house.core.history.wait(AGENT, timeout_s=301)


async def test_a_caller_bound_to_one_instance_sees_nothing_of_the_other(house: House) -> None:
    message = await house.told((await _fill(house, 1)) and "ann 0")
    bot = (await house.core.instances.get(OWNER, "bot")).instance.id
    bound = Caller("k1", instances=frozenset({bot}))

    assert (await house.core.chats.list(bound, ChatFilter())).items == ()
    assert (await house.core.search.messages(bound, "ann")).items == ()
    for ask in (
        house.core.chats.get(bound, message.chat),
        house.core.chats.find(bound, "Ann"),
        house.core.history.get(bound, message.id),
        house.core.chats.list(bound, ChatFilter(instance="me")),
        house.core.instances.get(bound, "me"),
    ):
        with pytest.raises(NotFound):
            await ask
    assert await house.core.contacts.find(bound, "ann") == []


async def test_a_chat_that_several_open_at_once_is_one(house: House) -> None:
    found: list[str] = []

    async def find() -> None:
        found.append((await house.core.chats.find(AGENT, "x:new", instance="me", write=True)).id)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(find)

    assert len(found) == 5
    assert len(set(found)) == 1


async def test_contacts_by_name_with_their_chat(house: House) -> None:
    await _fill(house, 1)
    await house.personal.deliver("contact", "ann", name="Annabel", source="owner", phone="+3712000")
    await house.personal.deliver("contact", "ann", name="Queen", source="stranger")
    await house.personal.say("marker")
    message = await house.told("marker")

    (found,) = await house.core.contacts.find(AGENT, "annab")

    assert (found.display_name, found.phone, found.chat) == ("Annabel", "+3712000", message.chat)
    with pytest.raises(InvalidInput):
        await house.core.contacts.find(AGENT, " ")
    await _fill(house, 1, "annika")
    with pytest.raises(Ambiguous):
        await house.core.chats.find(AGENT, "nn")
