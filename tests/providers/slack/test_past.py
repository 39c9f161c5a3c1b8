"""Older messages, fetched as far as somebody reads, and Slack's own search."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from mcp import Client

from messengers.core.callers import OWNER
from messengers.core.chats import ChatFilter
from messengers.mcp_server.server import build_server
from messengers.models import Lifecycle
from tests.fakes.slack import Bot, Channel, FakeSlack, User, Workspace
from tests.mcp_server.conftest import text_of
from tests.providers.slack.conftest import AGENT, Connected, OpenCore, add, connected, until


async def test_older_messages_are_fetched_when_a_chat_is_read(
    slack: FakeSlack, reopen: OpenCore, bot: Bot, grace: User, team: Channel
) -> None:
    slack.retry_waits_s = (0,)
    first = slack.write(grace, team, "number 0")
    for number in range(1, 120):
        slack.pass_time(1)
        slack.write(grace, team, f"number {number}")
    slack.pass_time(1)
    slack.write(grace, team, "in the thread", thread=first)
    slack.react(grace, first, "+1")
    slack.pass_time(600)
    await slack.until(lambda: all(each.lost for each in slack.line(bot).deliveries))
    async with connected(slack, reopen, bot, grace, team) as work:
        slack.write(grace, team, "now")
        await work.heard(team.id, "now")
        chat = await work.chat(team.id)
        asked_before = len(slack.asked("conversations.history"))

        pages, cursor = list[str](), ""
        for _ in range(5):
            page = await work.core.history.read(OWNER, chat, 30, cursor=cursor)
            pages = [*(each.text for each in page.items), *pages]
            cursor = page.cursor
            if not cursor:
                break
        again = await work.core.history.read(OWNER, chat, 200)
        since = await work.core.history.since(chat)
        asked = len(slack.asked("conversations.history"))
        await work.core.history.read(OWNER, chat, 200)

        assert asked_before == 0
        assert pages == [*(f"number {n}" for n in range(120)), "now"]
        assert [each.text for each in again.items[-2:]] == ["in the thread", "now"]
        assert len(again.items) == 122
        assert since == again.items[0].sent_at
        assert again.items[0].reactions[0].emoji == "👍"
        assert len(slack.asked("conversations.history")) == asked
        assert (await work.chat(team.id)).unread == 1
        received = await work.core.events.since(OWNER, 0, kind="message.received")
        assert len(received) == 1


async def test_a_chat_is_asked_for_once_while_the_connection_lasts(work: Connected) -> None:
    work.slack.write(work.grace, work.team, "before")
    work.slack.pass_time(60)
    work.slack.write(work.grace, work.team, "after")
    before = await work.heard(work.team.id, "before")
    await work.heard(work.team.id, "after")
    chat = await work.chat(work.team.id)
    assert before.sent_at is not None
    since = before.sent_at + timedelta(seconds=1)

    pages = [await work.core.history.read(OWNER, chat, since=since) for _ in range(2)]

    assert [[each.text for each in page.items] for page in pages] == [["after"], ["after"]]
    assert len(work.slack.asked("conversations.history")) == 1


async def test_what_was_said_while_nobody_received_is_found(
    slack: FakeSlack, reopen: OpenCore, acme: Workspace, bot: Bot, grace: User, team: Channel
) -> None:
    slack.retry_waits_s = (0,)
    async with connected(slack, reopen, bot, grace, team) as work:
        slack.write(grace, team, "before the night")
        await work.heard(team.id, "before the night")
    for number in range(120):
        slack.pass_time(1)
        slack.write(grace, team, f"night {number}")
    await slack.until(lambda: all(each.lost or each.acked for each in slack.line(bot).deliveries))
    async with reopen() as core:
        again = Connected(slack, core, acme, grace, bot, team)
        await again.reaches(Lifecycle.CONNECTED)
        slack.write(grace, team, "morning")
        await again.heard(team.id, "morning")
        stored = len(await again.messages(team.id))

        page = await core.history.read(OWNER, await again.chat(team.id), 200)

        assert stored == 2
        assert [each.text for each in page.items] == [
            *("before the night", *(f"night {n}" for n in range(120)), "morning"),
        ]


@pytest.mark.parametrize("error", ["not_in_channel", "missing_scope", "internal_error"])
async def test_without_slack_a_reader_gets_what_is_stored(work: Connected, error: str) -> None:
    work.slack.write(work.grace, work.team, "now")
    await work.heard(work.team.id, "now")
    work.slack.fail_next("conversations.history", error, times=None)

    chat = await work.chat(work.team.id)
    pages = [await work.core.history.read(OWNER, chat) for _ in range(2)]

    assert [[each.text for each in page.items] for page in pages] == [["now"], ["now"]]
    assert len(work.slack.asked("conversations.history")) == (2 if "error" in error else 1)


async def test_what_an_app_wrote_before_is_not_the_owner_s_hand(
    slack: FakeSlack, reopen: OpenCore, acme: Workspace, bot: Bot, grace: User, team: Channel
) -> None:
    async with connected(slack, reopen, bot, grace, team) as work:
        await work.send(grace, "sent by an agent")
    async with reopen() as core:
        other = Connected(slack, core, acme, grace, bot, team)
        await other.reaches(Lifecycle.CONNECTED)
        await core.store.write(lambda conn: conn.exec_driver_sql("DELETE FROM message"))
        chat = await other.chat(grace.id)
        page = await core.history.read(OWNER, chat)
        chat = await other.chat(grace.id)

        assert [each.text for each in page.items] == ["sent by an agent"]
        assert chat.owner_wrote_at is None


async def test_a_personal_instance_searches_with_slack_and_says_so(
    slack: FakeSlack, reopen: OpenCore, acme: Workspace, bot: Bot, grace: User, team: Channel
) -> None:
    alan = slack.add_user(acme, "alan", "Alan Turing")
    slack.write(alan, slack.dm(alan, grace), "the enigma is broken")
    slack.write(grace, team, "an enigma in the channel")
    token = slack.authorize(slack.add_app("Mine"), grace)
    async with reopen() as core:
        entry = await add(slack, core, token)
        work = Connected(slack, core, acme, grace, bot, team)
        await work.reaches(Lifecycle.CONNECTED)
        slack.write(alan, grace, "enigma now")
        await work.heard(alan.id, "enigma now")

        async with Client(build_server(core, "reader", ())) as client:
            shown = text_of(await client.call_tool("search_messages", {"query": "broken"}))
        first = await core.search.messages(AGENT, "enigma")
        again = await core.search.messages(AGENT, "enigma")

        assert entry.instance.kind == "personal"
        assert {hit.message.text: hit.by_messenger for hit in first.items} == {
            "enigma now": False,
            "an enigma in the channel": True,
            "the enigma is broken": False,
        }
        (known,) = (await core.search.messages(AGENT, "broken")).items
        assert f"1 found · by the messenger's own search: {known.message.id}" in shown
        assert not any(hit.by_messenger for hit in again.items)
        chat = await work.chat(alan.id)
        assert (chat.kind, chat.name) == ("dm", "Alan Turing")
        assert chat.owner_wrote_at is None


async def test_a_search_that_slack_puts_off_shows_what_is_stored(
    slack: FakeSlack, reopen: OpenCore, acme: Workspace, bot: Bot, grace: User, team: Channel
) -> None:
    token = slack.authorize(slack.add_app("Mine"), grace)
    async with reopen() as core:
        await add(slack, core, token)
        work = Connected(slack, core, acme, grace, bot, team)
        await work.reaches(Lifecycle.CONNECTED)
        slack.write(grace, team, "enigma now")
        await work.heard(team.id, "enigma now")
        slack.flood(30, method="search.messages")
        first = await core.search.messages(AGENT, "enigma")
        again = await core.search.messages(AGENT, "enigma")

    assert [hit.message.text for hit in (*first.items, *again.items)] == ["enigma now"] * 2
    assert len(slack.asked("search.messages")) == 1


async def test_a_bot_s_search_is_our_own_only(work: Connected) -> None:
    work.slack.write(work.grace, work.team, "enigma")
    await work.heard(work.team.id, "enigma")

    found = await work.core.search.messages(AGENT, "enigma")

    assert [hit.message.text for hit in found.items] == ["enigma"]
    assert work.slack.asked("search.messages") == []


async def test_a_personal_instance_hears_only_what_its_owner_may(
    slack: FakeSlack, reopen: OpenCore, acme: Workspace, bot: Bot, grace: User, team: Channel
) -> None:
    alan = slack.add_user(acme, "alan", "Alan Turing")
    app = slack.add_app("Ours")
    slack.authorize(app, alan)
    token = slack.authorize(app, grace)
    eve = slack.add_user(acme, "eve")
    async with reopen() as core:
        await add(slack, core, token)
        work = Connected(slack, core, acme, grace, bot, team)
        await work.reaches(Lifecycle.CONNECTED)
        slack.write(eve, alan, "not for grace")
        slack.write(grace, team, "typed by hand")
        slack.write(alan, grace, "for grace")

        await work.heard(alan.id, "for grace")
        typed = await work.heard(team.id, "typed by hand")
        assert (typed.direction, typed.origin) == ("out", "device")
        assert await core.chats.get_by_native(work.entry.instance.id, eve.id) is None
        found = await core.events.since(OWNER, 0, kind="message.received")
        assert len(found) == 1


async def test_what_is_read_here_is_read_in_slack(
    slack: FakeSlack, reopen: OpenCore, acme: Workspace, bot: Bot, grace: User, team: Channel
) -> None:
    alan = slack.add_user(acme, "alan", "Alan Turing")
    token = slack.authorize(slack.add_app("Mine"), grace)
    async with reopen() as core:
        await add(slack, core, token)
        work = Connected(slack, core, acme, grace, bot, team)
        await work.reaches(Lifecycle.CONNECTED)
        message = slack.write(alan, grace, "read me")
        await work.heard(alan.id, "read me")

        await core.receipts.up_to(OWNER, await work.chat(alan.id))

        assert slack.dm(alan, grace).read[grace.id] == message.ts


async def test_a_bot_marks_nothing(work: Connected) -> None:
    work.slack.write(work.grace, work.bot, "hello")
    await work.heard(work.grace.id, "hello")

    await work.core.receipts.up_to(OWNER, await work.chat(work.grace.id))

    assert work.slack.asked("conversations.mark") == []


async def test_the_channels_it_is_in_are_chats_before_anybody_writes(
    slack: FakeSlack, reopen: OpenCore, bot: Bot, grace: User, team: Channel
) -> None:
    slack.page_max = 1
    bot.app.subscriptions -= {"group_rename", "message.groups"}
    closed = slack.add_channel(bot.workspace, "closed", grace, bot, private=True)
    slack.add_channel(bot.workspace, "elsewhere", grace)
    slack.flood("0.1", method="users.conversations")

    async def listed(work: Connected, *names: str) -> bool | None:
        found = await work.core.chats.list(OWNER, ChatFilter())
        return {each.name for each in found.items} == {*names} or None

    async with connected(slack, reopen, bot, grace, team) as work:
        await until(partial(listed, work, "#team", "#closed"))
    slack.rename(closed, grace, "ajar")
    async with reopen() as core:
        work = Connected(slack, core, bot.workspace, grace, bot, team)
        await until(partial(listed, work, "#team", "#ajar"))

    asked = {call.method for call in slack.calls}
    assert asked.isdisjoint({"users.list", "users.info", "conversations.info"})


async def test_without_a_scope_the_others_are_listed(
    slack: FakeSlack, reopen: OpenCore, bot: Bot, grace: User, team: Channel
) -> None:
    bot.token.scopes -= {"channels:read", "mpim:read"}
    slack.add_channel(bot.workspace, "closed", grace, bot, private=True)
    async with connected(slack, reopen, bot, grace, team) as work:

        async def listed() -> Sequence[str] | None:
            found = await work.core.chats.list(OWNER, ChatFilter())
            return [each.name for each in found.items] or None

        assert await until(listed) == ["#closed"]
